//! The snapshot itself: one table of its parts, from which the struct, the names of facts and
//! their ways of being collected are made.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::*;

/// Version of the format. A reader refuses others than its own.
pub const SCHEMA_VERSION: u32 = 1;

/// Something that a collector has to say about what it did not take.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Note {
    pub about: String,
    pub text: String,
}

/// A text that is no snapshot.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    #[error("this is no snapshot")]
    Json(#[from] serde_json::Error),
    #[error("a snapshot of version {found} cannot be read, only one of version {SCHEMA_VERSION}")]
    Version { found: u32 },
}

macro_rules! snapshot {
    ($( $(#[$doc:meta])* $fact:ident $field:ident: $type:ty, $how:literal; )*) => {
        /// All that is known at one time. Of the same snapshot the same answers are made, byte for
        /// byte: nothing that reads it asks for the time or anything else.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields, rename_all = "camelCase")]
        pub struct Snapshot {
            pub version: u32,
            /// When it was made: the present, for whatever is computed from it.
            pub taken: Time,
            /// Which cluster it is of: the UID of the namespace `kube-system`.
            #[serde(default, skip_serializing_if = "is_default")]
            pub cluster: Known<String>,
            /// Version of the cluster's API server.
            #[serde(default, skip_serializing_if = "is_default")]
            pub api_version: Known<String>,
            #[serde(default, skip_serializing_if = "Vec::is_empty")]
            pub notes: Vec<Note>,
            $(
                $(#[$doc])*
                #[serde(default, skip_serializing_if = "is_default")]
                pub $field: Part<$type>,
            )*
            #[serde(skip)]
            pub(super) index: index::Cached,
        }

        impl Snapshot {
            /// A snapshot of nothing: every part is missing.
            pub fn empty(taken: Time) -> Self {
                Self {
                    version: SCHEMA_VERSION,
                    taken,
                    cluster: Known::default(),
                    api_version: Known::default(),
                    notes: Vec::new(),
                    $( $field: Part::default(), )*
                    index: index::Cached::default(),
                }
            }

            /// Why a part is missing; none when it is there.
            pub fn lacks(&self, fact: Fact) -> Option<&str> {
                match fact {
                    $( Fact::$fact => self.$field.reason(), )*
                }
            }

            /// Where a part comes from.
            pub fn sources(&self, fact: Fact) -> &[Source] {
                match fact {
                    $( Fact::$fact => self.$field.sources(), )*
                }
            }

            /// How many things of a kind it knows.
            pub fn count(&self, fact: Fact) -> usize {
                match fact {
                    $( Fact::$fact => self.$field.items().len(), )*
                }
            }

            /// The same without one part, as if it had not been collected.
            #[must_use]
            pub fn without(mut self, fact: Fact) -> Self {
                match fact {
                    $( Fact::$fact => self.$field = Part::default(), )*
                }
                self.index = index::Cached::default();
                self
            }

            pub(super) fn merge_parts(&mut self, other: Self) {
                $( self.$field = std::mem::take(&mut self.$field).merged(other.$field); )*
            }
        }

        /// The kinds of facts, each a part of the snapshot. A rule names those it needs.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[derive(Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "camelCase")]
        pub enum Fact {
            $( $fact, )*
        }

        impl Fact {
            pub const ALL: &'static [Self] = &[$( Self::$fact, )*];

            /// Name of the part in the snapshot.
            pub const fn name(self) -> &'static str {
                match self {
                    $( Self::$fact => stringify!($field), )*
                }
            }

            /// What to do to have it.
            pub const fn how(self) -> &'static str {
                match self {
                    $( Self::$fact => $how, )*
                }
            }
        }
    };
}

snapshot! {
    Nodes nodes: Node, "kubectl get nodes -o json";
    Pods pods: Pod, "kubectl get pods -A -o json";
    Workloads workloads: Workload,
        "kubectl get deploy,sts,ds,rs,jobs,cronjobs -A -o json";
    Services services: Service, "kubectl get services -A -o json";
    Endpoints endpoints: Endpoints, "kubectl get endpointslices,endpoints -A -o json";
    NetworkPolicies network_policies: NetworkPolicy, "kubectl get networkpolicies -A -o json";
    Ingresses ingresses: Ingress, "kubectl get ingresses -A -o json";
    Claims claims: Claim, "kubectl get pvc -A -o json";
    Volumes volumes: PersistentVolume, "kubectl get pv -o json";
    StorageClasses storage_classes: StorageClass, "kubectl get storageclasses -o json";
    Longhorn longhorn: LonghornVolume,
        "kubectl get volumes.longhorn.io,replicas.longhorn.io -A -o json";
    Budgets budgets: DisruptionBudget, "kubectl get pdb -A -o json";
    Autoscalers autoscalers: Autoscaler, "kubectl get hpa -A -o json";
    Quotas quotas: Quota, "kubectl get quota -A -o json";
    LimitRanges limit_ranges: LimitRange, "kubectl get limits -A -o json";
    Namespaces namespaces: Namespace, "kubectl get namespaces -o json";
    PriorityClasses priority_classes: PriorityClass, "kubectl get priorityclasses -o json";
    Secrets secrets: Secret,
        "kubectl get secrets -A -o json --show-managed-fields | gx ops collect -";
    ConfigMaps config_maps: ConfigMap,
        "kubectl get configmaps -A -o json --show-managed-fields | gx ops collect -";
    ServiceAccounts service_accounts: ServiceAccount, "kubectl get serviceaccounts -A -o json";
    Roles roles: Role, "kubectl get roles,clusterroles -A -o json";
    RoleBindings role_bindings: RoleBinding,
        "kubectl get rolebindings,clusterrolebindings -A -o json";
    CustomKinds custom_kinds: CustomKind, "kubectl get crds -o json";
    ManagedCertificates managed_certificates: ManagedCertificate,
        "kubectl get certificates.cert-manager.io -A -o json";
    Issuers issuers: Issuer, "kubectl get issuers,clusterissuers -A -o json";
    Events events: Event, "kubectl get events -A -o json";
    Certificates certificates: Certificate,
        "kubectl get secrets,configmaps -A -o json | gx ops collect -";
    Etcd etcd: Etcd, "gx ops host-script | ssh SERVER 'sudo sh -s' > SERVER.txt";
    Hosts hosts: Host, "gx ops host-script | ssh HOST 'sudo sh -s' > HOST.txt";
    Postgres postgres: Postgres,
        "gx ops postgres-script | psql -X -v place='Pod NAMESPACE/POD' URL > POD.json";
    Redis redis: Redis,
        "gx ops ask-script | sh -s -- redis 'Pod NAMESPACE/POD' -h HOST > POD.txt";
    Ledgers ledgers: Ledger,
        "gx ops ask-script | sh -s -- fabric ORGANIZATION URL... > fabric.txt";
    Processes processes: Process,
        "gx ops ask-script | sh -s -- process URL... > processes.txt";
    Monitoring monitoring: Monitoring,
        "gx ops ask-script | sh -s -- prometheus URL ALERTMANAGER-URL > monitoring.txt";
    Reached reached: Reached,
        "gx ops host-script | ssh HOST 'sudo sh -s -- NAME:PORT …' > HOST.txt";
    Backups backups: Backup, "gx backup status --json > backups.json";
    DeploymentRecords deployment_records: DeploymentRecord,
        "gx admin deployments list --json > deployments.json";
    Inventory inventory: Inventory, "give gx ops collect the file inventory.toml as well";
}

impl Snapshot {
    /// Reads one.
    ///
    /// # Errors
    /// When the text is none, or one of another version.
    pub fn parse(text: &str) -> Result<Self, SnapshotError> {
        #[derive(Deserialize)]
        struct Head {
            version: u32,
        }
        let Head { version } = serde_json::from_str(text)?;
        if version != SCHEMA_VERSION {
            return Err(SnapshotError::Version { found: version });
        }
        Ok(serde_json::from_str(text)?)
    }

    /// Its text: JSON in one line, always the same for the same facts.
    ///
    /// # Errors
    /// Never for a snapshot that was read or collected.
    pub fn to_text(&self) -> Result<String, SnapshotError> {
        Ok(serde_json::to_string(self)?)
    }

    /// The JSON schema of the format.
    pub fn schema() -> schemars::Schema {
        schemars::schema_for!(Self)
    }

    /// What was declared, when something was.
    pub fn declared(&self) -> Option<&Inventory> {
        self.inventory.items().first()
    }

    /// The environment of a namespace: of the inventory when it says so, else by its ending.
    pub fn environment<'a>(&'a self, namespace: &'a str) -> Option<&'a str> {
        let declared = self.declared().into_iter().flat_map(|inventory| &inventory.environments);
        let mut named = declared.filter(|(_, one)| one.namespaces.iter().any(|n| n == namespace));
        if let Some((name, _)) = named.next() {
            return Some(name);
        }
        let ending = namespace.rsplit('-').next().unwrap_or_default();
        match (namespace, ending) {
            // The network of the main environment, before environments had names.
            ("fabric", _) => Some("mainnet"),
            (_, "mainnet" | "testnet" | "devnet") => Some(ending),
            _ => None,
        }
    }

    /// Every object of Kubernetes with its annotations.
    pub fn annotated(&self) -> impl Iterator<Item = (ObjectRef, &BTreeMap<String, Value>)> {
        fn of<T: Object>(part: &Part<T>) -> Box<dyn Iterator<Item = &dyn Object> + '_> {
            Box::new(part.items().iter().map(|one| one as &dyn Object))
        }
        let all = [
            of(&self.nodes),
            of(&self.pods),
            of(&self.workloads),
            of(&self.services),
            of(&self.endpoints),
            of(&self.network_policies),
            of(&self.ingresses),
            of(&self.claims),
            of(&self.volumes),
            of(&self.storage_classes),
            of(&self.budgets),
            of(&self.autoscalers),
            of(&self.quotas),
            of(&self.limit_ranges),
            of(&self.namespaces),
            of(&self.priority_classes),
            of(&self.secrets),
            of(&self.config_maps),
            of(&self.service_accounts),
            of(&self.roles),
            of(&self.role_bindings),
            of(&self.custom_kinds),
            of(&self.managed_certificates),
            of(&self.issuers),
        ];
        all.into_iter()
            .flatten()
            .filter(|one| !one.annotations().is_empty())
            .map(|one| (one.reference(), one.annotations()))
    }

    pub fn is_mainnet(&self, namespace: &str) -> bool {
        self.environment(namespace) == Some("mainnet")
    }

    /// Seconds from a time to when the snapshot was taken.
    pub fn age(&self, of: Time) -> u64 {
        self.taken.seconds_since(of)
    }

    /// Finds things by what they are called and by what they belong to. It is made once; a
    /// snapshot is not changed after that, only copies of it are, and a copy has one of its own.
    pub fn index(&self) -> &Index {
        self.index.of(self)
    }

    /// Tells it that its parts were changed, so that it finds things as they are now.
    pub(crate) fn forget_index(&mut self) {
        self.index = index::Cached::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_is_read_as_it_was_written_and_others_are_refused() {
        let mut snapshot = Snapshot::empty(Time::from_seconds(1_800_000_000));
        let node = Node { name: "a".to_owned(), ..Node::default() };
        snapshot.nodes = Part::collected(Source::default(), vec![node]);
        let text = snapshot.to_text().unwrap();
        assert_eq!(Snapshot::parse(&text).unwrap(), snapshot);
        assert!(matches!(
            Snapshot::parse(&text.replace("\"version\":1", "\"version\":2")),
            Err(SnapshotError::Version { found: 2 })
        ));
        let misspelt = text.replace("\"nodes\"", "\"nodse\"");
        assert!(matches!(Snapshot::parse(&misspelt), Err(SnapshotError::Json(_))));
    }

    #[test]
    fn what_was_not_collected_is_missing_and_says_so() {
        let snapshot = Snapshot::empty(Time::default());
        for fact in Fact::ALL {
            assert_eq!(snapshot.lacks(*fact), Some("it was not collected"), "{fact:?}");
        }
    }

    #[test]
    fn environments_are_endings_unless_they_are_declared() {
        let mut snapshot = Snapshot::empty(Time::default());
        assert_eq!(snapshot.environment("backend-testnet"), Some("testnet"));
        assert_eq!(snapshot.environment("fabric"), Some("mainnet"));
        assert_eq!(snapshot.environment("monitoring"), None);
        let environment = DeclaredEnvironment {
            namespaces: vec!["monitoring".to_owned()],
            ..DeclaredEnvironment::default()
        };
        let environments = [("devnet".to_owned(), environment)].into();
        let inventory = Inventory { environments, ..Inventory::default() };
        snapshot.inventory = Part::collected(Source::default(), vec![inventory]);
        assert_eq!(snapshot.environment("monitoring"), Some("devnet"));
    }
}
