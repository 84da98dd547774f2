//! What somebody whose command was refused can do, by the code of the refusal.
//!
//! The codes and their meanings are the platform's; here stands only what this client can add.

use gx_contract::{Refusal, RefusalKind};

/// Advice for a code; for what is not listed, what the contract says of the code, or else what the
/// status of the answer does.
pub(crate) fn advice(code: &str, status: u16) -> &'static str {
    let known = TABLE.iter().find(|(codes, _)| codes.contains(&code));
    if let Some((_, text)) = known {
        return text;
    }
    let kind = Refusal::ALL.iter().find(|refusal| refusal.code() == code).map(|one| one.kind());
    match (kind, status) {
        (Some(RefusalKind::Forbidden), _) | (None, 403) => {
            "somebody else has to do this: you or your role may not"
        }
        (Some(RefusalKind::Missing), _) | (None, 404) => {
            "compare the id with the list that it is from"
        }
        (Some(RefusalKind::Conflict), _) | (None, 409) => {
            "look at the present state, and give the command anew if it still makes sense"
        }
        (Some(RefusalKind::Unavailable), _) | (None, 429) => {
            "wait a minute, then give the command again"
        }
        (None, 500..) => "report it with the request id",
        (Some(RefusalKind::Invalid | RefusalKind::Unfit), _) | (None, _) => {
            "mend what the message names, and give the command again"
        }
    }
}

const TABLE: &[(&[&str], &str)] = &[
    (&["validation_failed"], "mend the fields that are named, and give the command again"),
    (
        &["invalid_credentials"],
        "compare name and password; after several failures the account is locked for a while",
    ),
    (&["mfa_invalid", "mfa_challenge_invalid"], "log in again with a fresh code of the device"),
    (
        &["insufficient_balance", "amount_overflow"],
        "gx balance tells what is there; the fee comes on top of the amount",
    ),
    (&["spending_limit"], "wait until tomorrow, or raise the limit of the day"),
    (&["tier_limit"], "have your identity verified to raise the limits"),
    (
        &["account_frozen", "account_locked"],
        "ask an administrator why the account is shut; nothing can be paid meanwhile",
    ),
    (
        &["account_not_found", "recipient_not_allowed", "same_account"],
        "compare the account id with whoever gave it to you",
    ),
    (&["counterparty_frozen", "counterparty_deceased"], "the other side cannot be paid at present"),
    (&["signature_missing"], "the account has a key: sign with --key FILE"),
    (&["signature_unexpected"], "the account has no key: leave --key out, or gx key register"),
    (&["signature_wrong"], "the file is not the key of the account; gx key current shows which is"),
    (
        &["signature_expired", "signature_too_far_ahead"],
        "compare the clock of this machine, and give the command again",
    ),
    (&["key_exists"], "gx key rotate NEW --key PRESENT replaces it; the present key signs"),
    (&["key_unchanged"], "nothing: the account signs with this key already"),
    (&["key_missing"], "gx key register FILE gives the account a first key"),
    (
        &["key_not_proven"],
        "the proof is another command's: give the command again without --idempotency-key",
    ),
    (
        &["account_too_young", "trust_too_low"],
        "accounts have to be some time old and trusted for this; confirmed relationships count",
    ),
    (&["already_voted", "already_endorsed", "already_decided"], "nothing: it is done already"),
    (&["not_stakeholder", "not_approver"], "somebody who stands for the organization has to do it"),
    (&["endorsements_missing"], "every stakeholder has to run gx org endorse first"),
    (&["same_admin", "self_approval"], "another administrator has to decide on it"),
    (
        &["gates_not_passed"],
        "gx admin deployments show tells what stands in the way; mend that, and execute it then",
    ),
    (&["system_paused"], "wait until the administrators have ended the pause"),
    (
        &["idempotency_key_reused", "command_id_reused"],
        "leave --idempotency-key out, or repeat exactly the command that it was used for",
    ),
    (&["password_change_required"], "gx admin password sets a password of your own"),
    (&["not_on_ledger", "actor_unknown"], "wait until an administrator has opened the account"),
    (
        &["qsend_expired", "qsend_cancelled", "qsend_paid", "qsend_being_paid"],
        "ask for another code if something is still to be paid",
    ),
    (&["dead"], "nothing: operators decide whether it is sent again; gx command tells"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_has_one_advice() {
        let mut codes: Vec<_> = TABLE.iter().flat_map(|(codes, _)| *codes).collect();
        let count = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), count);
        for (code, status, part) in [
            ("loan_not_pending", 0, "present state"),
            ("insufficient_balance", 0, "gx balance"),
            ("nothing_known", 503, "request id"),
            ("nothing_known", 400, "mend"),
        ] {
            assert!(advice(code, status).contains(part), "{code} {status}");
        }
    }
}
