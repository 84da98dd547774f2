//! An executed batch on its way from the executor to the writer.

use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use gx_contract::{Batch, BatchRecord, Context, Write};
use gx_types::{BatchId, Role};

use crate::Error;
use crate::block::{Body, Sealed};
use crate::executor::{Chores, Executed};
use crate::hash::Hash;
use crate::shared::Receipt;
use crate::store::{Head, Store};

/// An executed batch on its way to the file.
#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) number: u64,
    pub(crate) submitter: Role,
    pub(crate) role: Role,
    pub(crate) batch_id: BatchId,
    pub(crate) commands: u32,
    pub(crate) commands_hash: Hash,
    pub(crate) body: Body,
    pub(crate) record: Arc<BatchRecord>,
    pub(crate) writes: Vec<Write>,
    pub(crate) new_ids: Vec<(u128, u32)>,
    pub(crate) chores: Chores,
    /// The block that this must become, when it was signed elsewhere.
    pub(crate) given: Option<Sealed>,
    pub(crate) answer: SyncSender<Result<Receipt, Error>>,
}

#[derive(Debug)]
pub(crate) enum Message {
    Work(Box<Work>),
    /// The file has been opened anew after an error.
    Resume(Arc<Store>, Head),
}

impl Work {
    /// What an executed batch has to bring along.
    pub(crate) fn new(
        number: u64,
        (batch, context): (&Batch, Context),
        (body, commands_hash): (Body, Hash),
        executed: Executed,
        answer: SyncSender<Result<Receipt, Error>>,
    ) -> Self {
        Self {
            number,
            submitter: context.role,
            role: batch.role,
            batch_id: batch.batch_id,
            commands: u32::try_from(batch.commands.len()).unwrap_or(u32::MAX),
            commands_hash,
            body,
            record: Arc::new(executed.done.record),
            writes: executed.done.writes,
            new_ids: executed.new_ids,
            chores: Chores::default(),
            given: None,
            answer,
        }
    }
}
