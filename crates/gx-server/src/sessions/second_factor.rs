//! Second factors: set up, asked for at the log-in, and taken away again: once, for whoever logs
//! in.
//!
//! A log-in whose password was right gets a challenge instead of tokens, which is good for some
//! attempts and minutes. A code is taken once. Wrong codes count like wrong passwords, so that
//! they lead to a lock however many challenges somebody opens.

use data_encoding::BASE32_NOPAD;
use gx_store::login::challenges::{self, Challenge as Waiting, NewChallenge};
use gx_store::login::second_factors::{self, SecondFactor};
use gx_store::login::{Subject, SubjectKind, credentials, passkeys, sessions};
use gx_store::{Store, Tx};
use gx_types::TimeMs;
use schemars::JsonSchema;
use serde::Serialize;

use super::login::{self, LoginFailed, Opened, count_failure, is_locked, is_password};
use crate::api::Failure;
use crate::audit::{Audit, Change, Entry};
use crate::auth::fields::{GivenPassword, SecondFactorCode, Token};
use crate::auth::principal::Principal;
use crate::auth::session::{Origin, TokenPair};
use crate::auth::{InSession, Logins, TotpSecret, entropy, opaque_token, token_hash};
use crate::calendar::now_ms;
use crate::error::{Error, Result};
use crate::http::context::Context;
use crate::http::fields::request;

/// How a challenge is failed.
pub(crate) const VERIFY_FAILURES: [Failure; 2] =
    [(401, "mfa_invalid"), (401, "mfa_challenge_invalid")];

/// How a factor cannot be set up.
pub(crate) const SET_UP_FAILURES: [Failure; 4] = [
    (401, "mfa_invalid"),
    (403, "reauthentication_required"),
    (409, "mfa_not_set_up"),
    (409, "mfa_already_enabled"),
];

/// How a factor is not checked once more.
pub(crate) const STEP_UP_FAILURES: [Failure; 2] = [(401, "mfa_invalid"), (409, "mfa_not_enabled")];

/// How a factor is not taken away.
pub(crate) const REMOVE_FAILURES: [Failure; 4] =
    [(401, "invalid_credentials"), (401, "mfa_invalid"), (409, "mfa_not_enabled"), (503, "busy")];

/// How long a challenge waits for its code.
const CHALLENGE_MS: i64 = 5 * 60 * 1000;

/// Attempts at one challenge.
const ATTEMPTS_MAX: u32 = 5;

/// Codes for whoever loses the device.
const RECOVERY_CODES: usize = 10;

request! {
    /// The second factor of a log-in.
    pub(crate) struct VerifyBody {
        /// The `mfaToken` of the log-in.
        token as "mfaToken": Token,
        code as "code": SecondFactorCode,
    }
}

request! {
    /// Proof that it is the owner who takes the second factor away.
    pub(crate) struct RemoveBody {
        password as "password": GivenPassword,
        code as "code": SecondFactorCode,
    }
}

/// A log-in that waits for its second factor.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Challenge {
    success: bool,
    mfa_required: bool,
    /// The same, as established clients know it.
    requires_mfa: bool,
    /// `TOTP`, or `PASSKEY` for who has nothing else.
    mfa_method: &'static str,
    /// Each of which is good: a code of `TOTP` for the route that takes codes, `PASSKEY` for the
    /// log-in with one.
    mfa_methods: Vec<&'static str>,
    /// For the route that takes the code.
    mfa_token: String,
    /// Seconds until it is good for nothing.
    expires_in: i64,
}

impl std::fmt::Debug for Challenge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Challenge")
    }
}

/// A secret to put into a device. It is asked for once a code has confirmed it.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SetUp {
    /// For typing, base32.
    secret: String,
    /// For a picture (QR code) that devices read.
    otpauth_uri: String,
    verification_required: bool,
}

impl std::fmt::Debug for SetUp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SetUp")
    }
}

/// A second factor that counts from now on.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Enabled {
    success: bool,
    mfa_enabled: bool,
    /// Each lets somebody in once who has lost the device. They are shown once.
    recovery_codes: Vec<String>,
    /// The same, as established clients know them.
    backup_codes: Vec<String>,
}

