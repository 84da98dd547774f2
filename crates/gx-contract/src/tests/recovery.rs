//! Recovery of a lost key: guardians, more than half of them, the owner's veto, and the delay.

use serde_json::json;

use super::host::Host;
use super::notation::{account, command_id, public_key, query};
use super::script::check;

const HOUR: i64 = 60 * 60 * 1000;
const WEEK: i64 = 7 * 24 * HOUR;

/// Alice has the key `k` and four guardians.
const USERS: &str = "world IN=60000000 FR=40000000
    at 0
    open alice.IN 30
    open g1.IN 30
    open g2.IN 30
    open g3.FR 30
    open g4.FR 30
    open mallory.FR 30
    user:alice.IN RegisterKey alice.IN k => KeyRegistered
    signed=k user:alice.IN NominateGuardians alice.IN g1.IN g2.IN g3.FR g4.FR => \
        GuardiansNominated";

fn check_with_users(table: &str) -> Host {
    check(&format!("{USERS}\n{table}"))
}

#[test]
fn more_than_half_agree_and_after_two_days_the_new_key_counts() {
    let (two_days, almost) = (48 * HOUR, 48 * HOUR - 1);
    check_with_users(&format!(
        "#r user:g1.IN InitiateRecovery alice.IN new => RecoveryInitiated userId=alice.IN \
            initiatedBy=g1.IN expiresAt={WEEK} guardians.3=g4.FR
        user:g1.IN ConfirmRecovery #r => already_confirmed
        user:g2.IN ConfirmRecovery #r => RecoveryConfirmed confirmations=2 state=PENDING
        user:g2.IN CompleteRecovery #r => recovery_not_confirmed
        user:g3.FR ConfirmRecovery #r => RecoveryConfirmed confirmations=3 state=CONFIRMED \
            completableAt={two_days}
        + user:g4.FR ConfirmRecovery #r => recovery_not_pending
        at {almost}
        user:g4.FR CompleteRecovery #r => recovery_too_early
        signed=k user:alice.IN Transfer alice.IN g1.IN 1 => Transferred
        at {two_days}
        user:mallory.FR CompleteRecovery #r => not_guardian
        user:g4.FR CompleteRecovery #r => RecoveryCompleted userId=alice.IN completedBy=g4.FR
        + signed=k user:alice.IN Transfer alice.IN g1.IN 1 => signature_wrong
        + signed=new user:alice.IN Transfer alice.IN g1.IN 1 => Transferred
        user:g4.FR CompleteRecovery #r => recovery_over
        signed=new user:alice.IN CancelRecovery #r => recovery_over"
    ));
}

#[test]
fn strictly_more_than_half_are_needed() {
    for (guardians, needed) in [(3, 2), (4, 3), (5, 3), (6, 4), (7, 4)] {
        let names: Vec<String> = (0..guardians).map(|at| format!("w{at}.FR")).collect();
        let mut table = vec![USERS.to_owned()];
        table.extend(names.iter().map(|name| format!("open {name} 30")));
        table.push(format!(
            "signed=k user:alice.IN NominateGuardians alice.IN {} => GuardiansNominated
            #r user:w0.FR InitiateRecovery alice.IN new => RecoveryInitiated",
            names.join(" ")
        ));
        for (name, count) in names.iter().zip(1..=needed).skip(1) {
            let state = if count == needed { "CONFIRMED" } else { "PENDING" };
            table.push(format!(
                "user:{name} ConfirmRecovery #r => \
                 RecoveryConfirmed confirmations={count} state={state}"
            ));
        }
        check(&table.join("\n"));
    }
}

#[test]
fn the_owner_may_veto_until_the_key_is_replaced() {
    check_with_users(
        "#r user:g1.IN InitiateRecovery alice.IN new => RecoveryInitiated
        user:alice.IN CancelRecovery #r => signature_missing
        signed=new user:alice.IN CancelRecovery #r => signature_wrong
        user:mallory.FR CancelRecovery #r => not_party
        user:g1.IN CancelRecovery #r => not_party
        user:g2.IN ConfirmRecovery #r => RecoveryConfirmed
        user:g3.FR ConfirmRecovery #r => RecoveryConfirmed state=CONFIRMED
        at 999999999
        signed=k user:alice.IN CancelRecovery #r => RecoveryCancelled userId=alice.IN
        + user:g3.FR CompleteRecovery #r => recovery_over
        user:g4.FR ConfirmRecovery #r => recovery_not_pending
        signed=k user:alice.IN CancelRecovery #r => recovery_over
        user:g1.IN InitiateRecovery alice.IN new => recovery_too_soon
        #r2 user:g2.IN InitiateRecovery alice.IN new => RecoveryInitiated",
    );
}

