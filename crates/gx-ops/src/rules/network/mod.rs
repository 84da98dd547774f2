//! Network: what may reach what, and what must not.

mod cidr;
mod hosts;
mod limits;
mod places;
mod policies;
mod probes;
mod reach;
mod services;

use gx_types::Severity;

use super::Rule;
use super::shared::lasting;
use crate::facts::{Fact, Issuer, Snapshot, Workload};

/// The workloads through which requests from outside come.
fn controllers(snapshot: &Snapshot) -> Vec<&Workload> {
    let names = ["contour", "envoy", "haproxy-ingress", "ingress-nginx", "kong", "traefik"];
    let is_controller = |one: &&Workload| {
        let label = |key: &str| one.template.labels.get(key).map(String::as_str);
        let part = label("app.kubernetes.io/component").unwrap_or("controller");
        let named = label("app.kubernetes.io/name").is_some_and(|name| names.contains(&name));
        let by_name = names.iter().chain(&["nginx-ingress"]).any(|name| one.name.starts_with(name));
        let is_helper =
            ["admission", "backend", "svclb"].iter().any(|word| one.name.contains(word));
        (named || by_name) && part == "controller" && !is_helper
    };
    lasting(snapshot).filter(is_controller).collect()
}

/// Whether an issuer asks an ACME server.
fn is_acme(issuer: &Issuer) -> bool {
    !issuer.acme_server.is_empty()
}

