//! What was decided of an applicant, with the line in their history, in one transaction.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::{QueryBuilder, types::Json};
use uuid::Uuid;

use super::{CHUNK, Mail, Seen, State};
use crate::{
    Db, Error,
    db::{Tx, micros},
    text::{clean, clean_json, clean_opt},
};

const EVENT: &str = "
    INSERT INTO applicant_events (id, server, account_id, at, kind, by, detail, inputs)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";

/// Everything that names somebody or says what they wrote. Hashes stay.
const FORGET: [&str; 2] = [
    "UPDATE applicants SET username = '', email = NULL, facts = '{}', asked_hash = NULL, forgotten_at = $3
     WHERE server = $1 AND account_id = $2 AND forgotten_at IS NULL",
    "UPDATE applicant_events SET inputs = NULL WHERE server = $1 AND account_id = $2 AND at <= $3",
];

/// What a person wants of an applicant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// Let them in, once their address is confirmed.
    Approve,
    /// Turn them away now.
    Reject,
    /// Leave them to people.
    Hold,
    /// Forget what stopped them and let the rules judge.
    Judge,
}

impl Asked {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Approve, Self::Reject, Self::Hold, Self::Judge];

    /// As in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Reject => "reject",
            Self::Hold => "hold",
            Self::Judge => "judge",
        }
    }

    /// From its text.
    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|asked| asked.as_str() == text)
    }
}

/// What was decided of an applicant.
#[derive(Debug, Clone)]
pub struct Decision {
    /// There.
    pub account_id: String,
    /// How far they are now.
    pub state: State,
    /// What the rules say.
    pub verdict: String,
    /// The rule that decided.
    pub rule: Option<String>,
    /// For people.
    pub why: String,
    /// Hash of the rules.
    pub ruleset: String,
    /// See [`Applicant::stopped`](super::Applicant::stopped).
    pub stopped: Option<String>,
    /// End of the veto window.
    pub act_at: Option<DateTime<Utc>>,
    /// By whom it ended, when it did.
    pub ended_by: Option<String>,
    /// When to look again after an approval, and how often that was done.
    pub look: (Option<DateTime<Utc>>, i64),
    /// What was odd after the approval.
    pub flag: Option<String>,
    /// The wish of a person that this answers, by its time: a newer one stays.
    pub answers: Option<DateTime<Utc>>,
    /// What the server showed, when it was asked anew.
    pub seen: Option<Seen>,
    /// A line for the history.
    pub event: Option<Event>,
    /// A letter to send.
    pub mail: Option<Mail>,
    /// Keep only hashes from now on.
    pub forget: bool,
}

/// A line of somebody's history.
#[derive(Debug, Clone)]
pub struct Event {
    /// `judged`, `asked`, `ended`, `changed`, `looked`, `mailed`, `forgotten`.
    pub kind: &'static str,
    /// `egret`, or a person.
    pub by: String,
    /// What happened, without anything personal.
    pub detail: Value,
    /// What a verdict was made from.
    pub inputs: Option<Value>,
}

/// Writes decisions down, at most one for each applicant. One transaction.
pub async fn decide(db: &Db, server: &str, decisions: &[Decision], now: DateTime<Utc>) -> Result<(), Error> {
    if decisions.is_empty() {
        return Ok(());
    }
    let mut rows: Vec<&Decision> = decisions.iter().collect();
    rows.sort_by_key(|row| &row.account_id);
    again!(decide_sorted(db, server, &rows, now))
}

async fn decide_sorted(db: &Db, server: &str, rows: &[&Decision], now: DateTime<Utc>) -> Result<(), Error> {
    let mut tx = db.begin().await?;
    for chunk in rows.chunks(CHUNK) {
        update(&mut tx, server, chunk, now).await?;
        tell(&mut tx, server, chunk, now).await?;
        for row in chunk {
            finish(&mut tx, server, row, now).await?;
        }
    }
    tx.commit().await
}

