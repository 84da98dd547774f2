//! The chaincode server, spoken to by peers: bytes, direct calls, access, restarts, stopping.

use std::time::Duration;

use gx_contract::testing::Memory;
use gx_contract::tokenomics::GetBalance;
use gx_contract::{BatchRecord, Outcome};
use gx_fabric::issue::{Authority, Key};
use gx_fabric::{Class, FabricEngine, Identity};
use gx_types::Role;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::load::{Load, account, context};
use gx_fabric_network::{CHAINCODE, Network, Release, serve_chaincode};

async fn the_bytes_are_the_contracts(release: Release) {
    let network = Network::start(release).await;
    let engine = network.engine();
    let mut load = Load::default();
    let again = load.payment(2, 3, 3_000_000);
    let refused = load.payment(0, 9, 1);
    let mixed = vec![again.clone(), refused, again, load.payment(0, 1, u64::MAX)];
    let batches = [
        load.foundation(),
        load.openings(7),
        load.payments(350, 7),
        load.batch(Role::PartnerApi, mixed),
        load.batch(Role::PartnerApi, Vec::new()),
    ];
    let (mut model, mut records) = (Memory::default(), Vec::new());
    for batch in &batches {
        let settled = engine.submit(batch).await.unwrap();
        let block = engine.block(settled[0].block).await.unwrap().unwrap();
        let context = context(batch.role, block.time);
        records.push(model.execute(batch, context).unwrap());
        assert_eq!(settled[0].commands, batch.commands.len());
    }
    assert_eq!(network.state(), model.state);
    let mut blocks = Vec::new();
    while blocks.len() < batches.len() {
        blocks.extend(engine.blocks(blocks.len() as u64 + 1, 100, usize::MAX).await.unwrap());
    }
    assert_eq!(blocks.len(), batches.len());
    for ((block, batch), record) in blocks.iter().zip(&batches).zip(&records) {
        let settled = block.settled.as_ref().unwrap();
        assert_eq!((&settled.batch, &settled.record), (batch, record));
    }
}

#[tokio::test]
async fn bytes_are_the_contracts_with_many_keys_at_once() {
    the_bytes_are_the_contracts(Release::V3).await;
}

#[tokio::test]
async fn bytes_are_the_contracts_with_one_key_at_a_time() {
    the_bytes_are_the_contracts(Release::V2).await;
}