impl std::fmt::Debug for Enabled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Enabled")
    }
}

/// Makes a secret for a device. `issuer` and `account` are what the device shows.
pub(crate) async fn set_up(
    logins: &Logins,
    audit: &Audit,
    caller: InSession<'_>,
    (issuer, account): (&str, &str),
) -> Result<SetUp> {
    let subject = caller.subject;
    let secret = TotpSecret::new().map_err(Error::internal)?;
    let sealed = logins.sealer().seal(&sealed_of(subject), secret.as_bytes())?;
    let mut change = audit.begin().await?;
    if !second_factors::set_up(change.tx(), subject, &sealed, TimeMs(now_ms())).await? {
        return Err(already_enabled());
    }
    record(change, subject, "mfa.setup").await?;
    Ok(SetUp {
        secret: secret.to_text(),
        otpauth_uri: secret.to_uri(issuer, account),
        verification_required: true,
    })
}

/// Has the second factor asked for from now on, if the code shows that the device has it. Sessions
/// that were opened without it end, but for the one that asks.
pub(crate) async fn enable(
    logins: &Logins,
    audit: &Audit,
    caller: InSession<'_>,
    code: SecondFactorCode,
) -> Result<Enabled> {
    login::has_just_logged_in(logins, caller).await?;
    let (subject, now) = (caller.subject, now_ms());
    let mut change = audit.begin().await?;
    let factor = second_factors::get(change.tx(), subject).await?.ok_or_else(|| {
        Error::conflict("mfa_not_set_up", "There is no second factor to confirm: set one up first")
    })?;
    if factor.confirmed_at.is_some() {
        return Err(already_enabled());
    }
    let secret = opened(logins, subject, &factor)?;
    let step = match code {
        SecondFactorCode::Totp(code) => secret.step_of(code, now).ok_or_else(wrong_code)?,
        SecondFactorCode::Recovery(_) => return Err(wrong_code()),
    };
    let confirmed = (factor.secret.as_str(), step);
    if !second_factors::confirm(change.tx(), subject, confirmed, TimeMs(now)).await? {
        return Err(already_enabled());
    }
    let codes = first_asked_for(logins, change.tx(), caller).await?;
    record(change, subject, "mfa.enable").await?;
    let backup_codes = codes.clone();
    Ok(Enabled { success: true, mfa_enabled: true, recovery_codes: codes, backup_codes })
}

/// What comes with a second factor that was not asked for before: codes for whoever loses it, and
/// the end of all other sessions, which were opened without it.
pub(super) async fn first_asked_for(
    logins: &Logins,
    tx: &mut Tx,
    caller: InSession<'_>,
) -> Result<Vec<String>> {
    let subject = caller.subject;
    let codes = recovery_codes()?;
    let hash = |code: &String| recovery_hash(logins, subject, &code.replace('-', ""));
    let hashes: Vec<String> = codes.iter().map(hash).collect();
    second_factors::set_recovery_codes(tx, subject, &hashes).await?;
    let (keep, reason) = (Some(caller.session), "second factor set up");
    let now = TimeMs(now_ms());
    sessions::revoke_all(tx, subject, keep, reason, now).await?;
    sessions::note_second_factor(tx, caller.session, now).await?;
    Ok(codes)
}

/// Takes the second factor away from whoever has password and code.
pub(crate) async fn remove(
    logins: &Logins,
    context: &Context,
    caller: InSession<'_>,
    body: RemoveBody,
) -> Result<()> {
    let subject = caller.subject;
    if !factors(logins.store(), subject).await?.device {
        let message = "There is no second factor to take away";
        return Err(Error::conflict("mfa_not_enabled", message));
    }
    let mut change = owned(logins, context, subject, body).await?;
    if passkeys::count(change.tx(), subject).await? > 0 {
        second_factors::remove_device(change.tx(), subject).await?;
    } else {
        second_factors::remove(change.tx(), subject).await?;
    }
    record(change, subject, "mfa.disable").await
}

