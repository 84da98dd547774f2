//! Services, what stands behind them, and what may reach what.

use super::{Labels, Selector};

facts! {
    pub struct ServicePort {
        pub name: String,
        pub port: u16,
        /// A number, or the name of a container's port.
        pub target: String,
        pub protocol: String,
        pub node_port: Option<u16>,
    }

    /// One address behind a Service.
    pub struct Endpoint {
        pub ip: String,
        pub ready: bool,
        pub node: String,
        /// Empty when it is no pod of the same namespace.
        pub pod: String,
    }

    pub struct EndpointPort {
        pub name: String,
        pub port: u16,
        pub protocol: String,
    }

    /// A range of addresses with holes.
    pub struct IpBlock {
        pub cidr: String,
        pub except: Vec<String>,
    }

    /// Who may be reached or may come. Selectors that are both set hold together.
    pub struct Peer {
        pub pods: Option<Selector>,
        pub namespaces: Option<Selector>,
        pub block: Option<IpBlock>,
    }

    pub struct PolicyPort {
        /// A number or a name; empty: all.
        pub port: String,
        pub end_port: Option<u16>,
        /// Empty is `TCP`.
        pub protocol: String,
    }

    pub struct PolicyRule {
        /// None: everybody.
        pub peers: Vec<Peer>,
        /// None: every port.
        pub ports: Vec<PolicyPort>,
    }

    pub struct IngressPath {
        pub host: String,
        pub path: String,
        pub service: String,
        /// A number or a name.
        pub port: String,
    }

    pub struct IngressTls {
        pub hosts: Vec<String>,
        pub secret: String,
    }
}

objects! {
    pub struct Service = "Service" {
        /// `ClusterIP`, `NodePort`, `LoadBalancer` or `ExternalName`.
        pub kind: String,
        pub cluster_ip: String,
        pub selector: Labels,
        pub ports: Vec<ServicePort>,
        pub external_ips: Vec<String>,
        pub load_balancer: Vec<String>,
        pub external_name: String,
        pub publish_not_ready: bool,
        pub session_affinity: String,
    }

    /// The addresses behind the Service of the same name.
    pub struct Endpoints = "Endpoints" {
        pub addresses: Vec<Endpoint>,
        pub ports: Vec<EndpointPort>,
    }

    pub struct NetworkPolicy = "NetworkPolicy" {
        pub selector: Selector,
        pub limits_ingress: bool,
        pub limits_egress: bool,
        pub ingress: Vec<PolicyRule>,
        pub egress: Vec<PolicyRule>,
    }

    pub struct Ingress = "Ingress" {
        pub class: String,
        pub paths: Vec<IngressPath>,
        pub tls: Vec<IngressTls>,
        pub default_service: String,
        pub addresses: Vec<String>,
    }
}
