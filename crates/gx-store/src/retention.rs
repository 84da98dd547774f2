//! Removing what is no longer needed, oldest first, some rows at a time.
//!
//! What the ledger says is never removed: blocks, transactions, entries and accounts stay.

use gx_types::TimeMs;

use crate::identity::{qsend, registrations};
use crate::login::{challenges, passkeys, password_resets, refresh_tokens, sessions};
use crate::sql::sql;
use crate::webhooks::deliveries;
use crate::{Error, Source, Tx, idempotency, mailbox, notifications};

/// What is kept for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kept {
    /// Commands that have their outcome, by the time of their acceptance.
    Commands,
    /// Answers that are given again under their idempotency key, by the end of that promise.
    Answers,
    /// Sessions, by their end.
    Sessions,
    /// Refresh tokens, by their end.
    RefreshTokens,
    /// Challenges of log-ins, by their end.
    Challenges,
    /// Ceremonies of passkeys, by their end.
    PasskeyChallenges,
    /// Tokens that set another password, by their end.
    PasswordResets,
    /// Mail and text messages, by the end of what they offer.
    Mail,
    /// Notifications, by when they were made.
    Notifications,
    /// Messages to endpoints, by when they were made.
    Deliveries,
    /// Registrations in steps, by the end of their day.
    Registrations,
}

impl Kept {
    pub const ALL: [Self; 11] = [
        Self::Commands,
        Self::Answers,
        Self::Sessions,
        Self::RefreshTokens,
        Self::Challenges,
        Self::PasskeyChallenges,
        Self::PasswordResets,
        Self::Mail,
        Self::Notifications,
        Self::Deliveries,
        Self::Registrations,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Commands => "commands",
            Self::Answers => "answers",
            Self::Sessions => "sessions",
            Self::RefreshTokens => "refresh_tokens",
            Self::Challenges => "login_challenges",
            Self::PasskeyChallenges => "passkey_challenges",
            Self::PasswordResets => "password_resets",
            Self::Mail => "mail",
            Self::Notifications => "notifications",
            Self::Deliveries => "webhook_deliveries",
            Self::Registrations => "registrations",
        }
    }
}

/// Removes rows whose time was before `before`, at most `max`. Returns how many.
///
/// # Errors
/// Those of the database.
pub async fn purge(tx: &mut Tx, kept: Kept, before: TimeMs, max: u32) -> Result<u64, Error> {
    match kept {
        Kept::Commands => purge_settled(tx, before, max).await,
        Kept::Answers => idempotency::purge(tx, before, max).await,
        Kept::Sessions => sessions::purge(tx, before, max).await,
        Kept::RefreshTokens => refresh_tokens::purge(tx, before, max).await,
        Kept::Challenges => challenges::purge(tx, before, max).await,
        Kept::PasskeyChallenges => passkeys::purge(tx, before, max).await,
        Kept::PasswordResets => password_resets::purge(tx, before, max).await,
        Kept::Mail => mailbox::purge(tx, before, max).await,
        Kept::Notifications => notifications::purge(tx, before, max).await,
        Kept::Deliveries => deliveries::purge(tx, before, max).await,
        Kept::Registrations => registrations::purge(tx, before, max).await,
    }
}

