//! Passkeys: made by whoever is logged in, and good for a log-in alone or as its second factor.
//!
//! Whoever fails to log in with one learns one thing only: that it failed. A challenge is used up
//! by the first answer to it, right or wrong. A lock after wrong passwords does not concern
//! passkeys: they cannot be guessed, and nobody is to be locked out by others' guesses.

use gx_store::login::passkeys::{self, CREDENTIAL, Passkey, Purpose};
use gx_store::login::{Subject, SubjectKind, second_factors};
use gx_types::{NetworkId, TimeMs};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::{Value, json};

use super::login::{self, LoginFailed, Opened, is_password, note_failure};
use super::second_factor::{self, factors, first_asked_for, record};
use crate::api::Failure;
use crate::audit::{Audit, Change, Entry};
use crate::auth::fields::{GivenPassword, SecondFactorCode, Token};
use crate::auth::principal::Principal;
use crate::auth::session::{Origin, TokenPair};
use crate::auth::webauthn::{Assertion, Begun, NewCredential, Refused, RelyingParty, is_backed_up};
use crate::auth::{InSession, Logins, random_id};
use crate::calendar::{now_ms, rfc3339};
use crate::error::{Detail, Error, Result};
use crate::http::answer::{Page, place};
use crate::http::context::Context;
use crate::http::fields::{Field, FieldErrors, FieldPath, Text, Written, request, required};
use crate::http::paging::Limit;

/// How a passkey is not asked for.
pub(crate) const ASK_FAILURES: [Failure; 4] = [
    (401, "invalid_credentials"),
    (403, "reauthentication_required"),
    (501, "passkeys_unsupported"),
    (503, "busy"),
];

/// How a passkey is not kept.
pub(crate) const REGISTER_FAILURES: [Failure; 5] = [
    (400, "passkey_challenge_invalid"),
    (400, "passkey_invalid"),
    (409, "passkey_already_registered"),
    (409, "too_many_passkeys"),
    UNSUPPORTED,
];

/// How a log-in with a passkey fails.
pub(crate) const LOGIN_FAILURES: [Failure; 3] =
    [(401, "passkey_invalid"), (401, "mfa_challenge_invalid"), UNSUPPORTED];

/// How the last factor is not taken away.
pub(crate) const REMOVE_FAILURES: [Failure; 3] =
    [(401, "invalid_credentials"), (401, "mfa_invalid"), (503, "busy")];

/// The settings have no passkeys.
pub(crate) const UNSUPPORTED: Failure = (501, "passkeys_unsupported");

/// A body that keeps a passkey.
pub(crate) const REGISTER_SAMPLE: &str = r#"{"credential": {"id": "{credentialId}",
    "rawId": "{credentialId}", "type": "public-key", "response": {
    "clientDataJSON": "{clientDataJSON}", "attestationObject": "{attestationObject}"}},
    "name": "Ada's phone"}"#;

/// A body that logs in.
pub(crate) const LOGIN_SAMPLE: &str = r#"{"credential": {"id": "{credentialId}",
    "rawId": "{credentialId}", "type": "public-key", "response": {
    "clientDataJSON": "{clientDataJSON}", "authenticatorData": "{authenticatorData}",
    "signature": "{signature}", "userHandle": "{userHandle}"}}}"#;

/// A body that renames one.
pub(crate) const RENAME_SAMPLE: &str = r#"{"name": "Ada's phone"}"#;

/// How many somebody may have.
const PASSKEYS_MAX: u32 = 20;

