//! The certificate authorities. Their keys are on their disks: what signs everything else must be
//! backed up, and nothing but the other authorities reaches them over the network; people do by
//! `kubectl port-forward`.

use k8s_openapi::api::core::v1::{PodTemplateSpec, VolumeMount};
use serde_json::Value;

use super::fabric::set;
use super::parts::{
    Labels, NODE, account, container, env, http_get, mount, pod, probed, scratch, secret, selector,
    service, tcp,
};
use super::{Error, policies, value};
use crate::model::{Ca, Workload};

const HOME: &str = "/var/lib/fabric-ca";
const TLS_DIR: &str = "/run/fabric-ca";
const CONFIG: &str = "fabric-ca-server-config.yaml";

/// Account, Service, StatefulSet and policy of an authority.
pub(super) fn of(ca: Ca) -> Result<Vec<Value>, Error> {
    let workload = Workload::Ca(ca);
    let name = workload.name();
    let mut objects = vec![
        value(&account(workload))?,
        value(&service(workload, &name, selector(workload)))?,
        value(&set(workload, &name, template(ca)))?,
    ];
    objects.extend(policies::of(workload)?);
    Ok(objects)
}

fn template(ca: Ca) -> PodTemplateSpec {
    let workload = Workload::Ca(ca);
    let name = workload.name();
    let mut server = container(workload, "hyperledger/fabric-ca");
    server.args = Some(["fabric-ca-server", "start"].map(str::to_owned).to_vec());
    server.env = Some(vec![
        env("FABRIC_CA_SERVER_HOME", HOME),
        env("FABRIC_CA_SERVER_CA_NAME", name.clone()),
        env("FABRIC_CA_SERVER_PORT", ca.port().to_string()),
        env("FABRIC_CA_SERVER_TLS_ENABLED", "true"),
        env("FABRIC_CA_SERVER_TLS_CERTFILE", format!("{TLS_DIR}/tls-cert.pem")),
        env("FABRIC_CA_SERVER_TLS_KEYFILE", format!("{TLS_DIR}/tls-key.pem")),
        env(
            "FABRIC_CA_SERVER_OPERATIONS_LISTENADDRESS",
            format!("0.0.0.0:{}", ca.operations_port()),
        ),
        env("FABRIC_CA_SERVER_METRICS_PROVIDER", "prometheus"),
    ]);
    // The server reads its settings, with the first registrar's secret, from its home.
    let settings = VolumeMount {
        sub_path: Some(CONFIG.to_owned()),
        ..mount("secret", &format!("{HOME}/{CONFIG}"), true)
    };
    server.volume_mounts = Some(vec![
        mount("data", HOME, false),
        settings,
        mount("secret", TLS_DIR, true),
        mount("tmp", "/tmp", false),
    ]);
    probed(&mut server, tcp("https"), http_get("/healthz", "operations"));
    let volumes = vec![secret("secret", &name), scratch("tmp", 64)];
    pod(workload, server, volumes, Labels::from([(NODE.to_owned(), name)]))
}
