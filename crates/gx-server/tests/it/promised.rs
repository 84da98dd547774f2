//! The routes that wallets, partners and operators are promised, held against those that exist.
//!
//! Written as the interface lists them, aliases included; what stands in braces is any parameter.

use std::collections::BTreeSet;

use gx_server::routes;

/// Below `/api/v1`.
const PROMISED: &str = "
    POST /auth/register, /auth/login, /auth/mfa/verify, /auth/refresh, /auth/logout
    POST /auth/password/forgot, /auth/password/reset, /auth/password/change
    POST /auth/mfa
    DELETE /auth/mfa
    GET /sessions, /devices
    DELETE /sessions/{}, /devices/{}
    POST /registration/email, /registration/email/verify, /registration/email/resend
    POST /registration/name-country, /registration/dob-gender, /registration/password
    POST /registration/phone, /registration/phone/verify, /registration/phone/resend
    GET /registration/{}
    GET /users/profile, /users/{}
    PATCH /users/profile, /users/{}
    POST /users/{}/kyc, /users/kyc/submit
    GET /users/{}/kyc
    POST /users/{}/documents
    GET /users/{}/documents, /documents/{}/url, /documents/constraints
    DELETE /documents/{}
    POST /validation/national-id
    GET /relationships, /relationships/{}, /relationships/trust-score
    POST /relationships, /relationships/{}/confirm, /relationships/{}/reject
    POST /relationships/{}/end
    POST /keys, /keys/rotate
    POST /recovery/guardians, /recovery/initiate, /recovery/{}/confirm
    POST /recovery/{}/cancel, /recovery/{}/complete
    GET /beneficiaries
    POST /beneficiaries
    PUT /beneficiaries/{}
    DELETE /beneficiaries/{}
    GET /notifications, /notifications/unread-count, /notifications/stream
    PATCH /notifications/{}/read
    POST /notifications/mark-all-read
    POST /qsend, /qsend/verify, /qsend/{}/pay, /qsend/{}/cancel
    GET /qsend, /qsend/{}, /qsend/dashboard, /qsend/{}/qr.svg
    POST /auth/passkeys/register/options, /auth/passkeys/register/finish
    POST /auth/passkeys/login/options, /auth/passkeys/login/finish
    GET /auth/passkeys
    PATCH /auth/passkeys/{}
    DELETE /auth/passkeys/{}

    POST /transfers, /transactions/transfer, /transfers/quote
    GET /wallets/{}/balance, /wallets/{}/transactions, /transactions/{}/history
    GET /wallets/{}/dashboard, /wallets/{}/statements
    POST /genesis, /wallets/{}/freeze, /wallets/{}/unfreeze
    GET /treasury/{}/balance, /treasuries, /supply, /pools/{}, /countries, /countries/{}/stats
    GET /blocks, /blocks/{}, /ledger/transactions/{}, /ledger/info, /receipts/{}
    GET /wallets/limits, /escrows, /escrows/{}
    PUT /wallets/limits
    POST /escrows, /escrows/{}/release, /escrows/{}/refund
    GET /commands/{}, /commands/{}/events
    POST /commands/canonical

    POST /admin/auth/login, /admin/auth/mfa/verify, /admin/auth/refresh, /admin/auth/logout
    POST /admin/auth/logout-all, /admin/auth/password/change
    POST /admin/auth/mfa/setup, /admin/auth/mfa/enable, /admin/auth/mfa/disable
    GET /admin/auth/profile, /admin/auth/sessions
    DELETE /admin/auth/sessions/{}
    POST /admin/bootstrap, /admin/countries/initialize, /admin/parameters
    GET /admin/parameters, /admin/system/status, /admin/counters
    POST /admin/system/pause, /admin/system/resume
    GET /admin/admins, /admin/admins/{}
    POST /admin/admins, /admin/admins/{}/appoint, /admin/admins/{}/remove
    PATCH /admin/admins/{}
    DELETE /admin/admins/{}
    POST /admin/treasury/activate, /admin/pools/{}/disburse, /admin/actions/{}/approve
    GET /admin/users, /admin/users/pending-onchain, /admin/users/frozen, /admin/users/{}
    POST /admin/users/{}/approve, /admin/users/{}/deny, /admin/users/{}/suspend
    POST /admin/users/{}/close, /admin/users/batch-register-onchain
    POST /admin/users/{}/freeze, /admin/users/{}/unfreeze
    GET /admin/approvals, /admin/approvals/{}
    POST /admin/approvals, /admin/approvals/{}/vote, /admin/approvals/{}/cancel
    POST /admin/approvals/{}/execute
    GET /admin/deployments, /admin/deployments/{}, /admin/deployments/{}/logs
    POST /admin/deployments/promote, /admin/deployments/{}/execute
    POST /admin/deployments/{}/approve, /admin/deployments/{}/rollback
    POST /admin/deployments/{}/cancel
    GET /admin/audit-logs, /admin/audit-logs/export
    GET /admin/outbox, /admin/projector
    POST /admin/outbox/{}/requeue, /admin/outbox/{}/discard, /admin/projector/rebuild
    GET /admin/admins/{}/permissions, /admin/partners, /admin/partners/{}, /partners/grants
    PUT /admin/admins/{}/permissions
    POST /admin/partners, /admin/partners/{}/keys, /partners/grants
    PATCH /admin/partners/{}
    DELETE /admin/partners/{}, /admin/partners/{}/keys/{}, /partners/grants/{}
    POST /admin/keys, /admin/keys/rotate, /admin/orders/transfer
    GET /webhooks/events

    POST /organizations, /organizations/propose, /organizations/{}/endorse
    POST /organizations/{}/activate, /organizations/{}/rules, /organizations/{}/transactions
    POST /organizations/{}/stakeholders
    GET /organizations, /organizations/{}, /organizations/{}/transactions
    GET /organizations/{}/transactions/pending
    POST /transactions/{}/approve, /transactions/{}/reject, /transactions/{}/cancel

    POST /loans, /loans/apply, /loans/{}/repay, /loans/{}/approve, /loans/{}/reject
    POST /loans/{}/default
    GET /loans, /loans/{}, /users/{}/loans, /loans/eligibility
    DELETE /loans/{}

    POST /proposals, /proposals/submit, /proposals/{}/vote, /proposals/{}/execute
    POST /proposals/simulate
    GET /proposals, /proposals/{}, /parameters

    POST /fees/calculate, /velocity-tax/apply
    GET /velocity-tax/eligibility/{}, /fees/hoarding-tax/eligibility, /velocity-tax/due
";

/// Those that nothing answers.
const UNANSWERED: &str = "";

/// `VERB path` for each path of each line.
fn listed(text: &str) -> BTreeSet<String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let of_line = |line: &str| {
        let (verb, paths) = line.split_once(' ').unwrap();
        paths.split(',').map(|path| format!("{verb} {}", path.trim())).collect::<Vec<_>>()
    };
    lines.flat_map(of_line).collect()
}

fn without_names(path: &str) -> String {
    let mut parts = path.split('{');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + "{}" + part.split_once('}').unwrap().1)
}

#[test]
fn what_is_promised_is_answered() {
    let answered: BTreeSet<String> = routes()
        .iter()
        .filter_map(|route| {
            let path = route.path.strip_prefix("/api/v1")?;
            Some(format!("{} {}", route.verb.as_str(), without_names(path)))
        })
        .collect();
    let (promised, unanswered) = (listed(PROMISED), listed(UNANSWERED));
    let missing: BTreeSet<&String> = promised.difference(&answered).collect();
    assert_eq!(missing, unanswered.iter().collect(), "take off the list what is answered now");
}
