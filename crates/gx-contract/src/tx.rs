//! What a rule may do: read, move coins, write, and say what has happened.

use std::sync::Arc;

use gx_types::{AccountId, Actor, AdminId, Amount, CommandId, MspId, Pool, TimeMs};

use crate::gates::{Gate, check_counterparty};
use crate::params::Governed;
use crate::posting::{Change, Posting};
use crate::state::{Account, Clocks, Key, Record, State};
use crate::{Envelope, Event, Refusal, Refused};

/// Why a rule did not get to its end.
#[derive(Debug)]
pub enum Stop {
    /// It read a key that the host has not supplied yet; the attempt is repeated.
    Missing,
    /// Its answer is no.
    Refused(Refused),
}

impl From<Refused> for Stop {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal.into())
    }
}

/// A command's rule. One struct, one `impl Rule`, one line in the table of all commands.
pub trait Rule {
    /// Who may submit it, on whose behalf, and when.
    const GATE: Gate;

    /// What the rule's own checks refuse, in order of precedence. What the gates refuse besides
    /// follows from them.
    const REFUSALS: &'static [Refusal];

    /// The names of the events that it emits.
    const EVENTS: &'static [&'static str];

    /// The gate that some arguments ask for instead of [`Self::GATE`].
    const OTHER_GATE: Option<Gate> = None;

    /// Whether it carries out what two admins decide on, with the refusals and events of that.
    const RUNS_ACTIONS: bool = false;

    /// The gate of this very command, where that depends on its arguments.
    fn gate(&self) -> Gate {
        Self::GATE
    }

    /// The other party; it must exist and, unless the gate says otherwise, not be frozen.
    fn counterparty(&self) -> Option<&AccountId> {
        None
    }

    /// The account that the command is about, which must be the acting user's.
    fn own_account(&self) -> Option<&AccountId> {
        None
    }

    /// The checks that need no state. They run before a command is accepted, and again on the
    /// ledger.
    ///
    /// # Errors
    /// The first refusal in order of precedence.
    fn validate(&self) -> Result<(), Refused> {
        Ok(())
    }

    /// Whether a command that waits for two admins runs at once in this state.
    ///
    /// # Errors
    /// A refusal, or that the state is not known yet.
    fn one_admin_suffices(&self, _state: &mut State) -> Result<bool, Stop> {
        Ok(false)
    }

    /// After how many days who proposed it may carry it out alone, unless another admin has
    /// rejected it; never, as a rule.
    fn alone_after_days(&self) -> Option<u32> {
        None
    }

    /// Carries the command out against the state.
    ///
    /// # Errors
    /// A refusal, or that the state is not known yet; either way no write remains.
    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop>;
}

/// [`Rule`] behind a reference, so that the table of commands needs one match and no more.
pub(crate) trait DynRule {
    fn gate(&self) -> Gate;
    fn counterparty(&self) -> Option<&AccountId>;
    fn own_account(&self) -> Option<&AccountId>;
    fn validate(&self) -> Result<(), Refused>;
    fn one_admin_suffices(&self, state: &mut State) -> Result<bool, Stop>;
    fn alone_after_days(&self) -> Option<u32>;
    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop>;
}

impl<R: Rule> DynRule for R {
    fn gate(&self) -> Gate {
        Rule::gate(self)
    }
    fn counterparty(&self) -> Option<&AccountId> {
        Rule::counterparty(self)
    }
    fn own_account(&self) -> Option<&AccountId> {
        Rule::own_account(self)
    }
    fn validate(&self) -> Result<(), Refused> {
        Rule::validate(self)
    }
    fn one_admin_suffices(&self, state: &mut State) -> Result<bool, Stop> {
        Rule::one_admin_suffices(self, state)
    }
    fn alone_after_days(&self) -> Option<u32> {
        Rule::alone_after_days(self)
    }
    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        Rule::apply(self, tx)
    }
}

/// The world as one command sees it.
#[derive(Debug)]
pub struct Tx<'a> {
    pub(crate) state: &'a mut State,
    pub(crate) actor: &'a Actor,
    /// What the command makes takes its id from this.
    pub(crate) command_id: CommandId,
    /// Under which id the command was given: that of the proposal when two admins decide.
    pub(crate) given_as: CommandId,
    /// The organization that submits the batch.
    pub(crate) organization: MspId,
    /// The batch's time.
    pub(crate) now: TimeMs,
    /// What the engine says that the time is. It differs while a jump of the clock is confirmed.
    pub(crate) engine_time: TimeMs,
    /// The batch's time on the clock that stands still during pauses.
    pub(crate) clocks: Clocks,
    /// The parameters in force when the command began.
    pub(crate) params: Arc<Governed>,
    /// The second admin, when the actor's command needed one.
    pub(crate) approver: Option<AdminId>,
    events: Vec<Event>,
    postings: Vec<Posting>,
    /// How many writes and events there were before the command's own.
    before: (usize, usize),
}