/// What an authenticator answers, as `PublicKeyCredential.toJSON()` gives it.
macro_rules! credentials {
    ($($(#[$meta:meta])* $name:ident($read:ty), $member:literal;)+) => {$(
        $(#[$meta])*
        #[derive(Debug)]
        pub(crate) struct $name($read);

        impl Field for $name {
            fn read(
                value: Option<&Value>,
                at: FieldPath<'_>,
                errors: &mut FieldErrors,
            ) -> Option<Self> {
                let given = required(value, at, errors)??;
                match <$read>::read(given.to_string().as_bytes()) {
                    Ok(read) => Some(Self(read)),
                    Err(reason) => {
                        let what = "must be the JSON of a public key credential";
                        errors.add(at, "invalid_credential", format!("{what}: {reason}"));
                        None
                    }
                }
            }
        }

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "type": "object",
                    "description": "What PublicKeyCredential.toJSON() gives (WebAuthn, level 3)",
                    "properties": {
                        "id": { "type": "string" },
                        "rawId": { "type": "string" },
                        "type": { "const": "public-key" },
                        "response": {
                            "type": "object",
                            "properties": {
                                "clientDataJSON": { "type": "string" },
                                $member: { "type": "string" },
                            },
                            "required": ["clientDataJSON", $member],
                        },
                    },
                    "required": ["id", "response", "type"],
                })
            }
        }
    )+};
}

credentials! {
    /// A new passkey.
    GivenCredential(NewCredential), "attestationObject";
    /// The use of one.
    GivenAssertion(Assertion), "authenticatorData";
}

request! {
    /// Nothing, by whoever has logged in a moment ago; or the password.
    pub(crate) struct AskBody {
        password as "password": Option<GivenPassword>,
    }
}

request! {
    /// What the authenticator has made.
    pub(crate) struct RegisterBody {
        credential as "credential": GivenCredential,
        /// What its owner calls it.
        name as "name": Option<Written<1, 100>>,
    }
}

request! {
    /// What the authenticator has signed.
    pub(crate) struct LogInBody {
        credential as "credential": GivenAssertion,
        /// The `mfaToken` of a log-in with a password that waits for its second factor.
        token as "mfaToken": Option<Token>,
        /// What the client calls its device; kept with the session.
        device as "deviceFingerprint": Option<Written<0, 200>>,
    }
}

request! {
    /// Another name.
    pub(crate) struct RenameBody {
        name as "name": Written<1, 100>,
    }
}

request! {
    /// Nothing, unless it is the last second factor of somebody outside devnet: then the proof that
    /// it is the owner who takes it away.
    pub(crate) struct RemoveBody {
        password as "password": Option<GivenPassword>,
        /// Of a device, or a recovery code.
        code as "code": Option<SecondFactorCode>,
    }
}

request! {
    /// Which part of the list of passkeys.
    pub(crate) struct PasskeysQuery {
        /// The `nextCursor` of the page before.
        cursor as "cursor": Option<Text<1, 64>>,
        limit as "limit": Option<Limit>,
    }
}

/// What an authenticator is to be asked.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Asked {
    /// For `PublicKeyCredential.parseCreationOptionsFromJSON()` or `parseRequestOptionsFromJSON()`.
    public_key: Value,
    /// Seconds until the challenge is good for nothing.
    expires_in: i64,
}

/// A passkey as its owner sees it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OwnPasskey {
    id: String,
    name: String,
    /// As the authenticator calls it, base64url.
    credential_id: String,
    /// Whether it is kept beyond the one device.
    backed_up: bool,
    created_at: String,
    last_used_at: Option<String>,
}

impl From<Passkey> for OwnPasskey {
    fn from(row: Passkey) -> Self {
        Self {
            backed_up: is_backed_up(&row),
            id: row.passkey_id,
            name: row.name,
            credential_id: row.credential_id,
            created_at: rfc3339(row.created_at.0),
            last_used_at: row.last_used_at.map(|at| rfc3339(at.0)),
        }
    }
}

/// A passkey as it is kept now.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PasskeyKept {
    passkey: OwnPasskey,
    message: &'static str,
}

/// A passkey that counts from now on.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Registered {
    passkey: OwnPasskey,
    /// With the first second factor: each lets somebody in once who has lost it. They are shown
    /// once.
    #[serde(skip_serializing_if = "Option::is_none")]
    recovery_codes: Option<Vec<String>>,
}

impl std::fmt::Debug for Registered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Registered")
    }
}

