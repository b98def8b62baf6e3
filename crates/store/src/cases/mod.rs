//! Accounts that rules or people have something against, how far each case is, and everything that happened.
//!
//! ```text
//! (hits) ─► open ─► ready ─► reported ─► resolved       open: a person decides
//!             │       │         └──────► gone           ready: decided, and not sent yet
//!             └───────┴─► dismissed                     one that is not over per account: more hits go into it
//! ```

mod lines;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Value, json};
use sqlx::{FromRow, QueryBuilder, Type, types::Json};
use uuid::Uuid;

use crate::{
    Db, Error,
    db::micros,
    list::push_list,
    text::{clean, clean_json, clean_opt, like},
};

pub(crate) use lines::insert_line;
pub use lines::{Line, lines, lines_since, newest_lines, tell};

/// How far a case is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum State {
    /// A person decides.
    Open,
    /// Decided, and to be carried out: observing, held by quota, or on its way.
    Ready,
    /// Its report was filed and nobody has resolved it yet.
    Reported,
    /// Its report was resolved.
    Resolved,
    /// A person said that there is nothing in it.
    Dismissed,
    /// The account is not there any more.
    Gone,
}

impl State {
    /// All of them, in the order of a life.
    pub const ALL: [Self; 6] = [
        Self::Open,
        Self::Ready,
        Self::Reported,
        Self::Resolved,
        Self::Dismissed,
        Self::Gone,
    ];

    /// As in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Ready => "ready",
            Self::Reported => "reported",
            Self::Resolved => "resolved",
            Self::Dismissed => "dismissed",
            Self::Gone => "gone",
        }
    }

    /// From its text.
    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether nothing more is to be decided.
    pub fn is_end(self) -> bool {
        matches!(self, Self::Resolved | Self::Dismissed | Self::Gone)
    }
}

/// What a person wants of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// File the report.
    Approve,
    /// There is nothing in it.
    Dismiss,
    /// Somebody with more say should look.
    Escalate,
    /// There is nothing in it, and these rules leave this account alone from now on.
    Exempt,
}

impl Asked {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Approve, Self::Dismiss, Self::Escalate, Self::Exempt];

    /// As in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Dismiss => "dismiss",
            Self::Escalate => "escalate",
            Self::Exempt => "exempt",
        }
    }

    /// From its text.
    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|asked| asked.as_str() == text)
    }
}

/// A case.
#[derive(Debug, Clone, PartialEq, Serialize, FromRow)]
pub struct Case {
    /// UUID v7.
    pub id: String,
    /// Short, in the report's comment: by it a report is known again.
    pub reference: String,
    /// `host[:port]`.
    pub server: String,
    /// There.
    pub account_id: String,
    /// `user`, or `user@domain`.
    pub acct: String,
    /// Empty for the server's own people.
    pub domain: String,
    /// How far.
    pub state: State,
    /// What the rules' weights come to.
    pub score: f64,
    /// Names of rules, the weightiest first.
    #[sqlx(json)]
    pub rules: Vec<String>,
    /// Ids of statuses that go into the report.
    #[sqlx(json)]
    pub statuses: Vec<String>,
    /// `spam`, `legal`, `violation`, `other`.
    pub category: String,
    /// Of the server's own rules.
    #[sqlx(json)]
    pub rule_ids: Vec<String>,
    /// Whether the account's own server is told as well.
    pub forward: bool,
    /// What rules want done beyond the report.
    #[sqlx(json)]
    pub actions: Value,
    /// Why it is where it is, for people.
    pub why: String,
    /// Why only a person moves it on: `review`, `burst`, `reported`, `escalated`, `finding`.
    pub stopped: Option<String>,
    /// What a person wants.
    pub asked: Option<String>,
    /// Who.
    pub asked_by: Option<String>,
    /// When.
    pub asked_at: Option<DateTime<Utc>>,
    /// The report, once it is filed.
    pub report_id: Option<String>,
    /// When.
    pub reported_at: Option<DateTime<Utc>>,
    /// What people thought of it: `confirmed`, `rejected`.
    pub verdict: Option<String>,
    /// The version of the rules that spoke last.
    pub ruleset: i64,
    /// Opened.
    pub opened_at: DateTime<Utc>,
    /// Changed.
    pub updated_at: DateTime<Utc>,
    /// When to try, or to ask how the report fares.
    pub look_at: Option<DateTime<Utc>>,
    /// Over.
    pub ended_at: Option<DateTime<Utc>>,
    /// By whom.
    pub ended_by: Option<String>,
}

