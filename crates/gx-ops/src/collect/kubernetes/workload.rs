//! Workloads.

use k8s_openapi::api::apps::v1 as apps;
use k8s_openapi::api::batch::v1 as batch;
use k8s_openapi::api::core::v1 as core;

use super::super::Redactor;
use super::meta::{Meta, bytes, conditions, count, int_or_text, meta, selector, time};
use super::pod::pod_spec;
use crate::facts::*;

fn template(template: core::PodTemplateSpec, r: &Redactor) -> Template {
    Template {
        labels: template.metadata.and_then(|meta| meta.labels).unwrap_or_default(),
        spec: pod_spec(template.spec.unwrap_or_default(), r),
    }
}

fn new(kind: WorkloadKind, meta: Meta) -> Workload {
    let revision = meta.annotations.get("deployment.kubernetes.io/revision");
    let revision = revision.and_then(|text| text.plain()?.parse().ok());
    Workload {
        kind,
        name: meta.name,
        namespace: meta.namespace,
        uid: meta.uid,
        created: meta.created,
        deleting: meta.deleting,
        finalizers: meta.finalizers,
        labels: meta.labels,
        annotations: meta.annotations,
        owner: meta.owner,
        revision,
        ..Workload::default()
    }
}

fn limit(number: Option<i32>) -> Option<u32> {
    number.map(|number| count(Some(number)))
}

pub(super) fn deployment(one: apps::Deployment, r: &Redactor) -> Workload {
    let generation = one.metadata.generation;
    let mut workload = new(WorkloadKind::Deployment, meta(one.metadata, r));
    let status = one.status.unwrap_or_default();
    let spec = one.spec.unwrap_or_default();
    workload.replicas = count(spec.replicas.or(Some(1)));
    workload.selector = selector(spec.selector);
    workload.template = template(spec.template, r);
    workload.paused = spec.paused.unwrap_or(false);
    workload.revision_history_limit = limit(spec.revision_history_limit);
    workload.progress_deadline_seconds = limit(spec.progress_deadline_seconds);
    let strategy = spec.strategy.unwrap_or_default();
    workload.strategy = strategy.type_.unwrap_or_else(|| "RollingUpdate".to_owned());
    let rolling = strategy.rolling_update.unwrap_or_default();
    workload.max_unavailable = rolling.max_unavailable.map(int_or_text);
    workload.max_surge = rolling.max_surge.map(int_or_text);
    workload.generation = generation;
    workload.observed_generation = status.observed_generation;
    workload.ready = count(status.ready_replicas);
    workload.updated = count(status.updated_replicas);
    workload.available = count(status.available_replicas);
    workload.conditions = conditions!(status.conditions);
    workload
}

pub(super) fn stateful_set(one: apps::StatefulSet, r: &Redactor) -> Workload {
    let generation = one.metadata.generation;
    let mut workload = new(WorkloadKind::StatefulSet, meta(one.metadata, r));
    let status = one.status.unwrap_or_default();
    let spec = one.spec.unwrap_or_default();
    workload.replicas = count(spec.replicas.or(Some(1)));
    workload.selector = selector(spec.selector);
    workload.template = template(spec.template, r);
    workload.revision_history_limit = limit(spec.revision_history_limit);
    workload.service_name = spec.service_name.unwrap_or_default();
    let strategy = spec.update_strategy.and_then(|strategy| strategy.type_);
    workload.strategy = strategy.unwrap_or_else(|| "RollingUpdate".to_owned());
    let claims = spec.volume_claim_templates.unwrap_or_default().into_iter();
    workload.claim_templates = claims.map(claim_template).collect();
    workload.generation = generation;
    workload.observed_generation = status.observed_generation;
    workload.ready = count(status.ready_replicas);
    workload.updated = count(status.updated_replicas);
    workload.available = count(status.available_replicas);
    workload.current_revision = status.current_revision.unwrap_or_default();
    workload.update_revision = status.update_revision.unwrap_or_default();
    workload.conditions = conditions!(status.conditions);
    workload
}

fn claim_template(claim: core::PersistentVolumeClaim) -> ClaimTemplate {
    let spec = claim.spec.unwrap_or_default();
    ClaimTemplate {
        name: claim.metadata.name.unwrap_or_default(),
        class: spec.storage_class_name,
        modes: spec.access_modes.unwrap_or_default(),
        bytes: bytes(spec.resources.and_then(|resources| resources.requests)),
    }
}

