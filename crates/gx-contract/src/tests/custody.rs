//! TransferCustody and AcceptCustody, and who speaks for accounts without a key.

use super::script::check;

/// Alice's account is the platform's, bob's that of another organization, keyed has a key.
const WORLD: &str = "world IN=60000000 FR=40000000
    open alice.IN 30
    by OtherMSP system CreateUser bob.FR 30 => GenesisDistributed, UserCreated custodian=OtherMSP
    open keyed.IN 30
    user:keyed.IN RegisterKey keyed.IN k => KeyRegistered";

fn check_custody(table: &str) -> super::host::Host {
    check(&format!("{WORLD}\n{table}"))
}

#[test]
fn who_opened_an_account_speaks_for_it_and_nobody_else() {
    check_custody(
        "by OtherMSP user:alice.IN Transfer alice.IN bob.FR 1GX => not_custodian
        user:bob.FR Transfer bob.FR alice.IN 1GX => not_custodian
        by UnknownMSP user:alice.IN Transfer alice.IN bob.FR 1GX => not_custodian
        user:alice.IN Transfer alice.IN bob.FR 1GX => Transferred
        by OtherMSP user:bob.FR Transfer bob.FR alice.IN 1GX => Transferred
        by OtherMSP user:alice.IN RegisterKey alice.IN k2 => not_custodian",
    );
}

/// With a key it is the key that speaks, whoever carries the words.
#[test]
fn a_key_has_no_custodian() {
    check_custody(
        "by OtherMSP signed=k user:keyed.IN Transfer keyed.IN bob.FR 1GX => Transferred
        by OtherMSP user:keyed.IN Transfer keyed.IN bob.FR 1GX => signature_missing
        by OtherMSP user:bob.FR RegisterKey bob.FR k3 => KeyRegistered
        signed=k3 user:bob.FR Transfer bob.FR alice.IN 1GX => Transferred
        by OtherMSP system TransferCustody bob.FR platform => key_exists",
    );
}

#[test]
fn an_account_is_passed_on_when_the_other_accepts() {
    let host = check_custody(
        "by OtherMSP system AcceptCustody alice.IN => custody_not_offered
        by OtherMSP system TransferCustody alice.IN OtherMSP => custody_not_held
        system TransferCustody alice.IN platform => custody_unchanged
        system TransferCustody alice.IN OtherMSP => CustodyOffered \
            userId=alice.IN from=platform to=OtherMSP
        by OtherMSP user:alice.IN Transfer alice.IN bob.FR 1GX => not_custodian
        user:alice.IN Transfer alice.IN bob.FR 1GX => Transferred
        by ThirdMSP system AcceptCustody alice.IN => custody_not_offered
        by OtherMSP system AcceptCustody alice.IN => CustodyTransferred from=platform to=OtherMSP
        by OtherMSP system AcceptCustody alice.IN => custody_not_offered
        user:alice.IN Transfer alice.IN bob.FR 1GX => not_custodian
        by OtherMSP user:alice.IN Transfer alice.IN bob.FR 1GX => Transferred
        by OtherMSP system TransferCustody alice.IN ThirdMSP => CustodyOffered
        by OtherMSP system TransferCustody alice.IN platform => CustodyOffered
        by ThirdMSP system AcceptCustody alice.IN => custody_not_offered
        system AcceptCustody alice.IN => CustodyTransferred from=OtherMSP to=platform",
    );
    let system: serde_json::Value = serde_json::from_slice(&host.ledger["s/system"]).unwrap();
    assert_eq!(system["custodians"], serde_json::json!(["platform", "OtherMSP"]));
}

/// An offer from before the key does not bring the account back under anybody's word.
#[test]
fn an_offer_ends_with_the_key() {
    check_custody(
        "system TransferCustody alice.IN OtherMSP => CustodyOffered
        user:alice.IN RegisterKey alice.IN k2 => KeyRegistered
        by OtherMSP system AcceptCustody alice.IN => key_exists",
    );
}
