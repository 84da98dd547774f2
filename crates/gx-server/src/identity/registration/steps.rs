//! What each step of a registration does.
//!
//! The id that the client holds is a secret of 128 bits: its hash names the row. A code is kept as
//! a hash under the network's key, which no database holds, bound to the row and to what it was
//! sent to.

use std::time::Duration;

use axum::http::StatusCode;
use gx_store::identity::registrations::{self, NewCode, Registration, Step};
use gx_store::identity::users::{self, NewUser};
use gx_store::{Store, Tx};
use gx_types::{CountryCode, TimeMs};

use super::super::fields::{Gender, OneTimeCode};
use super::super::login::LoggedIn;
use super::super::register::{self, Applicant};
use crate::audit::{Audit, Change, Entry};
use crate::auth::fields::Token;
use crate::auth::principal::Principal;
use crate::auth::session::{self, Origin};
use crate::auth::{Logins, Policy, entropy, random_id, token_hash};
use crate::calendar::{Date, now_ms};
use crate::error::{Error, Result};
use crate::http::context::Context;
use crate::http::fields::{FieldErrors, FieldPath};
use crate::mail::{self, Letter, TextMessage, letters};

/// How long a registration may take.
const REGISTRATION_MS: i64 = 24 * 60 * 60 * 1000;

/// How long a code is good for something.
const CODE_MS: i64 = 10 * 60 * 1000;

/// Attempts at one code.
const ATTEMPTS_MAX: u32 = 5;

/// Codes that a registration sends to an address, and to telephones.
const CODES_MAX: u32 = 5;

/// Codes that all registrations send to one address or telephone within an hour. More of them would
/// help only who wants to annoy, or to guess; whoever asks for them is not told.
const CODES_AN_HOUR: u64 = 10;

const HOUR_MS: i64 = 60 * 60 * 1000;

/// Every answer about an address or a telephone comes so long after its request, which is longer
/// than the work takes.
const ANSWERED_AFTER: Duration = Duration::from_millis(250);

/// Ages at which somebody can have genesis coins.
const GENESIS_AGES: std::ops::RangeInclusive<u16> = 13..=73;

/// Youngest age at which somebody registers.
const AGE_MIN: u16 = 13;

/// A code on its way.
struct Code {
    digits: String,
    hash: String,
    now: i64,
}

impl Code {
    /// A new code for what a row sends it to.
    fn new(logins: &Logins, key: &str, to: &str) -> Result<Self> {
        let number = u64::from_le_bytes(entropy().map_err(Error::internal)?) % 1_000_000;
        let digits = format!("{number:06}");
        let hash = logins.pepper().of_code(key, to, &digits);
        Ok(Self { digits, hash, now: now_ms() })
    }

    fn kept(&self) -> NewCode<'_> {
        let (sent_at, expires_at) = (TimeMs(self.now), self.expires_at());
        NewCode { hash: &self.hash, sent_at, expires_at }
    }

    fn expires_at(&self) -> TimeMs {
        TimeMs(self.now + CODE_MS)
    }

    fn an_hour_before(&self) -> TimeMs {
        TimeMs(self.now - HOUR_MS)
    }
}

/// Begins a registration and gives the id that the client goes on with.
pub(super) async fn begin(logins: &Logins, context: &Context, email: &str) -> Result<Token> {
    let done = open(logins, context, email).await;
    context.answer_after(ANSWERED_AFTER).await;
    done
}

async fn open(logins: &Logins, context: &Context, email: &str) -> Result<Token> {
    let id = random_id().map_err(Error::internal)?;
    let key = token_hash(&id);
    let code = Code::new(logins, &key, email)?;
    let until = TimeMs(code.now + REGISTRATION_MS);
    let mut change = Audit::new(logins.store().clone(), context).begin().await?;
    let sent = registrations::codes_to_email(change.tx(), email, code.an_hour_before()).await?;
    registrations::begin(change.tx(), &key, email, code.kept(), until).await?;
    if sent < CODES_AN_HOUR {
        mail_code(logins, change.tx(), email, &code).await?;
    }
    change.commit(entry("registration.begin", &key)).await?;
    Ok(Token(id))
}

