//! DistributeGenesis: a later grant, once, with an age attested anew; and how it scales.

use gx_types::{Actor, Role};

use super::notation::account;
use super::script::{WORLD, check, check_in_world};
use crate::tokenomics::{AttestedAge, DistributeGenesis};
use crate::{Outcome, Refusal};

#[test]
fn a_child_that_turned_13_is_granted_genesis_once() {
    check_in_world(
        "open child.IN 12
        system DistributeGenesis child.IN=12 => GenesisSkipped code=genesis_ineligible
        = child.IN 0
        system DistributeGenesis child.IN=13 => \
            GenesisDistributed userId=child.IN country=IN phase=1 amount=500GX treasuryAmount=50GX
        + system DistributeGenesis child.IN=13 => GenesisSkipped code=genesis_already_granted
        system DistributeGenesis child.IN=14 => GenesisSkipped code=genesis_already_granted
        = child.IN 500GX
        = treasury_IN 50GX",
    );
}

#[test]
fn only_a_grant_forbids_another() {
    check_in_world(
        r#"open elder.IN 74
        put c/FR {"v":1,"weight":40000000,"users":0,"slots":[0,0,0,0,0,0],"slotsUsed":[0,0,0,0,0,0]}
        open late.FR 30
        system DistributeGenesis late.FR=30 => GenesisSkipped code=genesis_exhausted
        system DistributeGenesis elder.IN=74 => GenesisSkipped code=genesis_ineligible
        system DistributeGenesis elder.IN=73 => GenesisDistributed phase=1
        put c/FR {"v":1,"weight":40000000,"users":1,"slots":[0,0,0,0,0,1],"slotsUsed":[0,0,0,0,0,0]}
        system DistributeGenesis late.FR=30 => \
            GenesisDistributed phase=6 amount=50GX treasuryAmount=10GX
        system DistributeGenesis late.FR=30 => GenesisSkipped code=genesis_already_granted
        = late.FR 50GX
        = treasury_FR 10GX"#,
    );
}

#[test]
fn ages_13_to_73_are_granted() {
    for (age, expected) in [
        (0, "GenesisSkipped code=genesis_ineligible"),
        (12, "GenesisSkipped code=genesis_ineligible"),
        (13, "GenesisDistributed"),
        (73, "GenesisDistributed"),
        (74, "GenesisSkipped code=genesis_ineligible"),
        (150, "GenesisSkipped code=genesis_ineligible"),
        (151, "age_invalid"),
    ] {
        check_in_world(&format!(
            "open child.IN 5\nsystem DistributeGenesis child.IN={age} => {expected}"
        ));
    }
}

#[test]
fn one_user_in_a_list_does_not_disturb_the_others() {
    check_in_world(
        r#"open a.IN 5
        open b.FR 30
        open c.FR 5
        open aid.IN.E 30
        system DistributeGenesis a.IN=13 nobody.IN=30 b.FR=30 c.FR=12 aid.IN.E=30 \
            SYSTEM_LOAN_POOL=30 treasury_IN=30 => \
            GenesisDistributed userId=a.IN, \
            GenesisSkipped userId=nobody.IN code=account_not_found, \
            GenesisSkipped userId=b.FR code=genesis_already_granted, \
            GenesisSkipped userId=c.FR code=genesis_ineligible, \
            GenesisSkipped userId=aid.IN.E code=genesis_ineligible, \
            GenesisSkipped userId=SYSTEM_LOAN_POOL code=account_not_found, \
            GenesisSkipped userId=treasury_IN code=account_not_found
        = a.IN 500GX
        = b.FR 500GX
        = c.FR 0
        = aid.IN.E 0"#,
    );
}

#[test]
fn a_list_uses_up_the_phases_as_single_grants_would() {
    check_in_world(
        r#"open a.IN 5
        open b.IN 5
        open c.IN 5
        put c/IN {"v":1,"weight":60000000,"users":3,"slots":[1,1,0,0,0,0],"slotsUsed":[0,0,0,0,0,0]}
        system DistributeGenesis a.IN=13 b.IN=13 c.IN=13 => GenesisDistributed phase=1, \
            GenesisDistributed phase=2 amount=400GX, GenesisSkipped code=genesis_exhausted
        = treasury_IN 100GX"#,
    );
}

#[test]
fn a_list_names_each_user_once() {
    check_in_world(
        "open a.IN 5
        system DistributeGenesis => list_invalid
        system DistributeGenesis a.IN=13 a.IN=13 => list_invalid
        system DistributeGenesis a.IN=13 a.IN=14 => list_invalid
        system DistributeGenesis a.IN=13 => GenesisDistributed",
    );
}

#[test]
fn a_list_has_at_most_1000_users() {
    let mut host = check(WORLD);
    let users = |count: usize| DistributeGenesis {
        users: (0..count)
            .map(|at| AttestedAge {
                user_id: account(&format!("u{at}.IN")),
                age: 30,
                attestation: None,
            })
            .collect(),
    };
    for (count, expected) in [(1000, None), (1001, Some(Refusal::ListInvalid))] {
        let envelope = host.envelope(Actor::System, users(count));
        let record = host.execute(Role::Admin, vec![envelope]);
        let found = match &record.results[0].outcome {
            Outcome::Applied(events) => {
                assert_eq!(events.len(), count);
                None
            }
            Outcome::Refused(refused) => Some(refused.code),
            Outcome::Repeated(_) => panic!("the id is new"),
        };
        assert_eq!(found, expected);
    }
    host.finish();
}

/// The host allows a handful of rounds, however many countries the users come from.
#[test]
fn a_list_over_many_countries_is_read_in_few_rounds() {
    let codes: Vec<String> = ('A'..='T').map(|letter| format!("X{letter}")).collect();
    let words = |word: &dyn Fn(&String) -> String| codes.iter().map(word).collect::<Vec<_>>();
    let table = [
        format!("world {}", words(&|code| format!("{code}=5000000")).join(" ")),
        words(&|code| format!("open child.{code} 5 human=child-{code}")).join("\n"),
        format!(
            "system DistributeGenesis {} => {}",
            words(&|code| format!("child.{code}=13")).join(" "),
            words(&|code| format!("GenesisDistributed country={code}")).join(", ")
        ),
    ];
    check(&table.join("\n"));
}

#[test]
fn genesis_reaches_a_frozen_account() {
    check_in_world(
        "open a.IN 5
        admin:root FreezeWallet a.IN COMPLIANCE_REVIEW => WalletFrozen
        system DistributeGenesis a.IN=13 => GenesisDistributed
        = a.IN 500GX",
    );
}

#[test]
fn genesis_is_given_by_admins_and_scheduled_work() {
    check_in_world(
        r#"put d/clerk {"v":1,"level":"ADMIN","appointedAt":0}
        open a.IN 5
        open b.IN 30
        user:b.IN DistributeGenesis a.IN=13 => actor_not_allowed
        admin:nobody DistributeGenesis a.IN=13 => actor_unknown
        as gx_super_admin admin:root DistributeGenesis a.IN=13 => role_not_allowed
        as gx_partner_api admin:root DistributeGenesis a.IN=13 => role_not_allowed
        admin:clerk DistributeGenesis a.IN=12 => GenesisSkipped
        admin:root DistributeGenesis a.IN=13 => GenesisDistributed"#,
    );
}
