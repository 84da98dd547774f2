//! Runs a batch: discovers the keys it needs, applies command after command, records outcomes.
//!
//! A command that reads an unknown key is abandoned; the ones behind it are then only probed, so
//! that one pass collects the keys of the whole batch and a batch costs a handful of bulk reads.

use std::collections::BTreeMap;

use gx_types::{Actor, CommandId, MspId, NetworkId, Pool, Role, TimeMs};

use crate::batch::BodyHash;
use crate::signature::Verified;
use crate::state::{Clock, CommandOutcome, Key, State, Version};
use crate::tx::{Stop, Tx};
use crate::{
    Batch, BatchRecord, CommandResult, Envelope, Event, Outcome, Refusal, Refused, Repeated, admin,
    admin::clock, gates,
};

/// What the engine knows of a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context {
    /// The role that the engine has authenticated the submitter as.
    pub role: Role,
    /// The engine's transaction time.
    pub time: TimeMs,
    /// The organization that the engine has authenticated the submitter as a member of.
    pub organization: MspId,
}

impl Context {
    /// Of a ledger that one organization runs in its own process.
    pub const fn embedded(role: Role, time: TimeMs) -> Self {
        Self { role, time, organization: MspId::PLATFORM }
    }
}

/// What an execution wants next.
#[derive(Debug)]
pub enum Step {
    /// Supply these keys and run again.
    Need(Vec<Key>),
    /// Store this.
    Done(Done),
    /// Store nothing: the batch was not executed.
    Refused(BatchRefused),
}

/// Why a batch is not executed at all. That is no outcome: nothing is recorded, and no command id
/// is used up. The same batch may be executed later.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BatchRefused {
    /// A fault of the set-up, not of any command.
    #[error("role_not_held: the batch claims {claimed}, its submitter has {submitter}")]
    RoleNotHeld { claimed: Role, submitter: Role },
    /// On mainnet a time that has run away would end every delay that protects somebody.
    #[error(
        "clock_jump: the batch's time {} is more than 36 hours after the last one, {} (in \
         milliseconds since 1970 UTC); two super admins have to confirm it with their keys{}",
        time.0, last.0, because(.confirmation)
    )]
    ClockJump {
        last: TimeMs,
        time: TimeMs,
        /// Why the confirmation in it, if there is one, is none.
        confirmation: Option<Box<Refused>>,
    },
}

impl BatchRefused {
    fn jump(last: TimeMs, time: TimeMs, confirmation: Option<Refused>) -> Self {
        Self::ClockJump { last, time, confirmation: confirmation.map(Box::new) }
    }
}

fn because(confirmation: &Option<Box<Refused>>) -> String {
    let none = |refused| format!("; the confirmation sent is none: {refused}");
    confirmation.as_ref().map(none).unwrap_or_default()
}

/// An execution on a host that answers at once did not come to an end.
#[derive(Debug, thiserror::Error)]
pub enum ExecutionError {
    #[error(transparent)]
    State(#[from] WrongState),
    #[error(transparent)]
    Refused(#[from] BatchRefused),
}

/// The result of a batch.
#[derive(Debug, PartialEq, Eq)]
pub struct Done {
    pub record: BatchRecord,
    /// In the order of the encoded keys, each key once.
    pub writes: Vec<Write>,
}

/// A value to store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    pub key: String,
    pub value: Vec<u8>,
}

/// A supplied value is not what this build stores under its key: the state is damaged or newer.
#[derive(Debug, thiserror::Error)]
#[error("value of ledger key {key:?} cannot be read")]
pub struct WrongState {
    pub key: String,
    pub source: serde_json::Error,
}

/// The times of a batch.
#[derive(Debug, Clone, Copy)]
struct Timing {
    /// At which its commands are judged.
    now: TimeMs,
    /// The batch's time, which its record and the outcomes have. It differs where the batch
    /// confirms a jump of the clock: that is judged at the old time, for which its signers signed.
    stamp: TimeMs,
    /// The last batch time, if the clock has jumped since.
    jumped_from: Option<TimeMs>,
}

/// One run of a batch.
#[derive(Debug)]
pub struct Execution<'b> {
    batch: &'b Batch,
    context: Context,
    bodies: Vec<BodyHash>,
    state: State,
    results: Vec<CommandResult>,
    /// Absent until the ledger's clock is known.
    timing: Option<Timing>,
    /// Signatures that were looked at, by the place of their command: an attempt that is repeated
    /// must not pay for them again.
    verified: BTreeMap<usize, Verified>,
    /// Which commands have passed the checks that need no state, for the same reason: some of them
    /// look at keys.
    validated: Vec<bool>,
    /// Whether no change of a parameter waits for a command of this batch to carry it.
    nothing_due: bool,
}

