use gx_contract::*;
use gx_types::*;
use std::collections::HashMap;
use std::time::Instant;
fn main() {
    let mut state: HashMap<String, Vec<u8>> = HashMap::new();
    let n: u64 = std::env::args().nth(1).map_or(1_000_000, |a| a.parse().unwrap());
    let ids: Vec<AccountId> = (0..n)
        .map(|i| {
            let mut e = [0u8; 16];
            e[..8].copy_from_slice(&i.wrapping_mul(0x9E3779B97F4A7C15).to_le_bytes());
            e[8..].copy_from_slice(&i.to_le_bytes());
            AccountId::from_entropy("IN".parse().unwrap(), AccountType::Individual, e)
        })
        .collect();
    let mut seq = 0u128;
    let mut run =
        |state: &mut HashMap<String, Vec<u8>>, role, actor_cmds: Vec<(Actor, Command)>| {
            let batch = Batch {
                batch_id: BatchId::from_u128(seq),
                role,
                commands: actor_cmds
                    .into_iter()
                    .map(|(actor, command)| {
                        seq += 1;
                        Envelope {
                            command_id: CommandId::from_u128(
                                seq.wrapping_mul(0x9E3779B97F4A7C15F39CC0605CEDC834),
                            ),
                            actor,
                            command,
                        }
                    })
                    .collect(),
            };
            let t = Instant::now();
            let mut ex = Execution::new(&batch, Context { role, time: TimeMs(1) });
            let done = loop {
                match ex.run() {
                    Step::Need(keys) => {
                        for k in keys {
                            let v = state.get(&k.encode()).cloned();
                            ex.supply(k, v.as_deref()).unwrap();
                        }
                    }
                    Step::Done(d) => break d,
                }
            };
            let el = t.elapsed();
            for w in done.writes {
                state.insert(w.key, w.value);
            }
            (done.record, el)
        };
    let admin: AdminId = "root1".parse().unwrap();
    run(
        &mut state,
        Role::SuperAdmin,
        vec![(Actor::System, admin::BootstrapSystem { first_super_admin: admin.clone() }.into())],
    );
    run(
        &mut state,
        Role::SuperAdmin,
        vec![(
            Actor::Admin(admin),
            admin::InitializeCountryData {
                countries: vec![admin::CountryWeight {
                    country_code: "IN".parse().unwrap(),
                    weight: 100_000_000,
                }],
            }
            .into(),
        )],
    );
    let t = Instant::now();
    for chunk in ids.chunks(1000) {
        let (r, _) = run(
            &mut state,
            Role::PartnerApi,
            chunk
                .iter()
                .map(|id| {
                    (
                        Actor::System,
                        identity::CreateUser {
                            user_id: id.clone(),
                            identity_hash: format!(
                                "{:064x}",
                                id.as_str().bytes().fold(0u128, |a, b| a
                                    .wrapping_mul(131)
                                    .wrapping_add(b as u128))
                            )
                            .into(),
                            country: "IN".parse().unwrap(),
                            age: 30,
                            account_type: AccountType::Individual,
                        }
                        .into(),
                    )
                })
                .collect(),
        );
        if let Some(x) = r.results.iter().find(|x| !matches!(x.outcome, Outcome::Applied(_))) {
            if !format!("{x:?}").contains("Taken") {
                println!("{x:?}");
                return;
            }
        }
    }
    println!("create {:?}", t.elapsed());
    let mut total = std::time::Duration::ZERO;
    let mut count = 0;
    let mut r = 1u64;
    let mut applied = 0;
    for b in 0..1000 {
        let cmds = (0..1000)
            .map(|_| {
                r = r.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                let f = ((r >> 20) % n) as usize;
                let t = ((r >> 33) % n) as usize;
                (
                    Actor::User(ids[f].clone()),
                    tokenomics::Transfer {
                        from: ids[f].clone(),
                        to: ids[t].clone(),
                        amount: Amount::from_qirat(5_000_000 + b),
                        remark: String::new(),
                    }
                    .into(),
                )
            })
            .collect();
        let (rec, el) = run(&mut state, Role::PartnerApi, cmds);
        total += el;
        count += 1000;
        applied += rec.results.iter().filter(|x| matches!(x.outcome, Outcome::Applied(_))).count();
        if b == 0 {
            println!("{}", serde_json::to_string(&rec.results[0]).unwrap());
        }
    }
    println!("{} transfers/s applied {applied}", count as f64 / total.as_secs_f64());
}

fn cpu() -> u64 {
    std::fs::read_to_string("/proc/thread-self/schedstat")
        .unwrap()
        .split(' ')
        .next()
        .unwrap()
        .parse()
        .unwrap()
}
#[global_allocator]
static ALLOC: mimalloc::MiMalloc = mimalloc::MiMalloc;
