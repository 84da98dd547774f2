//! What notifications look like on the wire.

use gx_store::notifications::{Channels, Notification, Topic};
use schemars::JsonSchema;
use serde::Serialize;

use crate::calendar::rfc3339;
use crate::http::fields::{
    Count, Field, FieldErrors, FieldPath, List, Truth, listed_fields, one_of, request, text,
};
use crate::http::paging::{Cursor, Limit};

/// Whether somebody has read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReadStatus {
    Unread,
    Read,
}

impl ReadStatus {
    const ALL: [Self; 2] = [Self::Unread, Self::Read];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Unread => "UNREAD",
            Self::Read => "READ",
        }
    }
}

listed_fields! {
    ReadStatus: "invalid_status";
}

impl JsonSchema for ReadStatus {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ReadStatus".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        one_of(Self::ALL.map(Self::as_str))
    }
}

request! {
    /// Which notifications, newest first.
    pub(crate) struct NotificationsQuery {
        status as "status": Option<ReadStatus>,
        limit as "limit": Option<Limit>,
        /// How many to pass over; `cursor` is better where new ones come meanwhile.
        offset as "offset": Option<Count<0, 1_000_000>>,
        /// The `nextCursor` of the page before.
        cursor as "cursor": Option<Cursor>,
    }
}

/// What a notification is about, as a field.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TopicField(pub(crate) Topic);

impl Field for TopicField {
    fn read(
        value: Option<&serde_json::Value>,
        at: FieldPath<'_>,
        errors: &mut FieldErrors,
    ) -> Option<Self> {
        let given = text(value, at, errors)?;
        let found = Topic::ALL.iter().find(|topic| topic.as_str() == given);
        if found.is_none() {
            let known: Vec<&str> = Topic::ALL.iter().map(|topic| topic.as_str()).collect();
            errors.add(at, "invalid_type", format!("must be one of {}", known.join(", ")));
        }
        found.copied().map(Self)
    }
}

impl JsonSchema for TopicField {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "NotificationType".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        one_of(Topic::ALL.iter().map(|topic| topic.as_str()))
    }
}

request! {
    /// How the caller wants to be told of one type.
    pub(crate) struct PreferenceBody {
        topic as "type": TopicField,
        in_app as "inApp": Truth,
        by_mail as "byEmail": Truth,
    }
}

request! {
    /// How the caller wants to be told; types that are left out stay as they are.
    pub(crate) struct PreferencesBody {
        preferences as "preferences": List<PreferenceBody, 1, 64>,
    }
}

/// What somebody is told.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NotificationReply {
    id: String,
    /// What it is about: a stable word.
    #[serde(rename = "type")]
    topic: &'static str,
    /// For people; so is the next.
    title: String,
    message: String,
    /// Whether something waits for the reader.
    action_required: bool,
    /// Kind of what it is about: `LOAN`, `ESCROW`, `COMMAND` …
    resource_type: Option<String>,
    resource_id: Option<String>,
    /// `UNREAD` or `READ`.
    status: &'static str,
    created_at: String,
    read_at: Option<String>,
}

impl From<Notification> for NotificationReply {
    fn from(row: Notification) -> Self {
        let status = if row.read_at.is_some() { ReadStatus::Read } else { ReadStatus::Unread };
        Self {
            id: row.notification_id,
            topic: row.topic.as_str(),
            title: row.title,
            message: row.message,
            action_required: row.action_required,
            resource_type: row.resource_type,
            resource_id: row.resource_id,
            status: status.as_str(),
            created_at: rfc3339(row.created_at.0),
            read_at: row.read_at.map(|at| rfc3339(at.0)),
        }
    }
}

/// Where a page stands in its list.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OffsetPage {
    pub(super) limit: u32,
    pub(super) offset: u32,
    pub(super) has_more: bool,
}

/// A page of what the caller was told.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NotificationsReply {
    pub(super) notifications: Vec<NotificationReply>,
    /// Of this status, or all.
    pub(super) total: u64,
    pub(super) unread_count: u64,
    pub(super) pagination: OffsetPage,
    /// Give it as `cursor` to get what follows.
    pub(super) next_cursor: Option<String>,
}

/// How much the caller has not read.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UnreadReply {
    pub(super) unread_count: u64,
}

/// A notification as it is kept now.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct NotificationKept {
    pub(super) success: bool,
    pub(super) notification: NotificationReply,
}

/// How many notifications were changed.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct CountReply {
    pub(super) success: bool,
    pub(super) count: u64,
}

/// How the caller is told of one type.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PreferenceReply {
    #[serde(rename = "type")]
    topic: &'static str,
    in_app: bool,
    by_email: bool,
    /// It is told in the application in any case.
    is_mandatory: bool,
}

impl From<(Topic, Channels)> for PreferenceReply {
    fn from((topic, channels): (Topic, Channels)) -> Self {
        Self {
            topic: topic.as_str(),
            in_app: channels.in_app,
            by_email: channels.by_mail,
            is_mandatory: !topic.is_free(),
        }
    }
}

/// How the caller is told, of every type.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PreferencesReply {
    pub(super) preferences: Vec<PreferenceReply>,
}
