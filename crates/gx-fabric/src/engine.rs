//! The engine: a Fabric channel used as the ledger, with the same questions and answers as the
//! embedded one.
//!
//! It retries what is certain to be free: endorsing anew after a conflict, and submitting the very
//! same transaction after a lost answer. Everything else is an error whose class says what to do.

use std::sync::Arc;
use std::time::Duration;

use gx_contract::{Batch, Query, Refused};
use gx_types::{BatchId, Role};
use prost::Message;
use sha2::{Digest, Sha256};
use tokio::sync::{Mutex, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::block::{Block, header_hash};
use crate::connection::Peers;
use crate::gateway::{Deadlines, Gateway, Prepared};
use crate::identities::{Identities, RENEW_EVERY};
use crate::proto::{self, BlockchainInfo};
use crate::receipt::Current;
use crate::stream::{self, Reader};
use crate::{Class, Counts, Error, Identity, Invocation, Wallet};

/// Times that a batch is endorsed anew after a conflict before it is given back.
const CONFLICTS_MAX: u32 = 5;

/// Times that a prepared transaction is submitted when no answer comes.
const SUBMISSIONS_MAX: u32 = 3;

/// Pause before a broken stream of block numbers is opened again.
const REOPEN_AFTER: Duration = Duration::from_millis(500);

/// How the engine reaches its channel.
#[derive(Debug, Clone)]
pub struct Options {
    pub peers: Peers,
    pub channel: String,
    pub chaincode: String,
    /// Organizations that endorse; none leaves it to the peers, which know the policy.
    pub endorsing_organizations: Vec<String>,
    pub deadlines: Deadlines,
    /// Bytes of one transaction; the orderers' limit (AbsoluteMaxBytes) less some room.
    pub transaction_bytes_max: usize,
}

impl Options {
    /// Defaults for everything but the names.
    pub fn new(peers: Peers, channel: &str, chaincode: &str) -> Self {
        Self {
            peers,
            channel: channel.to_owned(),
            chaincode: chaincode.to_owned(),
            endorsing_organizations: Vec::new(),
            deadlines: Deadlines::default(),
            transaction_bytes_max: 9 << 20,
        }
    }
}

/// The last block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tip {
    pub number: u64,
    pub hash: [u8; 32],
}

/// A transaction that a batch, or a part of it, was committed with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    pub tx_id: String,
    pub block: u64,
    pub commands: usize,
    pub counts: Counts,
}

/// A channel as a ledger. Clones share connection and streams.
#[derive(Debug, Clone)]
pub struct FabricEngine {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    options: Options,
    gateway: Gateway,
    identities: Arc<Identities>,
    reader: Mutex<Reader>,
    origin: Mutex<Option<[u8; 32]>>,
    configuration: Mutex<Option<Current>>,
    news: watch::Receiver<u64>,
    /// Ends the following of the tip with the last clone.
    _following: DropGuard,
}

