//! The bytes that a key signs for a command, for wallets that have no library of ours.
//!
//! The command's own route reads the body as it always does; what it would give is told instead of
//! given. So nothing here knows a command, and a route that is added is known.

use axum::body::Body as Bytes;
use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use gx_contract::{Command, Envelope, PublicKey, key_proof_bytes};
use gx_types::{CommandId, NetworkId, TimeMs};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::api::guard::{dispatch, no_such_route};
use crate::api::{Answer, Input, Route, Served, Shape};
use crate::app::App;
use crate::auth::Caller;
use crate::calendar::{now_ms, rfc3339};
use crate::error::{Error, Result, refusal_status};
use crate::http::context::Context;
use crate::http::extract::{Body, Key};
use crate::http::fields::{Field, FieldErrors, FieldPath, Instant, Text, request, required};

/// How long a signature is good for, unless somebody says otherwise.
const GOOD_FOR_MS: i64 = 60 * 60 * 1000;

pub(crate) fn routes() -> [Route; 1] {
    [Route::post("/api/v1/commands/canonical", canonical)
        .only_asks()
        .summary("The bytes that the caller's key signs for a command, which is not given by this")
        .sample(
            r#"{"route": "POST /api/v1/transfers", "body": {"toUserId": "SYSTEM_CHARITABLE_POOL",
                "amount": "1.00"}}"#,
        )
        .fails(&[
            (403, "forbidden"),
            (403, "not_own_account"),
            (404, "not_found"),
            (404, "route_not_found"),
            (404, "user_not_found"),
            (409, "not_on_ledger"),
        ])]
}

/// A JSON object, which the command's route reads.
#[derive(Debug, Clone)]
pub(crate) struct Given(pub(super) Map<String, Value>);

impl Field for Given {
    fn read(value: Option<&Value>, at: FieldPath<'_>, errors: &mut FieldErrors) -> Option<Self> {
        match required(value, at, errors)? {
            Some(Value::Object(object)) => Some(Self(object.clone())),
            _ => {
                errors.add(at, "not_an_object", "must be a JSON object");
                None
            }
        }
    }
}

impl JsonSchema for Given {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Given".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object" })
    }
}

request! {
    /// A command that is to be signed. It is given to its own route under the same idempotency key,
    /// with the same body and the signature.
    pub(crate) struct CanonicalBody {
        /// Method and path of the command's route.
        route as "route": Text<1, 500>,
        /// What is sent to it, without the signature.
        body as "body": Given,
        /// The last time at which the signature is good, at most 24 hours ahead; an hour from now
        /// when it is left out.
        expires_at as "expiresAt": Option<Instant>,
    }
}

/// What somebody signs.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CanonicalReply {
    /// The id that the command will have.
    #[schemars(with = "String")]
    command_id: CommandId,
    network: &'static str,
    /// `user:` or `admin:` and the id.
    actor: String,
    /// `Contract:Function`.
    function: &'static str,
    /// The arguments as they are signed.
    arguments: String,
    /// As `signature.expiresAt` has to say it.
    expires_at: String,
    /// What the key of the actor signs, in hexadecimal digits.
    signed_bytes: String,
    /// Of commands that set a key: the new key signs first, and its proof is among the arguments.
    new_key: Option<NewKeyReply>,
}

/// What a new key signs.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewKeyReply {
    /// Whose key it will be.
    holder: String,
    public_key: PublicKey,
    /// What it signs, in hexadecimal digits; the signature is the body's `proof`.
    proof_bytes: String,
}

/// Somebody wants to know what would be given. It stands in the extensions of their request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    expires_at: TimeMs,
}