impl Case {
    /// A case that begins now and of which nothing is known yet: a person decides, and there is no report.
    pub fn new(server: &str, account_id: &str, now: DateTime<Utc>) -> Self {
        Self {
            id: Uuid::now_v7().to_string(),
            reference: String::new(),
            server: server.to_owned(),
            account_id: account_id.to_owned(),
            acct: String::new(),
            domain: String::new(),
            state: State::Open,
            score: 0.0,
            rules: Vec::new(),
            statuses: Vec::new(),
            category: "other".to_owned(),
            rule_ids: Vec::new(),
            forward: false,
            actions: json!([]),
            why: String::new(),
            stopped: None,
            asked: None,
            asked_by: None,
            asked_at: None,
            report_id: None,
            reported_at: None,
            verdict: None,
            ruleset: 0,
            opened_at: now,
            updated_at: now,
            look_at: None,
            ended_at: None,
            ended_by: None,
        }
    }
}

/// Opens a case, with its line, unless the account has one that is not over; `false` then, and nothing happened.
pub async fn open(db: &Db, case: &Case, line: &Line) -> Result<bool, Error> {
    const SQL: &str = "
        INSERT INTO cases (id, reference, server, account_id, acct, domain, state, score, rules, statuses, category, rule_ids,
            forward, actions, why, stopped, ruleset, opened_at, updated_at, look_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
        ON CONFLICT DO NOTHING";
    again!(async {
        let mut tx = db.begin().await?;
        let inserted = on_tx!(&mut tx, connection => {
            let query = sqlx::query(SQL).bind(&case.id).bind(&case.reference).bind(&case.server).bind(clean(&case.account_id));
            let query = query.bind(clean(&case.acct)).bind(clean(&case.domain)).bind(case.state).bind(case.score);
            let query = query.bind(Json(clean_json(&json!(case.rules)))).bind(Json(clean_json(&json!(case.statuses))));
            let query = query.bind(&case.category).bind(Json(clean_json(&json!(case.rule_ids)))).bind(case.forward);
            let query = query.bind(Json(clean_json(&case.actions))).bind(clean(&case.why)).bind(&case.stopped);
            let query = query.bind(case.ruleset).bind(micros(case.opened_at)).bind(micros(case.updated_at));
            query.bind(case.look_at.map(micros)).execute(connection).await.map(|done| done.rows_affected())
        })?;
        if inserted == 0 {
            return Ok(false);
        }
        insert_line(&mut tx, line).await?;
        tx.commit().await?;
        Ok::<_, Error>(true)
    })
}

/// Writes a case as it is now, with lines, unless somebody changed it since it was read at `was`; `false` then, and
/// nothing happened. A person's wish that is younger than the one in `case` stays.
pub async fn save(db: &Db, case: &Case, was: DateTime<Utc>, lines: &[Line]) -> Result<bool, Error> {
    const SQL: &str = "
        UPDATE cases SET acct = $3, state = $4, score = $5, rules = $6, statuses = $7, category = $8, rule_ids = $9,
            forward = $10, actions = $11, why = $12, stopped = $13, asked = $14, asked_by = $15, asked_at = $16,
            report_id = $17, reported_at = $18, verdict = $19, ruleset = $20, updated_at = $21, look_at = $22,
            ended_at = $23, ended_by = $24
        WHERE id = $1 AND updated_at = $2";
    again!(async {
        let mut tx = db.begin().await?;
        let updated = on_tx!(&mut tx, connection => {
            let query = sqlx::query(SQL).bind(&case.id).bind(micros(was)).bind(clean(&case.acct)).bind(case.state);
            let query = query.bind(case.score).bind(Json(clean_json(&json!(case.rules))));
            let query = query.bind(Json(clean_json(&json!(case.statuses)))).bind(&case.category);
            let query = query.bind(Json(clean_json(&json!(case.rule_ids)))).bind(case.forward);
            let query = query.bind(Json(clean_json(&case.actions))).bind(clean(&case.why)).bind(&case.stopped);
            let query = query.bind(&case.asked).bind(clean_opt(case.asked_by.as_deref())).bind(case.asked_at.map(micros));
            let query = query.bind(clean_opt(case.report_id.as_deref())).bind(case.reported_at.map(micros));
            let query = query.bind(&case.verdict).bind(case.ruleset).bind(micros(case.updated_at));
            let query = query.bind(case.look_at.map(micros)).bind(case.ended_at.map(micros));
            query.bind(clean_opt(case.ended_by.as_deref())).execute(connection).await.map(|done| done.rows_affected())
        })?;
        if updated == 0 {
            return Ok(false);
        }
        for line in lines {
            insert_line(&mut tx, line).await?;
        }
        tx.commit().await?;
        Ok::<_, Error>(true)
    })
}

/// Writes down what a person wants of a case that is not over; `false` when it is.
pub async fn ask(db: &Db, id: &str, asked: Asked, who: &str, note: &str, now: DateTime<Utc>) -> Result<bool, Error> {
    const SQL: &str = "
        UPDATE cases SET asked = $2, asked_by = $3, asked_at = $4, updated_at = $4
        WHERE id = $1 AND ended_at IS NULL RETURNING server";
    let now = micros(now);
    again!(async {
        let mut tx = db.begin().await?;
        let server: Option<String> = on_tx!(&mut tx, connection => {
            let query = sqlx::query_scalar(SQL).bind(id).bind(asked.as_str()).bind(clean(who)).bind(now);
            query.fetch_optional(connection).await
        })?;
        let Some(server) = server else {
            return Ok(false);
        };
        let line = Line {
            id: Uuid::now_v7().to_string(),
            case_id: Some(id.to_owned()),
            server,
            at: now,
            kind: "asked".to_owned(),
            by: who.to_owned(),
            detail: json!({ "asked": asked.as_str(), "note": (!note.is_empty()).then_some(note) }),
        };
        insert_line(&mut tx, &line).await?;
        tx.commit().await?;
        Ok::<_, Error>(true)
    })
}

/// One case, by its id or its reference.
pub async fn load(db: &Db, id: &str) -> Result<Option<Case>, Error> {
    const SQL: &str = "SELECT * FROM cases WHERE id = $1 OR reference = $1";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(id).fetch_optional(pool).await)?)
}

