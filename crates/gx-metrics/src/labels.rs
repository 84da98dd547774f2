//! Sets of labels, and the words that stand in them.

use std::fmt;

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};

/// A worker of which one process of a network is the leader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Worker {
    Submitter,
    Projector,
    Housekeeper,
    TaxCollector,
    Notifier,
    Messenger,
    MailCourier,
    TextCourier,
    Promoter,
}

impl Worker {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Submitter => "submitter",
            Self::Projector => "projector",
            Self::Housekeeper => "housekeeper",
            Self::TaxCollector => "tax_collector",
            Self::Notifier => "notifier",
            Self::Messenger => "messenger",
            Self::MailCourier => "mail_courier",
            Self::TextCourier => "text_courier",
            Self::Promoter => "promoter",
        }
    }
}

impl EncodeLabelValue for Worker {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        self.as_str().encode(encoder)
    }
}

/// How a command was settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Settled {
    Applied,
    Refused,
    /// It had its outcome earlier; nothing happened now.
    Repeated,
}

impl EncodeLabelValue for Settled {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        let word = match self {
            Self::Applied => "applied",
            Self::Refused => "refused",
            Self::Repeated => "repeated",
        };
        word.encode(encoder)
    }
}

macro_rules! labels {
    ($(
        $(#[doc = $doc:literal])+
        $set:ident { $($label:ident: $type:ty = $example:expr),+ }
    )+) => {$(
        $(#[doc = $doc])+
        #[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
        pub struct $set { $(pub $label: $type),+ }

        impl $set {
            pub(crate) const NAMES: &'static [&'static str] = &[$(stringify!($label)),+];

            #[cfg(test)]
            pub(crate) fn example() -> Self {
                Self { $($label: $example),+ }
            }
        }
    )+};
}

labels! {
    /// By route, as the description of the interface writes it, and by the service that has it.
    ByRoute {
        api: &'static str = "identity",
        method: &'static str = "GET",
        route: &'static str = "/"
    }
    /// By route and status.
    ByStatus {
        api: &'static str = "identity",
        method: &'static str = "GET",
        route: &'static str = "/",
        status_code: u16 = 200
    }
    /// By contract function, `Contract:Function`.
    ByFunction { function: &'static str = "TokenomicsContract:Transfer" }
    /// By what became of a command.
    ByOutcome { outcome: Settled = Settled::Applied }
    /// By worker.
    ByWorker { worker: Worker = Worker::Submitter }
    /// By the way that a message travels.
    ByChannel { channel: &'static str = "mail" }
    /// By what is kept for a while.
    ByKept { kind: &'static str = "sessions" }
    /// By topic of a notification.
    ByTopic { topic: &'static str = "LOAN_UPDATE" }
    /// By what an attempt to send a message has come to.
    ByAttempt { outcome: &'static str = "delivered" }
    /// By how a promotion has ended.
    ByPromotion { status: &'static str = "COMPLETED" }
    /// By why a span was not exported.
    ByLoss { reason: &'static str = "queue_full" }
    /// By role on the ledger.
    ByRole { role: &'static str = "gx_admin" }
    /// By the kind of account that holds it.
    ByHolder { holder: &'static str = "users" }
    /// By something that the process needs or uses.
    ByDependency { dependency: &'static str = "database" }
    /// By pool of connections.
    ByPool { pool: &'static str = "all" }
    /// By what was built.
    ByBuild { version: &'static str = "0.1.0", git_hash: &'static str = "unknown" }
}