/// Mails a code, or that there is an account already.
async fn mail_code(logins: &Logins, tx: &mut Tx, email: &str, code: &Code) -> Result<()> {
    let text = match users::by_email(&mut *tx, email).await? {
        Some(_) => letters::has_an_account(),
        None => letters::registration_code(&code.digits),
    };
    let letter = Letter {
        recipient: email,
        title: text.title,
        body: &text.body,
        expires_at: code.expires_at(),
    };
    mail::put(logins.sealer(), tx, letter).await
}

/// The same to a telephone.
async fn text_code(logins: &Logins, tx: &mut Tx, phone: &str, code: &Code) -> Result<()> {
    let text = match users::by_phone(&mut *tx, phone).await? {
        Some(_) => letters::phone_has_an_account(),
        None => letters::phone_code(&code.digits),
    };
    let message = TextMessage { recipient: phone, text: &text, expires_at: code.expires_at() };
    mail::put_text(logins.sealer(), tx, message).await
}

pub(super) async fn verify_email(
    logins: &Logins,
    audit: &Audit,
    id: &Token,
    code: &OneTimeCode,
) -> Result<()> {
    let key = token_hash(&id.0);
    let (mut change, _) = take_code(logins, audit, (&key, Step::EmailSent), code).await?;
    registrations::email_verified(change.tx(), &key).await?;
    change.commit(entry("registration.email.verify", &key)).await
}

/// Counts an attempt at the code of a step; when it is the right one, gives the change that goes on
/// with the registration.
async fn take_code(
    logins: &Logins,
    audit: &Audit,
    (key, step): (&str, Step),
    code: &OneTimeCode,
) -> Result<(Change, Registration)> {
    let now = TimeMs(now_ms());
    let mut change = audit.begin().await?;
    let tried = registrations::attempt(change.tx(), (key, step), ATTEMPTS_MAX, now).await?;
    let Some(found) = tried else {
        drop(change);
        let found = at_step(logins.store(), key, &[step]).await?;
        return Err(spent(&found, now));
    };
    let to = sent_to(&found);
    let hash = found.code_hash.as_deref().unwrap_or_default();
    if logins.pepper().is_code((key, to, &code.0), hash) {
        return Ok((change, found));
    }
    // The attempt counts whatever becomes of the request.
    change.commit(entry("registration.code.wrong", key)).await?;
    Err(Error::bad_request("otp_invalid", "The code is wrong"))
}

/// What the code of a registration was sent to.
fn sent_to(found: &Registration) -> &str {
    match found.step {
        Step::PhoneSent => found.phone.as_deref().unwrap_or_default(),
        Step::EmailSent
        | Step::EmailVerified
        | Step::NameCountrySet
        | Step::DobGenderSet
        | Step::PasswordSet
        | Step::Completed => &found.email,
    }
}

/// Sends another code to what the step is about.
pub(super) async fn resend(
    logins: &Logins,
    context: &Context,
    id: &Token,
    step: Step,
) -> Result<()> {
    let done = send_again(logins, context, &token_hash(&id.0), step).await;
    context.answer_after(ANSWERED_AFTER).await;
    done
}

async fn send_again(logins: &Logins, context: &Context, key: &str, step: Step) -> Result<()> {
    let found = at_step(logins.store(), key, &[step]).await?;
    let to = sent_to(&found);
    let code = Code::new(logins, key, to)?;
    let mut change = Audit::new(logins.store().clone(), context).begin().await?;
    let sent = codes_sent(change.tx(), step, to, &code).await?;
    if !registrations::send_again(change.tx(), (key, step), code.kept(), CODES_MAX).await? {
        return Err(enough());
    }
    if sent < CODES_AN_HOUR {
        if step == Step::PhoneSent {
            text_code(logins, change.tx(), to, &code).await?;
        } else {
            mail_code(logins, change.tx(), to, &code).await?;
        }
    }
    change.commit(entry("registration.code.resend", key)).await
}

async fn codes_sent(tx: &mut Tx, step: Step, to: &str, code: &Code) -> Result<u64> {
    let since = code.an_hour_before();
    if step == Step::PhoneSent {
        return Ok(registrations::codes_to_phone(tx, to, since).await?);
    }
    Ok(registrations::codes_to_email(tx, to, since).await?)
}

pub(super) async fn set_name(
    store: &Store,
    audit: &Audit,
    id: &Token,
    (first_name, last_name): (&str, &str),
    country: CountryCode,
) -> Result<()> {
    let key = token_hash(&id.0);
    at_step(store, &key, &[Step::EmailVerified, Step::NameCountrySet]).await?;
    register::check_country(store, country).await?;
    let (mut change, now) = (audit.begin().await?, TimeMs(now_ms()));
    let name = (first_name, last_name, country);
    let set = registrations::set_name_country(change.tx(), &key, name, now).await?;
    end(change, set, "registration.name", &key).await
}

