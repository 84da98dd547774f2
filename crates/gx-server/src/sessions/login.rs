//! Logging in with a password, locking after failures, logging out and another password: once, for
//! whoever logs in.
//!
//! Whoever fails to log in learns one thing only: that it failed. Known and unknown accounts,
//! wrong passwords and locked accounts get the same answer after the same time.

use axum::http::StatusCode;
use gx_store::Tx;
use gx_store::admin::audit;
use gx_store::login::credentials::{self, Credentials, PasswordHash};
use gx_store::login::{Subject, SubjectKind, challenges, refresh_tokens, sessions};
use gx_types::TimeMs;

use super::second_factor::{self, Challenge};
use crate::api::Failure;
use crate::audit::{Audit, Change, Entry, audit_row};
use crate::auth::fields::Token;
use crate::auth::principal::Principal;
use crate::auth::session::{self, Origin, TokenPair};
use crate::auth::{InSession, Logins, token_hash};
use crate::calendar::now_ms;
use crate::config::Auth;
use crate::error::{Error, Result};
use crate::http::context::Context;
use crate::http::fields::request;

/// How a log-in fails.
pub(crate) const LOGIN_FAILURES: [Failure; 2] = [(401, "invalid_credentials"), (503, "busy")];

request! {
    /// Nothing has to be said.
    pub(crate) struct LogoutBody {
        /// Ends the session of this refresh token as well, if it is the caller's.
        token as "refreshToken": Option<Token>,
    }
}

/// What a right password leads to.
#[derive(Debug)]
pub(crate) enum Outcome<R> {
    /// A session, and the row of whom it is for.
    Opened(TokenPair, R),
    SecondFactor(Challenge),
}

/// Opens a session for whoever was found, if the password is theirs and they have no second factor;
/// asks for that otherwise.
pub(crate) async fn login<R>(
    logins: &Logins,
    origin: Origin<'_>,
    (kind, found): (SubjectKind, Option<R>),
    password: String,
) -> Result<Outcome<R>>
where
    for<'r> Principal: From<&'r R>,
{
    let principal = found.as_ref().map(Principal::from);
    let credentials = match &principal {
        Some(principal) => credentials::get(logins.store(), principal.subject()).await?,
        None => None,
    };
    let fits = check(logins, credentials, password).await?;
    let Some((principal, row)) = principal.zip(found) else {
        // Nobody has the empty id: an unknown name costs the same statements, and is recorded.
        note_failure(logins, origin.context, Subject { kind, id: "" }).await?;
        return Err(LoginFailed.into());
    };
    let subject = principal.subject();
    if !fits || !principal.is_admitted()? {
        note_failure(logins, origin.context, subject).await?;
        return Err(LoginFailed.into());
    }
    let factors = second_factor::factors(logins.store(), subject).await?;
    if factors.any() {
        let asked = second_factor::challenge(logins, &origin, subject, factors).await?;
        return Ok(Outcome::SecondFactor(asked));
    }
    let change = Audit::new(logins.store().clone(), origin.context).begin().await?;
    let opened = open(logins, change, origin, &principal, Opened::ByPassword).await?;
    Ok(Outcome::Opened(opened, row))
}

/// For so long a log-in shows that it is its owner who changes the way to log in.
const FRESH_MS: i64 = 10 * 60 * 1000;

/// Refuses somebody who has not logged in a moment ago: a session may have been stolen since.
pub(super) async fn has_just_logged_in(logins: &Logins, caller: InSession<'_>) -> Result<()> {
    let session = sessions::get(logins.store(), caller.session).await?;
    if session.is_some_and(|session| session.created_at.0 > now_ms() - FRESH_MS) {
        return Ok(());
    }
    let message =
        "The log-in was too long ago: log in again, or give the password where it is taken";
    Err(Error::new(StatusCode::FORBIDDEN, "reauthentication_required", message))
}

/// What somebody has shown who logs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opened {
    ByPassword,
    /// Also a device's code, or a passkey, which has asked for a finger or a PIN itself.
    WithSecondFactor,
}

/// Opens the session of somebody who has proven who they are, whichever way that was, and commits.
pub(super) async fn open(
    logins: &Logins,
    mut change: Change,
    origin: Origin<'_>,
    principal: &Principal,
    opened: Opened,
) -> Result<TokenPair> {
    let subject = principal.subject();
    challenges::close_all(change.tx(), subject).await?;
    let tokens = match opened {
        Opened::ByPassword => session::open(logins, change.tx(), origin, principal).await?,
        Opened::WithSecondFactor => {
            session::open_with_second_factor(logins, change.tx(), origin, principal).await?
        }
    };
    credentials::login_succeeded(change.tx(), subject, TimeMs(now_ms())).await?;
    let (actor, action) = (subject.to_string(), format!("{}.login", subject.kind.word()));
    change.commit(Entry { actor: &actor, action: &action, target: subject.id }).await?;
    Ok(tokens)
}

/// Counts and records a wrong password, and locks the account when there are too many in a row.
pub(super) async fn note_failure(
    logins: &Logins,
    context: &Context,
    subject: Subject<'_>,
) -> Result<()> {
    let mut change = Audit::new(logins.store().clone(), context).begin().await?;
    count_failure(logins, change.tx(), context, subject).await?;
    let (actor, action) = (subject.to_string(), format!("{}.login.fail", subject.kind.word()));
    change.commit(Entry { actor: &actor, action: &action, target: subject.id }).await
}

