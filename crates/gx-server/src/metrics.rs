//! The figures that are read when somebody looks at `/metrics`: they live in SQL or on disk, and
//! are the same whichever process is asked. What a process counts itself stands where it happens.

use gx_engine::Chain;
use gx_metrics::{ByChannel, ByDependency, ByPool, ByRole, Metrics};
use gx_store::commands;
use gx_store::mailbox::{self, Channel, Queue};
use gx_store::projection::{self, Position};
use gx_store::submission::{self, Waiting};
use gx_store::{PoolUse, Store};
use gx_types::{Role, TimeMs};

use crate::calendar::now_ms;

/// Shows how far the ledger and the read models are, what waits, and what was set aside.
pub(crate) async fn refresh(
    metrics: &Metrics,
    store: &Store,
    now: TimeMs,
) -> Result<(), gx_store::Error> {
    for PoolUse { pool, in_use, max } in store.pools() {
        let label = ByPool { pool };
        metrics.database_connections_in_use.get_or_create(&label).set(in_use.into());
        metrics.database_connections_max.get_or_create(&label).set(max.into());
    }
    let asked = now_ms();
    let position = projection::position(store).await?;
    progress(metrics, &position, TimeMs(asked + (now_ms() - asked) / 2));
    if let Some(tip) = position.tip() {
        let applied = position.checkpoint.map_or(0, |last| last.block);
        metrics.ledger_tip_block.set(whole(tip));
        metrics.projector_applied_block.set(whole(applied));
        metrics.projector_lag_blocks.set(whole(tip.saturating_sub(applied)));
    }
    waiting(metrics, &submission::waiting(store).await?, now);
    metrics.dead_commands.set(whole(commands::dead_count(store).await?));
    for channel in Channel::ALL {
        messages(metrics, &mailbox::queue(store, channel, now).await?, now);
    }
    Ok(())
}

/// The projector's sign of life, and with it the database's clock beside this process's: `here` is
/// the time in the middle of the question.
fn progress(metrics: &Metrics, position: &Position, here: TimeMs) {
    metrics.accounts_open.set(whole(position.totals.accounts));
    metrics.projector_behind_seconds.set(position.behind_ms() as f64 / 1e3);
    if let Some(heartbeat) = position.heartbeat {
        metrics.projector_heartbeat_age_seconds.set(heartbeat.age.as_secs_f64());
        let ahead_ms = heartbeat.now().0.saturating_sub(here.0);
        metrics.database_clock_offset_seconds.set(ahead_ms as f64 / 1e3);
    }
}

/// Shows which of the things that are set up answer; `None` is not set up.
pub(crate) fn refresh_dependencies<const N: usize>(
    metrics: &Metrics,
    answers: [(&'static str, Option<bool>); N],
) {
    for (dependency, answer) in answers {
        let Some(answer) = answer else { continue };
        metrics.dependency_up.get_or_create(&ByDependency { dependency }).set(answer.into());
    }
}

/// Shows how many passwords wait to be hashed, of how many that may.
pub(crate) fn refresh_hashing(metrics: &Metrics, (waiting, max): (usize, usize)) {
    metrics.password_hashes_waiting.set(i64::try_from(waiting).unwrap_or(i64::MAX));
    metrics.password_hashes_max.set(i64::try_from(max).unwrap_or(i64::MAX));
}

fn messages(metrics: &Metrics, queue: &Queue, now: TimeMs) {
    let label = ByChannel { channel: queue.channel.word() };
    metrics.messages_waiting.get_or_create(&label).set(whole(queue.waiting));
    let age = queue.oldest.map_or(0, |oldest| now.0.saturating_sub(oldest.0).max(0));
    metrics.messages_oldest_waiting_seconds.get_or_create(&label).set(age as f64 / 1e3);
}

fn waiting(metrics: &Metrics, waiting: &Waiting, now: TimeMs) {
    let seconds = |since: TimeMs| now.0.saturating_sub(since.0).max(0) as f64 / 1e3;
    metrics.outbox_queue_depth.set(whole(waiting.queued));
    metrics.submission_unanswered_batches.set(whole(waiting.unanswered_batches));
    metrics.outbox_oldest_queued_seconds.set(waiting.oldest.map_or(0.0, seconds));
    for role in Role::ALL {
        let stuck = waiting.stuck.iter().find(|lane| lane.role == role);
        let since = stuck.map_or(0.0, |lane| seconds(lane.stuck.since));
        let label = ByRole { role: role.as_str() };
        metrics.submission_lane_stuck_seconds.get_or_create(&label).set(since);
    }
}

/// Shows how long the certificates are still valid that the process uses.
pub(crate) fn refresh_certificates(metrics: &Metrics, chain: &Chain, now: TimeMs) {
    let now = now.0 as f64 / 1e3;
    for (role, until) in chain.certificates() {
        let days = (until.as_secs_f64() - now) / (24.0 * 60.0 * 60.0);
        let label = ByRole { role: role.as_str() };
        metrics.certificate_expiry_days.get_or_create(&label).set(days);
    }
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