/// The time of the oldest row that is left.
///
/// # Errors
/// Those of the database.
pub async fn oldest(source: impl Into<Source<'_>>, kept: Kept) -> Result<Option<TimeMs>, Error> {
    let text = match kept {
        Kept::Commands => {
            "SELECT o.created_at_ms FROM outbox o
            WHERE NOT EXISTS (SELECT 1 FROM dead_decisions z
                WHERE z.seq = o.seq AND z.decision = 'DISCARD')
            ORDER BY o.seq LIMIT 1"
        }
        Kept::Answers => "SELECT expires_at_ms FROM idempotency ORDER BY expires_at_ms LIMIT 1",
        Kept::Sessions => "SELECT expires_at_ms FROM sessions ORDER BY expires_at_ms LIMIT 1",
        Kept::RefreshTokens => {
            "SELECT expires_at_ms FROM refresh_tokens ORDER BY expires_at_ms LIMIT 1"
        }
        Kept::Challenges => {
            "SELECT expires_at_ms FROM login_challenges ORDER BY expires_at_ms LIMIT 1"
        }
        Kept::PasskeyChallenges => {
            "SELECT expires_at_ms FROM passkey_challenges ORDER BY expires_at_ms LIMIT 1"
        }
        Kept::PasswordResets => {
            "SELECT expires_at_ms FROM password_resets ORDER BY expires_at_ms LIMIT 1"
        }
        Kept::Mail => "SELECT expires_at_ms FROM mailbox ORDER BY expires_at_ms LIMIT 1",
        Kept::Notifications => {
            "SELECT created_at_ms FROM notifications ORDER BY created_at_ms LIMIT 1"
        }
        Kept::Deliveries => {
            "SELECT created_at_ms FROM webhook_deliveries ORDER BY created_at_ms LIMIT 1"
        }
        Kept::Registrations => {
            "SELECT expires_at_ms FROM registrations ORDER BY expires_at_ms LIMIT 1"
        }
    };
    let mut reader = source.into().open().await?;
    let row = sql(text).optional(&mut reader.conn()).await?;
    row.map(|row| Ok(TimeMs(row.int(0)?))).transpose()
}

/// Removes commands that were accepted before a time and have their outcome, at most `max` of
/// them, up to the first one that has none. Returns how many.
///
/// Their ids are forgotten with them: a retry of one is then answered by the ledger. What was
/// discarded stays, as no ledger would answer for it. The newest row always stays, so that SQLite
/// never gives a number twice.
///
/// # Errors
/// Those of the database.
pub(crate) async fn purge_settled(tx: &mut Tx, before: TimeMs, max: u32) -> Result<u64, Error> {
    let mut conn = tx.conn();
    // The oldest rows in their order, and among them the first one that must stay.
    let row = sql("WITH oldest (seq, created_at_ms) AS (
            SELECT o.seq, o.created_at_ms FROM outbox o
            WHERE NOT EXISTS (SELECT 1 FROM dead_decisions z
                WHERE z.seq = o.seq AND z.decision = 'DISCARD')
            ORDER BY o.seq LIMIT $2)
        SELECT COALESCE(
            (SELECT MIN(o.seq) FROM oldest o
                LEFT JOIN outcomes x ON x.seq = o.seq
                LEFT JOIN dead_commands d ON d.seq = o.seq
                LEFT JOIN dead_decisions z ON z.seq = o.seq
                WHERE o.created_at_ms >= $1
                    OR (x.seq IS NULL AND (d.seq IS NULL OR z.seq IS NOT NULL))),
            (SELECT MAX(seq) + 1 FROM oldest), 0),
            (SELECT COALESCE(MAX(seq), 0) FROM outbox)")
    .bind(before)
    .bind(i64::from(max))
    .one(&mut conn)
    .await?;
    let end = row.int(0)?.min(row.int(1)?);
    qsend::note_outcomes(&mut conn, end).await?;
    let mut removed = 0;
    for text in [
        "DELETE FROM dead_decisions WHERE seq < $1 AND decision <> 'DISCARD'",
        "DELETE FROM outbox WHERE seq < $1
            AND NOT EXISTS (SELECT 1 FROM dead_decisions z WHERE z.seq = outbox.seq)",
        "DELETE FROM outcomes WHERE seq < $1",
        "DELETE FROM dead_commands WHERE seq < $1
            AND NOT EXISTS (SELECT 1 FROM dead_decisions z WHERE z.seq = dead_commands.seq)",
    ] {
        let touched = sql(text).bind(end).run(&mut conn).await?;
        if text.starts_with("DELETE FROM outbox ") {
            removed = touched;
        }
    }
    // What partners have given goes with the commands that it is of.
    sql("DELETE FROM partner_payments WHERE created_at_ms < $1
        AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.command_id = partner_payments.command_id)")
    .bind(before)
    .run(&mut conn)
    .await?;
    // Batches whose last command is gone.
    sql("DELETE FROM batch_ranges WHERE last_seq < $1").bind(end).run(&mut conn).await?;
    sql("DELETE FROM batches
        WHERE batch_no < (SELECT COALESCE(MIN(batch_no), 0) FROM batch_ranges)")
    .run(&mut conn)
    .await?;
    Ok(removed)
}