/// Asks for a new passkey of the caller's, whom devices show by `name`.
pub(crate) async fn ask_new(
    logins: &Logins,
    context: &Context,
    caller: InSession<'_>,
    name: &str,
    body: AskBody,
) -> Result<Asked> {
    let (subject, party) = (caller.subject, party(logins)?);
    prove_again(logins, context, caller, body.password).await?;
    let existing = passkeys::list(logins.store(), subject, None, PASSKEYS_MAX).await?;
    let begun = party.ask_new(subject, name, &existing).map_err(Error::internal)?;
    let mut change = Audit::new(logins.store().clone(), context).begin().await?;
    let asked = keep(logins, party, &mut change, begun, Purpose::Register(subject)).await?;
    record(change, subject, "passkey.challenge").await?;
    Ok(asked)
}

/// Refuses somebody who neither has logged in a moment ago nor gives the password.
async fn prove_again(
    logins: &Logins,
    context: &Context,
    caller: InSession<'_>,
    password: Option<GivenPassword>,
) -> Result<()> {
    if let Some(password) = password {
        if is_password(logins, caller.subject, password.0).await? {
            return Ok(());
        }
        note_failure(logins, context, caller.subject).await?;
        return Err(LoginFailed.into());
    }
    login::has_just_logged_in(logins, caller).await
}

/// Asks whoever is there for a passkey of theirs. Nothing is said about who has any.
pub(crate) async fn ask_any(
    logins: &Logins,
    context: &Context,
    kind: SubjectKind,
) -> Result<Asked> {
    let party = party(logins)?;
    let begun = party.ask_any().map_err(Error::internal)?;
    let mut change = Audit::new(logins.store().clone(), context).begin().await?;
    let asked = keep(logins, party, &mut change, begun, Purpose::LogIn(kind)).await?;
    let action = format!("{}.passkey.challenge", kind.word());
    change.commit(Entry { actor: "system", action: &action, target: "" }).await?;
    Ok(asked)
}

async fn keep(
    logins: &Logins,
    party: &RelyingParty,
    change: &mut Change,
    begun: Begun,
    purpose: Purpose<'_>,
) -> Result<Asked> {
    let until = TimeMs(now_ms() + party.timeout_ms());
    let sealed = logins.sealer().seal(&sealed_of(&begun.challenge_hash), &begun.state)?;
    passkeys::open(change.tx(), &begun.challenge_hash, purpose, &sealed, until).await?;
    Ok(Asked { public_key: begun.options, expires_in: party.timeout_ms() / 1000 })
}

/// Keeps a passkey of the caller's.
pub(crate) async fn register(
    logins: &Logins,
    audit: &Audit,
    caller: InSession<'_>,
    body: RegisterBody,
) -> Result<Registered> {
    let (subject, party, given) = (caller.subject, party(logins)?, body.credential.0);
    let is_first = !factors(logins.store(), subject).await?.any();
    let (mut change, hash, now) = (audit.begin().await?, given.challenge_hash(), now_ms());
    let purpose = Purpose::Register(subject);
    let sealed = passkeys::take(change.tx(), &hash, purpose, TimeMs(now)).await?;
    let state = opened(logins, &hash, &sealed.ok_or_else(no_challenge)?)?;
    let made = match party.check_new(&state, &given) {
        Ok(made) => made,
        Err(refused) => {
            fail(change, Some(subject), refused).await?;
            let message = "The authenticator's answer is not one to what it was asked";
            return Err(Error::bad_request("passkey_invalid", message));
        }
    };
    let row = Passkey {
        passkey_id: random_id().map_err(Error::internal)?,
        credential_id: made.credential_id,
        kind: subject.kind,
        owner: subject.id.to_owned(),
        name: body.name.map_or_else(|| "Passkey".to_owned(), |name| name.0),
        public_key: made.public_key,
        transports: made.transports,
        state: made.state,
        created_at: TimeMs(now),
        last_used_at: None,
    };
    if !passkeys::create(change.tx(), &row, PASSKEYS_MAX.into()).await.map_err(taken)? {
        let message = format!("There are {PASSKEYS_MAX} passkeys already");
        return Err(Error::conflict("too_many_passkeys", message));
    }
    let recovery_codes = match is_first {
        true => Some(first_asked_for(logins, change.tx(), caller).await?),
        false => None,
    };
    record(change, subject, "passkey.register").await?;
    Ok(Registered { passkey: row.into(), recovery_codes })
}