/// The case of an account that is not over.
pub async fn current(db: &Db, server: &str, account_id: &str) -> Result<Option<Case>, Error> {
    const SQL: &str = "SELECT * FROM cases WHERE server = $1 AND account_id = $2 AND ended_at IS NULL";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(server).bind(account_id).fetch_optional(pool).await)?)
}

/// The case of a report.
pub async fn of_report(db: &Db, server: &str, report_id: &str) -> Result<Option<Case>, Error> {
    const SQL: &str = "SELECT * FROM cases WHERE server = $1 AND report_id = $2 ORDER BY id DESC LIMIT 1";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(server).bind(report_id).fetch_optional(pool).await)?)
}

/// All cases of an account, newest first.
pub async fn of_account(db: &Db, server: &str, account_id: &str, limit: u32) -> Result<Vec<Case>, Error> {
    const SQL: &str = "SELECT * FROM cases WHERE server = $1 AND account_id = $2 ORDER BY id DESC LIMIT $3";
    Ok(on!(db, pool => {
        sqlx::query_as(SQL).bind(server).bind(account_id).bind(i64::from(limit)).fetch_all(pool).await
    })?)
}

/// Which cases.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filter {
    /// At these servers; `None` for any.
    pub servers: Option<Vec<String>>,
    /// In these states; empty for any.
    pub states: Vec<State>,
    /// Whose account's name or domain holds this.
    pub search: Option<String>,
    /// That this rule spoke in.
    pub rule: Option<String>,
    /// Of accounts at this domain.
    pub domain: Option<String>,
    /// Older than this id.
    pub before: Option<String>,
}