#[test]
fn guardians_have_seven_days_to_agree() {
    let last = WEEK - 1;
    check_with_users(&format!(
        "#r user:g1.IN InitiateRecovery alice.IN new => RecoveryInitiated
        at {last}
        user:g2.IN ConfirmRecovery #r => RecoveryConfirmed
        user:g1.IN InitiateRecovery alice.IN other => recovery_open
        at {WEEK}
        user:g3.FR ConfirmRecovery #r => recovery_expired
        user:g3.FR CompleteRecovery #r => recovery_over
        signed=k user:alice.IN CancelRecovery #r => recovery_over
        #r2 user:g2.IN InitiateRecovery alice.IN other => RecoveryInitiated
        user:g2.IN InitiateRecovery alice.IN new => recovery_open"
    ));
}

#[test]
fn a_recovery_that_was_agreed_on_in_time_does_not_expire() {
    let (last, two_days_later) = (WEEK - 1, WEEK - 1 + 48 * HOUR);
    check_with_users(&format!(
        "#r user:g1.IN InitiateRecovery alice.IN new => RecoveryInitiated
        user:g2.IN ConfirmRecovery #r => RecoveryConfirmed
        at {last}
        user:g3.FR ConfirmRecovery #r => RecoveryConfirmed completableAt={two_days_later}
        at {WEEK}
        user:g2.IN InitiateRecovery alice.IN other => recovery_open
        user:g1.IN CompleteRecovery #r => recovery_too_early
        at {two_days_later}
        user:g1.IN CompleteRecovery #r => RecoveryCompleted
        signed=new user:alice.IN Transfer alice.IN g1.IN 1 => Transferred"
    ));
}

/// Guardians who were dismissed must not finish what they began.
#[test]
fn who_names_other_guardians_ends_the_recovery() {
    check_with_users(
        "open w1.IN 30
        open w2.IN 30
        open w3.IN 30
        #r user:g1.IN InitiateRecovery alice.IN new => RecoveryInitiated
        user:g2.IN ConfirmRecovery #r => RecoveryConfirmed
        user:alice.IN NominateGuardians alice.IN w1.IN w2.IN w3.IN => signature_missing
        signed=k user:alice.IN NominateGuardians alice.IN w1.IN w2.IN w3.IN => \
            GuardiansNominated, RecoveryCancelled userId=alice.IN
        user:g3.FR ConfirmRecovery #r => recovery_not_pending
        user:g3.FR CompleteRecovery #r => recovery_over
        user:g1.IN InitiateRecovery alice.IN other => not_guardian
        user:w1.IN ConfirmRecovery #r => not_guardian
        signed=k user:alice.IN NominateGuardians alice.IN w1.IN w2.IN w3.IN => GuardiansNominated
        #r2 user:w1.IN InitiateRecovery alice.IN other => RecoveryInitiated guardians.0=w1.IN",
    );
}

/// Whoever signs with the key has not lost it.
#[test]
fn who_rotates_the_key_ends_the_recovery() {
    check_with_users(
        "#r user:g1.IN InitiateRecovery alice.IN new => RecoveryInitiated
        user:g2.IN ConfirmRecovery #r => RecoveryConfirmed
        user:g3.FR ConfirmRecovery #r => RecoveryConfirmed state=CONFIRMED
        signed=k user:alice.IN RotateKey alice.IN k2 => KeyRotated, RecoveryCancelled
        + user:g3.FR CompleteRecovery #r => recovery_over
        at 999999999
        user:g3.FR CompleteRecovery #r => recovery_over
        signed=k2 user:alice.IN RotateKey alice.IN k => KeyRotated
        signed=k user:alice.IN Transfer alice.IN g1.IN 1 => Transferred",
    );
}

