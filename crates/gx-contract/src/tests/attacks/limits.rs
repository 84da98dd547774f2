//! A stolen phone: what its key can take while its owner has not noticed.

use super::attack;

/// Alice's key is known to a thief; she lets 10 GX a day leave her account.
const STOLEN: &str =
    "signed=k user:alice.IN SetSpendingLimit alice.IN 10GX => SpendingLimitSet perDay=10GX";

fn attack_limit(table: &str) {
    attack(&format!("{STOLEN}\n{table}"));
}

#[test]
fn a_stolen_key_takes_one_days_limit() {
    attack_limit(
        "user:mallory.FR SetSpendingLimit alice.IN none => not_own_account
        user:alice.IN SetSpendingLimit alice.IN none => signature_missing
        signed=k user:alice.IN Transfer alice.IN mallory.FR 11GX => spending_limit
        signed=k user:alice.IN Transfer alice.IN mallory.FR 9GX => Transferred fee=0.0135GX
        + signed=k user:alice.IN Transfer alice.IN mallory.FR 1GX => spending_limit
        signed=k user:alice.IN SetSpendingLimit alice.IN none => SpendingLimitSet \
            holdsFrom=86400000
        + signed=k user:alice.IN Transfer alice.IN mallory.FR 1GX => spending_limit
        + signed=k user:alice.IN SetSpendingLimit alice.IN none => limit_unchanged
        + signed=k user:alice.IN SetSpendingLimit alice.IN 500GX => SpendingLimitSet
        + signed=k user:alice.IN Transfer alice.IN mallory.FR 1GX => spending_limit
        = mallory.FR 509GX",
    );
}

/// Other ways out of the account than a transfer: an escrow, and a debt of the thief's own.
#[test]
fn a_limit_counts_whatever_leaves_for_another() {
    attack_limit(
        "signed=k user:alice.IN OpenEscrow mallory.FR 11GX 30d => spending_limit
        #e signed=k user:alice.IN OpenEscrow mallory.FR 5GX 30d => EscrowOpened
        signed=k user:alice.IN Transfer alice.IN mallory.FR 5GX => spending_limit
        user:mallory.FR RefundEscrow #e => EscrowRefunded
        signed=k user:alice.IN Transfer alice.IN mallory.FR 5GX => spending_limit
        trust mallory.FR 75
        #l user:mallory.FR ApplyForLoan 100GX 10 => LoanApplied
        admin:clerk ApproveLoan #l => LoanApproved
        signed=k user:alice.IN RepayLoan #l 5GX => spending_limit
        signed=k user:alice.IN RepayLoan #l 4GX => LoanRepaid
        trust alice.IN 75
        #own signed=k user:alice.IN ApplyForLoan 100GX 10 => LoanApplied
        admin:clerk ApproveLoan #own => LoanApproved
        signed=k user:alice.IN RepayLoan #own 100GX => LoanRepaid state=REPAID",
    );
}

#[test]
fn a_day_of_the_limit_is_one_of_utc_and_nothing_is_saved_up() {
    attack_limit(
        "at 1d-1
        signed=k user:alice.IN Transfer alice.IN bob.FR 9GX => Transferred
        at 1d
        signed=k user:alice.IN Transfer alice.IN bob.FR 9GX => Transferred
        + signed=k user:alice.IN Transfer alice.IN bob.FR 9GX => spending_limit
        at 9d
        signed=k user:alice.IN Transfer alice.IN bob.FR 9.99GX => spending_limit
        signed=k user:alice.IN Transfer alice.IN bob.FR 9.98GX => Transferred",
    );
}

/// The owner notices: what the thief has asked for never holds.
#[test]
fn the_owner_lowers_the_limit_at_once_and_calls_a_raise_off() {
    attack_limit(
        "signed=k user:alice.IN SetSpendingLimit alice.IN 400GX => SpendingLimitSet
        at 1d-1
        signed=k user:alice.IN SetSpendingLimit alice.IN 10GX => SpendingLimitSet
        + signed=k user:alice.IN SetSpendingLimit alice.IN 10GX => limit_unchanged
        at 3d
        signed=k user:alice.IN Transfer alice.IN mallory.FR 11GX => spending_limit
        signed=k user:alice.IN SetSpendingLimit alice.IN 0 => SpendingLimitSet perDay=0
        + signed=k user:alice.IN Transfer alice.IN mallory.FR 1 => spending_limit
        signed=k user:alice.IN SetSpendingLimit alice.IN 400GX => SpendingLimitSet \
            holdsFrom=345600000
        at 4d-1
        signed=k user:alice.IN Transfer alice.IN mallory.FR 1 => spending_limit
        at 4d
        signed=k user:alice.IN Transfer alice.IN mallory.FR 399GX => Transferred
        + signed=k user:alice.IN Transfer alice.IN mallory.FR 1GX => spending_limit",
    );
}

#[test]
fn a_frozen_owner_lowers_the_limit_and_does_not_raise_it() {
    attack_limit(
        "admin:root FreezeWallet alice.IN SUSPICIOUS_ACTIVITY => WalletFrozen
        signed=k user:alice.IN SetSpendingLimit alice.IN 20GX => account_frozen
        signed=k user:alice.IN SetSpendingLimit alice.IN none => account_frozen
        user:alice.IN SetSpendingLimit alice.IN 1GX => signature_missing
        signed=k user:alice.IN SetSpendingLimit alice.IN 1GX => SpendingLimitSet
        admin:root UnfreezeWallet alice.IN SUSPICIOUS_ACTIVITY => WalletUnfrozen
        signed=k user:alice.IN Transfer alice.IN mallory.FR 2GX => spending_limit
        admin:clerk SetUserStatus alice.IN LOCKED => UserStatusSet
        signed=k user:alice.IN SetSpendingLimit alice.IN 0 => account_locked",
    );
}

/// The day in which an owner can notice does not pass while nobody can lower a limit.
#[test]
fn a_pause_puts_off_when_a_raised_limit_holds() {
    attack_limit(
        "signed=k user:alice.IN SetSpendingLimit alice.IN none => SpendingLimitSet
        admin:root PauseSystem looking-for-the-fault => SystemPaused
        at 3d
        signed=k user:alice.IN SetSpendingLimit alice.IN 1GX => system_paused
        admin:root ResumeSystem => SystemResumed
        at 4d-1
        signed=k user:alice.IN Transfer alice.IN mallory.FR 11GX => spending_limit
        at 4d
        signed=k user:alice.IN Transfer alice.IN mallory.FR 11GX => Transferred
        signed=k user:alice.IN SetSpendingLimit alice.IN none => limit_unchanged
        signed=k user:alice.IN SetSpendingLimit alice.IN 1GX => SpendingLimitSet
        signed=k user:alice.IN Transfer alice.IN mallory.FR 1GX => spending_limit",
    );
}
