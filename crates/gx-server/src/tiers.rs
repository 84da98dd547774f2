//! Limits by verification: how much somebody may pay follows from how far their identity was
//! verified.
//!
//! They are the platform's and stand beside the ledger's own rules. What left the account today is
//! read from the read models together with what this process knows to be under way, and remembered
//! for some seconds, so that most payments cost no query. A refusal is always decided on what was
//! read for it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use axum::http::StatusCode;
use gx_contract::escrow::OpenEscrow;
use gx_contract::tokenomics::Transfer;
use gx_contract::{Command, Named as _};
use gx_store::commands::{self, State as Stage};
use gx_store::identity::kyc;
use gx_store::login::{passkeys, second_factors, sessions};
use gx_store::tokenomics::flows;
use gx_store::{Snapshot, Source, Store};
use gx_types::{AccountId, Amount, CommandId, TimeMs};

use crate::auth::InSession;
use crate::calendar::{Date, now_ms};
use crate::config::{Tier, TierLimits, Tiers};
use crate::error::{Detail, Error, Result};
use crate::http::answer::View;

/// How payments are refused here.
pub(crate) const FAILURES: [(u16, &str); 2] = [(403, "tier_limit"), (403, "step_up_required")];

/// The commands that they are refused as.
pub(crate) const LIMITED: [&str; 2] = [Transfer::NAME, OpenEscrow::NAME];

/// How long what was read is taken for what is. Payments given by other processes count after it.
const FRESH_MS: i64 = 10_000;

/// Accounts that are remembered at once.
const ACCOUNTS_MAX: usize = 100_000;

/// After this a command that the outbox does not have was never given.
const GIVEN_WITHIN_MS: i64 = 60_000;

/// The largest amount that there is.
const MOST: Amount = Amount::from_qirat(u64::MAX);

/// A payment that is about to be given.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Payment<'a> {
    pub(crate) caller: InSession<'a>,
    pub(crate) account: AccountId,
    pub(crate) id: CommandId,
    pub(crate) command: &'a Command,
}

/// What is known of the accounts that pay.
#[derive(Debug)]
pub(crate) struct Limits {
    settings: Tiers,
    is_limited: bool,
    step_up_above: Option<Amount>,
    windows: Mutex<HashMap<AccountId, Window>>,
}

/// What was read of an account, and what was given since.
#[derive(Debug, Clone)]
struct Window {
    read_at_ms: i64,
    day: Date,
    tier: Tier,
    /// By the read models.
    spent: Amount,
    given: HashMap<CommandId, (Amount, TimeMs)>,
    /// The sum of it.
    under_way: Amount,
}

/// The tier of somebody by what was accepted of them.
pub(crate) async fn of(source: impl Into<Source<'_>>, user_id: &str) -> Result<Tier> {
    tier_on(source, user_id, Date::of_ms(now_ms())).await
}

async fn tier_on(source: impl Into<Source<'_>>, user_id: &str, day: Date) -> Result<Tier> {
    let verified = kyc::verified(source, user_id, &day.to_string()).await?;
    Ok(match (verified.identity, verified.address) {
        (true, true) => Tier::Three,
        (true, false) => Tier::Two,
        (false, _) => Tier::One,
    })
}

/// What lifts the limits of a tier.
pub(crate) fn lifted_by(tier: Tier) -> Option<&'static str> {
    match tier {
        Tier::One => Some("an identity document that is accepted: upload it and apply for KYC"),
        Tier::Two => Some("a proof of address that is accepted: upload it and apply for KYC"),
        Tier::Three => None,
    }
}

/// What leaves the giver's account with a command, as far as it is theirs to decide how much.
pub(crate) fn leaving(command: &Command) -> Option<Amount> {
    match command {
        Command::Transfer(transfer) => Some(transfer.amount),
        Command::OpenEscrow(escrow) => Some(escrow.amount),
        // What other commands move was agreed on before, or is not the giver's alone.
        _ => None,
    }
}

