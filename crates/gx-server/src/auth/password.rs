//! Passwords: the rules for new ones, and argon2id on a bounded number of threads.
//!
//! Hashing costs tens of milliseconds of a processor on purpose; the bound keeps the rest of the
//! process answering while many people log in at once.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use precis_core::profile::Rules as _;
use precis_profiles::OpaqueString;
use tokio::sync::Semaphore;

use crate::config::Auth;
use crate::error::{Error, Result};
use crate::http::fields::{FieldErrors, FieldPath, written};

/// Passwords that were found in leaks most often, one a line, in lower case: those that are tried
/// first. More than 4,000 of them could be passwords here.
const COMMON: &str = include_str!("common_passwords.txt");

/// Words of this platform, which are no part of a password however they are decorated.
const OURS: [&str; 5] = ["gxprotocol", "gxcoin", "qirat", "superowner", "superadmin"];

/// What is left of a common password without the digits and signs at its end counts from this
/// length on; shorter ones begin many a good password.
const STEM_MIN: usize = 5;

/// Characters of a password at most.
pub(super) const PASSWORD_MAX: usize = 128;

/// The rules for a new password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Policy {
    /// 8 characters with upper case, lower case and digit.
    User,
    /// 12 characters with upper case, lower case, digit and another character.
    Admin,
}

impl Policy {
    /// Adds every rule that the password breaks. `email` may not be part of it.
    pub(crate) fn check(
        self,
        password: &str,
        email: &str,
        at: FieldPath<'_>,
        errors: &mut FieldErrors,
    ) {
        let least = match self {
            Self::User => 8,
            Self::Admin => 12,
        };
        if written(password).is_none() {
            let message = "must not have control or invisible characters";
            errors.add(at, "password_invalid_characters", message);
        }
        if opaque(password).chars().count() < least {
            errors.add(at, "password_too_short", format!("must have at least {least} characters"));
        }
        // The limit keeps the cost of hashing bounded.
        if password.chars().count() > PASSWORD_MAX {
            let message = format!("must have at most {PASSWORD_MAX} characters");
            errors.add(at, "password_too_long", message);
        }
        if !password.chars().any(char::is_uppercase) {
            errors.add(at, "password_missing_uppercase", "must have an upper-case letter");
        }
        if !password.chars().any(char::is_lowercase) {
            errors.add(at, "password_missing_lowercase", "must have a lower-case letter");
        }
        if !password.chars().any(|c| c.is_ascii_digit()) {
            errors.add(at, "password_missing_number", "must have a digit");
        }
        if self == Self::Admin && password.chars().all(char::is_alphanumeric) {
            errors.add(at, "password_missing_special", "must have a character of another kind");
        }
        if is_guessable(&password.to_lowercase(), email) {
            errors.add(at, "password_too_common", "is too easy to guess");
        }
    }
}

/// Whether a password in lower case is a leaked one, also with digits and signs after it, or holds
/// a word of the platform or the name of its owner's address.
fn is_guessable(folded: &str, email: &str) -> bool {
    let bare = folded.trim_end_matches(|c: char| !c.is_alphanumeric());
    let stem = bare.trim_end_matches(|c: char| !c.is_alphabetic());
    let stem = if stem.chars().count() >= STEM_MIN { stem } else { bare };
    let is_common = |common: &str| common == folded || common == bare || common == stem;
    let local = email.split('@').next().unwrap_or_default().to_lowercase();
    COMMON.lines().any(is_common)
        || OURS.iter().any(|word| folded.contains(word))
        || (local.chars().count() >= 5 && folded.contains(&local))
}

/// Hashes and verifies passwords, some at once.
#[derive(Debug, Clone)]
pub(crate) struct Hasher {
    params: Params,
    threads: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
    queue: usize,
    /// A hash of nobody's password: an unknown account costs as much time as a known one.
    nobody: Arc<str>,
}

impl Hasher {
    pub(crate) fn new(auth: &Auth) -> std::result::Result<Self, String> {
        let params =
            Params::new(auth.argon2_memory_kib, auth.argon2_iterations, auth.argon2_lanes, None);
        let params = params.map_err(|error| format!("auth.argon2_…: {error}"))?;
        let threads = match auth.hashing_threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            threads => threads,
        };
        let nobody = hash(&params, "nobody").map_err(|error| format!("auth.argon2_…: {error}"))?;
        Ok(Self {
            params,
            threads: Arc::new(Semaphore::new(threads)),
            waiting: Arc::default(),
            queue: auth.hashing_queue,
            nobody: nobody.into(),
        })
    }

    /// How many passwords are hashed or wait for it, and how many may.
    pub(crate) fn load(&self) -> (usize, usize) {
        (self.waiting.load(Ordering::Relaxed), self.queue)
    }

    /// The hash to keep, in the PHC text form.
    pub(crate) async fn hash(&self, password: String) -> Result<String> {
        let params = self.params.clone();
        self.run(move || hash(&params, &opaque(&password))).await?.map_err(Error::internal)
    }

    /// Whether the password is that of the hash. Without a hash the answer is no, after the time
    /// that a yes would have taken.
    pub(crate) async fn verify(&self, password: String, hash: Option<String>) -> Result<bool> {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.nobody.to_string());
        let fits = self
            .run(move || {
                let Ok(hash) = PasswordHash::new(&hash) else { return false };
                let is = |password: &str| {
                    Argon2::default().verify_password(password.as_bytes(), &hash).is_ok()
                };
                let kept = opaque(&password);
                // Hashes that are older than the profile are of the password as it was typed.
                is(&kept) || (kept != password && is(&password))
            })
            .await?;
        Ok(known && fits)
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let _waiting = Waiting::enter(&self.waiting, self.queue)?;
        let permit = self.threads.clone().acquire_owned().await.map_err(Error::internal)?;
        tokio::task::spawn_blocking(move || {
            let done = work();
            drop(permit);
            done
        })
        .await
        .map_err(Error::internal)
    }
}