fn args(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

#[tokio::test]
async fn functions_are_called_by_name() {
    let network = Network::start(Release::V3).await;
    let engine = network.engine();
    let gateway = engine.gateway();
    let super_admin = &*engine.identity(Role::SuperAdmin).unwrap();
    let call = async |texts: &[&str]| {
        let prepared = gateway.endorse(super_admin, CHAINCODE, args(texts), &[]).await?;
        gateway.submit(&prepared).await?;
        let status = gateway
            .commit_status(super_admin, &prepared.tx_id, engine.options().deadlines.commit)
            .await?;
        Ok::<_, gx_fabric::Error>((status.block, String::from_utf8(prepared.answer).unwrap()))
    };
    let bootstrap = ["AdminContract:BootstrapSystem", "root", "devnet", "", ""];
    let (block, answer) = call(&bootstrap).await.unwrap();
    assert!(answer.contains("\"applied\":[{\"SystemBootstrapped\""), "{answer}");
    // A reader of blocks finds the command that was called.
    let block = engine.block(block).await.unwrap().unwrap().settled.unwrap();
    assert_eq!(block.batch.commands[0].command.name(), "AdminContract:BootstrapSystem");
    assert_eq!(block.batch.commands[0].command_id, block.record.results[0].command_id);
    let object = r#"{"reason":"maintenance","actor":"admin:root"}"#;
    let (_, answer) = call(&["AdminContract:PauseSystem", object]).await.unwrap();
    assert!(answer.contains("\"SystemPaused\""), "{answer}");
    let (_, answer) = call(&["AdminContract:PauseSystem", "because", "admin:root"]).await.unwrap();
    assert!(answer.contains("\"refused\":{\"code\":\"system_paused\""), "{answer}");

    let status = args(&["AdminContract:GetSystemStatus", "{}"]);
    let status = gateway.evaluate(super_admin, CHAINCODE, status).await.unwrap();
    assert!(String::from_utf8(status).unwrap().contains("maintenance"));
    let info = args(&["SmartContract:GetChaincodeInfo"]);
    let info = gateway.evaluate(super_admin, CHAINCODE, info).await.unwrap();
    assert!(String::from_utf8(info).unwrap().contains("parametersDigest"));
    let unknown = call(&["PauseSystem", "x"]).await.unwrap_err();
    assert_eq!(unknown.class(), Class::Misconfigured, "{unknown}");
    assert!(unknown.to_string().contains("the contract has no function"), "{unknown}");
    let account_id = account(1);
    let refused = engine.query(&GetBalance { account_id }.into()).await.unwrap().unwrap_err();
    assert_eq!(refused.code.code(), "account_not_found");
}

#[tokio::test]
async fn only_listed_organizations_with_a_role_submit() {
    let network = Network::start(Release::V3).await;
    let engine = network.engine();
    let authority = Authority::generate("ca", 1).unwrap();
    let identity = |msp_id: &str, attributes: &[(&str, &str)]| {
        let key = Key::generate().unwrap();
        let pem = authority.issue("mallory", &key, attributes, 1).unwrap();
        Identity::from_pem("mallory", msp_id, pem.as_bytes(), key.pem()).unwrap()
    };
    let role = [("gxc_role", "gx_super_admin")];
    let rows = [
        (identity("Org1MSP", &[]), "the certificate has no attribute gxc_role"),
        (identity("Org1MSP", &[("gxc_role", "root")]), "which is no role"),
        (identity("Org2MSP", &role), "Org2MSP may not submit as gx_super_admin"),
    ];
    let batch = serde_json::to_vec(&Load::default().foundation()).unwrap();
    for (identity, expected) in rows {
        // Whoever may not submit is told so before anything is unpacked.
        for batch in [batch.clone(), b"\x28\xB5\x2F\xFDno frame".to_vec()] {
            let call = vec![b"SmartContract:ExecuteBatch".to_vec(), batch];
            let ended = engine.gateway().endorse(&identity, CHAINCODE, call, &[]).await;
            let error = ended.unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        // Anybody on the channel may ask.
        let status = args(&["AdminContract:GetSystemStatus", "{}"]);
        engine.gateway().evaluate(&identity, CHAINCODE, status).await.unwrap();
    }
    assert!(network.codes().is_empty());
}

/// The organization is the one whose certificate has signed the proposal, not one that it names.
#[tokio::test]
async fn an_organization_speaks_for_the_accounts_that_it_has_opened() {
    let network = Network::start(Release::V3).await;
    let engine = network.engine();
    let mut load = Load::default();
    for batch in [load.foundation(), load.openings(2)] {
        engine.submit(&batch).await.unwrap();
    }
    let authority = Authority::generate("ca", 1).unwrap();
    let key = Key::generate().unwrap();
    let pem = authority.issue("partner", &key, &[("gxc_role", "gx_partner_api")], 1).unwrap();
    let other = Identity::from_pem("partner", "Org2MSP", pem.as_bytes(), key.pem()).unwrap();
    let ours = engine.identity(Role::PartnerApi).unwrap();
    let payment = |from: u8, to: u8| {
        let (from, to) = (account(from), account(to));
        let payment = format!(
            r#"{{"from":"{from}","to":"{to}","amount":"1","remark":"","actor":"user:{from}"}}"#
        );
        args(&["TokenomicsContract:Transfer", &payment])
    };
    for (identity, expected) in [(&other, r#""code":"not_custodian""#), (&*ours, "Transferred")] {
        let call = payment(0, 1);
        let prepared = engine.gateway().endorse(identity, CHAINCODE, call, &[]).await.unwrap();
        let answer = String::from_utf8(prepared.answer).unwrap();
        assert!(answer.contains(expected), "{answer}");
    }
}

/// A proposal to another chaincode, which passes its arguments on to this one.
#[tokio::test]
async fn commands_that_another_chaincode_passes_on_are_refused() {
    let network = Network::start(Release::V3).await;
    let engine = network.engine();
    let batch = serde_json::to_string(&Load::default().foundation()).unwrap();
    let identity = &*engine.identity(Role::SuperAdmin).unwrap();
    for call in [
        args(&["SmartContract:ExecuteBatch", &batch]),
        args(&["AdminContract:BootstrapSystem", "root", "devnet"]),
    ] {
        let error = engine.gateway().endorse(identity, "proxy", call, &[]).await.unwrap_err();
        assert_eq!(error.class(), Class::Misconfigured);
        let text = "the contract gxtv3 is called by the chaincode \"proxy\"";
        assert!(error.to_string().contains(text), "{error}");
    }
    let status = args(&["AdminContract:GetSystemStatus", "{}"]);
    engine.gateway().evaluate(identity, "proxy", status).await.unwrap();
}

#[tokio::test]
async fn batches_that_are_no_texts_are_refused() {
    let network = Network::start(Release::V3).await;
    let engine = network.engine();
    let identity = &*engine.identity(Role::SuperAdmin).unwrap();
    let frame = b"\x28\xB5\x2F\xFD".to_vec();
    // 17 MiB in a single segment, as its header says.
    let large = [&frame[..], &[0xA0, 0, 0, 0x10, 0x01]].concat();
    for (batch, expected) in [
        (frame, "the batch cannot be unpacked: the frame does not name its content's length"),
        (large, "its text has 17825792 bytes, 16777216 is the most"),
        (b"\xFF\xFE".to_vec(), "arguments do not fit SmartContract:ExecuteBatch"),
        (b"{}".to_vec(), "missing field `batchId`"),
    ] {
        let call = vec![b"SmartContract:ExecuteBatch".to_vec(), batch];
        let error = engine.gateway().endorse(identity, CHAINCODE, call, &[]).await.unwrap_err();
        assert_eq!(error.class(), Class::Misconfigured, "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    }
}

/// What is parsed takes many times its length, and everybody may ask.
#[tokio::test]
async fn long_calls_are_refused_before_they_are_parsed() {
    let network = Network::start(Release::V3).await;
    let engine = network.engine();
    let identity = &*engine.identity(Role::SuperAdmin).unwrap();
    let long = format!("{{\"a\":[{}0]}}", "0,".repeat(40_000));
    let expected = "arguments do not fit: they have 80";
    for function in ["AdminContract:GetSystemStatus", "AdminContract:PauseSystem", "nothing"] {
        let call = args(&[function, &long]);
        let error = engine.gateway().evaluate(identity, CHAINCODE, call).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[tokio::test]
async fn a_batch_of_another_role_is_refused_command_by_command() {
    let network = Network::start(Release::V3).await;
    let engine = network.engine();
    let mut batch = Load::default().foundation();
    batch.role = Role::PartnerApi;
    let settled = engine.submit(&batch).await.unwrap();
    assert_eq!((settled[0].counts.applied, settled[0].counts.refused), (0, 2));
}

#[tokio::test]
async fn the_server_may_stop_and_start_between_calls() {
    let network = Network::start(Release::V3).await;
    // The peer's call waits on the port that nobody serves until its deadline.
    let mut options = network.options();
    options.deadlines.endorse = Duration::from_secs(3);
    let engine = FabricEngine::new(options, &network.wallet).unwrap();
    let mut load = Load::default();
    engine.submit(&load.foundation()).await.unwrap();
    network.stop_chaincode.cancel();
    // The port is free again only once the server has ended.
    let listener = loop {
        match TcpListener::bind(network.chaincode).await {
            Ok(listener) => break listener,
            Err(_) => tokio::task::yield_now().await,
        }
    };
    let stop = CancellationToken::new();
    let batch = load.openings(3);
    let stopped = engine.submit(&batch).await;
    let server = tokio::spawn(serve_chaincode(listener, stop.clone()));
    if let Err(error) = stopped {
        assert_eq!(error.class(), Class::NotAnswered, "{error}");
        engine.submit(&batch).await.unwrap();
    }
    stop.cancel();
    server.await.unwrap();
    assert_eq!(network.codes(), [0, 0]);
}

#[tokio::test]
async fn the_record_in_the_event_is_the_whole_truth() {
    let network = Network::start(Release::V3).await;
    let engine = network.engine();
    let mut load = Load::default();
    let batch = load.foundation();
    engine.submit(&batch).await.unwrap();
    engine.submit(&batch).await.unwrap();
    let blocks = engine.blocks(1, 10, usize::MAX).await.unwrap();
    let records: Vec<&BatchRecord> =
        blocks.iter().map(|block| &block.settled.as_ref().unwrap().record).collect();
    assert!(records[0].results.iter().all(|r| matches!(r.outcome, Outcome::Applied(_))));
    assert!(records[1].results.iter().all(|r| matches!(r.outcome, Outcome::Repeated(_))));
}