pub(super) fn daemon_set(one: apps::DaemonSet, r: &Redactor) -> Workload {
    let generation = one.metadata.generation;
    let mut workload = new(WorkloadKind::DaemonSet, meta(one.metadata, r));
    let status = one.status.unwrap_or_default();
    let spec = one.spec.unwrap_or_default();
    workload.selector = selector(spec.selector);
    workload.template = template(spec.template, r);
    workload.revision_history_limit = limit(spec.revision_history_limit);
    let strategy = spec.update_strategy.unwrap_or_default();
    workload.strategy = strategy.type_.unwrap_or_else(|| "RollingUpdate".to_owned());
    workload.generation = generation;
    workload.observed_generation = status.observed_generation;
    workload.replicas = count(Some(status.desired_number_scheduled));
    workload.ready = count(Some(status.number_ready));
    workload.updated = count(status.updated_number_scheduled);
    workload.available = count(status.number_available);
    workload.conditions = conditions!(status.conditions);
    workload
}

pub(super) fn replica_set(one: apps::ReplicaSet, r: &Redactor) -> Workload {
    let generation = one.metadata.generation;
    let mut workload = new(WorkloadKind::ReplicaSet, meta(one.metadata, r));
    let status = one.status.unwrap_or_default();
    let spec = one.spec.unwrap_or_default();
    workload.replicas = count(spec.replicas.or(Some(1)));
    workload.selector = selector(spec.selector);
    workload.template = template(spec.template.unwrap_or_default(), r);
    workload.generation = generation;
    workload.observed_generation = status.observed_generation;
    workload.ready = count(status.ready_replicas);
    workload.updated = count(Some(status.replicas));
    workload.available = count(status.available_replicas);
    workload.conditions = conditions!(status.conditions);
    workload
}

pub(super) fn job(one: batch::Job, r: &Redactor) -> Workload {
    let mut workload = new(WorkloadKind::Job, meta(one.metadata, r));
    let status = one.status.unwrap_or_default();
    let mut job = JobStatus {
        succeeded: count(status.succeeded),
        failed: count(status.failed),
        active: count(status.active),
        finished: time(status.completion_time),
        ..JobStatus::default()
    };
    if let Some(spec) = one.spec {
        workload.replicas = count(spec.parallelism.or(Some(1)));
        workload.selector = spec.selector.map(selector).unwrap_or_default();
        workload.template = template(spec.template, r);
        workload.paused = spec.suspend.unwrap_or(false);
        job.completions = limit(spec.completions);
        job.ttl_seconds = limit(spec.ttl_seconds_after_finished);
    }
    workload.ready = count(status.ready);
    workload.conditions = conditions!(status.conditions);
    if job.finished.is_none() {
        let ended = workload.conditions.iter().filter(|one| {
            one.status == Truth::True && matches!(one.kind.as_str(), "Failed" | "Complete")
        });
        job.finished = ended.filter_map(|one| one.since).max();
    }
    workload.job = Some(job);
    workload
}

pub(super) fn cron_job(one: batch::CronJob, r: &Redactor) -> Workload {
    let mut workload = new(WorkloadKind::CronJob, meta(one.metadata, r));
    let status = one.status.unwrap_or_default();
    let mut cron = Cron {
        active: u32::try_from(status.active.unwrap_or_default().len()).unwrap_or(u32::MAX),
        last_scheduled: time(status.last_schedule_time),
        last_successful: time(status.last_successful_time),
        ..Cron::default()
    };
    let spec = one.spec.unwrap_or_default();
    cron.schedule = spec.schedule;
    cron.suspended = spec.suspend.unwrap_or(false);
    cron.concurrency = spec.concurrency_policy.unwrap_or_else(|| "Allow".to_owned());
    cron.failed_kept = limit(spec.failed_jobs_history_limit);
    cron.successful_kept = limit(spec.successful_jobs_history_limit);
    workload.template =
        spec.job_template.spec.map(|job| template(job.template, r)).unwrap_or_default();
    workload.cron = Some(cron);
    workload
}