/// Cases that pass the filter, newest first.
pub async fn list(db: &Db, filter: &Filter, limit: u32) -> Result<Vec<Case>, Error> {
    Ok(on!(db, pool => {
        let mut query = QueryBuilder::new("SELECT * FROM cases WHERE 1 = 1");
        if let Some(servers) = &filter.servers {
            query.push(" AND server IN (");
            push_list(&mut query, servers);
        }
        if !filter.states.is_empty() {
            query.push(" AND state IN (");
            push_list(&mut query, &filter.states);
        }
        if let Some(search) = &filter.search {
            let pattern = format!("%{}%", like(&search.to_lowercase()));
            query.push(" AND (LOWER(acct) LIKE ").push_bind(pattern).push(" ESCAPE '!' OR reference = ");
            query.push_bind(clean(&search.to_uppercase()).into_owned());
            query.push(" OR account_id = ").push_bind(clean(search)).push(")");
        }
        if let Some(domain) = &filter.domain {
            query.push(" AND domain = ").push_bind(domain);
        }
        if let Some(rule) = &filter.rule {
            query.push(" AND EXISTS (SELECT 1 FROM rule_hits h WHERE h.case_id = cases.id AND h.rule = ").push_bind(rule).push(")");
        }
        if let Some(before) = &filter.before {
            query.push(" AND id < ").push_bind(before);
        }
        query.push(" ORDER BY id DESC LIMIT ").push_bind(i64::from(limit));
        query.build_query_as().fetch_all(pool).await
    })?)
}

/// Cases of a server of which a person wants something, oldest wish first.
pub async fn asked(db: &Db, server: &str, limit: u32) -> Result<Vec<Case>, Error> {
    const SQL: &str = "SELECT * FROM cases WHERE server = $1 AND asked IS NOT NULL ORDER BY asked_at LIMIT $2";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(server).bind(i64::from(limit)).fetch_all(pool).await)?)
}

/// Cases of a server in a state that are to be looked at by now, the longest overdue first.
pub async fn due(db: &Db, server: &str, state: State, now: DateTime<Utc>, limit: u32) -> Result<Vec<Case>, Error> {
    const SQL: &str = "
        SELECT * FROM cases WHERE server = $1 AND look_at <= $2 AND state = $3 AND ended_at IS NULL
        ORDER BY look_at, id LIMIT $4";
    Ok(on!(db, pool => {
        let query = sqlx::query_as(SQL).bind(server).bind(micros(now)).bind(state);
        query.bind(i64::from(limit)).fetch_all(pool).await
    })?)
}

/// How many cases are in which state, by server.
pub async fn counts(db: &Db) -> Result<Vec<(String, State, i64)>, Error> {
    const SQL: &str = "SELECT server, state, COUNT(*) FROM cases GROUP BY server, state ORDER BY server, state";
    Ok(on!(db, pool => sqlx::query_as(SQL).fetch_all(pool).await)?)
}

/// How many reports rules filed on a server since: for the burst stop.
pub async fn reported_since(db: &Db, server: &str, since: DateTime<Utc>) -> Result<i64, Error> {
    const SQL: &str = "
        SELECT COUNT(*) FROM cases WHERE server = $1 AND reported_at >= $2 AND asked_by IS NULL";
    Ok(on!(db, pool => sqlx::query_scalar(SQL).bind(server).bind(micros(since)).fetch_one(pool).await)?)
}

/// Each case since, oldest first: when it was opened, its state and verdict.
pub async fn by_day(db: &Db, since: DateTime<Utc>) -> Result<Vec<(DateTime<Utc>, State, Option<String>)>, Error> {
    const SQL: &str =
        "SELECT opened_at, state, verdict FROM cases WHERE opened_at >= $1 ORDER BY opened_at LIMIT 100000";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(micros(since)).fetch_all(pool).await)?)
}

/// Domains with the most cases since: `(server, domain, accounts, confirmed)`.
pub async fn by_domain(db: &Db, since: DateTime<Utc>, limit: u32) -> Result<Vec<(String, String, i64, i64)>, Error> {
    const SQL: &str = "
        SELECT server, domain, COUNT(DISTINCT account_id), COUNT(DISTINCT account_id) FILTER (WHERE verdict = 'confirmed')
        FROM cases WHERE domain <> '' AND opened_at >= $1 AND state <> 'dismissed' AND (verdict IS NULL OR verdict <> 'rejected')
        GROUP BY server, domain ORDER BY 3 DESC, domain LIMIT $2";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(micros(since)).bind(i64::from(limit)).fetch_all(pool).await)?)
}

/// Cases that are over since before `before` are deleted. What happened stays, and so does what is still to be taken back.
pub async fn delete_older(db: &Db, before: DateTime<Utc>) -> Result<u64, Error> {
    const SQL: &str = "DELETE FROM cases WHERE ended_at < $1";
    Ok(on_write!(db, pool => {
        sqlx::query(SQL).bind(micros(before)).execute(pool).await.map(|done| done.rows_affected())
    })?)
}
