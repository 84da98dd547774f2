//! Secrets, certificates and configuration: equal where they must be, apart where they must be.
//!
//! No rule here knows a secret: a snapshot tells whether two are equal, how long they are, and of
//! which characters they consist.

mod access;
mod certificates;
mod credentials;
mod holders;
mod network;
mod references;
mod settings;

use gx_types::Severity;

use super::Rule;
use crate::facts::Fact;

pub(super) const RULES: [Rule; 36] = [
    Rule {
        id: "SEC-01",
        severity: Severity::Critical,
        title: "Copies of one password differ",
        needs: &[Fact::Secrets],
        check: credentials::copies_differ,
        why: "A database's password stood in four Secrets under four names, as a password and \
              inside of an address. One copy was changed, and every service that read another one \
              could not log in.",
        otherwise: "Pods that run go on; each one that starts anew is refused by the database.",
        remedy: "Find out which one the server takes, write it into all of them in one go, and \
                 restart what reads them: `kubectl rollout restart`.",
        runbook: Some("operations/secrets.md"),
    },
    Rule {
        id: "SEC-02",
        severity: Severity::High,
        title: "A password stands in an address with characters that break it",
        needs: &[Fact::Secrets],
        check: credentials::breaks_address,
        why: "A password in Base64 had a slash and an equals sign, and the address that it was put \
              into ended at the slash. The check of addresses was loosened, and the password \
              stayed.",
        otherwise: "Some programs read the address as meant, others log in elsewhere or not at \
                    all.",
        remedy: "Draw one of letters and digits, `openssl rand -hex 32`, or encode it by percent \
                 signs where it stands in an address.",
        runbook: Some("operations/secrets.md"),
    },
    Rule {
        id: "SEC-03",
        severity: Severity::Medium,
        title: "Several Secrets of a namespace hold the same credential",
        needs: &[Fact::Secrets],
        check: credentials::several_copies,
        why: "Whoever changes a credential has to know all of its copies; four Secrets with four \
              names held one.",
        otherwise: "The next change misses one of them.",
        remedy: "Keep it in one Secret, and have everything refer to that.",
        runbook: None,
    },
    Rule {
        id: "SEC-04",
        severity: Severity::Critical,
        title: "A Secret or ConfigMap that a workload needs is not there",
        needs: &[Fact::Workloads],
        check: references::missing,
        why: "A pod whose variable comes from a key that does not exist is not started: \
              CreateContainerConfigError.",
        otherwise: "Pods that run go on until they are restarted, and then none comes up.",
        remedy: "Create the key, or correct the name in the manifest.",
        runbook: None,
    },
    Rule {
        id: "SEC-05",
        severity: Severity::Critical,
        title: "Two environments share a credential, or one points into another",
        needs: &[Fact::Secrets],
        check: credentials::shared_across,
        why: "The address of a cache in a test environment led to that of mainnet; the test \
              emptied it.",
        otherwise: "Whoever may work in the test environment works in production.",
        remedy: "Draw credentials of its own for each environment, and point each at its own \
                 servers.",
        runbook: Some("operations/secrets.md"),
    },
    Rule {
        id: "SEC-06",
        severity: Severity::Medium,
        title: "Database and cache have the same password",
        needs: &[Fact::Secrets],
        check: credentials::shared_by_stores,
        why: "The password of a cache lies in more hands than that of the books.",
        otherwise: "Who learns one has both.",
        remedy: "Draw another one for the cache, and restart its clients.",
        runbook: None,
    },
    Rule {
        id: "SEC-07",
        severity: Severity::Critical,
        title: "A private key lies in a ConfigMap",
        needs: &[Fact::ConfigMaps],
        check: settings::key_in_config_map,
        why: "ConfigMaps are not encrypted at rest, and whoever may look at settings may read \
              them. A wallet with its keys lay in one.",
        otherwise: "The key counts as given away.",
        remedy: "Move it into a Secret, then make a new key and have the old certificate revoked.",
        runbook: None,
    },
    Rule {
        id: "SEC-08",
        severity: Severity::High,
        title: "A secret stands in a manifest or a ConfigMap",
        needs: &[Fact::Workloads, Fact::ConfigMaps],
        check: settings::plain_secret,
        why: "Passwords stood in manifests, and went from there into repositories, tickets and \
              records of work.",
        otherwise: "Everybody who sees the manifest has it.",
        remedy: "Move it into a Secret and refer to it by secretKeyRef, then change it: it has \
                 been seen.",
        runbook: None,
    },
    Rule {
        id: "SEC-09",
        severity: Severity::Critical,
        title: "A password is one that everybody tries",
        needs: &[Fact::Secrets, Fact::ConfigMaps, Fact::Workloads],
        check: credentials::well_known,
        why: "Authorities, state databases and dashboards ran with the passwords of their \
              examples.",
        otherwise: "Whoever reaches the port is in.",
        remedy: "Draw a password, `openssl rand -hex 32`, set it on the server first and then on \
                 its clients.",
        runbook: None,
    },
    Rule {
        id: "SEC-10",
        severity: Severity::High,
        title: "A client has no password for a Redis that asks for one",
        needs: &[Fact::Secrets, Fact::Workloads],
        check: credentials::no_password,
        why: "Backups of a cache answered NOAUTH for weeks and were counted as done.",
        otherwise: "The client is refused whenever it connects.",
        remedy: "Put the password into its address: `redis://:PASSWORD@HOST:6379`.",
        runbook: None,
    },
    Rule {
        id: "SEC-11",
        severity: Severity::High,
        title: "A setting of one environment names another",
        needs: &[Fact::Workloads, Fact::ConfigMaps],
        check: network::names_another,
        why: "Services that had been copied from a test environment asked its peers for its \
              channel.",
        otherwise: "The service talks to the wrong network, or to none.",
        remedy: "Generate settings from the environment's name in place of copying them.",
        runbook: None,
    },
    Rule {
        id: "SEC-12",
        severity: Severity::Critical,
        title: "A client's organization is not that of the peers",
        needs: &[Fact::Workloads],
        check: network::wrong_organization,
        why: "A client signed as Org1MSP where the network knew the organization under the name \
              of its environment.",
        otherwise: "Every transaction is refused: the creator is not known.",
        remedy: "Set the client's identifier to CORE_PEER_LOCALMSPID of its peers.",
        runbook: None,
    },
    Rule {
        id: "SEC-13",
        severity: Severity::High,
        title: "A client lacks an organization whose endorsement is needed",
        needs: &[Fact::Workloads],
        check: network::lacks_organization,
        why: "The countries could not be written because the client knew the peers of one \
              organization, and the policy asked for both.",
        otherwise: "Transactions fail with a mismatch of the endorsement policy.",
        remedy: "Give it endpoint and TLS certificate of a peer of each organization that the \
                 policy names.",
        runbook: None,
    },
    Rule {
        id: "SEC-14",
        severity: Severity::High,
        title: "The authority that a client trusts has not signed the peers' certificates",
        needs: &[Fact::Certificates],
        check: certificates::wrong_authority,
        why: "Each organization has two authorities, one for identities and one for TLS; the \
              client had the first one's certificate.",
        otherwise: "No connection to the peer comes up, and the fault reads like one of the \
                    network.",
        remedy: "Take the certificate whose common name begins with tlsca.",
        runbook: None,
    },
    Rule {
        id: "SEC-15",
        severity: Severity::High,
        title: "A secret's file cannot be read by the user of its container",
        needs: &[Fact::Workloads],
        check: references::unreadable,
        why: "Files of a Secret belong to root; with the mode 0400 and without fsGroup nobody else \
              reads them. A service could not open its key.",
        otherwise: "The program ends when it opens the file.",
        remedy: "Set fsGroup to the user's group and defaultMode to 0440.",
        runbook: None,
    },
    Rule {
        id: "SEC-16",
        severity: Severity::Medium,
        title: "Pods run with settings that have been changed since",
        needs: &[Fact::Pods],
        check: references::changed_since,
        why: "Variables, and files mounted by subPath, are read when a container starts. A setting \
              was edited and tested against pods that had never seen it.",
        otherwise: "What runs is not what is written, until some pods restart and others do not.",
        remedy: "`kubectl rollout restart`, and let names of ConfigMaps follow from their content.",
        runbook: None,
    },
    Rule {
        id: "SEC-17",
        severity: Severity::High,
        title: "A variable switches TLS otherwise than the file",
        needs: &[Fact::Workloads, Fact::ConfigMaps],
        check: settings::switched_otherwise,
        why: "Fabric takes a variable before its file. A file said that TLS is on, and the \
              variable had it off.",
        otherwise: "Whoever reads the file believes what does not hold.",
        remedy: "Say it in one place.",
        runbook: None,
    },
    Rule {
        id: "SEC-18",
        severity: Severity::Critical,
        title: "A peer or orderer will not find its configuration",
        needs: &[Fact::Workloads],
        check: references::no_configuration,
        why: "A change of affinity made four peers again at once, and none came up: their folder \
              of configuration held no core.yaml, which nobody had seen while they ran.",
        otherwise: "It ends as soon as it is restarted.",
        remedy: "Mount core.yaml or orderer.yaml into the folder of FABRIC_CFG_PATH, and restart \
                 one of them first.",
        runbook: None,
    },
    Rule {
        id: "SEC-19",
        severity: Severity::High,
        title: "A file that is mounted is not in its Secret or ConfigMap",
        needs: &[Fact::Workloads],
        check: references::missing_file,
        why: "The kubelet does not start a pod whose items name a key that is not there, and makes \
              a folder of a subPath that is not.",
        otherwise: "Pods wait in ContainerCreating, or the program finds a folder in place of a \
                    file.",
        remedy: "Add the key, or correct items and subPath.",
        runbook: None,
    },
    Rule {
        id: "SEC-20",
        severity: Severity::High,
        title: "A program lacks a setting that it needs",
        needs: &[Fact::Workloads],
        check: settings::lacks_setting,
        why: "A front end was rolled out without the secret of its sessions, and nobody could log \
              in.",
        otherwise: "The program ends at its start, or fails when it is used first.",
        remedy: "Set it; what a workload must have stands under requiredSettings in the \
                 inventory.",
        runbook: None,
    },
    Rule {
        id: "SEC-21",
        severity: Severity::Medium,
        title: "A client in the cluster goes through the public name",
        needs: &[Fact::Workloads, Fact::Ingresses],
        check: network::public_name,
        why: "Requests left the cluster, went through the edge with its limits, and came back.",
        otherwise: "The edge's outage and its limits of rate become those of calls inside.",
        remedy: "Use the Service's name: `http://NAME.NAMESPACE.svc.cluster.local:PORT`.",
        runbook: None,
    },
    Rule {
        id: "SEC-22",
        severity: Severity::Critical,
        title: "A host lets people in by password",
        needs: &[Fact::Hosts],
        check: access::password_login,
        why: "Five hosts took passwords from the whole Internet, and several had the same one for \
              root.",
        otherwise: "Guessing goes on day and night, and one success is enough for all hosts.",
        remedy: "Prove on every host that keys work, then set PasswordAuthentication no and reload \
                 the daemon: `systemctl reload sshd`.",
        runbook: None,
    },
    Rule {
        id: "SEC-23",
        severity: Severity::Medium,
        title: "A list of authorized keys is not in order",
        needs: &[Fact::Hosts],
        check: access::untidy_keys,
        why: "Of twelve lines two were empty, one was a copy, and one held two keys in a row, so \
              that neither worked.",
        otherwise: "Somebody who should get in does not, or a key that was taken away stands there \
                    once more.",
        remedy: "One key a line, each with a comment that names its owner: \
                 `ssh-keygen -lf ~/.ssh/authorized_keys` lists them.",
        runbook: None,
    },
    Rule {
        id: "SEC-24",
        severity: Severity::Critical,
        title: "An address for administrators answers without a login",
        needs: &[Fact::Ingresses],
        check: access::open_to_all,
        why: "Such an address has to answer 401 or 403; 200 means that anybody may.",
        otherwise: "Whoever finds the address administers the platform.",
        remedy: "Take the route off the ingress now, then find out why it asks for nobody.",
        runbook: None,
    },
    Rule {
        id: "SEC-25",
        severity: Severity::Critical,
        title: "A certificate for TLS ends soon",
        needs: &[Fact::Certificates],
        check: certificates::tls_ends,
        why: "On the day after, nothing that checks it connects any more.",
        otherwise: "Everything behind it stops at once, at a known hour.",
        remedy: "Renew it: `kubectl describe certificate` says why that did not happen by itself.",
        runbook: None,
    },
    Rule {
        id: "SEC-26",
        severity: Severity::Medium,
        title: "A certificate is asked for a name that leads nowhere",
        needs: &[Fact::ManagedCertificates],
        check: certificates::leads_nowhere,
        why: "An authority tries the name before it signs; an order for one without an address \
              waits for ever.",
        otherwise: "No certificate is issued, for the other names of the order neither.",
        remedy: "Add the A record, or take the name out of dnsNames.",
        runbook: None,
    },
    Rule {
        id: "SEC-27",
        severity: Severity::High,
        title: "A certificate or its issuer is not ready",
        needs: &[Fact::ManagedCertificates, Fact::Issuers],
        check: certificates::not_ready,
        why: "Renewal fails in silence, weeks before anybody is refused.",
        otherwise: "The certificate runs out.",
        remedy: "Follow it from the certificate to its order: \
                 `kubectl describe certificate,order,challenge`.",
        runbook: None,
    },
    Rule {
        id: "SEC-28",
        severity: Severity::Medium,
        title: "Pods are refused because they ask for too little",
        needs: &[Fact::LimitRanges, Fact::Workloads],
        check: certificates::below_limits,
        why: "A namespace wanted 100m of every container, the helper that proves a domain to the \
              authority asks for 10m, and certificates were not renewed.",
        otherwise: "Those pods are never created, and nothing else says why.",
        remedy: "Lower min of the LimitRange to what the smallest helper asks for.",
        runbook: None,
    },
    Rule {
        id: "SEC-29",
        severity: Severity::High,
        title: "An identity of the ledger ends soon, or its root authority is online",
        needs: &[Fact::Certificates, Fact::Workloads],
        check: certificates::identity_ends,
        why: "Identities live for a year and nothing renews them. A root authority that runs can \
              be made to sign.",
        otherwise: "The service's transactions are refused from that day on.",
        remedy: "Enrol it again, replace the Secret and restart one service at a time; stop the \
                 root authority between two signings.",
        runbook: None,
    },
    Rule {
        id: "SEC-30",
        severity: Severity::High,
        title: "An identity lacks the attribute that says what it may do",
        needs: &[Fact::Certificates],
        check: certificates::no_role,
        why: "The chaincode asks for the attribute gxc_role. An identity that was enrolled without \
              it was refused with every call.",
        otherwise: "Everything that it signs is refused.",
        remedy: "Register it with the attribute gxc_role, marked for certificates, and enrol it \
                 again.",
        runbook: None,
    },
    Rule {
        id: "SEC-31",
        severity: Severity::Medium,
        title: "A peer tells others an address that is its own machine",
        needs: &[Fact::Workloads, Fact::Certificates],
        check: network::loopback,
        why: "Peers and clients find each other by what they tell; 127.0.0.1 leads everybody to \
              themselves.",
        otherwise: "Discovery and the exchange of blocks fail between organizations.",
        remedy: "Set CORE_PEER_GOSSIP_EXTERNALENDPOINT to the Service's name, and have that name \
                 in the certificate.",
        runbook: None,
    },
    Rule {
        id: "SEC-32",
        severity: Severity::High,
        title: "An archive with secrets lies outside without encryption",
        needs: &[Fact::Workloads],
        check: access::open_archives,
        why: "Archives of keys and Secrets went to a drive of somebody else as they were.",
        otherwise: "Whoever gets at the drive has every key of the platform.",
        remedy: "Use `gx backup run`, which encrypts always; delete the open archives, and change \
                 what was in them.",
        runbook: Some("backup.md"),
    },
    Rule {
        id: "SEC-33",
        severity: Severity::High,
        title: "An account of a lower environment may change a higher one",
        needs: &[Fact::RoleBindings, Fact::Roles],
        check: access::reaches_up,
        why: "The account that deployed from the development environment could patch every \
              Deployment of mainnet, and start programs in its pods.",
        otherwise: "Who breaks into the development environment is in production.",
        remedy: "Give each environment an account of its own, bound in its own namespaces alone.",
        runbook: Some("promotion.md"),
    },
    Rule {
        id: "SEC-34",
        severity: Severity::Medium,
        title: "Others can read a kubeconfig",
        needs: &[Fact::Hosts],
        check: access::readable_kubeconfig,
        why: "It holds the key of an administrator of the cluster; a flag of the installation made \
              it readable for every user of the host.",
        otherwise: "Any program on the host is administrator of the cluster.",
        remedy: "`chmod 600 FILE`, and take write-kubeconfig-mode out of the configuration of K3s.",
        runbook: None,
    },
    Rule {
        id: "SEC-35",
        severity: Severity::Medium,
        title: "A script trusts any host, or shows its password",
        needs: &[Fact::Workloads, Fact::ConfigMaps],
        check: access::careless_scripts,
        why: "Everybody on the machine sees what stands on a command line, and a host whose key is \
              not checked may be anybody.",
        otherwise: "What the script copies goes to whoever answers.",
        remedy: "Keep host keys in known_hosts, and hand passwords over by file or by variable.",
        runbook: None,
    },
    Rule {
        id: "SEC-36",
        severity: Severity::Medium,
        title: "A credential has not been changed for a long time",
        needs: &[Fact::Secrets],
        check: credentials::old,
        why: "Whoever has left, and whatever has leaked, still opens the door.",
        otherwise: "The list of those who know it only grows.",
        remedy: "Change it, and write the day into the annotation ops.gx/rotated of the Secret.",
        runbook: Some("operations/secrets.md"),
    },
];