impl Limits {
    pub(crate) fn new(settings: &Tiers) -> Self {
        let limited = |tier: Tier| settings.limits(tier) != TierLimits::default();
        Self {
            is_limited: [Tier::One, Tier::Two, Tier::Three].into_iter().any(limited),
            step_up_above: settings.step_up_above(),
            settings: settings.clone(),
            windows: Mutex::default(),
        }
    }

    /// Refuses a payment that goes beyond what its giver may pay.
    pub(crate) async fn admit(&self, store: &Store, payment: Payment<'_>) -> Result<()> {
        let Some(amount) = leaving(payment.command) else { return Ok(()) };
        if self.step_up_above.is_some_and(|above| amount > above) {
            self.is_stepped_up(store, payment.caller).await?;
        }
        // What passes here counts as given.
        if self.is_limited {
            self.within_limits(store, payment, amount).await?;
        }
        Ok(())
    }

    async fn within_limits(
        &self,
        store: &Store,
        payment: Payment<'_>,
        amount: Amount,
    ) -> Result<()> {
        if self.fits_what_is_known(payment, amount) {
            return Ok(());
        }
        let (read_at_ms, given) = (now_ms(), self.given(payment.account));
        let mut view = View::open(store).await?;
        let day = Date::of_ms(view.now().0);
        let mut window = Window::empty(read_at_ms, day);
        window.read(&mut view.snapshot, payment, given).await?;
        match self.decide(payment, amount, window) {
            // Whoever sends a payment again gets its answer, and pays nothing.
            Some(_) if commands::status(store, &payment.id).await?.is_some() => Ok(()),
            Some(refused) => Err(refused),
            None => Ok(()),
        }
    }

    /// Decides by what was read for it, and by what was given meanwhile.
    fn decide(&self, payment: Payment<'_>, amount: Amount, window: Window) -> Option<Error> {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() >= ACCOUNTS_MAX {
            windows.retain(|_, window| window.is_fresh());
        }
        let mut window = window.joined(windows.remove(&payment.account));
        let refused = match window.given.contains_key(&payment.id) {
            true => None,
            false => window.refusal(&self.settings, amount),
        };
        if refused.is_none() {
            window.reserve(payment.id, amount);
        }
        windows.insert(payment.account, window);
        refused
    }

    /// Whether a payment fits by what was read lately; if so it counts from now on.
    fn fits_what_is_known(&self, payment: Payment<'_>, amount: Amount) -> bool {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(window) = windows.get_mut(&payment.account) else { return false };
        if window.given.contains_key(&payment.id) {
            return true;
        }
        let is_today = window.day >= Date::of_ms(now_ms());
        let fits =
            is_today && window.is_fresh() && window.refusal(&self.settings, amount).is_none();
        if fits {
            window.reserve(payment.id, amount);
        }
        fits
    }

    fn given(&self, account: AccountId) -> HashMap<CommandId, (Amount, TimeMs)> {
        let windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        windows.get(&account).map(|window| window.given.clone()).unwrap_or_default()
    }

    /// Asks for the second factor of somebody who has one, unless it was checked lately.
    async fn is_stepped_up(&self, store: &Store, caller: InSession<'_>) -> Result<()> {
        let factor = second_factors::get(store, caller.subject).await?;
        let has_device = factor.is_some_and(|factor| factor.confirmed_at.is_some());
        if !has_device && passkeys::count(store, caller.subject).await? == 0 {
            return Ok(());
        }
        let minutes = self.settings.step_up_minutes;
        let since = now_ms().saturating_sub(i64::from(minutes) * 60_000);
        let checked = sessions::second_factor_at(store, caller.session).await?;
        if checked.is_some_and(|at| at.0 >= since) {
            return Ok(());
        }
        let message = format!(
            "Payments as large as this need a second factor that was checked within {minutes} \
             minutes: POST /auth/mfa/step-up, or a new log-in with a passkey"
        );
        Err(Error::new(StatusCode::FORBIDDEN, "step_up_required", message))
    }
}

