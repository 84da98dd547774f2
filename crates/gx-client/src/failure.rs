//! Why a command came to nothing: what people and scripts are told, and the exit status.
//!
//! Nothing here ever holds a secret: texts come from the server's problems and from the system.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::advice::advice;
use crate::api::put;
use crate::out::in_coins;

pub(crate) type Result<T> = std::result::Result<T, Failure>;

#[derive(Debug)]
pub(crate) enum Failure {
    /// The platform or its ledger said no.
    Refused(Box<Refusal>),
    /// Something on this machine is not as it must be.
    Local(String),
    /// The command line does not say enough, or too much.
    Usage(String),
    /// The command line is none: what the parser of the arguments says.
    Arguments(String),
    /// The server could not be connected to, so that nothing was sent.
    Away(String),
    /// There is no answer, or the answer is not there yet.
    Unreachable(String),
    /// What became of a command is not known yet.
    Pending(Box<Pending>),
    LoggedOut(String),
}

/// A command that was sent, and how it is found again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pending {
    pub(crate) message: String,
    /// Known when the command was accepted.
    pub(crate) command_id: Option<String>,
    /// Under which the same command is given again.
    pub(crate) idempotency_key: Option<String>,
}

/// A refusal as the platform words it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Refusal {
    /// Stable, for programs.
    pub(crate) code: String,
    pub(crate) message: String,
    #[serde(default)]
    pub(crate) details: Vec<Detail>,
    #[serde(default)]
    pub(crate) request_id: Option<String>,
    #[serde(default)]
    pub(crate) status: u16,
}

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Detail {
    pub(crate) field: String,
    pub(crate) code: String,
    pub(crate) message: String,
}

impl Detail {
    fn to_json(&self) -> Value {
        let Self { field, code, message } = self;
        json!({ "field": field, "code": code, "message": message })
    }
}

impl Failure {
    pub(crate) fn refused(code: &str, message: impl Into<String>) -> Self {
        let (code, message) = (code.to_owned(), message.into());
        Self::Refused(Box::new(Refusal { code, message, ..Refusal::default() }))
    }

    pub(crate) fn local(what: impl std::fmt::Display, error: impl std::fmt::Display) -> Self {
        Self::Local(format!("{what}: {error}"))
    }

    /// The exit status of the process.
    pub(crate) const fn status(&self) -> u8 {
        match self {
            Self::Refused(_) | Self::Local(_) => 1,
            Self::Usage(_) | Self::Arguments(_) => 2,
            Self::Away(_) | Self::Unreachable(_) | Self::Pending(_) => 3,
            Self::LoggedOut(_) => 4,
        }
    }

    fn code(&self) -> &str {
        match self {
            Self::Refused(refusal) => &refusal.code,
            Self::Local(_) => "local",
            Self::Usage(_) => "usage",
            Self::Arguments(_) => "arguments_invalid",
            Self::Away(_) => "not_sent",
            Self::Unreachable(_) => "unreachable",
            Self::Pending(pending) if pending.command_id.is_some() => "not_settled_yet",
            Self::Pending(_) => "outcome_unknown",
            Self::LoggedOut(_) => "not_logged_in",
        }
    }

    fn message(&self) -> &str {
        match self {
            Self::Refused(refusal) => &refusal.message,
            Self::Pending(pending) => &pending.message,
            Self::Local(text)
            | Self::Usage(text)
            | Self::Arguments(text)
            | Self::Away(text)
            | Self::Unreachable(text)
            | Self::LoggedOut(text) => text,
        }
    }

    fn details(&self) -> &[Detail] {
        match self {
            Self::Refused(refusal) => &refusal.details,
            _ => &[],
        }
    }

    /// What to do about it, where that is known.
    fn advice(&self) -> Option<&'static str> {
        match self {
            Self::Refused(refusal) => Some(advice(&refusal.code, refusal.status)),
            Self::LoggedOut(_) => {
                Some("log in with gx login, or gx admin login for an administrator")
            }
            Self::Arguments(_) => Some("the same command with --help tells what it takes"),
            Self::Away(_) => {
                Some("nothing was sent: see that the server runs, and give the command again")
            }
            Self::Local(_) | Self::Usage(_) | Self::Unreachable(_) | Self::Pending(_) => None,
        }
    }

    /// For people, on several lines; amounts of the ledger are told in coins.
    pub(crate) fn to_text(&self) -> String {
        let mut text = match self {
            Self::Refused(refusal) => {
                format!("error: {}: {}", refusal.code, in_coins(&refusal.message))
            }
            _ => format!("error: {}", self.message()),
        };
        for Detail { field, code, message } in self.details() {
            text.push_str(&format!("\n  {field}: {} ({code})", in_coins(message)));
        }
        if let Self::Refused(refusal) = self
            && let Some(id) = refusal.request_id.as_deref().filter(|_| refusal.status >= 500)
        {
            text.push_str(&format!("\n  request id: {id}"));
        }
        if let Some(advice) = self.advice() {
            text.push_str(&format!("\n  what to do: {advice}"));
        }
        text
    }

    /// For scripts.
    pub(crate) fn to_json(&self) -> Value {
        let details: Vec<_> = self.details().iter().map(Detail::to_json).collect();
        let mut error = json!({
            "code": self.code(), "message": self.message(), "details": details,
            "advice": self.advice(), "exitStatus": self.status(),
        });
        if let Self::Pending(pending) = self {
            put(&mut error, "commandId", &pending.command_id);
            put(&mut error, "idempotencyKey", &pending.idempotency_key);
        }
        json!({ "error": error })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_with_code_fields_and_what_to_do() {
        let problem = json!({
            "status": 400, "code": "validation_failed", "message": "amount: must be above zero",
            "requestId": "r-1", "title": "Bad Request", "detail": "the same",
            "details": [
                { "field": "amount", "code": "too_small", "message": "must be above zero" },
            ],
        });
        let failure = Failure::Refused(serde_json::from_value(problem).unwrap());
        let text = failure.to_text();
        assert!(text.starts_with("error: validation_failed: amount: must be above zero\n"));
        assert!(text.contains("\n  amount: must be above zero (too_small)\n"), "{text}");
        assert!(text.contains("\n  what to do: "), "{text}");
        let told = failure.to_json();
        assert_eq!(told["error"]["details"][0]["field"], "amount");
        assert_eq!(told["error"]["exitStatus"], 1);
    }

    #[test]
    fn people_read_coins_and_scripts_what_the_ledger_said() {
        let said = "DE 1 holds 1500000 Q, needed 25037500 Q";
        let failure = Failure::refused("insufficient_balance", said);
        let text = failure.to_text();
        assert!(text.contains("DE 1 holds 1.50 GX, needed 25.0375 GX\n"), "{text}");
        assert_eq!(failure.to_json()["error"]["message"], said);
    }

    #[test]
    fn every_kind_has_a_status_of_its_own() {
        let text = || "text".to_owned();
        let all = [
            (Failure::refused("no", "no"), 1),
            (Failure::Local(text()), 1),
            (Failure::Usage(text()), 2),
            (Failure::Arguments(text()), 2),
            (Failure::Away(text()), 3),
            (Failure::Unreachable(text()), 3),
            (Failure::LoggedOut(text()), 4),
        ];
        for (failure, status) in all {
            assert_eq!(failure.status(), status, "{failure:?}");
            assert!(failure.to_text().starts_with("error: "));
        }
    }
}
