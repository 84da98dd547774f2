//! Who may do what in a cluster.

facts! {
    pub struct Permission {
        pub groups: Vec<String>,
        pub resources: Vec<String>,
        pub names: Vec<String>,
        pub verbs: Vec<String>,
    }

    pub struct Subject {
        /// `ServiceAccount`, `User` or `Group`.
        pub kind: String,
        pub namespace: String,
        pub name: String,
    }
}

objects! {
    pub struct ServiceAccount = "ServiceAccount" {
        pub pull_secrets: Vec<String>,
        pub automount_token: Option<bool>,
    }

    /// A Role, or a ClusterRole, which has no namespace.
    pub struct Role = "Role" {
        pub rules: Vec<Permission>,
    }

    /// A RoleBinding, or a ClusterRoleBinding, which has no namespace.
    pub struct RoleBinding = "RoleBinding" {
        /// `Role` or `ClusterRole`.
        pub role_kind: String,
        pub role: String,
        pub subjects: Vec<Subject>,
    }

    /// A kind that was added to the API, by its name, such as
    /// `servicemonitors.monitoring.coreos.com`.
    pub struct CustomKind = "CustomResourceDefinition" {
        pub group: String,
        pub kind: String,
        pub versions: Vec<String>,
    }
}
