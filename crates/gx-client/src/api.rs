//! A session on a server: requests with its token, which is refreshed when it has expired.

use std::fmt::Write as _;
use std::time::Duration;

use hyper::Method;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde_json::{Value, json};

use crate::failure::{Failure, Result};
use crate::http::{Answer, Ask, Wire};
use crate::out::{Out, text};
use crate::profile::{Profile, Secret, Session, Who};

/// What need not be escaped in a part of a path or a query.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Gives a body another field.
pub(crate) fn put(body: &mut Value, name: &str, value: impl Serialize) {
    if let Some(fields) = body.as_object_mut() {
        fields.insert(name.to_owned(), json!(value));
    }
}

/// A part of a path, whatever is in it.
pub(crate) fn part(text: &str) -> String {
    utf8_percent_encode(text, PLAIN).to_string()
}

/// A path with those parts of the query that are given.
pub(crate) fn with_query(path: &str, query: &[(&str, Option<String>)]) -> String {
    let mut all = path.to_owned();
    let given = query.iter().filter_map(|(name, text)| Some((name, text.as_deref()?)));
    for (at, (name, text)) in given.enumerate() {
        let sign = if at == 0 { '?' } else { '&' };
        // Writing to memory cannot fail.
        let _ = write!(all, "{sign}{name}={}", part(text));
    }
    all
}

/// A server, and the session there, if there is one.
#[derive(Debug)]
pub(crate) struct Api {
    wire: Wire,
    profile: Profile,
    session: Option<Session>,
    pub(crate) out: Out,
}

impl Api {
    pub(crate) const fn new(
        wire: Wire,
        profile: Profile,
        session: Option<Session>,
        out: Out,
    ) -> Self {
        Self { wire, profile, session, out }
    }

    pub(crate) fn server(&self) -> &str {
        self.wire.base().as_str()
    }

    /// Path of the routes that open and end sessions of this kind.
    pub(crate) const fn session_routes(&self) -> &'static str {
        self.profile.who.routes()
    }

    /// Whether sessions here are those of a user, not of an administrator.
    pub(crate) const fn is_of_a_user(&self) -> bool {
        matches!(self.profile.who, Who::User)
    }

    pub(crate) fn session(&self) -> Result<&Session> {
        let nobody = || Failure::LoggedOut("nobody is logged in in this profile".to_owned());
        self.session.as_ref().ok_or_else(nobody)
    }

    pub(crate) fn pause(&self, time: Duration) {
        self.wire.pause(time);
    }

    /// A request of nobody.
    pub(crate) fn anonymous(&self, path: &str, body: &Value, key: Option<&str>) -> Result<Value> {
        self.wire.send(&Ask::write(Method::POST, path, body, key), None)?.json()
    }

    pub(crate) fn get(&mut self, path: &str) -> Result<Value> {
        self.call(&Ask::get(path))?.json()
    }

    /// A document as it is.
    pub(crate) fn document(&mut self, path: &str, accept: &'static str) -> Result<String> {
        self.call(&Ask { accept, ..Ask::get(path) })?.text()
    }

    /// A question that needs a body; nothing is changed by it.
    pub(crate) fn ask(&mut self, path: &str, body: &Value) -> Result<Value> {
        self.call(&Ask { is_free: true, ..Ask::write(Method::POST, path, body, None) })?.json()
    }

    /// A request that changes something, once for each key.
    pub(crate) fn write(
        &mut self,
        method: Method,
        path: &str,
        body: &Value,
        key: Option<&str>,
    ) -> Result<Value> {
        self.call(&Ask::write(method, path, body, key))?.json()
    }

    /// A request with the session's token. One that is refused for its age is replaced, once.
    fn call(&mut self, ask: &Ask<'_>) -> Result<Answer> {
        let token = self.session()?.access_token.clone();
        let answer = self.wire.send(ask, Some(&token.0))?;
        let answer = match (answer.status, answer.code().as_str()) {
            (401, "token_invalid") => {
                let token = self.refresh(&token)?;
                self.wire.send(ask, Some(&token.0))?
            }
            _ => answer,
        };
        match (answer.status, answer.code().as_str()) {
            (401, "token_invalid" | "idle_timeout") => Err(self.ended()),
            _ => Ok(answer),
        }
    }

    /// Replaces a token, unless another client of the profile has done so meanwhile.
    fn refresh(&mut self, used: &Secret) -> Result<Secret> {
        let lock = self.profile.lock()?;
        self.session = self.profile.load()?;
        let session = self.session()?.clone();
        if session.access_token != *used {
            return Ok(session.access_token);
        }
        if session.server != self.server() {
            return Err(self.ended());
        }
        let path = format!("{}/refresh", self.session_routes());
        let body = json!({ "refreshToken": session.refresh_token });
        // The server gives the same successor to whoever has lost the answer.
        let ask = Ask { is_free: true, ..Ask::write(Method::POST, &path, &body, None) };
        let answer = self.wire.send(&ask, None)?;
        if answer.status == 401 {
            self.profile.remove(&lock)?;
            return Err(self.ended());
        }
        let tokens = answer.json()?;
        let session = with_tokens(&session, &tokens)?;
        self.profile.save(&lock, &session)?;
        let token = session.access_token.clone();
        self.session = Some(session);
        Ok(token)
    }

    fn ended(&mut self) -> Failure {
        self.session = None;
        Failure::LoggedOut("the session has ended".to_owned())
    }

    /// Keeps the session that a log-in has opened.
    pub(crate) fn opened(&mut self, name: &str, id: &str, reply: &Value) -> Result<()> {
        let empty = || Secret(String::new());
        let (server, name, id) = (self.server().to_owned(), name.to_owned(), id.to_owned());
        let new = Session { server, name, id, access_token: empty(), refresh_token: empty() };
        let new = with_tokens(&new, reply)?;
        let lock = self.profile.lock()?;
        self.profile.save(&lock, &new)?;
        self.session = Some(new);
        Ok(())
    }

    /// Ends the session, here in any case. A session that is over already is none to end.
    pub(crate) fn close(&mut self) -> Result<()> {
        self.session()?;
        let path = format!("{}/logout", self.session_routes());
        let ended = self.write(Method::POST, &path, &json!({}), None);
        let lock = self.profile.lock()?;
        self.profile.remove(&lock)?;
        match ended {
            Ok(_) | Err(Failure::LoggedOut(_)) => Ok(()),
            Err(failure) => Err(failure),
        }
    }
}

fn with_tokens(session: &Session, reply: &Value) -> Result<Session> {
    let [access, refresh] = ["/accessToken", "/refreshToken"].map(|at| text(reply, at));
    if access.is_empty() || refresh.is_empty() {
        return Err(Failure::Unreachable("the server gives no tokens".to_owned()));
    }
    let (access_token, refresh_token) = (Secret(access), Secret(refresh));
    Ok(Session { access_token, refresh_token, ..session.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_take_every_text() {
        assert_eq!(part("DE 1/?#é"), "DE%201%2F%3F%23%C3%A9");
        let query = [("a", None), ("b", Some("x y".to_owned())), ("c", Some("1".to_owned()))];
        assert_eq!(with_query("/p", &query), "/p?b=x%20y&c=1");
        assert_eq!(with_query("/p", &[("a", None)]), "/p");
    }
}