impl Window {
    fn empty(read_at_ms: i64, day: Date) -> Self {
        Self {
            read_at_ms,
            day,
            tier: Tier::One,
            spent: Amount::ZERO,
            given: HashMap::new(),
            under_way: Amount::ZERO,
        }
    }

    /// Reads in one view what left the account today and what is under way.
    async fn read(
        &mut self,
        snapshot: &mut Snapshot,
        payment: Payment<'_>,
        given: HashMap<CommandId, (Amount, TimeMs)>,
    ) -> Result<()> {
        self.tier = tier_on(&mut *snapshot, payment.caller.subject.id, self.day).await?;
        let from = TimeMs(self.day.start_ms());
        // More than can be summed is more than anybody may pay who is limited.
        let flows = flows::since(&mut *snapshot, &payment.account, from).await?;
        self.spent = flows.map_or(MOST, |flows| flows.spent);
        let ids: Vec<CommandId> = given.keys().copied().collect();
        if ids.is_empty() {
            return Ok(());
        }
        let statuses = commands::statuses(snapshot, &ids).await?;
        let recent = now_ms().saturating_sub(GIVEN_WITHIN_MS);
        for (id, status) in ids.into_iter().zip(statuses) {
            let Some((amount, at)) = given.get(&id).copied() else { continue };
            let is_under_way = match status.map(|status| status.state) {
                Some(Stage::Queued | Stage::Submitted { .. }) => true,
                Some(Stage::Committed { .. } | Stage::Refused { .. } | Stage::Dead { .. }) => false,
                None => at.0 >= recent,
            };
            if is_under_way {
                self.count(id, amount, at);
            }
        }
        Ok(())
    }

    fn is_fresh(&self) -> bool {
        (0..FRESH_MS).contains(&now_ms().saturating_sub(self.read_at_ms))
    }

    fn reserve(&mut self, id: CommandId, amount: Amount) {
        self.count(id, amount, TimeMs(now_ms()));
    }

    fn count(&mut self, id: CommandId, amount: Amount, at: TimeMs) {
        if self.given.insert(id, (amount, at)).is_none() {
            self.under_way = sum(self.under_way, amount);
        }
    }

    /// With what was given while this one was read.
    fn joined(mut self, before: Option<Self>) -> Self {
        for (id, (amount, at)) in before.into_iter().flat_map(|before| before.given) {
            if at.0 >= self.read_at_ms {
                self.count(id, amount, at);
            }
        }
        self
    }

    /// Why an amount is too much now.
    fn refusal(&self, settings: &Tiers, amount: Amount) -> Option<Error> {
        let limits = settings.limits(self.tier);
        let today = sum(sum(self.spent, self.under_way), amount);
        let (code, limit, what) = match limits {
            TierLimits { per_payment: Some(limit), .. } if amount > limit => {
                ("per_payment", limit, "in one payment")
            }
            TierLimits { per_day: Some(limit), .. } if today > limit => {
                ("per_day", limit, "in a day of UTC")
            }
            TierLimits { .. } => return None,
        };
        let tier = self.tier.as_str();
        let lifted = lifted_by(self.tier).map(|by| format!("; more is allowed by {by}"));
        let lifted = lifted.unwrap_or_default();
        let message = format!("{tier} may pay {} GX {what}{lifted}", limit.to_gx());
        let detail = Detail {
            field: "amount".to_owned(),
            code: code.into(),
            message: format!("{} GX at most {what}", limit.to_gx()).into(),
        };
        let error = Error::new(StatusCode::FORBIDDEN, "tier_limit", message);
        Some(error.detailing(detail))
    }
}

/// A sum that stays at the largest amount.
fn sum(one: Amount, other: Amount) -> Amount {
    one.checked_add(other).unwrap_or(MOST)
}