/// Says whether somebody of that age can have genesis coins.
pub(super) async fn set_birth(
    store: &Store,
    audit: &Audit,
    id: &Token,
    (born, gender): (Date, &Gender),
) -> Result<bool> {
    let key = token_hash(&id.0);
    at_step(store, &key, &[Step::NameCountrySet, Step::DobGenderSet]).await?;
    let mut errors = FieldErrors::default();
    let at = FieldPath::Key(&FieldPath::Root, "dateOfBirth");
    register::check_birth(born, at, &mut errors);
    let age = born.age_on(Date::of_ms(now_ms()));
    if errors.0.is_empty() && age < AGE_MIN {
        errors.add(at, "dob_min_age", format!("is less than {AGE_MIN} years ago"));
    }
    if !errors.0.is_empty() {
        return Err(Error::invalid(errors.0));
    }
    let (mut change, now) = (audit.begin().await?, TimeMs(now_ms()));
    let born = born.to_string();
    let set = registrations::set_birth(change.tx(), &key, (&born, gender.0), now).await?;
    end(change, set, "registration.birth", &key).await?;
    Ok(GENESIS_AGES.contains(&age))
}

/// Says what the password is worth.
pub(super) async fn set_password(
    logins: &Logins,
    audit: &Audit,
    id: &Token,
    (password, confirm): (String, String),
) -> Result<&'static str> {
    let key = token_hash(&id.0);
    let steps = [Step::DobGenderSet, Step::PasswordSet];
    let found = at_step(logins.store(), &key, &steps).await?;
    let mut errors = FieldErrors::default();
    let at = FieldPath::Key(&FieldPath::Root, "password");
    Policy::User.check(&password, &found.email, at, &mut errors);
    if password != confirm {
        let at = FieldPath::Key(&FieldPath::Root, "confirmPassword");
        errors.add(at, "passwords_dont_match", "must be the same as password");
    }
    if !errors.0.is_empty() {
        return Err(Error::invalid(errors.0));
    }
    let strength = strength(&password);
    let hash = logins.hasher().hash(password).await?;
    let (mut change, now) = (audit.begin().await?, TimeMs(now_ms()));
    let set = registrations::set_password(change.tx(), &key, &hash, now).await?;
    end(change, set, "registration.password", &key).await?;
    Ok(strength)
}

/// A word for a password that is good enough, for people.
fn strength(password: &str) -> &'static str {
    let length = password.chars().count();
    let is_mixed = password.chars().any(|c| !c.is_alphanumeric());
    match length {
        16.. => "strong",
        12.. if is_mixed => "strong",
        10.. => "medium",
        _ if is_mixed => "medium",
        _ => "weak",
    }
}

pub(super) async fn set_phone(
    logins: &Logins,
    context: &Context,
    id: &Token,
    phone: &str,
) -> Result<()> {
    let done = send_to_phone(logins, context, &token_hash(&id.0), phone).await;
    context.answer_after(ANSWERED_AFTER).await;
    done
}

async fn send_to_phone(logins: &Logins, context: &Context, key: &str, phone: &str) -> Result<()> {
    at_step(logins.store(), key, &[Step::PasswordSet, Step::PhoneSent]).await?;
    let code = Code::new(logins, key, phone)?;
    let mut change = Audit::new(logins.store().clone(), context).begin().await?;
    let sent = codes_sent(change.tx(), Step::PhoneSent, phone, &code).await?;
    if !registrations::set_phone(change.tx(), (key, phone), code.kept(), CODES_MAX).await? {
        return Err(enough());
    }
    if sent < CODES_AN_HOUR {
        text_code(logins, change.tx(), phone, &code).await?;
    }
    change.commit(entry("registration.phone", key)).await
}