impl<'b> Execution<'b> {
    pub fn new(batch: &'b Batch, context: Context) -> Self {
        let mut body = Vec::with_capacity(512);
        let bodies = batch.commands.iter().map(|command| command.body_hash_in(&mut body)).collect();
        let results = Vec::with_capacity(batch.commands.len());
        // Most commands touch their outcome and two accounts of their own.
        let state = State::with_capacity(batch.commands.len().saturating_mul(3).saturating_add(16));
        let (verified, validated) = (BTreeMap::new(), vec![false; batch.commands.len()]);
        let (timing, nothing_due) = (None, false);
        Self { batch, context, bodies, state, results, timing, verified, validated, nothing_due }
    }

    /// Supplies the value of a key that was asked for; `None` when the ledger has none.
    ///
    /// # Errors
    /// [`WrongState`] when the bytes are not a record of the key's type.
    pub fn supply(&mut self, key: Key, value: Option<&[u8]>) -> Result<(), WrongState> {
        self.state.supply(key, value).map_err(|source| WrongState { key: key.encode(), source })
    }

    /// Goes on as far as the supplied state allows.
    pub fn run(&mut self) -> Step {
        let (claimed, submitter) = (self.batch.role, self.context.role);
        if claimed != submitter {
            return Step::Refused(BatchRefused::RoleNotHeld { claimed, submitter });
        }
        let Ok(clock) = self.state.get::<Clock>(Key::Clock) else {
            // First pass: collect what every command will want anyway, and the pools, which are
            // the other side of nearly everything.
            for pool in Pool::ALL {
                self.state.want(Key::Account(pool.account()));
            }
            self.state.want(Key::System);
            for envelope in &self.batch.commands {
                gates::want(&mut self.state, envelope, envelope.command.rule());
            }
            return Step::Need(self.state.take_missing());
        };
        let Ok(timing) = self.timing(clock) else {
            self.state.want(Key::System);
            return Step::Need(self.state.take_missing());
        };
        if let Some(last) = timing.jumped_from.filter(|_| !clock::may_confirm(self.batch)) {
            return Step::Refused(BatchRefused::jump(last, timing.stamp, None));
        }
        let mut probing = false;
        for at in self.results.len()..self.batch.commands.len() {
            match self.execute(at, timing) {
                Ok(result) if !probing => {
                    self.state.commit();
                    self.results.push(result);
                }
                Ok(_) => self.state.rollback(),
                Err(()) => {
                    self.state.rollback();
                    probing = true;
                }
            }
        }
        if self.state.is_starved() {
            return Step::Need(self.state.take_missing());
        }
        match self.keep_time(timing) {
            Ok(()) => {}
            Err(Stop::Missing) => return Step::Need(self.state.take_missing()),
            Err(Stop::Refused(refused)) => {
                let last = timing.jumped_from.unwrap_or(timing.now);
                return Step::Refused(BatchRefused::jump(last, timing.stamp, Some(refused)));
            }
        }
        let record = BatchRecord {
            version: Version,
            batch_id: self.batch.batch_id,
            time: timing.stamp,
            results: std::mem::take(&mut self.results),
        };
        let writes = self
            .state
            .writes()
            .into_iter()
            .map(|(key, record)| Write { key: key.encode(), value: record.encode() })
            .collect();
        Step::Done(Done { record, writes })
    }

    /// The times of the batch; they are found once, for a batch can confirm the clock itself.
    fn timing(&mut self, clock: Option<Clock>) -> Result<Timing, Stop> {
        if let Some(timing) = self.timing {
            return Ok(timing);
        }
        let on_mainnet =
            self.state.system()?.is_some_and(|system| system.network_id == NetworkId::Mainnet);
        let (last, engine) = (clock.map(|clock| clock.last_batch_at), self.context.time);
        let jumped_from = last.filter(|last| on_mainnet && clock::is_jump(*last, engine));
        let time = last.map_or(engine, |last| last.max(engine));
        let timing = Timing { now: jumped_from.unwrap_or(time), stamp: time, jumped_from };
        self.timing = Some(timing);
        Ok(timing)
    }

    /// Time goes on to that of the batch; over a jump only if it was confirmed.
    fn keep_time(&mut self, timing: Timing) -> Result<(), Stop> {
        let last_batch_at = timing.stamp;
        if timing.jumped_from.is_some() {
            let clock: Option<Clock> = self.state.get(Key::Clock)?;
            if clock.is_none_or(|clock| clock.last_batch_at != last_batch_at) {
                let refused = self.results.iter().find_map(|result| match &result.outcome {
                    Outcome::Refused(refused) => Some(refused.clone()),
                    Outcome::Applied(_) | Outcome::Repeated(_) => None,
                });
                return Err(refused.unwrap_or_else(|| Refusal::ClockDiffers.into()).into());
            }
        }
        self.state.put(Key::Clock, Clock { v: Version, last_batch_at })
    }