/// Begins a change of somebody's factors, if password and code show that they are the owner.
pub(super) async fn owned(
    logins: &Logins,
    context: &Context,
    subject: Subject<'_>,
    body: RemoveBody,
) -> Result<Change> {
    let knows = is_password(logins, subject, body.password.0).await?;
    let mut change = Audit::new(logins.store().clone(), context).begin().await?;
    if !knows || !proves(logins, change.tx(), subject, body.code).await? {
        count_failure(logins, change.tx(), context, subject).await?;
        record(change, subject, "mfa.fail").await?;
        return Err(if knows { wrong_code() } else { LoginFailed.into() });
    }
    Ok(change)
}

/// What somebody has beside the password.
#[derive(Debug, Clone, Copy)]
pub(super) struct Factors {
    /// A device that shows codes.
    pub(super) device: bool,
    pub(super) passkeys: u64,
}

impl Factors {
    /// Whether a log-in with a password needs another factor.
    pub(super) const fn any(self) -> bool {
        self.device || self.passkeys > 0
    }

    fn methods(self) -> Vec<&'static str> {
        let device = self.device.then_some("TOTP");
        device.into_iter().chain((self.passkeys > 0).then_some("PASSKEY")).collect()
    }
}

pub(super) async fn factors(store: &Store, subject: Subject<'_>) -> Result<Factors> {
    let factor = second_factors::get(store, subject).await?;
    let device = factor.is_some_and(|factor| factor.confirmed_at.is_some());
    Ok(Factors { device, passkeys: passkeys::count(store, subject).await? })
}

/// Asks somebody for the second factor whose password was right.
pub(super) async fn challenge(
    logins: &Logins,
    origin: &Origin<'_>,
    subject: Subject<'_>,
    factors: Factors,
) -> Result<Challenge> {
    let token = opaque_token().map_err(Error::internal)?;
    let mut change = Audit::new(logins.store().clone(), origin.context).begin().await?;
    let new = NewChallenge {
        challenge_hash: &token_hash(&token),
        subject,
        device: origin.device.as_deref(),
        expires_at: TimeMs(now_ms() + CHALLENGE_MS),
    };
    challenges::open(change.tx(), new).await?;
    record(change, subject, "mfa.challenge").await?;
    Ok(Challenge {
        success: true,
        mfa_required: true,
        requires_mfa: true,
        mfa_method: if factors.device { "TOTP" } else { "PASSKEY" },
        mfa_methods: factors.methods(),
        mfa_token: token,
        expires_in: CHALLENGE_MS / 1000,
    })
}

/// Opens the session that a challenge stands for, if the code is right. Gives back whose it is.
pub(crate) async fn verify(
    logins: &Logins,
    origin: Origin<'_>,
    kind: SubjectKind,
    body: VerifyBody,
) -> Result<(TokenPair, String)> {
    let mut change = Audit::new(logins.store().clone(), origin.context).begin().await?;
    let challenge = attempt(change.tx(), kind, &body.token).await?;
    let subject = challenge.subject();
    let locked = is_locked(credentials::get(change.tx(), subject).await?.as_ref());
    if locked || !proves(logins, change.tx(), subject, body.code).await? {
        count_failure(logins, change.tx(), origin.context, subject).await?;
        record(change, subject, "mfa.fail").await?;
        return Err(wrong_code());
    }
    let principal = Principal::load(change.tx(), subject).await?.ok_or_else(no_challenge)?;
    if !principal.is_admitted()? {
        return Err(no_challenge());
    }
    let origin = Origin { device: challenge.device.clone(), ..origin };
    let tokens = login::open(logins, change, origin, &principal, Opened::WithSecondFactor).await?;
    Ok((tokens, challenge.subject))
}

/// Counts an attempt at the challenge of a log-in. Commit also when it fails.
pub(super) async fn attempt(tx: &mut Tx, kind: SubjectKind, token: &Token) -> Result<Waiting> {
    let (hash, now) = (token_hash(&token.0), TimeMs(now_ms()));
    let found = challenges::attempt(tx, (kind, &hash), ATTEMPTS_MAX, now).await?;
    found.ok_or_else(no_challenge)
}