impl FabricEngine {
    /// Takes the identities with a role out of the wallet and starts to follow the channel's tip.
    /// Nothing is asked of the network yet. Must be called within a Tokio runtime.
    ///
    /// # Errors
    /// [`Error::Settings`] when addresses or TLS files do not fit, or no identity has a role.
    pub fn new(options: Options, wallet: &Wallet) -> Result<Self, Error> {
        let gateway = Gateway::new(options.peers.clone(), &options.channel, options.deadlines)?;
        let identities = Arc::new(Identities::new(wallet)?);
        let (tell, news) = watch::channel(0);
        let stop = CancellationToken::new();
        let following = Gateway::new(options.peers.clone(), &options.channel, options.deadlines)?;
        tokio::spawn(follow(following, identities.clone(), tell, stop.clone()));
        let inner = Inner {
            options,
            gateway,
            identities,
            reader: Mutex::default(),
            origin: Mutex::default(),
            configuration: Mutex::default(),
            news,
            _following: stop.drop_guard(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    pub fn gateway(&self) -> &Gateway {
        &self.inner.gateway
    }

    pub fn options(&self) -> &Options {
        &self.inner.options
    }

    /// The identity that submits for a role.
    ///
    /// # Errors
    /// [`Error::NoIdentity`].
    pub fn identity(&self, role: Role) -> Result<Arc<Identity>, Error> {
        self.inner.identities.with_role(role)
    }

    /// Until when the certificate of each role is valid, since 1970.
    pub fn certificates(&self) -> Vec<(Role, Duration)> {
        let until = |(role, identity): (Role, Arc<Identity>)| {
            let (_, until) = identity.certificate().validity();
            (role, until)
        };
        self.inner.identities.current().into_iter().map(until).collect()
    }

    /// Whether the network refused for a reason of this process's, and the wallet has another
    /// identity by now.
    async fn may_renew<T>(&self, answer: &Result<T, Error>) -> bool {
        let is_refused = answer.as_ref().is_err_and(|error| error.class() == Class::Misconfigured);
        is_refused && self.inner.identities.renew().await
    }

    /// Has a batch executed and committed; in several transactions when one would be too large.
    ///
    /// # Errors
    /// See [`Error::class`]. After any error but [`Class::Answered`] a part or all of it may have
    /// been executed all the same; sending it again is free.
    pub async fn submit(&self, batch: &Batch) -> Result<Vec<Settled>, Error> {
        let settled = self.settle_all(batch).await;
        if self.may_renew(&settled).await { self.settle_all(batch).await } else { settled }
    }

    async fn settle_all(&self, batch: &Batch) -> Result<Vec<Settled>, Error> {
        let identity = self.identity(batch.role)?;
        let mut parts = vec![batch.clone()];
        let mut settled = Vec::new();
        while let Some(part) = parts.pop() {
            let args =
                Invocation::settling(&part).map_err(|_| Error::Unreadable { what: "the batch" })?;
            let most = self.inner.options.transaction_bytes_max;
            // Outcomes and writes are longer than arguments; endorsing a larger one is in vain.
            let args = args.filter(|args| {
                args.iter().map(Vec::len).fold(0, usize::saturating_add) <= most / 2
            });
            if let Some(args) = args
                && let Some(done) = self.settle(&identity, &part, args).await?
            {
                settled.push(done);
                continue;
            }
            if part.commands.len() < 2 {
                return Err(Error::TooLarge { bytes: most, most });
            }
            let (first, second) = halves(part);
            parts.push(second);
            parts.push(first);
        }
        Ok(settled)
    }

    /// Commits one transaction; nothing when it is too large.
    async fn settle(
        &self,
        identity: &Identity,
        batch: &Batch,
        args: Vec<Vec<u8>>,
    ) -> Result<Option<Settled>, Error> {
        let mut conflicts = 0;
        loop {
            let Inner { options, gateway, .. } = &*self.inner;
            let organizations = &options.endorsing_organizations;
            let endorsed =
                gateway.endorse(identity, &options.chaincode, args.clone(), organizations).await;
            let committed = match endorsed {
                Ok(prepared) if prepared.bytes() > options.transaction_bytes_max => {
                    return Ok(None);
                }
                Ok(prepared) => self.commit(identity, &prepared).await.map(|block| Settled {
                    tx_id: prepared.tx_id,
                    block,
                    commands: batch.commands.len(),
                    counts: serde_json::from_slice(&prepared.answer).unwrap_or_default(),
                }),
                Err(Error::RecordTooLarge) => return Ok(None),
                Err(error) => Err(error),
            };
            match committed {
                Err(error) if error.is_conflict() && conflicts < CONFLICTS_MAX => {
                    conflicts += 1;
                    tracing::debug!(%error, conflicts, "endorsed anew");
                    tokio::time::sleep(Duration::from_millis(20) * conflicts).await;
                }
                done => return done.map(Some),
            }
        }
    }

    /// Submits a prepared transaction until its status is known. Its block.
    async fn commit(&self, identity: &Identity, prepared: &Prepared) -> Result<u64, Error> {
        let gateway = &self.inner.gateway;
        let mut submissions = 0;
        loop {
            submissions += 1;
            // A lost answer may hide a transaction on its way; only its status tells.
            if let Err(error) = gateway.submit(prepared).await {
                if error.class() == Class::Misconfigured {
                    return Err(error);
                }
                tracing::warn!(tx_id = prepared.tx_id, %error, "the submission was not answered");
            }
            let deadline = gateway.deadlines().commit;
            match gateway.commit_status(identity, &prepared.tx_id, deadline).await {
                Ok(committed) if committed.code == crate::Validation::Valid => {
                    return Ok(committed.block);
                }
                Ok(committed) => {
                    let (tx_id, code) = (prepared.tx_id.clone(), committed.code);
                    return Err(Error::Invalid { tx_id, code });
                }
                Err(error)
                    if error.class() != Class::NotAnswered || submissions >= SUBMISSIONS_MAX =>
                {
                    return Err(error);
                }
                Err(error) => {
                    tracing::warn!(tx_id = prepared.tx_id, %error, "submitted again");
                }
            }
        }
    }

    /// Asks the contract on one peer. The answer is a JSON text.
    ///
    /// # Errors
    /// See [`Error::class`]; a refusal is an answer, not an error.
    pub async fn query(&self, query: &Query) -> Result<Result<String, Refused>, Error> {
        let args = asking(query)?;
        match self.evaluate(&self.inner.options.chaincode, args).await {
            Ok(answer) => {
                let text = String::from_utf8(answer);
                text.map(Ok).map_err(|_| Error::Unreadable { what: "the answer" })
            }
            Err(Error::Refused(refused)) => Ok(Err(refused)),
            Err(error) => Err(error),
        }
    }

    /// Has the answer to a query endorsed as a transaction would be, and orders nothing.
    pub(crate) async fn endorse_query(&self, query: &Query) -> Result<Prepared, Error> {
        let args = asking(query)?;
        let prepared = self.endorse_reading(args.clone()).await;
        if self.may_renew(&prepared).await { self.endorse_reading(args).await } else { prepared }
    }

    async fn endorse_reading(&self, args: Vec<Vec<u8>>) -> Result<Prepared, Error> {
        let Inner { options, gateway, identities, .. } = &*self.inner;
        let reading = identities.reading()?;
        let (chaincode, organizations) = (&options.chaincode, &options.endorsing_organizations);
        let mut conflicts = 0;
        loop {
            match gateway.endorse(&reading, chaincode, args.clone(), organizations).await {
                Err(error) if error.is_conflict() && conflicts < CONFLICTS_MAX => {
                    conflicts += 1;
                    tokio::time::sleep(Duration::from_millis(20) * conflicts).await;
                }
                endorsed => return endorsed,
            }
        }
    }

    /// The last configuration that was asked for.
    pub(crate) fn current(&self) -> &Mutex<Option<Current>> {
        &self.inner.configuration
    }

    /// A block of the channel as the peer has it.
    pub(crate) async fn raw_block(&self, number: u64) -> Result<proto::Block, Error> {
        let channel = &self.inner.options.channel;
        let answer =
            self.system("qscc", &["GetBlockByNumber", channel, &number.to_string()]).await?;
        let block = proto::Block::decode(answer.as_slice());
        block.map_err(|_| Error::Unreadable { what: "a block" })
    }

    /// Hash of the channel's genesis block: it tells channels apart.
    ///
    /// # Errors
    /// See [`Error::class`].
    pub async fn origin(&self) -> Result<[u8; 32], Error> {
        let mut known = self.inner.origin.lock().await;
        if let Some(origin) = *known {
            return Ok(origin);
        }
        let unreadable = || Error::Unreadable { what: "the genesis block" };
        let origin = header_hash(&self.raw_block(0).await?.header.ok_or_else(unreadable)?);
        *known = Some(origin);
        Ok(origin)
    }

    /// The last block, as the peer says now, whatever streams are open.
    ///
    /// # Errors
    /// See [`Error::class`].
    pub async fn tip(&self) -> Result<Tip, Error> {
        let answer = self.system("qscc", &["GetChainInfo", &self.inner.options.channel]).await?;
        let unreadable = || Error::Unreadable { what: "the channel's height" };
        let info = BlockchainInfo::decode(answer.as_slice()).map_err(|_| unreadable())?;
        let number = info.height.checked_sub(1).ok_or_else(unreadable)?;
        let hash = info.current_block_hash.as_slice().try_into().map_err(|_| unreadable())?;
        Ok(Tip { number, hash })
    }

    async fn system(&self, chaincode: &str, args: &[&str]) -> Result<Vec<u8>, Error> {
        self.evaluate(chaincode, args.iter().map(|arg| arg.as_bytes().to_vec()).collect()).await
    }

    /// Asks any chaincode of the channel.
    pub(crate) async fn evaluate(
        &self,
        chaincode: &str,
        args: Vec<Vec<u8>>,
    ) -> Result<Vec<u8>, Error> {
        let answer = self.ask(chaincode, args.clone()).await;
        if self.may_renew(&answer).await { self.ask(chaincode, args).await } else { answer }
    }

    async fn ask(&self, chaincode: &str, args: Vec<Vec<u8>>) -> Result<Vec<u8>, Error> {
        let Inner { gateway, identities, .. } = &*self.inner;
        let reading = identities.reading()?;
        let mut conflicts = 0;
        loop {
            match gateway.evaluate(&reading, chaincode, args.clone()).await {
                Err(error) if error.is_conflict() && conflicts < CONFLICTS_MAX => conflicts += 1,
                answer => return answer,
            }
        }
    }

    /// Changes when the channel grows: the number of the last block, 0 before one was seen.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.inner.news.clone()
    }

    /// The blocks from a number on that the channel has reached: at least one, up to a number of
    /// blocks and about so many bytes.
    ///
    /// # Errors
    /// See [`Error::class`]; [`Error::Block`] when one cannot be read by this build.
    pub async fn blocks(
        &self,
        from: u64,
        blocks_max: usize,
        bytes_max: usize,
    ) -> Result<Vec<Block>, Error> {
        let Inner { options, gateway, reader, .. } = &*self.inner;
        let mut reader = reader.lock().await;
        let limit = (blocks_max, bytes_max);
        // Not asked twice here: whoever reads goes on reading.
        let reading = self.inner.identities.reading()?;
        let blocks = reader.read(gateway, &reading, &options.chaincode, from, limit).await;
        self.may_renew(&blocks).await;
        blocks
    }

    /// One block; `None` when the channel does not reach it.
    ///
    /// # Errors
    /// See [`Error::class`].
    pub async fn block(&self, number: u64) -> Result<Option<Block>, Error> {
        if number > self.tip().await?.number {
            return Ok(None);
        }
        let block = self.raw_block(number).await?;
        Block::read(&block, &self.inner.options.chaincode).map(Some)
    }
}

/// The arguments of a query.
fn asking(query: &Query) -> Result<Vec<Vec<u8>>, Error> {
    let unreadable = || Error::Unreadable { what: "the query" };
    let name = query.name();
    let value = serde_json::to_value(query).map_err(|_| unreadable())?;
    let args = value.get(name).ok_or_else(unreadable)?.to_string();
    Ok(vec![name.as_bytes().to_vec(), args.into_bytes()])
}

/// Two parts in order, each a batch of its own with an id that follows from the whole's.
fn halves(mut batch: Batch) -> (Batch, Batch) {
    let second = batch.commands.split_off(batch.commands.len() / 2);
    let id = |part: &str| {
        let mut hash = Sha256::new();
        hash.update(b"gx/part-of-batch/1\0");
        hash.update(batch.batch_id.as_str().as_bytes());
        hash.update(part.as_bytes());
        let mut head = [0; 16];
        head.iter_mut().zip(hash.finalize()).for_each(|(to, from)| *to = from);
        BatchId::from_u128(u128::from_be_bytes(head))
    };
    let (first_id, second_id) = (id("first"), id("second"));
    let role = batch.role;
    let first = Batch { batch_id: first_id, role, commands: batch.commands };
    (first, Batch { batch_id: second_id, role, commands: second })
}

/// Tells the number of the last block for as long as anybody listens.
async fn follow(
    gateway: Gateway,
    identities: Arc<Identities>,
    tell: watch::Sender<u64>,
    stop: CancellationToken,
) {
    let mut renewal = tokio::time::interval(RENEW_EVERY);
    loop {
        let Ok(identity) = identities.reading() else { return };
        let told = stream::follow(&gateway, &identity, |number| {
            tell.send_if_modified(|last| {
                let grown = number > *last;
                *last = number.max(*last);
                grown
            });
        });
        let mut told = std::pin::pin!(told);
        let ended = loop {
            tokio::select! {
                () = stop.cancelled() => return,
                ended = &mut told => break ended,
                _ = renewal.tick() => {
                    identities.renew().await;
                }
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "the stream of block numbers is opened again");
            if error.class() == Class::Misconfigured {
                identities.renew().await;
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(REOPEN_AFTER) => {}
        }
    }
}
