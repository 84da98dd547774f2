//! The outcomes of commands, found and written for one transaction.
//!
//! What a transaction reads of the state has to be the same on every endorser. So it reads what
//! follows from the state alone, and never what only this server lacks: a server that lacks
//! segments, for it was restarted or is new, reads them for itself in a transaction that it then
//! does not execute, and asks for that to be sent again.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use gx_contract::state::{Clock, Key};
use gx_contract::{Batch, BatchRecord, Outcome};
use gx_types::{CommandId, TimeMs};

use super::state::{Ports, Unreachable};
use crate::outcomes::{Before, HEAD, Head, Index, Segment, record, segment_key};

/// How long a transaction may read for a server that lacks segments; peers give it 30 s in all.
const CATCHING_UP_MAX: Duration = Duration::from_secs(15);

/// Segments that are asked for at once: of full batches, 17 MB.
const SEGMENTS_AT_ONCE: u64 = 64;

/// Commands whose place is remembered, for a question that is asked again.
const PLACES_MAX: usize = 1024;

/// The keys of outcomes that are older than segments.
const BEFORE: (&str, &str) = ("o/", "o0");

/// Why a transaction is not executed.
#[derive(Debug)]
pub(super) enum Halt {
    /// The peer does not answer, or what it has cannot be read.
    Failed(String),
    /// This server had something to read first. Sending it again helps.
    Behind(String),
}

impl From<Unreachable> for Halt {
    fn from(reason: Unreachable) -> Self {
        Self::Failed(reason)
    }
}

/// Where an outcome stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Segment(u64),
    /// Under a key of its own.
    Alone,
}

/// What a server knows of its channels.
#[derive(Debug, Default)]
pub(super) struct Channels(Mutex<BTreeMap<String, Arc<Channel>>>);

impl Channels {
    fn channel(&self, id: &str) -> Arc<Channel> {
        lock(&self.0).entry(id.to_owned()).or_default().clone()
    }
}

#[derive(Debug, Default)]
struct Channel {
    index: Mutex<Index>,
    places: Mutex<VecDeque<(u128, Place)>>,
    /// Held by the one transaction that reads for this server.
    reading: tokio::sync::Mutex<Option<Scan>>,
}

/// Ids that had keys of their own, as far as they are read.
#[derive(Debug)]
struct Scan {
    last: TimeMs,
    ids: Vec<u128>,
    next: String,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What a panic may have left half done is found out by its digest.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a transaction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Reads the last segments as well, so that its server need not have them.
    Batch,
    /// Reads nothing but the head and where the outcome stands, which then proves where that is.
    Question,
}

/// The outcomes of a channel as one transaction sees them.
#[derive(Debug)]
pub(super) struct Outcomes {
    purpose: Purpose,
    channel: Arc<Channel>,
    opened: Option<Opened>,
    /// Ids that had their outcome before this transaction.
    known: BTreeSet<u128>,
}

#[derive(Debug)]
struct Opened {
    head: Head,
    window: BTreeMap<u64, Segment>,
}

impl Outcomes {
    pub(super) fn new(channels: &Channels, channel_id: &str, purpose: Purpose) -> Self {
        let channel = channels.channel(channel_id);
        Self { purpose, channel, opened: None, known: BTreeSet::new() }
    }

    /// The values of keys of the contract, in their order.
    pub(super) async fn values(
        &mut self,
        keys: &[Key],
        ports: &mut Ports,
    ) -> Result<Vec<Option<Vec<u8>>>, Halt> {
        let id = |key: &Key| match key {
            Key::Outcome(id) => Some(*id),
            _ => None,
        };
        let others = keys.iter().filter(|key| id(key).is_none()).map(Key::encode).collect();
        let mut others = ports.get(others).await?.into_iter();
        let ids: Vec<CommandId> = keys.iter().filter_map(id).collect();
        let mut found = match ids.is_empty() {
            true => BTreeMap::new(),
            false => self.find(&ids, ports).await?,
        };
        let value = |key: &Key| match id(key) {
            Some(id) => found.remove(&id.to_u128()),
            None => others.next().filter(|value| !value.is_empty()),
        };
        Ok(keys.iter().map(value).collect())
    }