/// Many rows in one statement: a list of ten thousand is decided two hundred at a time.
async fn update(tx: &mut Tx, server: &str, rows: &[&Decision], now: DateTime<Utc>) -> Result<(), sqlx::Error> {
    on_tx!(tx, connection => {
        let mut query = QueryBuilder::new(
            "WITH d (account_id, state, verdict, rule, why, ruleset, stopped, act_at, ended_by, look_at, looks, flag, username,
                email, email_hash, domain, network, reason_hash, facts) AS (",
        );
        query.push_values(rows, |mut values, row| {
            let seen = row.seen.as_ref();
            values.push_bind(&row.account_id).push_bind(row.state).push_bind(&row.verdict).push_bind(&row.rule);
            values.push_bind(clean(&row.why)).push_bind(&row.ruleset).push_bind(&row.stopped);
            values.push_bind(row.act_at.map(micros)).push_bind(clean_opt(row.ended_by.as_deref()));
            values.push_bind(row.look.0.map(micros)).push_bind(row.look.1).push_bind(clean_opt(row.flag.as_deref()));
            values.push_bind(seen.map(|seen| clean(&seen.username))).push_bind(seen.map(|seen| clean(&seen.email)));
            values.push_bind(seen.map(|seen| &seen.email_hash)).push_bind(seen.map(|seen| clean(&seen.domain)));
            values.push_bind(seen.map(|seen| &seen.network)).push_bind(seen.map(|seen| &seen.reason_hash));
            values.push_bind(seen.map(|seen| Json(clean_json(&seen.facts))));
        });
        query.push(
            ") UPDATE applicants SET state = d.state, verdict = d.verdict, rule = d.rule, why = d.why, ruleset = d.ruleset,
                stopped = d.stopped, act_at = d.act_at, look_at = d.look_at, looks = d.looks, flag = d.flag,
                username = COALESCE(d.username, applicants.username), email = COALESCE(d.email, applicants.email),
                email_hash = COALESCE(d.email_hash, applicants.email_hash), domain = COALESCE(d.domain, applicants.domain),
                network = COALESCE(d.network, applicants.network),
                reason_hash = COALESCE(d.reason_hash, applicants.reason_hash), facts = COALESCE(d.facts, applicants.facts),
                ended_by = CASE WHEN d.ended_by IS NULL THEN NULL ELSE COALESCE(applicants.ended_by, d.ended_by) END,
                judged_at = ",
        );
        query.push_bind(now).push(
            ", ended_at = CASE WHEN d.ended_by IS NULL THEN NULL ELSE COALESCE(applicants.ended_at, ",
        );
        query.push_bind(now).push(") END FROM d WHERE applicants.account_id = d.account_id AND applicants.server = ");
        query.push_bind(server).build().execute(connection).await.map(drop)
    })
}

/// The lines of the history, in the order of the rows.
async fn tell(tx: &mut Tx, server: &str, rows: &[&Decision], now: DateTime<Utc>) -> Result<(), sqlx::Error> {
    let lines: Vec<_> = rows
        .iter()
        .filter_map(|row| Some((*row, row.event.as_ref()?)))
        .collect();
    if lines.is_empty() {
        return Ok(());
    }
    on_tx!(tx, connection => {
        let mut query = QueryBuilder::new(
            "INSERT INTO applicant_events (id, server, account_id, at, kind, by, detail, inputs) ",
        );
        query.push_values(lines, |mut values, (row, event)| {
            values.push_bind(Uuid::now_v7().to_string()).push_bind(server).push_bind(&row.account_id);
            values.push_bind(now).push_bind(event.kind).push_bind(clean(&event.by));
            values.push_bind(Json(clean_json(&event.detail)));
            values.push_bind(event.inputs.as_ref().map(|inputs| Json(clean_json(inputs))));
        });
        query.build().execute(connection).await.map(drop)
    })
}

