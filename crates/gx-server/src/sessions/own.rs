//! The sessions and devices of whoever asks: where they are logged in, and how to end that.
//!
//! A device is what clients call theirs at log-in. It is known for as long as it has a session.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gx_store::Store;
use gx_store::login::sessions::{self, Part, Session};
use gx_types::TimeMs;
use schemars::JsonSchema;
use serde::Serialize;

use crate::audit::{Audit, Entry};
use crate::auth::InSession;
use crate::calendar::{now_ms, rfc3339};
use crate::error::{Error, Result};
use crate::http::answer::{Page, place};
use crate::http::fields::{Text, request};
use crate::http::paging::Limit;

request! {
    /// Which part of the list of sessions.
    pub(crate) struct SessionsQuery {
        /// The `nextCursor` of the page before.
        cursor as "cursor": Option<Text<1, 64>>,
        limit as "limit": Option<Limit>,
    }
}

request! {
    /// Which part of the list of devices.
    pub(crate) struct DevicesQuery {
        /// The `nextCursor` of the page before.
        cursor as "cursor": Option<Text<1, 1100>>,
        limit as "limit": Option<Limit>,
    }
}

/// A session as its owner sees it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OwnSession {
    id: String,
    /// What the client called its device when it logged in.
    device_name: Option<String>,
    /// The same, as established clients know it.
    device_fingerprint: Option<String>,
    /// Where the log-in came from.
    ip_address: String,
    user_agent: String,
    created_at: String,
    last_activity_at: String,
    expires_at: String,
    /// Whether it is the session that asks.
    is_current: bool,
}

/// A device with open sessions.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OwnDevice {
    id: String,
    /// What clients called it when they logged in.
    device_name: String,
    /// First log-in among the sessions that are open.
    first_seen_at: String,
    last_seen_at: String,
    /// How many sessions are open on it.
    sessions: u64,
    /// Whether the session that asks is one of them.
    is_current: bool,
}

/// Where a list of sessions goes on.
#[derive(Debug)]
struct SessionCursor {
    created_at: TimeMs,
    session_id: String,
}

impl FromStr for SessionCursor {
    type Err = ();

    fn from_str(text: &str) -> std::result::Result<Self, ()> {
        let (at, id) = text.split_once('.').ok_or(())?;
        let created_at = TimeMs(at.parse().map_err(|_| ())?);
        Ok(Self { created_at, session_id: id.to_owned() })
    }
}

/// The id of a device: its name, in letters that a path can have.
#[derive(Debug)]
struct DeviceId(String);

impl FromStr for DeviceId {
    type Err = ();

    fn from_str(text: &str) -> std::result::Result<Self, ()> {
        let name = URL_SAFE_NO_PAD.decode(text).map_err(|_| ())?;
        String::from_utf8(name).map(Self).map_err(|_| ())
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(&self.0))
    }
}

/// A page of the caller's open sessions, newest log-in first.
pub(crate) async fn list(
    store: &Store,
    caller: InSession<'_>,
    query: SessionsQuery,
) -> Result<Page<OwnSession>> {
    let after: Option<SessionCursor> = place(query.cursor)?;
    let limit = query.limit.map_or(20, |limit| limit.0);
    let after = after.as_ref().map(|after| (after.created_at, after.session_id.as_str()));
    let part = Part { after, limit: limit + 1 };
    let rows = sessions::list(store, caller.subject, part, TimeMs(now_ms())).await?;
    let cursor = |row: &Session| format!("{}.{}", row.created_at.0, row.session_id);
    Page::of(rows, limit, cursor).try_map(|row| {
        Ok(OwnSession {
            is_current: row.session_id == caller.session,
            id: row.session_id,
            device_name: row.device.clone(),
            device_fingerprint: row.device,
            ip_address: row.client_address,
            user_agent: row.user_agent,
            created_at: rfc3339(row.created_at.0),
            last_activity_at: rfc3339(row.last_used_at.0),
            expires_at: rfc3339(row.expires_at.0),
        })
    })
}

/// Ends a session of the caller's.
pub(crate) async fn end(audit: &Audit, caller: InSession<'_>, id: &str) -> Result<()> {
    let (mut change, now) = (audit.begin().await?, TimeMs(now_ms()));
    if !sessions::revoke_own(change.tx(), caller.subject, id, "ended by owner", now).await? {
        return Err(Error::not_found("Session"));
    }
    let actor = caller.subject.to_string();
    change.commit(Entry { actor: &actor, action: "session.end", target: id }).await
}

/// Ends all sessions of the caller's, this one as well. Returns how many there were.
pub(crate) async fn end_all(audit: &Audit, caller: InSession<'_>) -> Result<u64> {
    let (mut change, now) = (audit.begin().await?, TimeMs(now_ms()));
    let subject = caller.subject;
    let ended = sessions::revoke_all(change.tx(), subject, None, "ended by owner", now).await?;
    let actor = subject.to_string();
    change.commit(Entry { actor: &actor, action: "session.end.all", target: subject.id }).await?;
    Ok(ended)
}

/// A page of the devices that the caller is logged in on, by name.
pub(crate) async fn devices(
    store: &Store,
    caller: InSession<'_>,
    query: DevicesQuery,
) -> Result<Page<OwnDevice>> {
    let after: Option<DeviceId> = place(query.cursor)?;
    let limit = query.limit.map_or(20, |limit| limit.0);
    let part = (after.as_ref().map(|after| after.0.as_str()), limit + 1);
    let (session, now) = (caller.session, TimeMs(now_ms()));
    let rows = sessions::devices(store, caller.subject, part, session, now).await?;
    let id = |row: &sessions::Device| DeviceId(row.name.clone());
    Page::of(rows, limit, id).try_map(|row| {
        Ok(OwnDevice {
            id: DeviceId(row.name.clone()).to_string(),
            device_name: row.name,
            first_seen_at: rfc3339(row.first_seen_at.0),
            last_seen_at: rfc3339(row.last_used_at.0),
            sessions: row.sessions,
            is_current: row.has_session,
        })
    })
}

/// Ends the caller's sessions on a device.
pub(crate) async fn end_device(audit: &Audit, caller: InSession<'_>, id: &str) -> Result<()> {
    let missing = || Error::not_found("Device");
    let DeviceId(name) = id.parse().map_err(|()| missing())?;
    let (mut change, now) = (audit.begin().await?, TimeMs(now_ms()));
    let (subject, reason) = (caller.subject, "device removed");
    if sessions::revoke_device(change.tx(), subject, &name, reason, now).await? == 0 {
        return Err(missing());
    }
    // What a device is called may say something of a person, and the log stays.
    let (actor, target) = (subject.to_string(), subject.id);
    change.commit(Entry { actor: &actor, action: "device.remove", target }).await
}
