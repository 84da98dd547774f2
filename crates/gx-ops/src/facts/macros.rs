//! How facts are declared: plain structs whose fields all have a default, so that a fixture states
//! nothing but what matters, and whose unknown fields are refused, so that a typing error in one is
//! not taken for a fact.

/// Structs without an identity of their own.
macro_rules! facts {
    ($(
        $(#[$meta:meta])*
        pub struct $name:ident {
            $( $(#[$field_meta:meta])* pub $field:ident: $type:ty, )*
        }
    )*) => { $(
        $(#[$meta])*
        #[derive(
            Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize,
            schemars::JsonSchema,
        )]
        #[serde(default, deny_unknown_fields, rename_all = "camelCase")]
        pub struct $name {
            $(
                $(#[$field_meta])*
                #[serde(skip_serializing_if = "crate::facts::is_default")]
                pub $field: $type,
            )*
        }
    )* };
}

/// Objects of a Kubernetes API: what `facts!` makes, with the metadata that all of them have.
macro_rules! objects {
    ($(
        $(#[$meta:meta])*
        pub struct $name:ident = $kind:literal {
            $( $(#[$field_meta:meta])* pub $field:ident: $type:ty, )*
        }
    )*) => { $(
        facts! {
            $(#[$meta])*
            pub struct $name {
                pub name: String,
                /// Empty for objects of the whole cluster.
                pub namespace: String,
                pub uid: String,
                pub created: Option<crate::facts::Time>,
                /// Since when it is being deleted.
                pub deleting: Option<crate::facts::Time>,
                pub finalizers: Vec<String>,
                pub labels: crate::facts::Labels,
                /// Values that are not on the list of harmless ones are hidden.
                pub annotations: std::collections::BTreeMap<String, crate::facts::Value>,
                /// The object that controls it.
                pub owner: Option<crate::facts::Owner>,
                $( $(#[$field_meta])* pub $field: $type, )*
            }
        }
        impl crate::facts::Object for $name {
            fn kind(&self) -> &str {
                $kind
            }
            object_fields!();
        }
        impl crate::facts::Keyed for $name {
            fn key(&self) -> String {
                format!("{}/{}", self.namespace, self.name)
            }
        }
    )* };
}

/// The accessors that every object shares.
macro_rules! object_fields {
    () => {
        fn name(&self) -> &str {
            &self.name
        }
        fn namespace(&self) -> &str {
            &self.namespace
        }
        fn uid(&self) -> &str {
            &self.uid
        }
        fn created(&self) -> Option<crate::facts::Time> {
            self.created
        }
        fn labels(&self) -> &crate::facts::Labels {
            &self.labels
        }
        fn annotations(&self) -> &std::collections::BTreeMap<String, crate::facts::Value> {
            &self.annotations
        }
        fn owner(&self) -> Option<&crate::facts::Owner> {
            self.owner.as_ref()
        }
    };
}
