//! Redis: one that is written to, and replicas that follow it.
//!
//! It is optional, and nobody fails over: while it is away each process counts by itself.

use k8s_openapi::api::core::v1::PodTemplateSpec;
use serde_json::{Value, json};

use super::fabric::set;
use super::parts::{
    Labels, NODE, account, as_user, config, container, mount, pod, probed, scratch, secret,
    selector, service, tcp,
};
use super::texts::REDIS;
use super::{Error, Tree, budgets, policies, value};
use crate::model::Workload;

/// The user of the official image.
const USER: i64 = 999;

pub(super) fn write(tree: &mut Tree) -> Result<(), Error> {
    let mut objects = Vec::new();
    for workload in [Workload::Redis, Workload::RedisReplica] {
        objects.extend(of(workload)?);
    }
    tree.objects("base/redis/redis.yaml", &objects);
    tree.text("base/redis/redis.conf", REDIS.to_owned());
    let about = "Redis, by which processes count requests together and hear of settled commands.";
    let maps = json!([{ "name": "redis-config", "files": ["redis.conf"] }]);
    let fields = json!({ "resources": ["redis.yaml"], "configMapGenerator": maps });
    tree.kustomization("base/redis", about, fields);
    Ok(())
}

fn of(workload: Workload) -> Result<Vec<Value>, Error> {
    let name = workload.name();
    let mut objects = vec![
        value(&account(workload))?,
        value(&service(workload, &name, selector(workload)))?,
        value(&set(workload, &name, template(workload)))?,
    ];
    objects.extend(budgets::of(workload)?);
    objects.extend(policies::of(workload)?);
    Ok(objects)
}

fn template(workload: Workload) -> PodTemplateSpec {
    let mut redis = container(workload, "redis");
    let mut args = vec!["redis-server".to_owned(), "/etc/redis/redis.conf".to_owned()];
    if workload == Workload::RedisReplica {
        args.extend(["--replicaof", "redis", "6379"].map(str::to_owned));
    }
    redis.args = Some(args);
    redis.volume_mounts = Some(vec![
        mount("config", "/etc/redis", true),
        mount("auth", "/run/redis", true),
        mount("data", "/data", false),
        mount("tmp", "/tmp", false),
    ]);
    probed(&mut redis, tcp("redis"), tcp("redis"));
    let volumes =
        vec![config("config", "redis-config"), secret("auth", "redis-auth"), scratch("tmp", 64)];
    let own = Labels::from([(NODE.to_owned(), workload.name())]);
    let mut template = pod(workload, redis, volumes, own);
    if let Some(spec) = &mut template.spec {
        spec.security_context = Some(as_user(USER));
    }
    template
}