/// Opens a session for whoever shows a passkey of theirs. Gives back whose it is.
pub(crate) async fn log_in(
    logins: &Logins,
    origin: Origin<'_>,
    kind: SubjectKind,
    body: LogInBody,
) -> Result<(TokenPair, String)> {
    let (party, given, now) = (party(logins)?, body.credential.0, TimeMs(now_ms()));
    if kind == SubjectKind::Admin && body.token.is_none() && !logins.auth().passkeys.admins_alone {
        let message = "Log in with the password first: here a passkey is its second factor";
        let status = axum::http::StatusCode::FORBIDDEN;
        return Err(Error::new(status, "password_required", message));
    }
    let mut change = Audit::new(logins.store().clone(), origin.context).begin().await?;
    let hash = given.challenge_hash();
    let sealed = passkeys::take(change.tx(), &hash, Purpose::LogIn(kind), now).await?;
    let state = opened(logins, &hash, &sealed.ok_or_else(wrong)?)?;
    let found = passkeys::by_credential(change.tx(), &given.credential_id()).await?;
    let Some(passkey) = found.filter(|passkey| passkey.kind == kind) else {
        let reason = Refused::Other("nobody has registered the credential".to_owned());
        return Err(refuse(change, None, reason).await);
    };
    let subject = passkey.subject();
    let used = match party.check(&state, &given, &passkey) {
        Ok(used) => used,
        Err(reason) => return Err(refuse(change, Some(subject), reason).await),
    };
    let mut device = body.device.map(|device| device.0);
    if let Some(token) = &body.token {
        let waiting = second_factor::attempt(change.tx(), kind, token).await?;
        if waiting.subject() != subject {
            let reason = Refused::Other("the log-in that waits is another's".to_owned());
            return Err(refuse(change, Some(subject), reason).await);
        }
        device = device.or_else(|| waiting.device.clone());
    }
    // Of two uses at once one is noted, so that the counter counts.
    if !passkeys::note_use(change.tx(), &passkey, &used, now).await? {
        return Err(wrong());
    }
    let principal = Principal::load(change.tx(), subject).await?.ok_or_else(wrong)?;
    if !principal.is_admitted()? {
        return Err(wrong());
    }
    let origin = Origin { device, ..origin };
    let tokens = login::open(logins, change, origin, &principal, Opened::WithSecondFactor).await?;
    Ok((tokens, passkey.owner))
}

/// The error of a log-in that is written down.
async fn refuse(change: Change, subject: Option<Subject<'_>>, refused: Refused) -> Error {
    match fail(change, subject, refused).await {
        Ok(()) => wrong(),
        Err(error) => error,
    }
}

/// Writes down that a passkey did not count, and that its challenge is used up.
async fn fail(change: Change, subject: Option<Subject<'_>>, refused: Refused) -> Result<()> {
    let (what, reason) = match refused {
        // Somebody has copied the key, or the authenticator: worth finding in the log.
        Refused::Counter => ("passkey.counter", "the counter of signatures went back".to_owned()),
        Refused::Other(reason) => ("passkey.fail", reason),
    };
    let kind = subject.map_or(SubjectKind::User, |subject| subject.kind);
    let actor = subject.map_or_else(|| "system".to_owned(), |subject| subject.to_string());
    let (action, target) = (format!("{}.{what}", kind.word()), subject.map_or("", |s| s.id));
    let entry = Entry { actor: &actor, action: &action, target };
    change.commit_with(entry, &json!({ "reason": reason })).await
}

/// A page of the caller's passkeys, oldest first.
pub(crate) async fn list(
    logins: &Logins,
    caller: InSession<'_>,
    query: PasskeysQuery,
) -> Result<Page<OwnPasskey>> {
    let after: Option<Cursor> = place(query.cursor)?;
    let limit = query.limit.map_or(20, |limit| limit.0);
    let after = after.as_ref().map(|after| (after.created_at, after.passkey_id.as_str()));
    let rows = passkeys::list(logins.store(), caller.subject, after, limit + 1).await?;
    let cursor = |row: &Passkey| format!("{}.{}", row.created_at.0, row.passkey_id);
    Page::of(rows, limit, cursor).try_map(|row| Ok(row.into()))
}