    /// The records of those commands that have an outcome.
    async fn find(
        &mut self,
        ids: &[CommandId],
        ports: &mut Ports,
    ) -> Result<BTreeMap<u128, Vec<u8>>, Halt> {
        if self.opened.is_none() {
            self.opened = Some(self.open(ports).await?);
        }
        let Some(Opened { head, window }) = &self.opened else { return Ok(BTreeMap::new()) };
        let (mut segments, mut alone) = (BTreeSet::new(), BTreeSet::new());
        let mut wanted: Vec<(u128, Vec<u64>)> = Vec::new();
        {
            let index = lock(&self.channel.index);
            // Another transaction may have found meanwhile that it is of another channel.
            if !index.is_of(head) {
                return Err(Halt::Behind("what was known of the outcomes is read anew".into()));
            }
            let places = lock(&self.channel.places);
            for id in ids {
                let id_bits = id.to_u128();
                let place = match self.purpose {
                    Purpose::Question => places.iter().find(|(known, _)| *known == id_bits),
                    Purpose::Batch => None,
                };
                let candidates = match place {
                    Some((_, Place::Segment(number))) => vec![*number],
                    Some((_, Place::Alone)) => Vec::new(),
                    None => index.candidates(id_bits, head.segments),
                };
                let before = index.before.as_ref();
                let may_be_alone = before.is_some_and(|before| before.may_contain(id_bits));
                if may_be_alone && !matches!(place, Some((_, Place::Segment(_)))) {
                    alone.insert(*id);
                }
                segments.extend(candidates.iter().filter(|number| !window.contains_key(number)));
                if !candidates.is_empty() {
                    wanted.push((id_bits, candidates));
                }
            }
        }
        let keys = segments.iter().map(|number| segment_key(*number));
        let keys = keys.chain(alone.iter().map(|id| Key::Outcome(*id).encode())).collect();
        let mut values = ports.get(keys).await?.into_iter();
        let mut read = BTreeMap::new();
        for (number, value) in segments.iter().zip(values.by_ref()) {
            if !value.is_empty() {
                read.insert(*number, segment(*number, &value)?);
            }
        }
        let mut found: BTreeMap<u128, (Place, Vec<u8>)> = BTreeMap::new();
        for (id, value) in alone.iter().zip(values).filter(|(_, value)| !value.is_empty()) {
            found.insert(id.to_u128(), (Place::Alone, value));
        }
        for (id, candidates) in wanted {
            let segment = |number: &u64| Some((*number, window.get(number).or(read.get(number))?));
            let entry = candidates.iter().filter_map(segment).find_map(|(number, segment)| {
                Some((Place::Segment(number), record(segment.find(id)?)))
            });
            found.extend(entry.map(|entry| (id, entry)));
        }
        if self.purpose == Purpose::Question {
            self.channel.read_alone(&found, read.len())?;
        }
        self.known.extend(found.keys());
        Ok(found.into_iter().map(|(id, (_, record))| (id, record)).collect())
    }

    /// Head and last segments, once this server has the ones before.
    async fn open(&self, ports: &mut Ports) -> Result<Opened, Halt> {
        let value = ports.get(vec![HEAD.to_owned()]).await?.pop().unwrap_or_default();
        let head = match value.as_slice() {
            [] => Head { before: clock(ports).await?, ..Head::default() },
            text => serde_json::from_slice(text)
                .map_err(|error| Halt::Failed(format!("ledger key {HEAD}: {error}")))?,
        };
        let mut opened = Opened { head, window: BTreeMap::new() };
        let numbers = match self.purpose {
            Purpose::Batch => head.window(),
            Purpose::Question => head.segments..head.segments,
        };
        self.channel.has_before(head.before, ports).await?;
        self.channel.has_segments(numbers.start, ports).await?;
        let values = ports.get(numbers.clone().map(segment_key).collect()).await?;
        let mut index = lock(&self.channel.index);
        for (number, value) in numbers.zip(values) {
            let segment = segment(number, &value)?;
            index.take_in(number, &value, &segment);
            opened.window.insert(number, segment);
        }
        match index.agrees(head.segments, head.digest) {
            Some(true) => Ok(opened),
            Some(false) => {
                *index = Index::default();
                lock(&self.channel.places).clear();
                Err(Halt::Behind("what was known of the outcomes is of another channel".into()))
            }
            // Of a peer so far behind no batch could become valid.
            None => Err(Halt::Behind(format!(
                "{} batches of outcomes are known, and the peer has {}; it is far behind, or the \
                 channel is another of the same name: then start the chaincode server anew",
                index.segments(),
                head.segments
            ))),
        }
    }

    /// What a batch writes of outcomes.
    pub(super) fn writes(
        &self,
        batch: &Batch,
        done: &BatchRecord,
    ) -> Result<Vec<(String, Vec<u8>)>, Halt> {
        let Some(Opened { head, .. }) = &self.opened else { return Ok(Vec::new()) };
        let mut segment = Segment::new(done.batch_id, done.time);
        // Of an id that stands twice in the batch, the first has the outcome.
        let mut given = BTreeSet::new();
        for (envelope, result) in batch.commands.iter().zip(&done.results) {
            let id = envelope.command_id.to_u128();
            if self.known.contains(&id) || !given.insert(id) {
                continue;
            }
            let refused = match &result.outcome {
                Outcome::Applied(_) => None,
                Outcome::Refused(refused) => Some(refused),
                Outcome::Repeated(_) => {
                    let reason = format!("{} is new and repeated at once", envelope.command_id);
                    return Err(Halt::Failed(reason));
                }
            };
            segment.push(&envelope.command_id, envelope.body_hash(), refused);
        }
        if segment.ids().is_empty() {
            return Ok(Vec::new());
        }
        let bytes = segment.write();
        let next = head.with(&bytes, segment.ids().len());
        let text = serde_json::to_vec(&next).map_err(|error| Halt::Failed(error.to_string()))?;
        Ok(vec![(HEAD.to_owned(), text), (segment_key(head.segments), bytes)])
    }
}

