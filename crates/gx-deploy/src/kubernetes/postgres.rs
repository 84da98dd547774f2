//! PostgreSQL on one node, for networks that can do without a stand-by.
//!
//! Streaming replication is the operator's, in the component for CloudNativePG.

use k8s_openapi::api::core::v1::{ExecAction, PodTemplateSpec, Probe};
use serde_json::Value;

use super::fabric::set;
use super::parts::{
    Labels, NODE, account, as_user, container, env, mount, pod, probed, scratch, secret, selector,
    service,
};
use super::{Error, policies, value};
use crate::model::Workload;

/// The user of the official image.
const USER: i64 = 999;

pub(super) fn plain() -> Result<Vec<Value>, Error> {
    let workload = Workload::Postgres;
    let name = workload.name();
    let mut objects = vec![
        value(&account(workload))?,
        value(&service(workload, &name, selector(workload)))?,
        value(&set(workload, &name, template()))?,
    ];
    objects.extend(policies::of(workload)?);
    Ok(objects)
}

fn template() -> PodTemplateSpec {
    let workload = Workload::Postgres;
    let mut postgres = container(workload, "postgres");
    let settings = [
        "ssl=on",
        "ssl_cert_file=/run/postgres-tls/tls.crt",
        "ssl_key_file=/run/postgres-tls/tls.key",
        "max_connections=300",
        "password_encryption=scram-sha-256",
    ];
    let args = settings.iter().flat_map(|setting| ["-c", setting]);
    postgres.args = Some(["postgres"].into_iter().chain(args).map(str::to_owned).collect());
    postgres.env = Some(vec![
        env("POSTGRES_DB", "gx"),
        env("POSTGRES_USER", "gx"),
        env("POSTGRES_PASSWORD_FILE", "/run/gx/secrets/database-password"),
        env("POSTGRES_INITDB_ARGS", "--auth-host=scram-sha-256"),
        env("PGDATA", "/var/lib/postgresql/data/pgdata"),
    ]);
    postgres.volume_mounts = Some(vec![
        mount("data", "/var/lib/postgresql/data", false),
        mount("tls", "/run/postgres-tls", true),
        mount("secrets", "/run/gx/secrets", true),
        mount("socket", "/var/run/postgresql", false),
        mount("tmp", "/tmp", false),
    ]);
    let command = ["pg_isready", "--username=gx", "--dbname=gx"].map(str::to_owned).to_vec();
    let answers = Probe { exec: Some(ExecAction { command: Some(command) }), ..Probe::default() };
    probed(&mut postgres, answers.clone(), answers);
    let volumes = vec![
        secret("tls", "postgres-tls"),
        secret("secrets", "gx-secrets"),
        scratch("socket", 16),
        scratch("tmp", 256),
    ];
    let own = Labels::from([(NODE.to_owned(), workload.name())]);
    let mut template = pod(workload, postgres, volumes, own);
    if let Some(spec) = &mut template.spec {
        spec.security_context = Some(as_user(USER));
        // Time for a checkpoint.
        spec.termination_grace_period_seconds = Some(120);
    }
    template
}
