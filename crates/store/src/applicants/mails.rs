//! Letters to those who were turned away, one each.

use std::fmt;

use chrono::{DateTime, Utc};
use sqlx::{FromRow, Type};

use crate::{
    Db, Error,
    db::micros,
    text::{clean, clean_opt},
};

/// How far a letter has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum MailState {
    /// To be sent.
    Waiting,
    /// The mail server took it.
    Sent,
    /// Given up.
    Failed,
}

/// A letter. It prints neither whom it is for nor what it says.
#[derive(Clone, PartialEq, Eq, FromRow)]
pub struct Mail {
    /// UUID v7; empty for one that is to be queued.
    pub id: String,
    /// `host[:port]`.
    pub server: String,
    /// There.
    pub account_id: String,
    /// Whom to; empty once it went.
    pub recipient: String,
    /// What to say; empty once it went.
    pub body: String,
    /// Times tried.
    pub tries: i64,
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail")
            .field("id", &self.id)
            .field("tries", &self.tries)
            .finish_non_exhaustive()
    }
}

/// Letters to be sent now, oldest first.
pub async fn mails_due(db: &Db, now: DateTime<Utc>, limit: u32) -> Result<Vec<Mail>, Error> {
    const SQL: &str = "
        SELECT id, server, account_id, recipient, body, tries FROM applicant_mails
        WHERE state = 'waiting' AND next_try_at <= $1 ORDER BY id LIMIT $2";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(now).bind(i64::from(limit)).fetch_all(pool).await)?)
}

/// Counts a try before it is made, so that a crash cannot hide it; the next one not before `next_try_at`.
pub async fn try_mail(db: &Db, id: &str, next_try_at: DateTime<Utc>) -> Result<bool, Error> {
    const SQL: &str = "
        UPDATE applicant_mails SET tries = tries + 1, next_try_at = $2 WHERE id = $1 AND state = 'waiting'";
    let counted = on_write!(db, pool => {
        sqlx::query(SQL).bind(id).bind(micros(next_try_at)).execute(pool).await.map(|done| done.rows_affected())
    })?;
    Ok(counted > 0)
}

/// It went, or was given up: whom it was for and what it said are forgotten.
pub async fn end_mail(
    db: &Db,
    id: &str,
    state: MailState,
    note: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    const END: &str = "
        UPDATE applicant_mails SET state = $2, note = $3, ended_at = $4, recipient = '', body = '' WHERE id = $1";
    const NOTE: &str = "UPDATE applicant_mails SET note = $2 WHERE id = $1";
    on_write!(db, pool => if state == MailState::Waiting {
        sqlx::query(NOTE).bind(id).bind(clean_opt(note)).execute(pool).await.map(drop)
    } else {
        let query = sqlx::query(END).bind(id).bind(state).bind(note.map(clean)).bind(now);
        query.execute(pool).await.map(drop)
    })?;
    Ok(())
}

/// How many letters are in each state.
pub async fn mails(db: &Db) -> Result<Vec<(MailState, i64)>, Error> {
    const SQL: &str = "SELECT state, COUNT(*) FROM applicant_mails GROUP BY state ORDER BY state";
    Ok(on!(db, pool => sqlx::query_as(SQL).fetch_all(pool).await)?)
}