/// What few rows bring along.
async fn finish(tx: &mut Tx, server: &str, row: &Decision, now: DateTime<Utc>) -> Result<(), sqlx::Error> {
    const ANSWER: &str = "
        UPDATE applicants SET asked = NULL, asked_by = NULL, asked_at = NULL, asked_hash = NULL
        WHERE server = $1 AND account_id = $2 AND asked_at <= $3";
    const MAIL: &str = "
        INSERT INTO applicant_mails (id, server, account_id, recipient, body, state, tries, next_try_at, queued_at)
        VALUES ($1, $2, $3, $4, $5, 'waiting', 0, $6, $6) ON CONFLICT (server, account_id) DO NOTHING";
    on_tx!(tx, connection => {
        if let Some(asked_at) = row.answers {
            let query = sqlx::query(ANSWER).bind(server).bind(&row.account_id);
            query.bind(asked_at).execute(&mut *connection).await?;
        }
        if let Some(mail) = &row.mail {
            let query = sqlx::query(MAIL).bind(Uuid::now_v7().to_string()).bind(server).bind(&row.account_id);
            let query = query.bind(clean(&mail.recipient)).bind(clean(&mail.body)).bind(now);
            query.execute(&mut *connection).await?;
        }
        if row.forget {
            for sql in FORGET {
                sqlx::query(sql).bind(server).bind(&row.account_id).bind(now).execute(&mut *connection).await?;
            }
        }
        Ok(())
    })
}

/// A person wants something of an applicant who is not at their end; `false` when there is none. With the line in the
/// history.
pub async fn ask(
    db: &Db,
    server: &str,
    account_id: &str,
    asked: Asked,
    who: &str,
    now: DateTime<Utc>,
) -> Result<bool, Error> {
    const SQL: &str = "
        UPDATE applicants SET asked = $3, asked_by = $4, asked_at = $5, asked_hash = email_hash
        WHERE server = $1 AND account_id = $2 AND ended_at IS NULL";
    let mut tx = db.begin().await?;
    let found = on_tx!(&mut tx, connection => {
        let query = sqlx::query(SQL).bind(server).bind(account_id).bind(asked.as_str()).bind(clean(who)).bind(now);
        let found = query.execute(&mut *connection).await?.rows_affected() > 0;
        if found {
            let detail = json!({ "asked": asked.as_str() });
            let query = sqlx::query(EVENT).bind(Uuid::now_v7().to_string()).bind(server).bind(account_id);
            let query = query.bind(now).bind("asked").bind(clean(who)).bind(Json(detail)).bind(None::<Json<Value>>);
            query.execute(&mut *connection).await?;
        }
        Ok::<_, sqlx::Error>(found)
    })?;
    tx.commit().await?;
    Ok(found)
}

/// How many we let in since.
pub async fn approvals_since(db: &Db, server: &str, since: DateTime<Utc>) -> Result<i64, Error> {
    const SQL: &str = "
        SELECT COUNT(*) FROM applicants
        WHERE server = $1 AND state = 'approved' AND ended_by = 'egret' AND ended_at >= $2";
    Ok(on!(db, pool => sqlx::query_scalar(SQL).bind(server).bind(since).fetch_one(pool).await)?)
}

/// Forgets who they were, of those who ended before `before`: names, addresses, networks, reasons, hashes and what their
/// verdicts were made from. That somebody came, which rule decided what, and when, stays. Gives how many.
pub async fn forget(db: &Db, before: DateTime<Utc>, now: DateTime<Utc>, limit: u32) -> Result<u64, Error> {
    const DUE: &str = "
        SELECT server, account_id FROM applicants WHERE ended_at < $1 AND look_at IS NULL AND email_hash <> '' LIMIT $2";
    const HASHES: &str = "
        UPDATE applicants SET email_hash = '', reason_hash = '', network = '', domain = ''
        WHERE server = $1 AND account_id = $2 AND ended_at < $3";
    let due: Vec<(String, String)> =
        on!(db, pool => sqlx::query_as(DUE).bind(micros(before)).bind(i64::from(limit)).fetch_all(pool).await)?;
    let mut tx = db.begin().await?;
    for (server, account_id) in &due {
        on_tx!(&mut tx, connection => {
            for sql in FORGET {
                sqlx::query(sql).bind(server).bind(account_id).bind(now).execute(&mut *connection).await?;
            }
            let query = sqlx::query(HASHES).bind(server).bind(account_id).bind(micros(before));
            query.execute(&mut *connection).await.map(drop)
        })?;
    }
    tx.commit().await?;
    Ok(due.len() as u64)
}