/// The same in the caller's transaction, also for a wrong second factor.
pub(super) async fn count_failure(
    logins: &Logins,
    tx: &mut Tx,
    context: &Context,
    subject: Subject<'_>,
) -> Result<()> {
    let failures = credentials::login_failed(tx, subject).await?;
    if let Some(until) = locked_until(logins.auth(), failures, TimeMs(now_ms())) {
        credentials::lock_until(tx, subject, until).await?;
        let (actor, action) = (subject.to_string(), format!("{}.lock", subject.kind.word()));
        audit::append(tx, &[audit_row(context, &actor, &action, subject.id)]).await?;
    }
    Ok(())
}

/// Ends a session, and that of a refresh token if it is of the same owner.
pub(crate) async fn logout(audit: &Audit, caller: InSession<'_>, body: LogoutBody) -> Result<()> {
    let InSession { subject, session } = caller;
    let (mut change, now) = (audit.begin().await?, TimeMs(now_ms()));
    sessions::revoke(change.tx(), session, "logout", now).await?;
    if let Some(token) = body.token {
        let other = refresh_tokens::session_of(change.tx(), &token_hash(&token.0)).await?;
        if let Some(other) = other.filter(|other| other.subject() == subject) {
            sessions::revoke(change.tx(), &other.session_id, "logout", now).await?;
        }
    }
    let (actor, action) = (subject.to_string(), format!("{}.logout", subject.kind.word()));
    change.commit(Entry { actor: &actor, action: &action, target: session }).await
}

/// Sets another password, if the current one is given, and ends all other sessions.
pub(crate) async fn change_password(
    logins: &Logins,
    context: &Context,
    caller: InSession<'_>,
    (current, new): (String, String),
) -> Result<()> {
    let InSession { subject, session } = caller;
    if !is_password(logins, subject, current).await? {
        note_failure(logins, context, subject).await?;
        return Err(LoginFailed.into());
    }
    let hash = logins.hasher().hash(new).await?;
    let password = PasswordHash { hash: &hash, must_change: false };
    let mut change = Audit::new(logins.store().clone(), context).begin().await?;
    let now = TimeMs(now_ms());
    credentials::set_password(change.tx(), subject, password, now).await?;
    let reason = "password changed";
    sessions::revoke_all(change.tx(), subject, Some(session), reason, now).await?;
    let (actor, action) = (subject.to_string(), format!("{}.password.change", subject.kind.word()));
    change.commit(Entry { actor: &actor, action: &action, target: subject.id }).await
}

/// A login with one answer for every way of failing.
#[derive(Debug, Clone, Copy)]
pub(super) struct LoginFailed;

impl From<LoginFailed> for Error {
    fn from(_: LoginFailed) -> Self {
        let message = "Invalid credentials, or too many failed attempts: try again later";
        Self::unauthorized("invalid_credentials", message)
    }
}

/// Whether a password is somebody's who is not locked.
pub(super) async fn is_password(
    logins: &Logins,
    subject: Subject<'_>,
    password: String,
) -> Result<bool> {
    check(logins, credentials::get(logins.store(), subject).await?, password).await
}

/// Whether there were too many failures lately.
pub(super) fn is_locked(credentials: Option<&Credentials>) -> bool {
    let now = TimeMs(now_ms());
    let until = credentials.and_then(|credentials| credentials.locked_until);
    until.is_some_and(|until| now < until)
}

/// Whether password and state of an account let somebody in. An unknown account takes as long.
async fn check(
    logins: &Logins,
    credentials: Option<Credentials>,
    password: String,
) -> Result<bool> {
    let locked = is_locked(credentials.as_ref());
    let hash = credentials.map(|credentials| credentials.password_hash);
    Ok(logins.hasher().verify(password, hash).await? && !locked)
}

/// Until when an account is locked after a number of failures in a row; each doubles the time.
fn locked_until(auth: &Auth, failures: u64, now: TimeMs) -> Option<TimeMs> {
    let beyond = failures.checked_sub(u64::from(auth.lockout_failures))?;
    let factor = 1_u64.checked_shl(u32::try_from(beyond).unwrap_or(u32::MAX)).unwrap_or(u64::MAX);
    let seconds = u64::from(auth.lockout_first_seconds)
        .saturating_mul(factor)
        .min(u64::from(auth.lockout_max_seconds));
    let ms = i64::try_from(seconds.saturating_mul(1000)).unwrap_or(i64::MAX);
    Some(TimeMs(now.0.saturating_add(ms)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn each_failure_beyond_the_limit_doubles_the_lock() {
        let auth = Config::load(None, [], &[]).unwrap().auth;
        let seconds =
            |failures| locked_until(&auth, failures, TimeMs(0)).map(|until| until.0 / 1000);
        assert_eq!(seconds(4), None);
        assert_eq!(
            [5, 6, 7, 10, 11, 99, u64::MAX].map(seconds),
            [60, 120, 240, 1920, 3600, 3600, 3600].map(Some)
        );
    }
}
