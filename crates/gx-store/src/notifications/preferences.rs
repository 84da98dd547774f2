//! How people want to be told.

use std::borrow::Cow;
use std::collections::HashMap;

use super::{Channels, NewNotification, Topic};
use crate::bulk::{Bulk, Column};
use crate::login::Subject;
use crate::sql::{Row, sql};
use crate::{Error, Source, Tx};

fn channels_of(row: &Row, from: usize) -> Result<Channels, Error> {
    Ok(Channels { in_app: row.flag(from)?, by_mail: row.flag(from + 1)? })
}

/// How somebody is told of every topic, in the order of the topics.
///
/// # Errors
/// Those of the database.
pub async fn preferences(
    source: impl Into<Source<'_>>,
    subject: Subject<'_>,
) -> Result<Vec<(Topic, Channels)>, Error> {
    let mut reader = source.into().open().await?;
    let rows = sql("SELECT topic, in_app, by_mail FROM notification_preferences
        WHERE kind = $1 AND subject = $2")
    .bind(subject.kind.as_str())
    .bind(subject.id)
    .all(&mut reader.conn())
    .await?;
    let mut said = HashMap::new();
    for row in &rows {
        said.insert(row.string(0)?, channels_of(row, 1)?);
    }
    let of = |topic: &Topic| (*topic, topic.channels(said.get(topic.as_str()).copied()));
    Ok(Topic::ALL.iter().map(of).collect())
}

/// Keeps how somebody wants to be told of these topics.
///
/// # Errors
/// Those of the database.
pub async fn set_preferences(
    tx: &mut Tx,
    subject: Subject<'_>,
    to: &[(Topic, Channels)],
) -> Result<(), Error> {
    let mut conn = tx.conn();
    for (topic, channels) in to {
        sql("INSERT INTO notification_preferences (kind, subject, topic, in_app, by_mail)
            VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (kind, subject, topic) DO UPDATE SET in_app = excluded.in_app,
                by_mail = excluded.by_mail")
        .bind(subject.kind.as_str())
        .bind(subject.id)
        .bind(topic.as_str())
        .bind(channels.in_app)
        .bind(channels.by_mail)
        .run(&mut conn)
        .await?;
    }
    Ok(())
}

/// How each of these is told, in their order.
pub(super) async fn channels(tx: &mut Tx, new: &[NewNotification]) -> Result<Vec<Channels>, Error> {
    let texts = |of: fn(&NewNotification) -> &str| {
        Column::Text(new.iter().map(|new| Cow::from(of(new))).collect())
    };
    let columns = vec![
        texts(|new| new.kind.as_str()),
        texts(|new| &new.subject),
        texts(|new| new.topic.as_str()),
    ];
    let rows = Bulk::new(
        "WITH input (kind, subject, topic) AS ({rows})
        SELECT DISTINCT p.kind, p.subject, p.topic, p.in_app, p.by_mail
        FROM input i JOIN notification_preferences p
            ON p.kind = i.kind AND p.subject = i.subject AND p.topic = i.topic",
        columns,
    )
    .all(&mut tx.conn())
    .await?;
    let mut said = HashMap::new();
    for row in &rows {
        let key = (row.string(0)?, row.string(1)?, row.string(2)?);
        said.insert(key, channels_of(row, 3)?);
    }
    let of = |new: &NewNotification| {
        let key =
            (new.kind.as_str().to_owned(), new.subject.clone(), new.topic.as_str().to_owned());
        new.topic.channels(said.get(&key).copied())
    };
    Ok(new.iter().map(of).collect())
}
