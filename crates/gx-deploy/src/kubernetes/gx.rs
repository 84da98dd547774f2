//! The roles of `gx`: services, submitter, projector, migration.
//!
//! Two submitters and two projectors run: a leader by lease, and a stand-by that is as ready.

use k8s_openapi::api::apps::v1::{
    Deployment, DeploymentSpec, DeploymentStrategy, RollingUpdateDeployment,
};
use k8s_openapi::api::batch::v1::{Job, JobSpec};
use k8s_openapi::api::core::v1::{
    ConfigMapEnvSource, Container, EnvFromSource, Lifecycle, LifecycleHandler, PodTemplateSpec,
    SleepAction,
};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde_json::{Value, json};

use super::parts::{
    Labels, account, container, http_get, match_labels, meta, mount, pod, probed, scratch, secret,
    selector, service,
};
use super::settings::{
    BASE_SETTINGS, DATA_DIR, DATABASE_TLS_DIR, FABRIC_TLS_DIR, MAIL_SETTINGS, SECRETS_DIR,
    WALLET_DIR, lines,
};
use super::{Error, Tree, budgets, policies, value};
use crate::model::{DRAIN_SECONDS, LINGER_SECONDS, Service, Workload};

pub(super) fn write(tree: &mut Tree) -> Result<(), Error> {
    let folder = "base/platform";
    let services = Service::ALL.iter().copied().map(Workload::Service);
    let roles: Vec<Workload> = services.chain([Workload::Submitter, Workload::Projector]).collect();
    let mut files = Vec::new();
    for role in roles {
        let name = format!("{}.yaml", role.name());
        tree.objects(&format!("{folder}/{name}"), &deployed(role)?);
        files.push(name);
    }
    tree.objects(&format!("{folder}/migrate.yaml"), &migrate()?);
    tree.objects(&format!("{folder}/outside.yaml"), &policies::outside()?);
    files.extend(["migrate.yaml".to_owned(), "outside.yaml".to_owned()]);
    tree.text(&format!("{folder}/settings.env"), lines(BASE_SETTINGS.iter().copied()));
    tree.text(&format!("{folder}/mail.env"), lines(MAIL_SETTINGS.iter().copied()));
    let about = "The platform: seven services, submitter, projector, and the Job that brings the\n\
        schema up to date. A process whose schema is not there yet waits, and is not ready.";
    let settings = json!([
        { "name": "gx-settings", "envs": ["settings.env"] },
        { "name": "gx-mail", "envs": ["mail.env"] },
    ]);
    tree.kustomization(
        folder,
        about,
        json!({ "resources": files, "configMapGenerator": settings }),
    );
    Ok(())
}

fn deployed(role: Workload) -> Result<Vec<Value>, Error> {
    let mut objects = vec![
        value(&account(role))?,
        value(&deployment(role))?,
        value(&service(role, &role.name(), selector(role)))?,
    ];
    objects.extend(budgets::of(role)?);
    objects.extend(policies::of(role)?);
    Ok(objects)
}

pub(super) fn deployment(role: Workload) -> Deployment {
    let rolling = RollingUpdateDeployment {
        max_surge: Some(IntOrString::Int(1)),
        max_unavailable: Some(IntOrString::Int(0)),
    };
    // The autoscaler owns the number where there is one.
    let replicas = role.replicas_max().is_none().then(|| role.replicas().into());
    Deployment {
        metadata: meta(role, &role.name()),
        spec: Some(DeploymentSpec {
            replicas,
            revision_history_limit: Some(3),
            selector: match_labels(selector(role)),
            strategy: Some(DeploymentStrategy {
                type_: Some("RollingUpdate".to_owned()),
                rolling_update: Some(rolling),
            }),
            template: template(role),
            ..DeploymentSpec::default()
        }),
        status: None,
    }
}

fn template(role: Workload) -> PodTemplateSpec {
    let mut gx = process(role);
    probed(&mut gx, http_get("/livez", "http"), http_get("/readyz", "http"));
    gx.lifecycle = Some(Lifecycle {
        pre_stop: Some(LifecycleHandler {
            sleep: Some(SleepAction { seconds: LINGER_SECONDS }),
            ..LifecycleHandler::default()
        }),
        ..Lifecycle::default()
    });
    let mut template = of(role, gx);
    if let Some(spec) = &mut template.spec {
        spec.termination_grace_period_seconds = Some(LINGER_SECONDS + 2 * DRAIN_SECONDS);
    }
    template
}

/// A process of `gx` with the settings and files of the platform.
fn process(role: Workload) -> Container {
    let mut gx = container(role, "gx");
    gx.args = role.gx_args();
    let maps: &[&str] = match role {
        Workload::Service(Service::Identity) => &["gx-settings", "gx-mail"],
        _ => &["gx-settings"],
    };
    let from = |name: &&str| EnvFromSource {
        config_map_ref: Some(ConfigMapEnvSource { name: (*name).to_owned(), optional: None }),
        ..EnvFromSource::default()
    };
    gx.env_from = Some(maps.iter().map(from).collect());
    let mut mounts = vec![
        mount("data", DATA_DIR, false),
        mount("tmp", "/tmp", false),
        mount("secrets", SECRETS_DIR, true),
        mount("database-tls", DATABASE_TLS_DIR, true),
    ];
    if asks_the_ledger(role) {
        mounts.push(mount("wallet", WALLET_DIR, true));
        mounts.push(mount("fabric-tls", FABRIC_TLS_DIR, true));
    }
    gx.volume_mounts = Some(mounts);
    gx
}

fn of(role: Workload, gx: Container) -> PodTemplateSpec {
    let mut volumes = vec![
        scratch("data", 64),
        scratch("tmp", 256),
        secret("secrets", "gx-secrets"),
        secret("database-tls", "gx-database-tls"),
    ];
    if asks_the_ledger(role) {
        volumes.push(secret("wallet", "gx-wallet"));
        volumes.push(secret("fabric-tls", "fabric-tls-roots"));
    }
    pod(role, gx, volumes, Labels::new())
}

fn asks_the_ledger(role: Workload) -> bool {
    matches!(role, Workload::Submitter | Workload::Projector)
}

/// Brings the schema up to date, and is gone soon after: a Job's pods cannot be changed, and the
/// next release brings another image.
fn migrate() -> Result<Vec<Value>, Error> {
    let role = Workload::Migrate;
    let mut template = of(role, process(role));
    if let Some(spec) = &mut template.spec {
        spec.restart_policy = Some("OnFailure".to_owned());
    }
    let job = Job {
        metadata: meta(role, &role.name()),
        spec: Some(JobSpec {
            backoff_limit: Some(20),
            template,
            ttl_seconds_after_finished: Some(300),
            ..JobSpec::default()
        }),
        status: None,
    };
    let mut objects = vec![value(&account(role))?, value(&job)?];
    objects.extend(policies::of(role)?);
    Ok(objects)
}
