//! The commands of one role on their way: what is sent and not answered, and when to try again.

use std::collections::VecDeque;
use std::time::Duration;

use gx_contract::{Batch, Envelope};
use gx_store::submission::Stuck;
use gx_types::{BatchId, Role, TimeMs};
use tokio::time::Instant;

use crate::chain::ChainError;
use crate::pacing::Backoff;
use crate::random::Random;

/// How long a ledger may be silent before that is shown to everybody; a wrong setting is at once.
const SHOWN_AFTER: Duration = Duration::from_secs(1);

/// Commands that are sent together, with their numbers in the outbox.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) batch_id: BatchId,
    pub(crate) commands: Vec<Envelope>,
    pub(crate) seqs: Vec<i64>,
}

impl Part {
    pub(crate) fn into_batch(self, role: Role) -> (Batch, Vec<i64>) {
        let Self { batch_id, commands, seqs } = self;
        (Batch { batch_id, role, commands }, seqs)
    }

    pub(crate) fn of_batch(batch: Batch, seqs: Vec<i64>) -> Self {
        let Batch { batch_id, commands, .. } = batch;
        Self { batch_id, commands, seqs }
    }
}

/// The commands of one role on their way.
#[derive(Debug)]
pub(crate) struct Lane {
    pub(crate) role: Role,
    /// In the order in which they are sent.
    parts: VecDeque<Part>,
    trouble: Option<Trouble>,
    backoff: Backoff,
    /// Whether SQL may have a batch of it as unanswered.
    pub(crate) is_noted: bool,
    /// Whether SQL may have it as stuck.
    pub(crate) is_shown_stuck: bool,
}

#[derive(Debug)]
struct Trouble {
    began: Instant,
    since: TimeMs,
    class: &'static str,
    retry_at: Instant,
    /// The class that was last shown.
    shown: Option<&'static str>,
}

impl Lane {
    /// One of which it is not known what SQL has.
    pub(crate) fn new(role: Role, backoff: Backoff) -> Self {
        let (parts, trouble) = (VecDeque::new(), None);
        Self { role, parts, trouble, backoff, is_noted: true, is_shown_stuck: true }
    }

    /// Adds what was recorded last.
    pub(crate) fn push(&mut self, part: Part) {
        if !part.commands.is_empty() {
            self.parts.push_back(part);
        }
    }

    /// Whether everything is answered.
    pub(crate) fn is_free(&self) -> bool {
        self.parts.is_empty()
    }

    /// The part to send now, taken out.
    pub(crate) fn due(&mut self, now: Instant) -> Option<Part> {
        if self.retry_at().is_some_and(|at| at > now) {
            return None;
        }
        self.parts.pop_front()
    }

    /// When to try again what was not answered.
    pub(crate) fn retry_at(&self) -> Option<Instant> {
        self.trouble.as_ref().map(|trouble| trouble.retry_at)
    }

    /// Whether the ledger was silent when it was last asked. One that says what is wrong is not.
    pub(crate) fn is_unanswered(&self) -> bool {
        self.trouble.as_ref().is_some_and(|trouble| !ChainError::needs_an_operator(trouble.class))
    }

    /// Adds a batch without commands, which carries the ledger's time on.
    pub(crate) fn push_beat(&mut self, batch_id: BatchId) {
        self.parts.push_back(Part { batch_id, commands: Vec::new(), seqs: Vec::new() });
    }

    /// What was not answered is tried again at once.
    pub(crate) fn retry_now(&mut self) {
        if let Some(trouble) = &mut self.trouble {
            trouble.retry_at = Instant::now();
        }
    }

    /// What was sent last has its answer.
    pub(crate) fn answered(&mut self) {
        self.trouble = None;
        self.backoff.reset();
    }

    /// The part is to be sent again. Returns what to show of it, if that is new.
    pub(crate) fn failed(
        &mut self,
        part: Part,
        class: &'static str,
        reason: String,
        at: TimeMs,
    ) -> Option<Stuck> {
        self.parts.push_front(part);
        let now = Instant::now();
        let retry_at = now + self.backoff.delay();
        let new = Trouble { began: now, since: at, class, retry_at, shown: None };
        let trouble = self.trouble.get_or_insert(new);
        (trouble.class, trouble.retry_at) = (class, retry_at);
        let is_news = trouble.shown != Some(class)
            && (ChainError::needs_an_operator(class) || trouble.began.elapsed() >= SHOWN_AFTER);
        is_news.then(|| {
            trouble.shown = Some(class);
            self.is_shown_stuck = true;
            Stuck { since: trouble.since, class: class.to_owned(), reason }
        })
    }

    /// Puts both halves of a part back, under ids of their own: one holds the command that makes
    /// the contract panic, and is halved again until that one stands alone.
    pub(crate) fn split(&mut self, mut part: Part, random: &Random) {
        let half = part.commands.len() / 2;
        let (commands, seqs) = (part.commands.split_off(half), part.seqs.split_off(half));
        let id = || BatchId::from_u128(random.bits());
        self.parts.push_front(Part { batch_id: id(), commands, seqs });
        self.parts.push_front(Part { batch_id: id(), ..part });
    }
}
