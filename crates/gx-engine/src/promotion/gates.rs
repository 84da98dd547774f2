//! What has to be true before an image goes on to the next network.
//!
//! A gate is passed by a fact, never by the absence of one: what cannot be known stands in the way
//! as much as what is wrong, and says which fact is missing.

use std::fmt;

use gx_types::{NetworkId, TimeMs};
use serde::{Deserialize, Serialize};

use super::cluster::{Build, Cluster, ClusterError, Known, Workload};
use super::nodes::Node;

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gate {
    /// The source runs the image, and all its pods serve.
    SourceHealthy,
    /// All pods of the target serve, it is not being rolled out, and it can be rolled out safely.
    TargetHealthy,
    /// The tests of the build have passed.
    TestsRecorded,
    /// Every node that may run a pod of it has the image.
    ImagePresent,
    /// The same of the image that the target runs, to which it would go back.
    RollbackImagePresent,
    /// Program and schema go together in both directions.
    SchemaCompatible,
    /// There is error budget left to spend.
    ErrorBudget,
    /// The last backup is fresh.
    BackupFresh,
    /// Nobody has found anything critical in the build.
    NoCriticalFinding,
    /// The target's ledger has peers that serve; asked of mainnet only.
    LedgerPresent,
}

impl Gate {
    pub const ALL: [Self; 10] = [
        Self::SourceHealthy,
        Self::TargetHealthy,
        Self::TestsRecorded,
        Self::ImagePresent,
        Self::RollbackImagePresent,
        Self::SchemaCompatible,
        Self::ErrorBudget,
        Self::BackupFresh,
        Self::NoCriticalFinding,
        Self::LedgerPresent,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SourceHealthy => "source_healthy",
            Self::TargetHealthy => "target_healthy",
            Self::TestsRecorded => "tests_recorded",
            Self::ImagePresent => "image_present",
            Self::RollbackImagePresent => "rollback_image_present",
            Self::SchemaCompatible => "schema_compatible",
            Self::ErrorBudget => "error_budget",
            Self::BackupFresh => "backup_fresh",
            Self::NoCriticalFinding => "no_critical_finding",
            Self::LedgerPresent => "ledger_present",
        }
    }
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Passed,
    Failed,
    /// The fact cannot be had, which stands in the way as well.
    Unknown,
    /// Not asked of this network.
    NotNeeded,
}

impl Verdict {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::NotNeeded => "not_needed",
        }
    }
}

/// A gate, what was found, and what shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateResult {
    pub gate: Gate,
    pub verdict: Verdict,
    /// For people.
    pub evidence: String,
}

impl GateResult {
    pub fn is_in_the_way(&self) -> bool {
        matches!(self.verdict, Verdict::Failed | Verdict::Unknown)
    }
}

impl fmt::Display for GateResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.gate.as_str(), self.verdict.as_str(), self.evidence)
    }
}

/// What stands in the way, for people; `None` when nothing does.
pub fn in_the_way(results: &[GateResult]) -> Option<String> {
    let found: Vec<String> =
        results.iter().filter(|one| one.is_in_the_way()).map(ToString::to_string).collect();
    (!found.is_empty()).then(|| found.join("; "))
}

/// What is to be promoted.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    pub service: &'a str,
    pub source: NetworkId,
    pub target: NetworkId,
    /// By its digest.
    pub image: &'a str,
}

/// What the gates hold against facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// How old the last backup may be.
    pub backup_age_max_ms: i64,
}

/// `sha256:…`, of an image that is named by its digest.
pub fn digest(image: &str) -> Option<&str> {
    let (_, digest) = image.rsplit_once('@')?;
    let hex = digest.strip_prefix("sha256:")?;
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    (hex.len() == 64 && hex.bytes().all(is_hex)).then_some(digest)
}

/// Looks at every gate.
///
/// # Errors
/// [`ClusterError`] when the workloads or the nodes themselves cannot be asked for.
pub async fn look<C: Cluster>(
    cluster: &C,
    wanted: Wanted<'_>,
    terms: Terms,
    now: TimeMs,
) -> Result<Vec<GateResult>, ClusterError> {
    let Wanted { service, source, target, image } = wanted;
    let from = cluster.workload(source, service).await?;
    let to = cluster.workload(target, service).await?;
    let nodes = cluster.nodes().await?;
    let new = build(cluster, target, image).await?;
    let running = match &to {
        Some(to) => build(cluster, target, &to.image).await?,
        None => Err(format!("{target} has no {service}")),
    };
    let present = |image: &str| match &to {
        Some(to) => image_present(image, to, &nodes),
        None => unknown(format!("{target} has no {service}")),
    };
    let ledger = match target {
        NetworkId::Mainnet => ledger_present(cluster.peers(target).await?),
        NetworkId::Devnet | NetworkId::Testnet => {
            (Verdict::NotNeeded, "asked of mainnet only".to_owned())
        }
    };
    let found = [
        source_healthy(from.as_ref(), image),
        target_healthy(to.as_ref(), image),
        tests_recorded(&new),
        present(image),
        present(to.as_ref().map_or("", |to| to.image.as_str())),
        schema_compatible(&new, &running),
        error_budget(cluster.error_budget(target).await?),
        backup_fresh(cluster.last_backup(target).await?, terms, now),
        no_critical_finding(&new),
        ledger,
    ];
    let results = Gate::ALL.into_iter().zip(found);
    Ok(results.map(|(gate, (verdict, evidence))| GateResult { gate, verdict, evidence }).collect())
}

