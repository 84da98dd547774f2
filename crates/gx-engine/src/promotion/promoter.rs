//! The worker that carries promotions out: one leader at a time, one small step after the other.
//!
//! It looks at what is written down and at what runs, does the one thing that follows, and looks
//! again. A step that does not come to its end in time, or that finds something ill, leads to the
//! image before it; so does an administrator's wish. What somebody else has changed meanwhile is
//! left as it is.

use std::sync::Arc;
use std::time::Duration;

use gx_metrics::{ByPromotion, Metrics, Worker};
use gx_store::deployments::{self, Advance, Deployment, DeploymentStatus, Level, Previous, Step};
use gx_store::{Store, lease};
use gx_types::with_causes;
use tokio_util::sync::CancellationToken;

use super::cluster::{Change, Cluster, ClusterError, Container, Pod, Workload};
use super::gates::{self, Terms, Wanted};
use crate::clock::Clock;
use crate::leader::{self, LeaseGuard, Role};

/// Promotions that are looked after at once; one a workload, so that there are never more.
const AT_ONCE: u32 = 100;

/// Restarts of pods after which they count as ill.
const RESTARTS_MAX: u32 = 3;

/// How long the steps take.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// How often it is looked.
    pub look: Duration,
    /// How long the one replica has to be ready before the others are replaced.
    pub canary: Duration,
    /// How long all of them are watched.
    pub watch: Duration,
    /// How long a step may take that has to come to an end.
    pub step_max: Duration,
}

/// The worker.
#[derive(Debug, Clone)]
pub struct Promoter<C> {
    pub store: Store,
    pub cluster: C,
    pub metrics: Arc<Metrics>,
    pub clock: Clock,
    pub pace: Pace,
    pub terms: Terms,
}

/// Why a look has ended early.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Store(#[from] gx_store::Error),
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// Somebody else may lead by now.
    #[error("the lease may be lost")]
    NotSafe,
}

/// What a look at a step has found.
enum Turn {
    /// It has not come to its end.
    Wait,
    /// The next step, and what the log says.
    Next(Step, String),
    Done(DeploymentStatus, String),
    /// What has been changed is to be taken back.
    Ill(String),
    /// Nothing of it may be changed any more.
    Failed(String),
}

fn ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

impl<C: Cluster> Promoter<C> {
    /// Stands by and leads in turn, until `stop`.
    pub async fn run(self, holder: String, stop: CancellationToken) {
        let role = Role { lease: lease::PROMOTER, worker: Worker::Promoter };
        leader::lead(&self.store, role, &holder, &self.metrics, stop, |held, ended| {
            self.clone().lead(held, ended)
        })
        .await;
    }

    async fn lead(self, held: LeaseGuard, stop: CancellationToken) {
        while !stop.is_cancelled() {
            match self.round(&held, &stop).await {
                Ok(()) => {}
                Err(Error::Store(gx_store::Error::LeaseLost { .. }) | Error::NotSafe) => return,
                Err(error) => {
                    let error = with_causes(&error);
                    tracing::warn!(error, "promotions cannot be looked after");
                }
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(self.pace.look) => {}
            }
        }
    }