fn segment(number: u64, value: &[u8]) -> Result<Segment, Halt> {
    Segment::read(value)
        .map_err(|damaged| Halt::Failed(format!("ledger key {}: {damaged}", segment_key(number))))
}

/// The time of the last batch; `None` before the first.
async fn clock(ports: &mut Ports) -> Result<Option<TimeMs>, Halt> {
    let key = Key::Clock.encode();
    let value = ports.get(vec![key.clone()]).await?.pop().unwrap_or_default();
    if value.is_empty() {
        return Ok(None);
    }
    let clock: Clock = serde_json::from_slice(&value)
        .map_err(|error| Halt::Failed(format!("ledger key {key}: {error}")))?;
    Ok(Some(clock.last_batch_at))
}

impl Channel {
    /// That a question has read no segment but the one with its answer. If it has, the place is
    /// remembered, and the question has to be asked again.
    fn read_alone(
        &self,
        found: &BTreeMap<u128, (Place, Vec<u8>)>,
        segments: usize,
    ) -> Result<(), Halt> {
        let in_segments = found.values().filter(|(place, _)| *place != Place::Alone).count();
        if found.is_empty() || in_segments == segments {
            return Ok(());
        }
        let mut places = lock(&self.places);
        for (id, (place, _)) in found {
            places.retain(|(known, _)| known != id);
            places.push_back((*id, *place));
            if places.len() > PLACES_MAX {
                places.pop_front();
            }
        }
        Err(Halt::Behind("the outcome is found; ask again for it alone".to_owned()))
    }

    /// That this server has the segments below a number; else it reads them now.
    async fn has_segments(&self, end: u64, ports: &mut Ports) -> Result<(), Halt> {
        if lock(&self.index).segments() >= end {
            return Ok(());
        }
        let (begun, _reading) = (Instant::now(), self.reading.lock().await);
        loop {
            let next = lock(&self.index).segments();
            if next >= end || begun.elapsed() > CATCHING_UP_MAX {
                let bytes = lock(&self.index).bytes();
                let took_ms = begun.elapsed().as_millis();
                tracing::info!(segments = next, of = end, bytes, took_ms, "outcomes are read");
                let reason = format!("{next} of {end} batches of outcomes are read; send it again");
                return Err(Halt::Behind(reason));
            }
            let numbers = next..end.min(next.saturating_add(SEGMENTS_AT_ONCE));
            let values = ports.get(numbers.clone().map(segment_key).collect()).await?;
            for (number, value) in numbers.zip(values) {
                let segment = segment(number, &value)?;
                lock(&self.index).take_in(number, &value, &segment);
            }
        }
    }

    /// That this server knows which ids have keys of their own, as of a time; else it reads them
    /// now.
    async fn has_before(&self, last: Option<TimeMs>, ports: &mut Ports) -> Result<(), Halt> {
        let Some(last) = last else { return Ok(()) };
        if lock(&self.index).before.as_ref().is_some_and(|before| before.last == last) {
            return Ok(());
        }
        let (begun, mut reading) = (Instant::now(), self.reading.lock().await);
        let mut scan = reading.take().filter(|scan| scan.last == last).unwrap_or_else(|| Scan {
            last,
            ids: Vec::new(),
            next: BEFORE.0.to_owned(),
        });
        loop {
            let end = begun.checked_add(CATCHING_UP_MAX).unwrap_or(begun);
            let keys = ports.keys((&scan.next, BEFORE.1), end).await?;
            let Some(key) = keys.last() else { break };
            scan.next = format!("{key}\0");
            let ids = keys.iter().filter_map(|key| key.strip_prefix(BEFORE.0)?.parse().ok());
            scan.ids.extend(ids.map(|id: CommandId| id.to_u128()));
            if Instant::now() >= end {
                let read = scan.ids.len();
                *reading = Some(scan);
                return Err(Halt::Behind(format!("{read} old outcomes are read; send it again")));
            }
        }
        let (read, took_ms) = (scan.ids.len(), begun.elapsed().as_millis());
        tracing::info!(outcomes = read, took_ms, "old outcomes are read");
        lock(&self.index).before = Some(Before::new(last, &scan.ids));
        Err(Halt::Behind(format!("{read} old outcomes are read; send it again")))
    }
}