type Found = (Verdict, String);

fn judged(passed: bool, evidence: String) -> Found {
    (if passed { Verdict::Passed } else { Verdict::Failed }, evidence)
}

fn unknown(evidence: impl Into<String>) -> Found {
    (Verdict::Unknown, evidence.into())
}

async fn build<C: Cluster>(
    cluster: &C,
    target: NetworkId,
    image: &str,
) -> Result<Known<Build>, ClusterError> {
    match digest(image) {
        Some(digest) => cluster.build(target, digest).await,
        None => Ok(Err(format!("{image} is not named by a digest"))),
    }
}

fn counts(workload: &Workload) -> String {
    let Workload { ready, replicas, updated, .. } = workload;
    format!("{ready} of {replicas} pods are ready, {updated} are of the newest form")
}

fn source_healthy(workload: Option<&Workload>, image: &str) -> Found {
    let Some(workload) = workload else {
        return judged(false, "the source has no such workload".to_owned());
    };
    if workload.image != image {
        return judged(false, format!("the source runs {}", workload.image));
    }
    judged(workload.is_whole(), counts(workload))
}

fn target_healthy(workload: Option<&Workload>, image: &str) -> Found {
    let Some(workload) = workload else {
        return judged(false, "the target has no such workload".to_owned());
    };
    if workload.image == image {
        return judged(false, "the target runs this image already".to_owned());
    }
    if !workload.is_probed {
        let evidence = "no readiness probe says whether its pods serve".to_owned();
        return judged(false, evidence);
    }
    if !workload.rolls_one_by_one {
        let evidence = "it does not replace its pods one by one: surge 1, unavailable 0".to_owned();
        return judged(false, evidence);
    }
    judged(workload.is_whole(), counts(workload))
}

fn tests_recorded(build: &Known<Build>) -> Found {
    match build.as_ref().map(|build| &build.tests) {
        Err(missing) => unknown(missing.as_str()),
        Ok(None) => unknown("the record of the build says nothing of its tests"),
        Ok(Some(tests)) => judged(
            tests.passed > 0 && tests.failed == 0,
            format!("{} tests passed and {} failed", tests.passed, tests.failed),
        ),
    }
}

fn image_present(image: &str, workload: &Workload, nodes: &[Node]) -> Found {
    let Some(digest) = digest(image) else {
        return unknown(format!("{image} is not named by a digest"));
    };
    let has = |node: &Node| {
        node.images.iter().any(|name| name.rsplit_once('@').is_some_and(|(_, own)| own == digest))
    };
    let eligible: Vec<&Node> =
        nodes.iter().filter(|node| workload.placement.admits(node)).collect();
    let lacking: Vec<&&Node> = eligible.iter().filter(|node| !has(node)).collect();
    let names = |nodes: &[&&Node]| {
        nodes.iter().map(|node| node.name.as_str()).collect::<Vec<_>>().join(", ")
    };
    if eligible.is_empty() {
        return judged(false, "no node may run a pod of it".to_owned());
    }
    if lacking.is_empty() {
        return judged(true, format!("all {} nodes have it", eligible.len()));
    }
    if lacking.iter().all(|node| node.may_hide_images) {
        let evidence = format!("{} do not tell of all their images", names(&lacking));
        return unknown(evidence);
    }
    judged(false, format!("{} lack {digest}", names(&lacking)))
}

fn schema_compatible(new: &Known<Build>, running: &Known<Build>) -> Found {
    let schema = |build: &Known<Build>, which: &str| match build {
        Ok(build) => build.schema.ok_or_else(|| format!("the {which} build's schema is not known")),
        Err(missing) => Err(missing.clone()),
    };
    let (new, running) = match (schema(new, "new"), schema(running, "running")) {
        (Ok(new), Ok(running)) => (new, running),
        (Err(missing), _) | (_, Err(missing)) => return unknown(missing),
    };
    let at = running.version;
    let evidence = format!(
        "the schema goes from {at} to {}; the new build works from {} on, and keeps builds from {} \
         on working",
        new.version, new.works_from, new.keeps
    );
    judged(new.version >= at && new.works_from <= at && new.keeps <= at, evidence)
}

fn error_budget(left: Known<f64>) -> Found {
    match left {
        Ok(left) => {
            judged(left > 0.0, format!("{:.1} % of the error budget is left", left * 100.0))
        }
        Err(missing) => unknown(missing),
    }
}

fn backup_fresh(last: Known<TimeMs>, terms: Terms, now: TimeMs) -> Found {
    let last = match last {
        Ok(last) => last,
        Err(missing) => return unknown(missing),
    };
    let age_ms = now.0.saturating_sub(last.0);
    let evidence = format!("the last backup is {} minutes old", age_ms.div_euclid(60_000));
    judged((0..=terms.backup_age_max_ms).contains(&age_ms), evidence)
}

fn no_critical_finding(build: &Known<Build>) -> Found {
    match build.as_ref().map(|build| build.critical_findings) {
        Err(missing) => unknown(missing.as_str()),
        Ok(None) => unknown("the record of the build says nothing of findings"),
        Ok(Some(count)) => judged(count == 0, format!("{count} critical findings are open")),
    }
}

fn ledger_present(peers: Known<u32>) -> Found {
    match peers {
        Ok(peers) => judged(peers > 0, format!("{peers} peers serve")),
        Err(missing) => unknown(missing),
    }
}
