//! The way back for a user who has forgotten the password: a token by mail sets another one, once.
//!
//! Whoever asks learns nothing: a known and an unknown address get the same answer after the same
//! time. Only the token's hash is kept, and the mail that holds it is sealed.

use std::time::Duration;

use gx_store::identity::users::User;
use gx_store::login::credentials::{self, PasswordHash};
use gx_store::login::{Subject, challenges, password_resets, sessions};
use gx_types::TimeMs;

use crate::api::Failure;
use crate::audit::{Audit, Entry};
use crate::auth::{Logins, opaque_token, token_hash};
use crate::calendar::now_ms;
use crate::error::{Error, Result};
use crate::http::context::Context;
use crate::mail::{self, Letter, letters};

/// How a token is refused.
pub(crate) const RESET_FAILURES: [Failure; 2] = [(400, "reset_token_invalid"), (503, "busy")];

/// How long a token is good for something.
const TOKEN_MS: i64 = 30 * 60 * 1000;

/// Tokens that somebody may have at once: more mail helps nobody but whoever wants to annoy them.
const OPEN_MAX: u64 = 3;

/// Every answer comes so long after its request, which is longer than the work takes.
const ANSWERED_AFTER: Duration = Duration::from_millis(250);

/// Sends a token to whoever was found.
pub(crate) async fn forgot(logins: &Logins, context: &Context, found: Option<&User>) -> Result<()> {
    let done = send(logins, context, found).await;
    context.answer_after(ANSWERED_AFTER).await;
    done
}

async fn send(logins: &Logins, context: &Context, found: Option<&User>) -> Result<()> {
    // Nobody has the empty id: an unknown address costs the same statements.
    let subject = Subject::user(found.map_or("", |user| &user.user_id));
    let (now, token) = (now_ms(), opaque_token().map_err(Error::internal)?);
    let until = TimeMs(now + TOKEN_MS);
    let mut change = Audit::new(logins.store().clone(), context).begin().await?;
    if password_resets::count_open(change.tx(), subject, TimeMs(now)).await? < OPEN_MAX {
        password_resets::open(change.tx(), subject, &token_hash(&token), until).await?;
        if let Some(user) = found {
            let text = letters::password_reset(&token);
            let letter = Letter {
                recipient: &user.email,
                title: text.title,
                body: &text.body,
                expires_at: until,
            };
            mail::put(logins.sealer(), change.tx(), letter).await?;
        }
    }
    let entry = Entry { actor: "system", action: "user.password.forgot", target: subject.id };
    change.commit(entry).await
}

/// Whose password a token sets.
pub(crate) async fn owner(logins: &Logins, token: &str) -> Result<String> {
    let now = TimeMs(now_ms());
    let found = password_resets::user_of(logins.store(), &token_hash(token), now).await?;
    found.ok_or_else(invalid)
}

/// Sets another password and uses the token up. All sessions end, and so do all other tokens.
pub(crate) async fn reset(
    logins: &Logins,
    context: &Context,
    user_id: &str,
    (token, password): (String, String),
) -> Result<()> {
    let subject = Subject::user(user_id);
    let hash = logins.hasher().hash(password).await?;
    let mut change = Audit::new(logins.store().clone(), context).begin().await?;
    let now = TimeMs(now_ms());
    let password = PasswordHash { hash: &hash, must_change: false };
    if !password_resets::take(change.tx(), &token_hash(&token), now).await?
        || !credentials::set_password(change.tx(), subject, password, now).await?
    {
        return Err(invalid());
    }
    password_resets::close_all(change.tx(), subject).await?;
    challenges::close_all(change.tx(), subject).await?;
    sessions::revoke_all(change.tx(), subject, None, "password reset", now).await?;
    let actor = subject.to_string();
    change.commit(Entry { actor: &actor, action: "user.password.reset", target: user_id }).await
}

fn invalid() -> Error {
    let message = "The token is wrong, too old or was used before; ask for another one";
    Error::bad_request("reset_token_invalid", message)
}
