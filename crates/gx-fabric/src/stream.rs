//! Blocks from a peer: in order, from any number on, and the news that there is a new one.
//!
//! One stream stays open where the last reading ended, so that a follower pays for the opening
//! once. A stream that ends or breaks is opened again at the next block; nothing is skipped.

use std::time::Duration;

use tokio_stream::StreamExt;
use tonic::Streaming;

use crate::block::Block;
use crate::proto::{DeliverResponse, Delivered, SeekPosition};
use crate::{Error, Gateway, Identity};

/// How long a block that exists may take to arrive.
const BLOCK_MAX: Duration = Duration::from_secs(15);

/// How long further blocks are waited for once one is there.
const MORE_MAX: Duration = Duration::from_millis(2);

/// An open stream, and the number of its next block.
#[derive(Debug)]
struct Open {
    next: u64,
    stream: Streaming<DeliverResponse>,
}

/// Reads blocks of a channel in order.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    open: Option<Open>,
}

impl Reader {
    /// The blocks from one that exists on, up to about `bytes_max`, at least one.
    pub(crate) async fn read(
        &mut self,
        gateway: &Gateway,
        identity: &Identity,
        chaincode: &str,
        from: u64,
        (blocks_max, bytes_max): (usize, usize),
    ) -> Result<Vec<Block>, Error> {
        let mut open = match self.open.take().filter(|open| open.next == from) {
            Some(open) => open,
            None => {
                let position = SeekPosition::block(from);
                Open { next: from, stream: gateway.deliver(identity, position, u64::MAX).await? }
            }
        };
        let mut blocks: Vec<Block> = Vec::new();
        let mut bytes = 0_usize;
        while blocks.is_empty() || (blocks.len() < blocks_max && bytes < bytes_max) {
            let patience = if blocks.is_empty() { BLOCK_MAX } else { MORE_MAX };
            let received = match tokio::time::timeout(patience, open.stream.next()).await {
                Ok(received) => received,
                // There is no more now; the stream stays open for the next reading.
                Err(_) if !blocks.is_empty() => {
                    self.open = Some(open);
                    return Ok(blocks);
                }
                Err(_) => {
                    let (call, seconds) = ("deliver", BLOCK_MAX.as_secs());
                    return Err(Error::Deadline { call, seconds });
                }
            };
            // What was read before the stream broke is good; the next reading opens it again.
            let delivered = match read_one(received) {
                Ok(delivered) => delivered,
                Err(_) if !blocks.is_empty() => return Ok(blocks),
                Err(error) => return Err(error),
            };
            let Delivered::Block(block) = delivered else { continue };
            let block = Block::read(&block, chaincode)?;
            check_order(open.next, blocks.last(), &block)?;
            open.next = block.number.saturating_add(1);
            bytes = bytes.saturating_add(block.bytes);
            blocks.push(block);
        }
        self.open = Some(open);
        Ok(blocks)
    }
}

fn read_one(received: Option<Result<DeliverResponse, tonic::Status>>) -> Result<Delivered, Error> {
    let ended = || Error::Status {
        call: "deliver",
        code: tonic::Code::Unavailable,
        message: "the peer ended the stream of blocks".to_owned(),
        details: Vec::new(),
    };
    let delivered = match received {
        Some(Ok(DeliverResponse { delivered: Some(delivered) })) => delivered,
        Some(Ok(_)) => return Err(Error::Unreadable { what: "a message of the stream" }),
        Some(Err(status)) => return Err(Error::from_status("deliver", &status)),
        None => return Err(ended()),
    };
    match delivered {
        Delivered::Status(status) => Err(seek_status(status)),
        delivered => Ok(delivered),
    }
}

/// `common.Status` of a stream that gives no blocks.
fn seek_status(status: i32) -> Error {
    let (code, message) = match status {
        403 => (tonic::Code::PermissionDenied, "the identity may not read the channel"),
        404 => (tonic::Code::NotFound, "the peer has not joined the channel"),
        400 => (tonic::Code::InvalidArgument, "the peer does not understand the request"),
        _ => (tonic::Code::Unavailable, "the peer ended the stream of blocks"),
    };
    let message = format!("{message} (status {status})");
    Error::Status { call: "deliver", code, message, details: Vec::new() }
}

fn check_order(expected: u64, before: Option<&Block>, block: &Block) -> Result<(), Error> {
    let wrong = |reason: &str| Error::Block { number: block.number, reason: reason.to_owned() };
    if block.number != expected {
        return Err(wrong(&format!("block {expected} was to come")));
    }
    match before {
        Some(before) if before.hash != block.previous => {
            Err(wrong("it does not follow the block before it"))
        }
        Some(_) | None => Ok(()),
    }
}

/// Tells the number of each new block until the stream breaks.
pub(crate) async fn follow(
    gateway: &Gateway,
    identity: &Identity,
    mut tell: impl FnMut(u64),
) -> Result<(), Error> {
    let mut stream = gateway.deliver_numbers(identity).await?;
    loop {
        match read_one(stream.next().await)? {
            Delivered::FilteredBlock(block) => tell(block.number),
            Delivered::Block(_) | Delivered::Status(_) => {}
        }
    }
}