    /// Runs to the end on a host that answers at once: `supply` supplies all the keys that it is
    /// given.
    ///
    /// # Errors
    /// What `supply` failed with, or that the batch is refused.
    pub fn complete<E: From<BatchRefused>>(
        mut self,
        mut supply: impl FnMut(&mut Self, Vec<Key>) -> Result<(), E>,
    ) -> Result<Done, E> {
        loop {
            match self.run() {
                Step::Done(done) => return Ok(done),
                Step::Refused(refused) => return Err(refused.into()),
                Step::Need(keys) => supply(&mut self, keys)?,
            }
        }
    }

    /// The outcome of one command, its writes not yet committed; `Err` when state is missing.
    fn execute(&mut self, at: usize, timing: Timing) -> Result<CommandResult, ()> {
        let (Some(envelope), Some(body)) =
            (self.batch.commands.get(at), self.bodies.get(at).copied())
        else {
            return Err(());
        };
        let command_id = envelope.command_id;
        let key = Key::Outcome(command_id);
        let first: Option<CommandOutcome> = self.state.get(key).map_err(|_| ())?;
        if let Some(first) = first {
            return Ok(CommandResult { command_id, outcome: repeat(first, body) });
        }
        let (outcome, refused) = match self.apply(at, envelope, timing) {
            Ok(events) => (Outcome::Applied(events), None),
            Err(Stop::Missing) => return Err(()),
            Err(Stop::Refused(refused)) => {
                self.state.rollback();
                (Outcome::Refused(refused.clone()), Some(Box::new(refused)))
            }
        };
        let batch_id = self.batch.batch_id;
        let time = timing.stamp;
        let record = CommandOutcome { v: Version, body, batch_id, time, refused };
        self.state.put(key, record).map_err(|_| ())?;
        Ok(CommandResult { command_id, outcome })
    }

    fn apply(
        &mut self,
        at: usize,
        envelope: &Envelope,
        timing: Timing,
    ) -> Result<Vec<Event>, Stop> {
        let rule = envelope.command.rule();
        let by = (self.batch.role, &self.context.organization);
        // What has come into force by now counts for the gates as well. A command that is refused
        // does not carry it: the next one will.
        let due = if self.nothing_due {
            Vec::new()
        } else {
            let due = admin::take_effect(&mut self.state, timing.now)?;
            self.nothing_due = due.is_empty();
            due
        };
        let mut seen = self.verified.remove(&at);
        let passed = gates::check(&mut self.state, envelope, rule, by, timing.now, &mut seen);
        if let Some(seen) = seen {
            self.verified.insert(at, seen);
        }
        if matches!(passed, Err(Stop::Missing)) {
            // The first pass has asked for all that the gates read, unless the host has supplied
            // the clock unasked.
            gates::want(&mut self.state, envelope, rule);
        }
        passed?;
        if let Some(validated @ false) = self.validated.get_mut(at) {
            envelope.validate()?;
            *validated = true;
        }
        let times = (timing.now, timing.stamp);
        let organization = self.context.organization;
        let mut tx = Tx::new(&mut self.state, envelope, organization, times, due)?;
        if rule.gate().two_admins && !rule.one_admin_suffices(tx.state)? {
            admin::propose(&mut tx, &envelope.command)?;
        } else {
            rule.apply(&mut tx)?;
        }
        Ok(tx.finish())
    }
}

/// The answer to a command id that has its outcome already.
fn repeat(first: CommandOutcome, body: BodyHash) -> Outcome {
    if first.body == body {
        let refused = first.refused.map(|refused| *refused);
        Outcome::Repeated(Repeated { batch_id: first.batch_id, time: first.time, refused })
    } else {
        Outcome::Refused(Refusal::CommandIdReused.into())
    }
}

impl Envelope {
    /// What can be said of the command without any state: whose it may be, the rule's own checks,
    /// and whose account it is about. `submit()` asks this before it accepts.
    ///
    /// # Errors
    /// The refusal that the ledger would answer.
    pub fn validate(&self) -> Result<(), Refused> {
        let rule = self.command.rule();
        if !gates::is_kind_allowed(self, rule.gate().actor) {
            return Err(gates::not_allowed(&self.actor));
        }
        rule.validate()?;
        match (rule.own_account(), self.actor) {
            (Some(own), Actor::User(id)) if *own != id => Err(Refusal::NotOwnAccount.into()),
            _ => Ok(()),
        }
    }

    /// The role that a service needs to submit the command.
    pub fn role(&self) -> Role {
        self.command.rule().gate().role
    }

    pub fn id(&self) -> CommandId {
        self.command_id
    }
}