/// Guardians of whom one is mistaken or dishonest do not keep the others from helping.
#[test]
fn guardians_recover_beside_each_other_until_one_is_agreed_on() {
    check_with_users(
        "#bad user:g1.IN InitiateRecovery alice.IN other => RecoveryInitiated
        #good user:g2.IN InitiateRecovery alice.IN new => RecoveryInitiated
        user:g1.IN InitiateRecovery alice.IN other => recovery_open
        user:g3.FR ConfirmRecovery #bad => RecoveryConfirmed confirmations=2 state=PENDING
        user:g3.FR ConfirmRecovery #good => RecoveryConfirmed confirmations=2 state=PENDING
        user:g4.FR ConfirmRecovery #good => RecoveryConfirmed state=CONFIRMED, \
            RecoveryCancelled userId=alice.IN
        + user:g4.FR ConfirmRecovery #bad => recovery_not_pending
        user:g1.IN InitiateRecovery alice.IN other => recovery_open
        user:g3.FR InitiateRecovery alice.IN other => recovery_open
        at 2d
        user:g1.IN CompleteRecovery #bad => recovery_over
        user:g3.FR CompleteRecovery #good => RecoveryCompleted
        user:g1.IN InitiateRecovery alice.IN other => recovery_too_soon
        user:g2.IN InitiateRecovery alice.IN other => RecoveryInitiated",
    );
}

/// An owner who has to veto again and again will miss one.
#[test]
fn a_guardian_whose_recovery_has_failed_waits_thirty_days() {
    check_with_users(
        "#expired user:g1.IN InitiateRecovery alice.IN new => RecoveryInitiated
        #vetoed user:g2.IN InitiateRecovery alice.IN new => RecoveryInitiated
        at 1d
        signed=k user:alice.IN CancelRecovery #vetoed => RecoveryCancelled
        + user:g2.IN InitiateRecovery alice.IN new => recovery_too_soon
        at 30d+86399999
        user:g2.IN InitiateRecovery alice.IN new => recovery_too_soon
        at 31d
        user:g2.IN InitiateRecovery alice.IN new => RecoveryInitiated
        at 36d+86399999
        user:g1.IN InitiateRecovery alice.IN new => recovery_too_soon
        at 37d
        user:g1.IN InitiateRecovery alice.IN new => RecoveryInitiated",
    );
}

const ADMINS: &str = "admin:root AppointAdmin boss SUPER_ADMIN => AdminAppointed\n";

/// `label` proposes that somebody is deceased, and the other admin approves.
fn death(label: &str, who: &str) -> String {
    format!(
        "#{label} admin:root SetUserStatus {who} DECEASED order => ActionProposed
        admin:boss ApproveAction #{label} => ActionApproved, UserStatusSet\n"
    )
}

/// Two of three who live are more than half, and who has agreed says so again.
#[test]
fn a_death_makes_the_others_fewer() {
    check_with_users(&format!(
        "{ADMINS}#r user:g1.IN InitiateRecovery alice.IN new => RecoveryInitiated
        user:g2.IN ConfirmRecovery #r => RecoveryConfirmed confirmations=2 state=PENDING
        user:g2.IN ConfirmRecovery #r => already_confirmed
        {}user:g4.FR ConfirmRecovery #r => account_deceased
        user:g2.IN ConfirmRecovery #r => RecoveryConfirmed confirmations=2 state=CONFIRMED
        at 2d
        user:g3.FR CompleteRecovery #r => RecoveryCompleted",
        death("d", "g4.FR")
    ));
}

/// Nobody knows who has agreed in the name of somebody who is dead.
#[test]
fn the_word_of_a_guardian_who_is_found_dead_does_not_count() {
    check_with_users(&format!(
        "{ADMINS}#r user:g1.IN InitiateRecovery alice.IN new => RecoveryInitiated
        user:g2.IN ConfirmRecovery #r => RecoveryConfirmed
        user:g3.FR ConfirmRecovery #r => RecoveryConfirmed state=CONFIRMED
        {}{}at 2d
        user:g1.IN CompleteRecovery #r => recovery_not_confirmed
        user:g1.IN ConfirmRecovery #r => already_confirmed
        user:g4.FR ConfirmRecovery #r => RecoveryConfirmed confirmations=2 state=CONFIRMED
        user:g4.FR CompleteRecovery #r => recovery_too_early
        at 4d
        user:g4.FR CompleteRecovery #r => RecoveryCompleted",
        death("d2", "g2.IN"),
        death("d3", "g3.FR")
    ));
}