pub(super) const RULES: [Rule; 31] = [
    Rule {
        id: "NET-01",
        severity: Severity::Critical,
        title: "A pod cannot resolve names",
        needs: &[Fact::NetworkPolicies, Fact::Namespaces, Fact::Workloads],
        check: policies::no_names,
        why: "A policy that denies everything denied the name server too, and every service said \
              that its database was away.",
        otherwise: "Nothing that the workload is told by name is found.",
        remedy: "Allow UDP and TCP 53 to the pods `k8s-app=kube-dns` of `kube-system`, for all \
              pods of the namespace.",
        runbook: None,
    },
    Rule {
        id: "NET-02",
        severity: Severity::Critical,
        title: "A policy keeps a workload from its database or cache",
        needs: &[Fact::NetworkPolicies, Fact::Namespaces, Fact::Workloads, Fact::Services],
        check: policies::no_store,
        why: "With the right name and password the database could not be reached (P1001): a \
              policy that denied everything was at fault.",
        otherwise: "The workload does not become ready, or fails when it first needs the store.",
        remedy: "Allow the port to the store's pods in the policies of the workload, and from the \
              workload in those of the store; then try it from a pod with the workload's labels: \
              `nc -zv HOST PORT`.",
        runbook: None,
    },
    Rule {
        id: "NET-03",
        severity: Severity::Critical,
        title: "A policy keeps a workload from the ledger",
        needs: &[Fact::NetworkPolicies, Fact::Namespaces, Fact::Workloads, Fact::Services],
        check: policies::no_ledger,
        why: "The namespaces of the backend let out, and those of the ledger did not let in: each \
              side was right by itself.",
        otherwise: "Nothing is written to the ledger, and the queue grows.",
        remedy: "Write both sides together: out to 7050, 7051, 7053 and 7054 of the network's \
              namespace, and in from the backend's.",
        runbook: None,
    },
    Rule {
        id: "NET-04",
        severity: Severity::Critical,
        title: "A policy lets another environment pass",
        needs: &[Fact::NetworkPolicies, Fact::Namespaces],
        check: limits::other_environment,
        why: "A label that namespaces of two environments share lets the test reach the main \
              network.",
        otherwise: "What is tried in a test happens to real money.",
        remedy: "Select the namespace by its own name: `kubernetes.io/metadata.name`.",
        runbook: None,
    },
    Rule {
        id: "NET-05",
        severity: Severity::Medium,
        title: "A policy keeps Prometheus from a workload's figures",
        needs: &[Fact::NetworkPolicies, Fact::Namespaces, Fact::Workloads],
        check: policies::no_figures,
        why: "46 of 90 targets were down and nobody was told, because what is never seen does not \
              alert.",
        otherwise: "The alerts about this workload are silent.",
        remedy: "Let the monitoring namespace in at the port of the figures: 9090, 9091, 9443 or \
              the one named `metrics`.",
        runbook: None,
    },
    Rule {
        id: "NET-06",
        severity: Severity::High,
        title: "A policy keeps the ingress controller from what an Ingress leads to",
        needs: &[
            Fact::NetworkPolicies,
            Fact::Namespaces,
            Fact::Workloads,
            Fact::Services,
            Fact::Ingresses,
        ],
        check: policies::no_ingress,
        why: "The policy that lets the controller in selects by a label, such as `tier=api`, that \
              a new workload did not have.",
        otherwise: "The address answers 502 or 504.",
        remedy: "Give the pods the label that the policy selects, or select them in a policy of \
              their own.",
        runbook: None,
    },
    Rule {
        id: "NET-07",
        severity: Severity::High,
        title: "A policy names a namespace that does not exist",
        needs: &[Fact::NetworkPolicies, Fact::Namespaces],
        check: limits::selects_no_namespace,
        why: "Policies selected `name=…`, a label that nobody had given the namespace; Kubernetes \
              gives each `kubernetes.io/metadata.name` by itself.",
        otherwise: "The rule allows nothing, however right it looks.",
        remedy: "Select by `kubernetes.io/metadata.name`, or give the namespace the label: \
              `kubectl label namespace NAME name=NAME`.",
        runbook: None,
    },
    Rule {
        id: "NET-08",
        severity: Severity::High,
        title: "A namespace of the main network or of a ledger is open",
        needs: &[Fact::NetworkPolicies, Fact::Namespaces],
        check: limits::not_closed,
        why: "Where nothing is denied, any pod of the cluster reaches databases, orderers and \
              authorities.",
        otherwise: "One pod that is taken over has the whole network before it.",
        remedy: "Write the policies that allow first, see that nothing is lost, and then one with \
              `podSelector: {}` and both `policyTypes` that allows nothing.",
        runbook: None,
    },
    Rule {
        id: "NET-09",
        severity: Severity::Medium,
        title: "Ways out of the cluster are too narrow or too wide",
        needs: &[Fact::NetworkPolicies, Fact::Namespaces, Fact::Workloads],
        check: limits::outside,
        why: "A way out that is missing is noticed when an upload fails; one that is opened in \
              haste is opened for everything.",
        otherwise: "Uploads and mails fail; or whoever is inside carries out what they like.",
        remedy: "Allow the range and the port that are needed: `ipBlock` with `443`.",
        runbook: None,
    },
    Rule {
        id: "NET-10",
        severity: Severity::Medium,
        title: "A policy keeps certificates from being renewed",
        needs: &[
            Fact::NetworkPolicies,
            Fact::Namespaces,
            Fact::Workloads,
            Fact::ManagedCertificates,
            Fact::Issuers,
        ],
        check: policies::no_challenge,
        why: "The pod that answers for a certificate listens at 8089 and lives for a minute; \
              policies are written for those that last.",
        otherwise: "The certificate is not renewed, and ends on its day.",
        remedy: "Let the ingress controller in at 8089 to \
                 `acme.cert-manager.io/http01-solver=true`.",
        runbook: None,
    },
    Rule {
        id: "NET-11",
        severity: Severity::High,
        title: "Nothing that is ready is behind a Service",
        needs: &[Fact::Services, Fact::Endpoints],
        check: services::nothing_behind,
        why: "A Service outlives what it led to, and a selector that is off by one label selects \
              nothing.",
        otherwise: "Whoever uses it is refused.",
        remedy: "Compare the selector with the pods' labels: `kubectl get endpointslices -n \
              NAMESPACE -l kubernetes.io/service-name=NAME`.",
        runbook: None,
    },
    Rule {
        id: "NET-12",
        severity: Severity::High,
        title: "A Service leads to a port that its pods do not have",
        needs: &[Fact::Services, Fact::Workloads],
        check: services::wrong_port,
        why: "Three documents gave three tables of the services' ports, and each was somewhere in \
              force.",
        otherwise: "Connections are refused, while pods and Service look well.",
        remedy: "Name the container's port and let `targetPort` be the name.",
        runbook: None,
    },
    Rule {
        id: "NET-13",
        severity: Severity::High,
        title: "An Ingress leads to a Service or port that does not exist",
        needs: &[Fact::Ingresses, Fact::Services],
        check: services::no_backend,
        why: "Ingresses named ports of containers where the Services had others.",
        otherwise: "The address answers 503.",
        remedy: "Correct the backend, or make the Service: `kubectl get ingress -n NAMESPACE NAME \
              -o yaml`.",
        runbook: None,
    },
    Rule {
        id: "NET-14",
        severity: Severity::Critical,
        title: "A database or cache can be reached from outside the cluster",
        needs: &[Fact::Services],
        check: services::open_store,
        why: "PostgreSQL of the main network stood at port 30432 of every host.",
        otherwise: "Whoever finds it tries passwords for as long as they like.",
        remedy: "Make it `ClusterIP`; for work from outside, `kubectl port-forward` for as long as \
              it takes.",
        runbook: None,
    },
    Rule {
        id: "NET-15",
        severity: Severity::Medium,
        title: "Services can be reached beside the edge",
        needs: &[Fact::Services, Fact::Nodes],
        check: probes::beside_the_edge,
        why: "Ports 30001 to 30007 of every host led past the edge with its limits and its TLS.",
        otherwise: "Limits of requests, TLS and the list of who may come are of no effect.",
        remedy: "Make the Services `ClusterIP` behind the ingress, or let only the edge reach the \
              ports; `kube-proxy` answers before most firewalls do.",
        runbook: None,
    },
    Rule {
        id: "NET-16",
        severity: Severity::High,
        title: "A load balancer has no address",
        needs: &[Fact::Services],
        check: services::no_address,
        why: "When the pool of addresses is used up, the Service waits without a word.",
        otherwise: "Nobody reaches it from outside.",
        remedy: "See the pool and the balancer's log: `kubectl describe service -n NAMESPACE \
                 NAME`.",
        runbook: None,
    },
    Rule {
        id: "NET-17",
        severity: Severity::High,
        title: "A name leads to addresses that do not answer",
        needs: &[Fact::Reached],
        check: probes::dead_addresses,
        why: "The balancer's address was announced by one node; the name led to three, and two of \
              three regions were dead.",
        otherwise: "Some of all requests fail, those of whole regions always.",
        remedy: "Let every node that the name leads to answer, with an ingress controller on each; \
              until then take the address from the name.",
        runbook: None,
    },
    Rule {
        id: "NET-18",
        severity: Severity::High,
        title: "The address of a pod is written down",
        needs: &[Fact::Nodes, Fact::Workloads],
        check: services::fixed_address,
        why: "A name was answered with an old address, and the address of the pod was written \
              into the configuration in its place; the pod moved.",
        otherwise: "It works until the pod is started again.",
        remedy: "Write the Service's name, and find out why it was not resolved: NET-01 and \
                 NET-20.",
        runbook: None,
    },
    Rule {
        id: "NET-19",
        severity: Severity::High,
        title: "A host leads a port to a pod that is gone",
        needs: &[Fact::Hosts, Fact::Nodes, Fact::Pods, Fact::Workloads],
        check: hosts::led_astray,
        why: "Ports 80 and 443 of hosts were led to the address that the ingress controller had; \
              it was started again and had another.",
        otherwise: "The host answers nobody, although pods and names are well.",
        remedy: "Run the controller on every node with `hostPort`, and take the rule away: \
              `iptables -t nat -D PREROUTING …`.",
        runbook: None,
    },
    Rule {
        id: "NET-20",
        severity: Severity::Medium,
        title: "Names are resolved by one pod or on one node",
        needs: &[Fact::Workloads, Fact::Pods],
        check: services::one_name_server,
        why: "K3s starts one CoreDNS; with its node every name is gone.",
        otherwise: "The loss of one node stops what runs on all others.",
        remedy: "`kubectl scale -n kube-system deploy/coredns --replicas=3`, with a spread over \
              hosts.",
        runbook: None,
    },
    Rule {
        id: "NET-21",
        severity: Severity::Critical,
        title: "Pods of a node cannot be reached from another",
        needs: &[Fact::Nodes, Fact::Pods, Fact::Reached],
        check: probes::pods_apart,
        why: "After a host was installed again its firewall kept the overlay (8472/udp) out: the \
              node was Ready, its pods Running, and none reached another node.",
        otherwise: "Replicas there are counted and reach neither database nor ledger.",
        remedy: "Open 8472/udp between the nodes (51820/udp with WireGuard); if that is so, start \
              the agent again: `systemctl restart k3s-agent`.",
        runbook: None,
    },
    Rule {
        id: "NET-22",
        severity: Severity::High,
        title: "A host knows a name by a wrong address",
        needs: &[Fact::Hosts, Fact::Nodes],
        check: hosts::wrong_names,
        why: "An entry of `/etc/hosts` outlives what it was made for, and holds before the name \
              server.",
        otherwise: "Programs on the host talk to the wrong server, while the name server says the \
              right thing.",
        remedy: "Take the line out: `getent hosts NAME` before and after.",
        runbook: None,
    },
    Rule {
        id: "NET-23",
        severity: Severity::Critical,
        title: "A node cannot reach another at a port that it needs",
        needs: &[Fact::Nodes, Fact::Reached],
        check: probes::nodes_apart,
        why: "A firewall that is written by hand forgets the host that is added later.",
        otherwise: "Members do not answer, logs cannot be read, and a server that is restarted \
              does not join again.",
        remedy: "Between all nodes open 6443, 2379 and 2380, 10250 (TCP) and 8472 (UDP), from the \
              nodes' addresses alone.",
        runbook: None,
    },
    Rule {
        id: "NET-24",
        severity: Severity::High,
        title: "The main network uses certificates for trials",
        needs: &[Fact::Ingresses],
        check: services::trial_certificate,
        why: "Certificates of the trial authority look well in every list, and no browser trusts \
              them.",
        otherwise: "Browsers and clients refuse the connection.",
        remedy: "Name the issuer for real certificates, and delete the Secret so that it is made \
              again: `cert-manager.io/cluster-issuer`.",
        runbook: None,
    },
    Rule {
        id: "NET-25",
        severity: Severity::High,
        title: "The administrators' way in is open",
        needs: &[Fact::Ingresses],
        check: services::open_admin,
        why: "Without TLS passwords are read on the way; with `*` any page that an administrator \
              opens may act for them.",
        otherwise: "Whoever is on the way, or has a page, is an administrator.",
        remedy: "Give it `tls` for each host, and name the origins: \
              `nginx.ingress.kubernetes.io/cors-allow-origin`.",
        runbook: None,
    },
    Rule {
        id: "NET-26",
        severity: Severity::High,
        title: "Everybody may reach SSH of a mainnet host",
        needs: &[Fact::Hosts],
        check: hosts::open_ssh,
        why: "Hosts that are reached from everywhere are tried from everywhere.",
        otherwise: "One key or one hole in the server is enough.",
        remedy: "Let in the bastion alone. Try it in a second session, and let the rule undo \
              itself after 30 seconds unless you confirm.",
        runbook: None,
    },
    Rule {
        id: "NET-27",
        severity: Severity::Medium,
        title: "Something else listens at a port that Kubernetes wants",
        needs: &[Fact::Hosts, Fact::Nodes, Fact::Services, Fact::Pods],
        check: hosts::port_taken,
        why: "An orderer of a Compose set on a host answered at 7050, which Kubernetes had given \
              to one of its own.",
        otherwise: "Whoever comes gets one or the other, by chance and by host.",
        remedy: "Stop the other, after seeing who uses it: `ss -lntp 'sport = :PORT'`.",
        runbook: None,
    },
    Rule {
        id: "NET-28",
        severity: Severity::Medium,
        title: "A host offers services that nobody needs",
        needs: &[Fact::Hosts],
        check: hosts::not_needed,
        why: "rpcbind, a web server of the distribution and pages of developers at 3000 stood \
              open on hosts of the cluster.",
        otherwise: "Each is a way in that nobody watches.",
        remedy: "`systemctl disable --now rpcbind.socket rpcbind`; let what only the host needs \
              listen at 127.0.0.1.",
        runbook: None,
    },
    Rule {
        id: "NET-29",
        severity: Severity::Low,
        title: "A port has been forwarded for more than a day",
        needs: &[Fact::Hosts],
        check: hosts::forwarded,
        why: "A port is forwarded to look at something, and stays; others begin to use it.",
        otherwise: "It goes past every policy, and ends when the session does.",
        remedy: "End it, and make a Service if it is needed: `pgrep -af 'port-forward|socat'`.",
        runbook: None,
    },
    Rule {
        id: "NET-30",
        severity: Severity::High,
        title: "A node's firewall does not trust its pods",
        needs: &[Fact::Hosts, Fact::Nodes],
        check: hosts::untrusted_pods,
        why: "firewalld drops what comes from pods unless it trusts their range: names, webhooks \
              and probes fail on that node alone.",
        otherwise: "Pods on it fail in ways that depend on where the other end is.",
        remedy: "`firewall-cmd --permanent --zone=trusted --add-source=10.42.0.0/16 \
              --add-source=10.43.0.0/16 && firewall-cmd --reload`, or no firewall of this kind on \
              nodes.",
        runbook: None,
    },
    Rule {
        id: "NET-31",
        severity: Severity::High,
        title: "One client is led to ledgers of two networks",
        needs: &[Fact::Workloads, Fact::Services],
        check: limits::two_networks,
        why: "A configuration that is copied from one environment to another has every one of its \
              addresses to change.",
        otherwise: "A transaction is endorsed in one network and ordered in the other, or what was \
              meant as a test counts.",
        remedy: "Let all addresses be of one environment: `kubectl get configmap -n NAMESPACE NAME \
              -o yaml`.",
        runbook: None,
    },
];