/// Where a list of passkeys goes on.
#[derive(Debug)]
struct Cursor {
    created_at: TimeMs,
    passkey_id: String,
}

impl std::str::FromStr for Cursor {
    type Err = ();

    fn from_str(text: &str) -> std::result::Result<Self, ()> {
        let (at, id) = text.split_once('.').ok_or(())?;
        let created_at = TimeMs(at.parse().map_err(|_| ())?);
        Ok(Self { created_at, passkey_id: id.to_owned() })
    }
}

/// Gives a passkey of the caller's another name.
pub(crate) async fn rename(
    audit: &Audit,
    caller: InSession<'_>,
    id: &str,
    body: RenameBody,
) -> Result<PasskeyKept> {
    let (subject, mut change) = (caller.subject, audit.begin().await?);
    if !passkeys::rename(change.tx(), subject, id, &body.name.0).await? {
        return Err(missing());
    }
    let row = passkeys::get(change.tx(), subject, id).await?.ok_or_else(missing)?;
    record(change, subject, "passkey.rename").await?;
    Ok(PasskeyKept { passkey: row.into(), message: "Renamed" })
}

/// Takes a passkey of the caller's away. The last second factor goes as a device does that shows
/// codes, where coins are worth something.
pub(crate) async fn remove(
    logins: &Logins,
    context: &Context,
    network: NetworkId,
    caller: InSession<'_>,
    (id, body): (&str, RemoveBody),
) -> Result<()> {
    let (subject, store) = (caller.subject, logins.store());
    passkeys::get(store, subject, id).await?.ok_or_else(missing)?;
    let factors = factors(store, subject).await?;
    let is_last = !factors.device && factors.passkeys == 1;
    let mut change = if is_last && network != NetworkId::Devnet {
        second_factor::owned(logins, context, subject, proof(body)?).await?
    } else {
        Audit::new(store.clone(), context).begin().await?
    };
    if !passkeys::remove(change.tx(), subject, id).await? {
        return Err(missing());
    }
    if is_last {
        second_factors::remove(change.tx(), subject).await?;
    }
    record(change, subject, "passkey.remove").await
}

fn proof(body: RemoveBody) -> Result<second_factor::RemoveBody> {
    let mut faults = Vec::new();
    let mut lacks = |field: &str| {
        let message = "is required to take the last second factor away";
        let (field, code) = (field.to_owned(), "required".into());
        faults.push(Detail { field, code, message: message.into() });
    };
    if body.password.is_none() {
        lacks("password");
    }
    if body.code.is_none() {
        lacks("code");
    }
    match (body.password, body.code) {
        (Some(password), Some(code)) => Ok(second_factor::RemoveBody { password, code }),
        _ => Err(Error::invalid(faults)),
    }
}

fn party(logins: &Logins) -> Result<&RelyingParty> {
    logins.passkeys().ok_or_else(|| {
        let status = axum::http::StatusCode::NOT_IMPLEMENTED;
        Error::new(status, "passkeys_unsupported", "This network has no passkeys")
    })
}

fn opened(logins: &Logins, challenge_hash: &str, sealed: &str) -> Result<Vec<u8>> {
    let state = logins.sealer().open(&sealed_of(challenge_hash), sealed);
    state.ok_or_else(|| Error::internal("a challenge was sealed under another key"))
}

/// What a sealed state is, and of which challenge.
fn sealed_of(challenge_hash: &str) -> String {
    format!("passkey challenge {challenge_hash}")
}

fn taken(error: gx_store::Error) -> Error {
    if error.is_unique(CREDENTIAL) {
        Error::conflict("passkey_already_registered", "The passkey is registered already")
    } else {
        error.into()
    }
}

fn missing() -> Error {
    Error::not_found("Passkey")
}

fn no_challenge() -> Error {
    let message = "The challenge is unknown, too old or was answered before: ask for another one";
    Error::bad_request("passkey_challenge_invalid", message)
}

/// One answer for every way of failing.
fn wrong() -> Error {
    let message = "The passkey is unknown, or its answer is not one to what it was asked";
    Error::unauthorized("passkey_invalid", message)
}