/// A veto that is not taken is no veto, so the time for it stands still as well.
#[test]
fn a_pause_puts_off_every_deadline_of_a_recovery() {
    check_with_users(
        "#asked user:g1.IN InitiateRecovery alice.IN new => RecoveryInitiated
        at 1d
        admin:root PauseSystem \"ten letters\" => SystemPaused
        at 11d
        admin:root ResumeSystem => SystemResumed
        at 16d+86399999
        user:g2.IN ConfirmRecovery #asked => RecoveryConfirmed state=PENDING
        user:g3.FR ConfirmRecovery #asked => RecoveryConfirmed state=CONFIRMED
        admin:root PauseSystem \"ten letters\" => SystemPaused
        at 20d
        admin:root ResumeSystem => SystemResumed
        user:g3.FR CompleteRecovery #asked => recovery_too_early
        at 21d+86399999
        user:g3.FR CompleteRecovery #asked => recovery_too_early
        at 22d
        user:g3.FR CompleteRecovery #asked => RecoveryCompleted",
    );
}

/// Nobody finishes years later what the owner has forgotten.
#[test]
fn a_confirmed_recovery_lapses_thirty_days_after_it_could_be_completed() {
    let lapses = 32 * 24 * HOUR;
    let last = lapses - 1;
    let confirmed = "#r user:g1.IN InitiateRecovery alice.IN new => RecoveryInitiated
        user:g2.IN ConfirmRecovery #r => RecoveryConfirmed
        user:g3.FR ConfirmRecovery #r => RecoveryConfirmed state=CONFIRMED";
    check_with_users(&format!(
        "{confirmed}
        at {last}
        user:g4.FR InitiateRecovery alice.IN other => recovery_open
        user:g1.IN CompleteRecovery #r => RecoveryCompleted"
    ));
    check_with_users(&format!(
        "{confirmed}
        at {lapses}
        user:g1.IN CompleteRecovery #r => recovery_over
        signed=k user:alice.IN CancelRecovery #r => recovery_over
        signed=k user:alice.IN RotateKey alice.IN k2 => KeyRotated
        #r2 user:g4.FR InitiateRecovery alice.IN other => RecoveryInitiated"
    ));
}

/// A freeze keeps the coins where they are; it must not cost the owner the key.
#[test]
fn a_frozen_owner_keeps_the_key_and_nobody_replaces_it_meanwhile() {
    check_with_users(
        "admin:root AppointAdmin boss SUPER_ADMIN => AdminAppointed
        #r user:g1.IN InitiateRecovery alice.IN new => RecoveryInitiated
        user:g2.IN ConfirmRecovery #r => RecoveryConfirmed
        user:g3.FR ConfirmRecovery #r => RecoveryConfirmed state=CONFIRMED
        at 3d
        admin:root FreezeWallet alice.IN COURT_ORDER => WalletFrozen
        user:g1.IN CompleteRecovery #r => owner_not_active
        signed=k user:alice.IN Transfer alice.IN g1.IN 1 => account_frozen
        admin:root PauseSystem \"a look at the books\" => SystemPaused
        user:g1.IN CompleteRecovery #r => system_paused
        user:alice.IN CancelRecovery #r => signature_missing
        signed=k user:alice.IN CancelRecovery #r => RecoveryCancelled
        admin:root ResumeSystem => SystemResumed
        signed=k user:alice.IN RotateKey alice.IN k2 => KeyRotated
        #again user:g4.FR InitiateRecovery alice.IN new => RecoveryInitiated
        admin:root UnfreezeWallet alice.IN COURT_ORDER => WalletUnfrozen
        admin:root SetUserStatus alice.IN LOCKED => UserStatusSet
        user:g2.IN ConfirmRecovery #again => RecoveryConfirmed
        user:g3.FR ConfirmRecovery #again => RecoveryConfirmed state=CONFIRMED
        at 6d
        user:g1.IN CompleteRecovery #again => owner_not_active
        admin:boss SetUserStatus alice.IN ACTIVE => UserStatusSet
        user:g1.IN CompleteRecovery #again => RecoveryCompleted",
    );
}

