//! What acts ask of the API server. Every change names the object's UID, and the version that was
//! looked at where the object is changed rather than deleted: what somebody else has changed
//! meanwhile is not overwritten.

use kube::Client;
use kube::api::{DeleteParams, GetParams, Patch, PatchParams, PostParams, Preconditions};
use kube::core::Request;
use serde_json::{Value, json};

use crate::plans::Exact;

/// How the API server's record of changes names us.
const MANAGER: &str = "gx-ops";

/// How often a change is tried again because the object was changed meanwhile, as its status is.
const TRIES: usize = 8;

/// What a request has come to nothing for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// There is none of this name.
    Gone,
    /// It is another one, or changed.
    Surprise(String),
    /// Not now: a budget does not allow it yet.
    Later(String),
    /// The API server refuses, or does not answer.
    Refused(String),
}

fn fault(error: &kube::Error) -> Fault {
    match error {
        kube::Error::Api(status) => match status.code {
            404 => Fault::Gone,
            409 => Fault::Surprise(format!("the API server answered 409 {}", status.reason)),
            429 => Fault::Later(status.message.clone()),
            code => Fault::Refused(format!("the API server answered {code} {}", status.reason)),
        },
        _ => Fault::Refused("the API server gave no answer that can be read".to_owned()),
    }
}

/// Where objects of a kind are.
fn path(object: &Exact) -> Result<String, Fault> {
    let (group, plural) = match object.kind.as_str() {
        "Node" => ("/api/v1", "nodes"),
        "Pod" => ("/api/v1", "pods"),
        "Service" => ("/api/v1", "services"),
        "Secret" => ("/api/v1", "secrets"),
        "PersistentVolumeClaim" => ("/api/v1", "persistentvolumeclaims"),
        "PersistentVolume" => ("/api/v1", "persistentvolumes"),
        "Deployment" => ("/apis/apps/v1", "deployments"),
        "StatefulSet" => ("/apis/apps/v1", "statefulsets"),
        "ReplicaSet" => ("/apis/apps/v1", "replicasets"),
        kind => return Err(Fault::Refused(format!("no act touches a {kind}"))),
    };
    Ok(match object.namespace.as_str() {
        "" => format!("{group}/{plural}"),
        namespace => format!("{group}/namespaces/{namespace}/{plural}"),
    })
}

fn request<T>(made: Result<T, kube::core::request::Error>) -> Result<T, Fault> {
    made.map_err(|_| Fault::Refused("the request cannot be made".to_owned()))
}

/// The object, when it is the one that is meant.
pub(super) async fn get(client: &Client, object: &Exact) -> Result<Value, Fault> {
    let asked = request(Request::new(path(object)?).get(&object.name, &GetParams::default()))?;
    let found: Value = client.request(asked).await.map_err(|error| fault(&error))?;
    match found.pointer("/metadata/uid").and_then(Value::as_str) {
        Some(uid) if uid == object.uid => Ok(found),
        _ => {
            Err(Fault::Surprise(format!("{} is another one of the same name", object.reference())))
        }
    }
}

/// Changes an object as `change` says of what it is now; none when it is so already.
pub(super) async fn change(
    client: &Client,
    object: &Exact,
    change: impl Fn(&Value) -> Result<Option<Value>, Fault>,
) -> Result<(), Fault> {
    let mut last = Fault::Gone;
    for _ in 0..TRIES {
        let found = get(client, object).await?;
        let Some(mut patch) = change(&found)? else { return Ok(()) };
        if let Some(top) = patch.as_object_mut() {
            let metadata = top.entry("metadata").or_insert_with(|| json!({}));
            if let Some(metadata) = metadata.as_object_mut() {
                let version = found.pointer("/metadata/resourceVersion").cloned();
                let version = version.unwrap_or_default();
                metadata.insert("resourceVersion".to_owned(), version);
            }
        }
        let params = PatchParams { field_manager: Some(MANAGER.to_owned()), ..Default::default() };
        let patch = Patch::Merge(patch);
        let asked = request(Request::new(path(object)?).patch(&object.name, &params, &patch))?;
        match client.request::<Value>(asked).await {
            Ok(_) => return Ok(()),
            Err(error) => match fault(&error) {
                // Its status was written meanwhile; it is looked at again.
                Fault::Surprise(why) => last = Fault::Surprise(why),
                other => return Err(other),
            },
        }
    }
    Err(last)
}

fn exactly(object: &Exact) -> DeleteParams {
    let uid = Some(object.uid.clone());
    let preconditions = Some(Preconditions { uid, resource_version: None });
    DeleteParams { preconditions, ..DeleteParams::default() }
}

/// Deletes an object and no other of its name.
pub(super) async fn delete(client: &Client, object: &Exact) -> Result<(), Fault> {
    let asked = request(Request::new(path(object)?).delete(&object.name, &exactly(object)))?;
    client.request::<Value>(asked).await.map(drop).map_err(|error| fault(&error))
}

/// Evicts a pod, as its budget allows. The body is written here because the library's own leaves
/// out whose UID is meant.
pub(super) async fn evict(client: &Client, pod: &Exact) -> Result<(), Fault> {
    let body = json!({
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": pod.name, "namespace": pod.namespace},
        "deleteOptions": {"preconditions": {"uid": pod.uid}},
    });
    let params = PostParams::default();
    let body = body.to_string().into_bytes();
    let asked = Request::new(path(pod)?).create_subresource("eviction", &pod.name, &params, body);
    client.request::<Value>(request(asked)?).await.map(drop).map_err(|error| fault(&error))
}

/// Makes an object again as it was kept.
pub(super) async fn create(client: &Client, object: &Exact, kept: &str) -> Result<(), Fault> {
    let params = PostParams { field_manager: Some(MANAGER.to_owned()), ..Default::default() };
    let asked = Request::new(path(object)?).create(&params, kept.as_bytes().to_vec());
    client.request::<Value>(request(asked)?).await.map(drop).map_err(|error| fault(&error))
}

/// An object without what the API server gives it, so that it can be made again.
pub(super) fn bare(mut object: Value) -> Value {
    if let Some(metadata) = object.pointer_mut("/metadata").and_then(Value::as_object_mut) {
        for given in [
            "uid",
            "resourceVersion",
            "creationTimestamp",
            "generation",
            "managedFields",
            "selfLink",
        ] {
            metadata.remove(given);
        }
    }
    if let Some(top) = object.as_object_mut() {
        top.remove("status");
    }
    // A volume that was released is bound to a claim that is gone; it is made again free of it.
    if let Some(claim) = object.pointer_mut("/spec/claimRef").and_then(Value::as_object_mut) {
        claim.remove("uid");
        claim.remove("resourceVersion");
    }
    object
}
