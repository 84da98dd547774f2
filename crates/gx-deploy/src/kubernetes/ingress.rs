//! The way in: which path belongs to which service, from the description of the API.
//!
//! Paths are regular expressions, as ingress-nginx takes them, because a service is told by what
//! follows an id: `/users/…/loans` is another's than `/users/…/documents`. The controller tries
//! longer ones first.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::networking::v1::{
    HTTPIngressPath, HTTPIngressRuleValue, Ingress, IngressBackend, IngressRule,
    IngressServiceBackend, IngressSpec, IngressTLS, ServiceBackendPort,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::{Value, json};

use super::parts::Labels;
use super::settings::API_HOST;
use super::{Error, Tree, policies, value};
use crate::model::{Service, Workload};

/// What anybody may ask of any service: one answers for all. Figures, readiness and the pages for
/// developers are for those inside.
const FOR_ANYBODY: [&str; 3] = ["/.well-known/gx", "/health", "/version"];

/// A path of the way in, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Route {
    /// Regular expression from the beginning of the path on.
    pub path: String,
    pub service: Service,
}

pub(super) fn write(tree: &mut Tree, openapi: &str) -> Result<(), Error> {
    let ingress = value(&ingress(&routes(openapi)?))?;
    tree.objects("base/ingress/ingress.yaml", &[ingress, policies::solver()?]);
    let about =
        "The way in, for ingress-nginx. TLS comes from a component, or from a Secret gx-api-tls.";
    tree.kustomization("base/ingress", about, json!({ "resources": ["ingress.yaml"] }));
    Ok(())
}

fn ingress(routes: &[Route]) -> Ingress {
    let paths = routes.iter().map(|route| HTTPIngressPath {
        backend: IngressBackend {
            service: Some(IngressServiceBackend {
                name: Workload::Service(route.service).name(),
                port: Some(ServiceBackendPort { name: Some("http".to_owned()), number: None }),
            }),
            resource: None,
        },
        path: Some(route.path.clone()),
        path_type: "ImplementationSpecific".to_owned(),
    });
    let http = Some(HTTPIngressRuleValue { paths: paths.collect() });
    let annotations = [
        // Documents have 10 MiB, and JSON adds a third.
        ("proxy-body-size", "15m"),
        // Streams of events stay open and send a line now and then.
        ("proxy-read-timeout", "300"),
        ("proxy-buffering", "off"),
        ("use-regex", "true"),
        ("ssl-redirect", "true"),
    ];
    let annotation = |(name, text): (&str, &str)| {
        (format!("nginx.ingress.kubernetes.io/{name}"), text.to_owned())
    };
    Ingress {
        metadata: ObjectMeta {
            name: Some("gx-api".to_owned()),
            annotations: Some(annotations.into_iter().map(annotation).collect()),
            labels: Some(Labels::from([(
                "app.kubernetes.io/part-of".to_owned(),
                "gx-protocol".to_owned(),
            )])),
            ..ObjectMeta::default()
        },
        spec: Some(IngressSpec {
            ingress_class_name: Some("nginx".to_owned()),
            rules: Some(vec![IngressRule { host: Some(API_HOST.to_owned()), http }]),
            tls: Some(vec![IngressTLS {
                hosts: Some(vec![API_HOST.to_owned()]),
                secret_name: Some("gx-api-tls".to_owned()),
            }]),
            default_backend: None,
        }),
        status: None,
    }
}

/// The paths of the way in, as few as tell all services apart, longest first.
///
/// # Errors
/// When the description is no JSON, or names a service that does not exist.
pub fn routes(openapi: &str) -> Result<Vec<Route>, Error> {
    let description: Value = serde_json::from_str(openapi)?;
    let paths = description.get("paths").and_then(Value::as_object);
    let mut root = Node::default();
    for (path, methods) in paths.ok_or(Error::Description("it has no paths"))? {
        if FOR_ANYBODY.contains(&path.as_str()) {
            root.add(path, Service::Identity);
        }
        for tag in tags(methods) {
            let owner = Service::ALL.iter().copied().find(|service| service.as_str() == tag);
            match owner {
                Some(owner) => root.add(path, owner),
                None if tag == "system" => {}
                None => return Err(Error::Description("a tag is no service")),
            }
        }
    }
    let mut routes = Vec::new();
    root.write("", &mut routes)?;
    routes.sort_by(|a, b| b.path.len().cmp(&a.path.len()).then_with(|| a.path.cmp(&b.path)));
    Ok(routes)
}

fn tags(methods: &Value) -> BTreeSet<&str> {
    let methods = methods.as_object().into_iter().flatten();
    let tags = methods.filter_map(|(_, method)| method.get("tags")?.as_array());
    tags.flatten().filter_map(Value::as_str).collect()
}

/// A part of paths between two slashes, with what follows.
#[derive(Debug, Default)]
struct Node {
    /// Whose the path is that ends here.
    here: BTreeSet<Service>,
    /// By the part's text; ids have one name.
    below: BTreeMap<String, Node>,
}

const ID: &str = "[^/]+";

impl Node {
    fn add(&mut self, path: &str, service: Service) {
        let mut node = self;
        for part in path.split('/').filter(|part| !part.is_empty()) {
            let part = if part.starts_with('{') { ID.to_owned() } else { part.replace('.', "[.]") };
            node = node.below.entry(part).or_default();
        }
        node.here.insert(service);
    }

    fn owners(&self) -> BTreeSet<Service> {
        let below = self.below.values().flat_map(Self::owners);
        self.here.iter().copied().chain(below).collect()
    }

    fn write(&self, path: &str, routes: &mut Vec<Route>) -> Result<(), Error> {
        let owners: Vec<Service> = self.owners().into_iter().collect();
        if let ([service], false) = (owners.as_slice(), path.is_empty()) {
            let end = if self.below.is_empty() { "/?$" } else { "(/|$)" };
            routes.push(Route { path: format!("{path}{end}"), service: *service });
            return Ok(());
        }
        match self.here.iter().copied().collect::<Vec<_>>().as_slice() {
            [] => {}
            [service] => routes.push(Route { path: format!("{path}/?$"), service: *service }),
            _ => return Err(Error::Description("a path is of two services")),
        }
        for (part, node) in &self.below {
            node.write(&format!("{path}/{part}"), routes)?;
        }
        Ok(())
    }
}