#[test]
fn guardians_are_three_to_twenty_other_users() {
    check_with_users(
        "signed=k user:alice.IN NominateGuardians alice.IN g1.IN g2.IN => list_invalid
        signed=k user:alice.IN NominateGuardians alice.IN g1.IN g2.IN g1.IN => list_invalid
        signed=k user:alice.IN NominateGuardians alice.IN g1.IN g2.IN alice.IN => same_account
        signed=k user:alice.IN NominateGuardians alice.IN g1.IN g2.IN no.IN => guardian_not_found
        signed=k user:alice.IN NominateGuardians alice.IN g1.IN g2.IN treasury_IN => \
            guardian_not_found
        user:mallory.FR NominateGuardians alice.IN g1.IN g2.IN g3.FR => not_own_account",
    );
    for (count, expected) in [(20, "GuardiansNominated"), (21, "list_invalid")] {
        let names: Vec<String> = (0..count).map(|at| format!("w{at}.FR")).collect();
        let opened = names.iter().map(|name| format!("open {name} 30\n"));
        check_with_users(&format!(
            "{}signed=k user:alice.IN NominateGuardians alice.IN {} => {expected}",
            opened.collect::<String>(),
            names.join(" ")
        ));
    }
}

/// Until the first key, whoever spoke for the account could name them.
#[test]
fn guardians_from_before_the_first_key_are_none() {
    let host = check_with_users(
        "user:mallory.FR NominateGuardians mallory.FR g1.IN g2.IN g3.FR => GuardiansNominated
        user:mallory.FR RegisterKey mallory.FR other => KeyRegistered, GuardiansDropped
        + user:g1.IN InitiateRecovery mallory.FR new => not_guardian
        signed=other user:mallory.FR NominateGuardians mallory.FR g2.IN g3.FR g4.FR => \
            GuardiansNominated
        user:g1.IN InitiateRecovery mallory.FR new => not_guardian
        user:g2.IN InitiateRecovery mallory.FR new unproven => key_not_proven
        user:g2.IN InitiateRecovery mallory.FR new => RecoveryInitiated
        user:g4.FR RegisterKey g4.FR k2 => KeyRegistered",
    );
    let of = json!({"userId": account("g4.FR")});
    let profile = host.ask(query("IdentityContract:GetMyProfile", &of)).unwrap();
    assert_eq!(profile["guardians"], json!([]));
}

#[test]
fn there_is_nothing_to_recover_without_a_key_or_guardians() {
    check_with_users(
        "user:mallory.FR NominateGuardians mallory.FR g1.IN g2.IN g3.FR => GuardiansNominated
        user:g1.IN InitiateRecovery mallory.FR new => key_missing
        user:g1.IN InitiateRecovery g2.IN new => not_guardian
        user:g1.IN InitiateRecovery nobody.IN new => not_guardian
        user:mallory.FR InitiateRecovery alice.IN new => not_guardian
        user:g1.IN InitiateRecovery alice.IN k => key_unchanged
        user:g1.IN ConfirmRecovery #none => recovery_not_found",
    );
}

#[test]
fn a_recovery_and_a_profile_are_told() {
    let host = check_with_users("#r user:g1.IN InitiateRecovery alice.IN new => RecoveryInitiated");
    let id = format!("REC_{}", command_id("r"));
    let told = host.ask(query("IdentityContract:GetRecovery", &json!({"recoveryId": id}))).unwrap();
    let guardians = ["g1.IN", "g2.IN", "g3.FR", "g4.FR"].map(account);
    assert_eq!(
        told,
        json!({
            "recoveryId": id, "userId": account("alice.IN"),
            "publicKey": public_key("new"), "guardians": guardians,
            "confirmedBy": [account("g1.IN")], "state": "PENDING", "expiresAt": WEEK,
            "completableAt": null
        })
    );
    let of = json!({"userId": account("alice.IN")});
    let profile = host.ask(query("IdentityContract:GetMyProfile", &of)).unwrap();
    assert_eq!(profile["publicKey"], json!(public_key("k")));
    assert_eq!((&profile["guardians"], &profile["recoveryIds"]), (&json!(guardians), &json!([id])));
    assert_eq!(profile["user"]["keyed"], json!(true));
    for (user, exists) in [("alice.IN", true), ("nobody.IN", false), ("treasury_IN", false)] {
        let of = json!({"userId": account(user)});
        let told = host.ask(query("IdentityContract:UserExists", &of)).unwrap();
        assert_eq!(told["exists"], json!(exists), "{user}");
    }
}
