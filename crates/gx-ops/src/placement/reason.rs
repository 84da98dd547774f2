//! Why a node is excluded, in the scheduler's own words.

use std::fmt;

/// One filter's reason against one node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Not the scheduler's: it goes by the taint that such a node gets.
    NotReady,
    Unschedulable,
    Taint,
    /// A selector or a required affinity to nodes.
    NodeAffinity,
    /// The pod names its nodes, and this is none of them.
    NotNamed,
    Ports,
    Pods,
    /// Of this resource there is not enough left.
    Insufficient(String),
    ClaimInUse,
    VolumeElsewhere,
    NoVolume,
    NoSuchVolume,
    VolumeZone,
    Spread,
    SpreadLabel,
    PodAffinity,
    AntiAffinity,
    /// A pod that is there does not want this one near it.
    OthersAntiAffinity,
    /// Not the scheduler's: the pod is never to pull its image, and the node has it not.
    NoImage,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotReady => "node(s) were not ready",
            Self::Unschedulable => "node(s) were unschedulable",
            Self::Taint => "node(s) had untolerated taint(s)",
            Self::NodeAffinity => "node(s) didn't match Pod's node affinity/selector",
            Self::NotNamed => "node(s) didn't satisfy plugin(s) [NodeAffinity]",
            Self::Ports => "node(s) didn't have free ports for the requested pod ports",
            Self::Pods => "Too many pods",
            Self::Insufficient(resource) => return write!(f, "Insufficient {resource}"),
            Self::ClaimInUse => {
                "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access \
                 mode already in-use by another pod"
            }
            Self::VolumeElsewhere => "node(s) didn't match PersistentVolume's node affinity",
            Self::NoVolume => "node(s) didn't find available persistent volumes to bind",
            Self::NoSuchVolume => {
                "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)"
            }
            Self::VolumeZone => "node(s) had no available volume zone",
            Self::Spread => "node(s) didn't match pod topology spread constraints",
            Self::SpreadLabel => {
                "node(s) didn't match pod topology spread constraints (missing required label)"
            }
            Self::PodAffinity => "node(s) didn't match pod affinity rules",
            Self::AntiAffinity => "node(s) didn't match pod anti-affinity rules",
            Self::OthersAntiAffinity => "node(s) didn't satisfy existing pods anti-affinity rules",
            Self::NoImage => "node(s) didn't have an image that is never pulled",
        })
    }
}

/// Why a pod is not placed whatever the nodes are.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    Gated,
    TermsConflict,
    NoClaim(String),
    NoEphemeralClaim(String),
    LostClaim { claim: String, volume: String },
    DeletedClaim(String),
    UnboundClaims,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gated => write!(f, "Scheduling is blocked due to non-empty scheduling gates"),
            Self::TermsConflict => write!(f, "pod affinity terms conflict"),
            Self::NoClaim(claim) => write!(f, "persistentvolumeclaim \"{claim}\" not found"),
            Self::NoEphemeralClaim(claim) => write!(
                f,
                "waiting for ephemeral volume controller to create the persistentvolumeclaim \
                 \"{claim}\""
            ),
            Self::LostClaim { claim, volume } => write!(
                f,
                "persistentvolumeclaim \"{claim}\" bound to non-existent persistentvolume \
                 \"{volume}\""
            ),
            Self::DeletedClaim(claim) => {
                write!(f, "persistentvolumeclaim \"{claim}\" is being deleted")
            }
            Self::UnboundClaims => write!(f, "pod has unbound immediate PersistentVolumeClaims"),
        }
    }
}