/// Checks the second factor once more in a session that stands, for what asks for a fresh one.
pub(crate) async fn step_up(
    logins: &Logins,
    context: &Context,
    caller: InSession<'_>,
    code: SecondFactorCode,
) -> Result<()> {
    let (subject, now) = (caller.subject, TimeMs(now_ms()));
    let mut change = Audit::new(logins.store().clone(), context).begin().await?;
    if !factors(logins.store(), subject).await?.any() {
        let message = "There is no second factor to check";
        return Err(Error::conflict("mfa_not_enabled", message));
    }
    let locked = is_locked(credentials::get(change.tx(), subject).await?.as_ref());
    if locked || !proves(logins, change.tx(), subject, code).await? {
        count_failure(logins, change.tx(), context, subject).await?;
        record(change, subject, "mfa.fail").await?;
        return Err(wrong_code());
    }
    sessions::note_second_factor(change.tx(), caller.session, now).await?;
    record(change, subject, "mfa.step-up").await
}

/// Whether a code is somebody's, and takes it: it is good once.
async fn proves(
    logins: &Logins,
    tx: &mut Tx,
    subject: Subject<'_>,
    code: SecondFactorCode,
) -> Result<bool> {
    let now = now_ms();
    match code {
        SecondFactorCode::Totp(code) => {
            let factor = second_factors::get(&mut *tx, subject).await?;
            let Some(factor) = factor.filter(|factor| factor.confirmed_at.is_some()) else {
                return Ok(false);
            };
            match opened(logins, subject, &factor)?.step_of(code, now) {
                Some(step) => Ok(second_factors::take_step(tx, subject, step).await?),
                None => Ok(false),
            }
        }
        SecondFactorCode::Recovery(code) => {
            let hash = recovery_hash(logins, subject, &code);
            Ok(second_factors::take_recovery_code(tx, subject, &hash, TimeMs(now)).await?)
        }
    }
}

fn opened(logins: &Logins, subject: Subject<'_>, factor: &SecondFactor) -> Result<TotpSecret> {
    let secret = logins.sealer().open(&sealed_of(subject), &factor.secret);
    let secret = secret.as_deref().and_then(TotpSecret::from_bytes);
    secret.ok_or_else(|| Error::internal("a second factor was sealed under another key"))
}

/// What a sealed secret is, and whose.
fn sealed_of(subject: Subject<'_>) -> String {
    format!("second factor of {subject}")
}

fn recovery_hash(logins: &Logins, subject: Subject<'_>, code: &str) -> String {
    logins.pepper().of_recovery_code(&subject.to_string(), code)
}

/// 50 random bits each, in letters that are not mistaken for one another.
fn recovery_codes() -> Result<Vec<String>> {
    let one = || -> Result<String> {
        let random = BASE32_NOPAD.encode(&entropy::<7>().map_err(Error::internal)?);
        let letters = random.to_ascii_lowercase();
        let (first, rest) = letters.split_at(5);
        Ok(format!("{first}-{}", rest.get(..5).unwrap_or_default()))
    };
    (0..RECOVERY_CODES).map(|_| one()).collect()
}

pub(super) async fn record(change: Change, subject: Subject<'_>, what: &str) -> Result<()> {
    let (actor, action) = (subject.to_string(), format!("{}.{what}", subject.kind.word()));
    change.commit(Entry { actor: &actor, action: &action, target: subject.id }).await
}

fn already_enabled() -> Error {
    let message = "There is a second factor already; take it away first";
    Error::conflict("mfa_already_enabled", message)
}

fn wrong_code() -> Error {
    let message = "The code is wrong or was used before; the device's clock may be off";
    Error::unauthorized("mfa_invalid", message)
}

fn no_challenge() -> Error {
    let message = "The log-in took too long or too many attempts: log in again";
    Error::unauthorized("mfa_challenge_invalid", message)
}