/// Registers the person and opens a session: both, or nothing.
pub(super) async fn finish(
    logins: &Logins,
    origin: Origin<'_>,
    id: &Token,
    code: &OneTimeCode,
) -> Result<LoggedIn> {
    let key = token_hash(&id.0);
    let audit = Audit::new(logins.store().clone(), origin.context);
    let (mut change, found) = take_code(logins, &audit, (&key, Step::PhoneSent), code).await?;
    let new = applicant(logins, found)?;
    register::create(change.tx(), &new).await?;
    users::note_reached(change.tx(), &new.user_id, new.created_at).await?;
    registrations::complete(change.tx(), &key).await?;
    let row = users::get(change.tx(), &new.user_id).await?;
    let row = row.ok_or_else(|| Error::internal("a user who was just made is not there"))?;
    let tokens = session::open(logins, change.tx(), origin, &Principal::from(&row)).await?;
    register::commit(change, &new).await?;
    LoggedIn::of(logins.store(), tokens, row).await
}

fn applicant(logins: &Logins, found: Registration) -> Result<NewUser> {
    let missing = || Error::internal("a registration was about to end without all of its steps");
    register::new_user(
        logins,
        Applicant {
            email: found.email,
            phone: found.phone,
            first_name: found.first_name.ok_or_else(missing)?,
            last_name: found.last_name.ok_or_else(missing)?,
            country: found.country.ok_or_else(missing)?,
            gender: found.gender,
            date_of_birth: found.date_of_birth.ok_or_else(missing)?,
            document: None,
            password_hash: found.password_hash.ok_or_else(missing)?,
        },
    )
}

/// A registration that the client may see.
pub(super) async fn standing(store: &Store, id: &str) -> Result<Registration> {
    let found = registrations::get(store, &token_hash(id)).await?.ok_or_else(unknown)?;
    if found.expires_at.0 <= now_ms() {
        return Err(expired());
    }
    Ok(found)
}

/// The registration, if it stands at one of these steps.
async fn at_step(store: &Store, key: &str, steps: &[Step]) -> Result<Registration> {
    let found = registrations::get(store, key).await?.ok_or_else(unknown)?;
    if found.expires_at.0 <= now_ms() {
        return Err(expired());
    }
    if found.step == Step::Completed {
        let message = "The registration is done; log in";
        return Err(Error::conflict("registration_already_completed", message));
    }
    if !steps.contains(&found.step) {
        return Err(wrong_step(found.step));
    }
    Ok(found)
}

/// Commits a step that was taken.
async fn end(change: Change, taken: bool, action: &str, key: &str) -> Result<()> {
    if taken {
        return change.commit(entry(action, key)).await;
    }
    // It was there a moment ago: another request has been faster.
    let message = "Another request has moved the registration on meanwhile";
    Err(Error::conflict("registration_step_invalid", message))
}

/// Nobody is logged in yet: the platform does it on behalf of whoever holds the id.
fn entry<'a>(action: &'a str, key: &'a str) -> Entry<'a> {
    Entry { actor: "system", action, target: key }
}

fn unknown() -> Error {
    let message = "There is no such registration; begin another one";
    Error::new(StatusCode::NOT_FOUND, "registration_not_found", message)
}

fn expired() -> Error {
    let message = "The registration has taken more than a day; begin another one";
    Error::new(StatusCode::GONE, "registration_expired", message)
}

fn wrong_step(step: Step) -> Error {
    let message =
        format!("The registration stands at {}, which this does not follow", step.as_str());
    Error::conflict("registration_step_invalid", message)
}

fn enough() -> Error {
    let message = "Enough codes were sent for this registration";
    Error::new(StatusCode::TOO_MANY_REQUESTS, "otp_resend_limit", message)
}

/// Why no attempt could be made at a code.
fn spent(found: &Registration, now: TimeMs) -> Error {
    if found.code_attempts >= ATTEMPTS_MAX {
        let message = "Too many wrong codes; have another one sent";
        return Error::new(StatusCode::TOO_MANY_REQUESTS, "otp_max_attempts", message);
    }
    if found.code_expires_at.is_none_or(|until| until <= now) {
        return Error::bad_request("otp_expired", "The code is too old; have another one sent");
    }
    // Between the attempt and this look another code was sent.
    Error::bad_request("otp_invalid", "The code is wrong")
}

#[cfg(test)]
mod tests {
    use super::strength;

    #[test]
    fn a_password_is_worth_its_length_and_variety() {
        for (password, expected) in [
            ("Blue7horse", "medium"),
            ("Blue7hrs", "weak"),
            ("Blue7-hrs", "medium"),
            ("Blue7-horse-cart", "strong"),
            ("Blue7horse-ct", "strong"),
        ] {
            assert_eq!(strength(password), expected, "{password}");
        }
    }
}