impl<'a> Tx<'a> {
    /// `due` are the events of what has taken effect before the command.
    ///
    /// # Errors
    /// When the parameters are not known yet.
    pub(crate) fn new(
        state: &'a mut State,
        envelope: &'a Envelope,
        organization: MspId,
        (now, engine_time): (TimeMs, TimeMs),
        due: Vec<Event>,
    ) -> Result<Self, Stop> {
        let params = state.params()?;
        let before = (state.mark(), due.len());
        let clocks = Clocks::at(now, state.system()?);
        let Envelope { actor, command_id, .. } = envelope;
        let (command_id, approver) = (*command_id, None);
        // Nearly every command has one event. Events live as long as the batch, and room for more
        // of them than there are would be most of its memory.
        let (mut events, postings) = (due, Vec::new());
        events.reserve_exact(1);
        let given_as = command_id;
        Ok(Self {
            state,
            actor,
            command_id,
            given_as,
            organization,
            now,
            engine_time,
            clocks,
            params,
            approver,
            events,
            postings,
            before,
        })
    }

    /// Runs the rule of another command, which `proposer` gave under that id and `approver` lets
    /// pass. What was true of the other party when it was proposed need not be true any more.
    pub(crate) fn run_approved(
        &mut self,
        rule: &dyn DynRule,
        (proposer, given_as): (&Actor, CommandId),
        approver: AdminId,
    ) -> Result<(), Stop> {
        if let Some(other) = rule.counterparty() {
            self.state.load([Key::Account(*other)])?;
        }
        check_counterparty(self.state, rule, &rule.gate())?;
        let mut tx = Tx {
            state: &mut *self.state,
            actor: proposer,
            command_id: self.command_id,
            given_as,
            organization: self.organization,
            now: self.now,
            engine_time: self.engine_time,
            clocks: self.clocks,
            params: Arc::clone(&self.params),
            approver: Some(approver),
            events: std::mem::take(&mut self.events),
            postings: Vec::new(),
            before: self.before,
        };
        rule.apply(&mut tx)?;
        self.events = tx.finish();
        Ok(())
    }

    /// Takes back all that the command has done so far, but not what took effect before it.
    pub(crate) fn undo(&mut self) {
        let (writes, events) = self.before;
        self.state.rollback_to(writes);
        self.events.truncate(events);
        self.postings.clear();
    }

    /// The acting user's account. The gate has made sure that there is one.
    pub(crate) fn user(&self) -> Result<AccountId, Stop> {
        match self.actor {
            Actor::User(id) => Ok(*id),
            Actor::System | Actor::Admin(_) => Err(Refusal::ActorNotAllowed.into()),
        }
    }

    /// Runs a part whose refusal is not the command's own: what the part did is taken back, and
    /// what came before it stays.
    ///
    /// # Errors
    /// That the state is not known yet.
    pub(crate) fn attempt<T>(
        &mut self,
        part: impl FnOnce(&mut Self) -> Result<T, Stop>,
    ) -> Result<Result<T, Refused>, Stop> {
        let written = self.state.mark();
        let (events, postings) = (self.events.len(), self.postings.len());
        match part(self) {
            Ok(value) => Ok(Ok(value)),
            Err(Stop::Missing) => Err(Stop::Missing),
            Err(Stop::Refused(refused)) => {
                self.state.rollback_to(written);
                self.events.truncate(events);
                self.postings.truncate(postings);
                Ok(Err(refused))
            }
        }
    }

    /// Takes coins from an account. The caller credits the same sum before its event.
    pub(crate) fn debit(&mut self, id: &AccountId, amount: Amount) -> Result<(), Stop> {
        let (place, account) = self.state.account_place(id)?;
        let balance = covering(id, &account, amount)?;
        let account = self.post(id, Account { balance, ..account }, Change::minus(amount))?;
        self.state.put_at(place, account);
        Ok(())
    }