impl Asked {
    /// What the actor signs for a command that could be given.
    pub(super) fn tell(self, mut envelope: Envelope, network: NetworkId) -> Result<CanonicalReply> {
        envelope.validate()?;
        let signed = envelope.signed_bytes(network, self.expires_at);
        let id = envelope.command_id;
        let new_key = envelope.new_key().map(|new| NewKeyReply {
            holder: new.holder.to_string(),
            public_key: new.key,
            proof_bytes: hex::encode(key_proof_bytes(network, &new.holder, id)),
        });
        Ok(CanonicalReply {
            command_id: id,
            network: network.as_str(),
            actor: envelope.actor.to_string(),
            function: envelope.command.name(),
            arguments: envelope.command.args_json(),
            expires_at: rfc3339(self.expires_at.0),
            signed_bytes: hex::encode(signed),
            new_key,
        })
    }
}

/// What a request is asked again with: who calls, and under which key.
#[derive(Debug)]
struct Asking {
    app: App,
    served: Served,
    context: Context,
    key: Key,
    authorization: HeaderValue,
}

impl FromRequestParts<App> for Asking {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let missing = || Error::internal("the guard let a request without a token pass");
        let authorization = parts.headers.get(header::AUTHORIZATION).cloned();
        Ok(Self {
            app: app.clone(),
            served: Served::from_request_parts(parts, app).await?,
            context: Context::from_request_parts(parts, app).await?,
            key: Key::from_request_parts(parts, app).await?,
            authorization: authorization.ok_or_else(missing)?,
        })
    }
}

impl Input for Asking {
    fn describe(shape: &mut Shape) {
        Caller::describe(shape);
        Key::describe(shape);
    }
}

impl Asking {
    /// The route of a command that takes signatures.
    fn route(&self, method: &str, path: &str) -> Result<&'static Route> {
        let takes = |route: &&Route| route.is_signed() && route.verb.as_str() == method;
        let mut known = self.served.routes.iter().filter(takes);
        // Fixed words win over parameters, as in the router.
        let exact = known.clone().find(|route| route.path == path);
        let found = exact.or_else(|| known.find(|route| fits(route.path, path)));
        found.ok_or_else(|| no_such_route(method, path))
    }

    /// The same caller's request to that route.
    fn request(&self, method: &str, path: &str, body: &Given, asked: Asked) -> Result<Request> {
        let bytes = serde_json::to_vec(&body.0).map_err(Error::internal)?;
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::AUTHORIZATION, &self.authorization)
            .header(header::CONTENT_TYPE, "application/json")
            .header("idempotency-key", &self.key.0)
            .extension(self.context.clone())
            .extension(asked);
        request.body(Bytes::from(bytes)).map_err(|_| no_such_route(method, path))
    }
}

/// Whether a path is one of a route's.
fn fits(pattern: &str, path: &str) -> bool {
    let (mut wanted, mut given) = (pattern.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(word), Some(text)) if word == text || word.starts_with('{') => {}
            _ => return false,
        }
    }
}

/// What the command's route has told, or why it would not be given.
#[derive(Debug)]
struct Told(Response<Bytes>);

impl IntoResponse for Told {
    fn into_response(self) -> Response<Bytes> {
        self.0
    }
}

impl Answer for Told {
    fn describe(shape: &mut Shape) {
        shape.json::<CanonicalReply>(StatusCode::OK);
        let commands = Command::descriptions();
        for refusal in commands.into_iter().flat_map(|command| command.refusals) {
            shape.fails(&[(refusal_status(refusal).as_u16(), refusal.code())]);
        }
    }
}

/// `POST /commands/canonical`
async fn canonical(asking: Asking, Body(body): Body<CanonicalBody>) -> Result<Told> {
    let (method, path) = body.route.0.split_once(' ').unwrap_or_default();
    if path.contains(['?', '#']) {
        return Err(no_such_route(method, path));
    }
    let route = asking.route(method, path)?;
    let usual = || now_ms().saturating_add(GOOD_FOR_MS);
    let asked = Asked { expires_at: TimeMs(body.expires_at.map_or_else(usual, |at| at.0)) };
    let request = asking.request(method, path, &body.body, asked)?;
    Ok(Told(dispatch(&asking.app, route, asking.served, request).await))
}