    /// One look at every promotion that was begun.
    async fn round(&self, held: &LeaseGuard, stop: &CancellationToken) -> Result<(), Error> {
        for row in deployments::running(&self.store, AT_ONCE).await? {
            if stop.is_cancelled() {
                break;
            }
            let Some((step, _)) = row.step else { continue };
            let done = match self.look(held, &row, step).await {
                Ok(turn) => self.turn(held, &row, step, turn).await,
                Err(error) => Err(error),
            };
            match done {
                Ok(()) => {}
                Err(Error::Cluster(error)) => self.unanswered(held, &row, step, &error).await?,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Notes that the cluster does not do what it is asked. It may again before the step's time is
    /// over; afterwards nobody can say that all is well.
    async fn unanswered(
        &self,
        held: &LeaseGuard,
        row: &Deployment,
        step: Step,
        error: &ClusterError,
    ) -> Result<(), Error> {
        let told = error.to_string();
        self.note(held, row, step, Level::Warning, &told).await?;
        if !self.is_over(row, self.pace.step_max) {
            return Ok(());
        }
        let turn = match step {
            Step::Gates => Turn::Failed(format!("nothing was changed: {told}")),
            Step::Canary | Step::Spread | Step::Watch => Turn::Ill(told),
            Step::Restore => Turn::Failed(told),
        };
        self.turn(held, row, step, turn).await
    }

    async fn look(&self, held: &LeaseGuard, row: &Deployment, step: Step) -> Result<Turn, Error> {
        if step == Step::Gates {
            return self.gates(held, row).await;
        }
        let (target, service) = (row.asked.target, row.asked.service.as_str());
        let Some(workload) = self.cluster.workload(target, service).await? else {
            return Ok(Turn::Failed(format!("{target} has no {service} any more")));
        };
        let Some(previous) = &row.previous else {
            return Ok(Turn::Failed("it is not known what ran before".to_owned()));
        };
        if workload.image != row.asked.image && workload.image != previous.image {
            let image = &workload.image;
            let told = format!("somebody else has set the image to {image}; it is left as it is");
            return Ok(Turn::Failed(told));
        }
        match step {
            Step::Gates => Ok(Turn::Wait),
            Step::Canary => self.canary(held, row, &workload).await,
            Step::Spread => self.spread(held, row, previous, &workload).await,
            Step::Watch => self.watch(row, &workload).await,
            Step::Restore => self.restore(held, row, previous, &workload).await,
        }
    }

    /// Whether anything stands in the way; nothing has been changed yet.
    async fn gates(&self, held: &LeaseGuard, row: &Deployment) -> Result<Turn, Error> {
        let asked = &row.asked;
        let wanted = Wanted {
            service: &asked.service,
            source: asked.source,
            target: asked.target,
            image: &asked.image,
        };
        let results = gates::look(&self.cluster, wanted, self.terms, self.clock.now()).await?;
        // A list of plain structs always serialises.
        let text = serde_json::to_string(&results).unwrap_or_default();
        deployments::gates(&self.store, held.lease(), &asked.deployment_id, &text).await?;
        if let Some(found) = gates::in_the_way(&results) {
            return Ok(Turn::Failed(format!("nothing was changed: {found}")));
        }
        Ok(Turn::Next(Step::Canary, "every gate is passed".to_owned()))
    }

    /// Has one replica run the image, and holds the others back meanwhile.
    async fn canary(
        &self,
        held: &LeaseGuard,
        row: &Deployment,
        workload: &Workload,
    ) -> Result<Turn, Error> {
        if workload.image != row.asked.image {
            // The first new pod has to be ready for longer than a look takes before the roll-out
            // goes on by itself, so that it can be stopped in between.
            let hold = self.pace.canary.saturating_add(self.pace.step_max).as_secs();
            let change = Change {
                images: images(workload, &row.asked.image),
                min_ready_seconds: Some(u32::try_from(hold).unwrap_or(u32::MAX)),
                is_paused: Some(false),
                mark: row.asked.deployment_id.clone(),
            };
            self.change(held, row, &change).await?;
            self.note(held, row, Step::Canary, Level::Info, "the image is set").await?;
            return Ok(Turn::Wait);
        }
        let pods = self.new_pods(row).await?;
        if let Some(told) = ill(&pods) {
            return Ok(Turn::Ill(told));
        }
        if !workload.is_paused && !pods.is_empty() {
            let (is_paused, mark) = (Some(true), row.asked.deployment_id.clone());
            self.change(held, row, &Change { is_paused, mark, ..Change::default() }).await?;
            self.note(held, row, Step::Canary, Level::Info, "one replica runs it").await?;
            return Ok(Turn::Wait);
        }
        let now = self.clock.now();
        let proved = |pod: &Pod| {
            pod.ready_since.is_some_and(|at| now.0.saturating_sub(at.0) >= ms(self.pace.canary))
        };
        if workload.is_paused && pods.iter().any(proved) {
            let told = "the one replica stays healthy".to_owned();
            return Ok(Turn::Next(Step::Spread, told));
        }
        let max = self.pace.step_max.saturating_add(self.pace.canary);
        Ok(self.or_late(row, max, "the one replica was not healthy in time"))
    }

    /// Lets the roll-out go on, and waits for its end.
    async fn spread(
        &self,
        held: &LeaseGuard,
        row: &Deployment,
        previous: &Previous,
        workload: &Workload,
    ) -> Result<Turn, Error> {
        if workload.image != row.asked.image {
            return Ok(Turn::Failed("somebody else has put the image before it back".to_owned()));
        }
        let differs = workload.min_ready_seconds != previous.min_ready_seconds;
        if workload.is_paused || differs {
            let change = Change {
                images: Vec::new(),
                min_ready_seconds: Some(previous.min_ready_seconds),
                is_paused: Some(false),
                mark: row.asked.deployment_id.clone(),
            };
            self.change(held, row, &change).await?;
            return Ok(Turn::Wait);
        }
        if let Some(told) = ill(&self.new_pods(row).await?) {
            return Ok(Turn::Ill(told));
        }
        if workload.is_whole() {
            let told = format!("all {} replicas run it", workload.replicas);
            return Ok(Turn::Next(Step::Watch, told));
        }
        Ok(self.or_late(row, self.pace.step_max, "not all replicas were replaced in time"))
    }

    /// Whether all replicas stay healthy for a while.
    async fn watch(&self, row: &Deployment, workload: &Workload) -> Result<Turn, Error> {
        if workload.image != row.asked.image {
            return Ok(Turn::Failed("somebody else has put the image before it back".to_owned()));
        }
        if let Some(told) = ill(&self.new_pods(row).await?) {
            return Ok(Turn::Ill(told));
        }
        if workload.ready < workload.replicas || workload.ready == 0 {
            let Workload { ready, replicas, .. } = workload;
            return Ok(Turn::Ill(format!("only {ready} of {replicas} pods are ready")));
        }
        if !self.is_over(row, self.pace.watch) {
            return Ok(Turn::Wait);
        }
        let told = format!("all {} replicas have stayed healthy", workload.replicas);
        Ok(Turn::Done(DeploymentStatus::Completed, told))
    }

    /// Puts the image before it back, and waits until all replicas run it.
    async fn restore(
        &self,
        held: &LeaseGuard,
        row: &Deployment,
        previous: &Previous,
        workload: &Workload,
    ) -> Result<Turn, Error> {
        let differs = workload.min_ready_seconds != previous.min_ready_seconds;
        if workload.image != previous.image || workload.is_paused || differs {
            let change = Change {
                images: images(workload, &previous.image),
                min_ready_seconds: Some(previous.min_ready_seconds),
                is_paused: Some(false),
                mark: row.asked.deployment_id.clone(),
            };
            self.change(held, row, &change).await?;
            let told = format!("{} is put back", previous.image);
            self.note(held, row, Step::Restore, Level::Info, &told).await?;
            return Ok(Turn::Wait);
        }
        if workload.is_whole() {
            let told = format!("all {} replicas run {}", workload.replicas, previous.image);
            return Ok(Turn::Done(DeploymentStatus::RolledBack, told));
        }
        if self.is_over(row, self.pace.step_max) {
            let told = "the image before it is set, and not all replicas were ready in time";
            return Ok(Turn::Failed(told.to_owned()));
        }
        Ok(Turn::Wait)
    }

    fn is_over(&self, row: &Deployment, time: Duration) -> bool {
        let since = row.step.map_or(self.clock.now(), |(_, since)| since);
        self.clock.ms_since(since) >= ms(time)
    }

    fn or_late(&self, row: &Deployment, max: Duration, told: &str) -> Turn {
        if self.is_over(row, max) { Turn::Ill(told.to_owned()) } else { Turn::Wait }
    }

    /// The pods that run the new image, and stay.
    async fn new_pods(&self, row: &Deployment) -> Result<Vec<Pod>, Error> {
        let mut pods = self.cluster.pods(row.asked.target, &row.asked.service).await?;
        pods.retain(|pod| !pod.is_leaving && pod.images.contains(&row.asked.image));
        Ok(pods)
    }

    async fn change(
        &self,
        held: &LeaseGuard,
        row: &Deployment,
        change: &Change,
    ) -> Result<(), Error> {
        // Outside SQL there is no fence.
        if !held.is_safe() {
            return Err(Error::NotSafe);
        }
        Ok(self.cluster.change(row.asked.target, &row.asked.service, change).await?)
    }

    async fn note(
        &self,
        held: &LeaseGuard,
        row: &Deployment,
        step: Step,
        level: Level,
        message: &str,
    ) -> Result<(), Error> {
        let place = (row.asked.deployment_id.as_str(), step);
        let now = self.clock.now();
        Ok(deployments::note(&self.store, held.lease(), place, (level, message), now).await?)
    }

    /// Writes down what a look has come to.
    async fn turn(
        &self,
        held: &LeaseGuard,
        row: &Deployment,
        step: Step,
        turn: Turn,
    ) -> Result<(), Error> {
        let previous = self.previous(row, step, &turn).await?;
        let (status, to, failure, message) = match turn {
            Turn::Wait => return Ok(()),
            Turn::Next(Step::Watch, told) => {
                (DeploymentStatus::HealthCheck, Some(Step::Watch), None, told)
            }
            Turn::Next(to, told) => (DeploymentStatus::InProgress, Some(to), None, told),
            Turn::Done(status, told) => (status, None, None, told),
            Turn::Ill(told) => {
                (DeploymentStatus::Failed, Some(Step::Restore), Some(told.clone()), told)
            }
            Turn::Failed(told) => (DeploymentStatus::Failed, None, Some(told.clone()), told),
        };
        let next = Advance {
            from: step,
            status,
            to,
            previous: previous.as_ref(),
            failure: failure.as_deref(),
            message: &message,
        };
        let (id, now) = (row.asked.deployment_id.as_str(), self.clock.now());
        let stood = deployments::advance(&self.store, held.lease(), id, &next, now).await?;
        if stood && to.is_none() {
            let status = status.as_str();
            self.metrics.promotions_finished.get_or_create(&ByPromotion { status }).inc();
            tracing::info!(deployment_id = id, status, message, "a promotion is over");
        }
        Ok(())
    }

    /// What runs before anything is changed: written down with the step to the first change.
    async fn previous(
        &self,
        row: &Deployment,
        step: Step,
        turn: &Turn,
    ) -> Result<Option<Previous>, Error> {
        if step != Step::Gates || !matches!(turn, Turn::Next(..)) {
            return Ok(None);
        }
        let (target, service) = (row.asked.target, row.asked.service.as_str());
        // Without an answer the next look goes through the gates once more.
        let workload = self.cluster.workload(target, service).await?;
        Ok(workload.map(|workload| Previous {
            image: workload.image,
            min_ready_seconds: workload.min_ready_seconds,
        }))
    }
}

/// Every container that runs the workload's image, with the one that it is to run.
fn images(workload: &Workload, image: &str) -> Vec<(Container, String)> {
    let own = workload.containers.iter().filter(|one| one.image == workload.image);
    own.map(|container| (container.clone(), image.to_owned())).collect()
}

/// What is wrong with the pods, if anything is.
fn ill(pods: &[Pod]) -> Option<String> {
    let restarts: u32 = pods.iter().map(|pod| pod.restarts).fold(0, u32::saturating_add);
    (restarts >= RESTARTS_MAX).then(|| format!("its pods were started again {restarts} times"))
}