/// A place in the queue for the threads, given back when dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn enter(count: &'a AtomicUsize, most: usize) -> Result<Self> {
        let entered = Self(count);
        if count.fetch_add(1, Ordering::Relaxed) >= most {
            return Err(Error::unavailable("busy", "Too many log-ins at once, try again"));
        }
        Ok(entered)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// One text for what the same keys give on every keyboard: the mappings of the PRECIS profile for
/// passwords (RFC 8265, OpaqueString).
fn opaque(password: &str) -> Cow<'_, str> {
    let profile = OpaqueString::new();
    let mapped = profile.additional_mapping_rule(password);
    mapped.and_then(|text| profile.normalization_rule(text)).unwrap_or(password.into())
}

fn hash(params: &Params, password: &str) -> std::result::Result<String, String> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone())
        .hash_password(password.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn codes(policy: Policy, password: &str) -> Vec<String> {
        let mut errors = FieldErrors::default();
        policy.check(password, "adalove@example.org", FieldPath::Root, &mut errors);
        errors.0.into_iter().map(|fault| fault.code.into_owned()).collect()
    }

    #[test]
    fn every_broken_rule_is_told() {
        assert!(codes(Policy::User, "Blue7horse").is_empty());
        assert_eq!(
            codes(Policy::User, "a"),
            ["password_too_short", "password_missing_uppercase", "password_missing_number"]
        );
        assert_eq!(codes(Policy::User, "Password1"), ["password_too_common"]);
        assert_eq!(codes(Policy::User, "Password1!"), ["password_too_common"]);
        assert_eq!(codes(Policy::User, "Adalove77"), ["password_too_common"]);
        assert_eq!(codes(Policy::User, "Ncc1701d"), ["password_too_common"], "found in leaks");
        assert_eq!(codes(Policy::User, "Sunshine-2031"), ["password_too_common"]);
        assert_eq!(codes(Policy::User, "My-Qirat-77"), ["password_too_common"]);
        assert_eq!(
            codes(Policy::Admin, "Blue7horse"),
            ["password_too_short", "password_missing_special"]
        );
        assert!(codes(Policy::Admin, "Blue7horse-cart").is_empty());
    }

    /// Those with letters and digits that are long enough: with one letter in upper case they would
    /// be good passwords of users.
    #[test]
    fn at_least_three_thousand_leaked_passwords_that_fit_the_rules_are_refused() {
        let fits = |word: &&str| {
            word.chars().count() >= 8
                && word.chars().any(|c| c.is_ascii_lowercase())
                && word.chars().any(|c| c.is_ascii_digit())
        };
        let fitting: Vec<&str> = COMMON.lines().filter(fits).collect();
        assert!(fitting.len() >= 3000, "{}", fitting.len());
        for word in fitting.iter().step_by(100) {
            assert!(is_guessable(word, "ada@example.org"), "{word}");
        }
        assert!(COMMON.lines().all(|word| word == word.to_lowercase()));
    }

    fn hasher(queue: usize) -> Hasher {
        let mut auth = Config::load(None, [], &[]).unwrap().auth;
        (auth.argon2_memory_kib, auth.argon2_iterations, auth.hashing_queue) = (64, 1, queue);
        Hasher::new(&auth).unwrap()
    }

    #[tokio::test]
    async fn only_the_password_fits_its_hash() {
        let hasher = hasher(8);
        let hash = hasher.hash("Blue7horse".to_owned()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{hash}");
        assert!(hasher.verify("Blue7horse".to_owned(), Some(hash.clone())).await.unwrap());
        assert!(!hasher.verify("blue7horse".to_owned(), Some(hash)).await.unwrap());
        assert!(!hasher.verify("nobody".to_owned(), None).await.unwrap());
    }

    #[tokio::test]
    async fn one_password_is_one_however_it_is_typed() {
        let hasher = hasher(8);
        let (composed, decomposed) = ("Crème-7\u{A0}x", "Cre\u{300}me-7 x");
        let kept = hasher.hash(composed.to_owned()).await.unwrap();
        assert!(hasher.verify(decomposed.to_owned(), Some(kept)).await.unwrap());
        // What was hashed as it was typed, before there was one form, still opens.
        let old = hash(&hasher.params, decomposed).unwrap();
        assert!(hasher.verify(decomposed.to_owned(), Some(old.clone())).await.unwrap());
        assert!(!hasher.verify("Creme-7 x".to_owned(), Some(old)).await.unwrap());
        assert_eq!(codes(Policy::User, "Blue7\u{202E}horse"), ["password_invalid_characters"]);
    }

    #[tokio::test]
    async fn a_full_queue_is_answered_at_once() {
        let hasher = hasher(0);
        let error = hasher.hash("x".to_owned()).await.unwrap_err();
        assert_eq!(error.status(), 503);
        assert_eq!(error.retry_after_seconds(), Some(1));
    }
}