    /// Gives coins to an account.
    pub(crate) fn credit(&mut self, id: &AccountId, amount: Amount) -> Result<(), Stop> {
        let (place, account) = self.state.account_place(id)?;
        let balance = account.balance.checked_add(amount).ok_or(Refusal::AmountOverflow)?;
        let account = self.post(id, Account { balance, ..account }, Change::plus(amount))?;
        self.state.put_at(place, account);
        Ok(())
    }

    /// Moves coins of an account into escrow: they can't be spent, and are the account's still.
    pub(crate) fn hold(&mut self, id: &AccountId, amount: Amount) -> Result<(), Stop> {
        let (place, account) = self.state.account_place(id)?;
        let balance = covering(id, &account, amount)?;
        let escrowed = account.escrowed.checked_add(amount).ok_or(Refusal::AmountOverflow)?;
        let held = Account { balance, escrowed, ..account };
        let account = self.post(id, held, Change::minus(amount))?;
        self.state.put_at(place, account);
        self.credit(&AccountId::escrow(), amount)
    }

    /// Gives an account coins back that wait in escrow.
    pub(crate) fn give_back(&mut self, id: &AccountId, amount: Amount) -> Result<(), Stop> {
        self.debit(&AccountId::escrow(), amount)?;
        let (place, account) = self.state.account_place(id)?;
        let balance = account.balance.checked_add(amount).ok_or(Refusal::AmountOverflow)?;
        let escrowed = account.escrowed.checked_sub(amount).ok_or(Refusal::AmountOverflow)?;
        let back = Account { balance, escrowed, ..account };
        let account = self.post(id, back, Change::plus(amount))?;
        self.state.put_at(place, account);
        Ok(())
    }

    /// Takes coins out of escrow that are the account's no longer. The caller credits the same sum
    /// before its event.
    pub(crate) fn let_go(&mut self, id: &AccountId, amount: Amount) -> Result<(), Stop> {
        self.debit(&AccountId::escrow(), amount)?;
        let (place, account) = self.state.account_place(id)?;
        let escrowed = account.escrowed.checked_sub(amount).ok_or(Refusal::AmountOverflow)?;
        let account = Account { escrowed, ..account };
        let account = account.with_tax_timer(self.params.tax.threshold, self.clocks.running());
        self.state.put_at(place, account);
        Ok(())
    }

    /// Opens a pool with coins that did not exist before. Only bootstrap may.
    pub(crate) fn create_supply(&mut self, pool: Pool, amount: Amount) -> Result<(), Stop> {
        let id = pool.account();
        let account = self.post(&id, Account::pool(amount), Change::plus(amount))?;
        self.state.put_account(&id, account)
    }

    /// The account as it is to be stored after a change of its balance. Every change passes here,
    /// which is why no rule looks after the tax's timer.
    fn post(
        &mut self,
        id: &AccountId,
        account: Account,
        change: Option<Change>,
    ) -> Result<Account, Stop> {
        let change = change.ok_or(Refusal::AmountOverflow)?;
        let account = account.with_tax_timer(self.params.tax.threshold, self.clocks.running());
        if change.qirat() != 0 {
            self.postings.push(Posting(*id, change, account.balance));
        }
        Ok(account)
    }

    pub(crate) fn put(&mut self, key: Key, record: impl Into<Record>) -> Result<(), Stop> {
        self.state.put(key, record)
    }

    /// The movements since the last event, for the event that tells of them.
    pub(crate) fn take_postings(&mut self) -> Vec<Posting> {
        std::mem::take(&mut self.postings)
    }

    pub(crate) fn emit(&mut self, event: impl Into<Event>) {
        self.events.push(event.into());
    }

    /// The events of a finished rule.
    ///
    /// # Panics
    /// When coins were moved that no event tells of: a fault of the rule, not of its input.
    pub(crate) fn finish(self) -> Vec<Event> {
        assert!(self.postings.is_empty(), "every movement belongs to an event");
        self.events
    }
}

/// What is left on an account after a debit that its balance covers.
fn covering(id: &AccountId, account: &Account, amount: Amount) -> Result<Amount, Refused> {
    account.balance.checked_sub(amount).ok_or_else(|| {
        Refusal::InsufficientBalance
            .because(format!("{id} holds {}, needed {amount}", account.balance))
    })
}

/// The sum of the changes of `postings`. Zero for everything but bootstrap.
pub(crate) fn imbalance(postings: &[Posting]) -> i128 {
    postings
        .iter()
        .fold(0, |sum: i128, posting| sum.saturating_add(i128::from(posting.change().qirat())))
}
