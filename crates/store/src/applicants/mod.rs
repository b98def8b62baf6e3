//! Everybody who asked for an account, what was thought of it, and how it ended.
//!
//! ```text
//! (seen) ─► waiting ─► hold ─► ready ─► approved          waiting: for the confirmation of the address
//!              ▲         │ ▲     │  └──► rejected         veto: a rejection that somebody may still stop
//!              └─────────┴─┴─ veto      gone             ready: decided, and not carried out yet
//! ```

mod crowd;
mod decide;
mod events;
mod lists;
mod mails;
mod rules;

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use serde_json::Value;
use sqlx::{FromRow, QueryBuilder, Type, types::Json};

pub use crowd::{COUNTED, Crowd, crowd};
pub use decide::{Asked, Decision, Event, approvals_since, ask, decide, forget};
pub use events::{History, Judged, events, events_since, verdicts};
pub use lists::{List, list_versions, lists, save_list};
pub use mails::{Mail, MailState, end_mail, mails, mails_due, try_mail};
pub use rules::{CONFIG, StoredRule, delete_rule, rules, save_rule, show_config_rules};

use crate::{
    Db, Error,
    db::micros,
    list::push_list,
    text::{clean, clean_json, like},
};

/// Rows in one statement.
const CHUNK: usize = 500;

/// Somebody whose end was recorded this long ago and who is in a server's list all the same is taken up again. A list
/// that was read before the end may still be on its way until then.
const STALE: TimeDelta = TimeDelta::minutes(10);

/// How far an applicant has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum State {
    /// The address is not confirmed, or a rule wants to look again.
    Waiting,
    /// A person decides.
    Hold,
    /// To be turned away once nobody stopped it in time.
    Veto,
    /// Decided, and to be carried out: observing, held by quota, or on its way.
    Ready,
    /// In.
    Approved,
    /// Turned away.
    Rejected,
    /// Not on the server any more, and not by us.
    Gone,
    /// Somebody else looks after them.
    Ignored,
}

impl State {
    /// All of them, in the order of a life.
    pub const ALL: [Self; 8] = [
        Self::Waiting,
        Self::Hold,
        Self::Veto,
        Self::Ready,
        Self::Approved,
        Self::Rejected,
        Self::Gone,
        Self::Ignored,
    ];

    /// As in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Hold => "hold",
            Self::Veto => "veto",
            Self::Ready => "ready",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Gone => "gone",
            Self::Ignored => "ignored",
        }
    }

    /// From its text.
    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether nothing more is to be decided.
    pub fn is_end(self) -> bool {
        matches!(self, Self::Approved | Self::Rejected | Self::Gone)
    }
}

/// Somebody who asked for an account. It prints no address.
#[derive(Clone, PartialEq, Serialize, FromRow)]
pub struct Applicant {
    /// `host[:port]`.
    pub server: String,
    /// There.
    pub account_id: String,
    /// The name asked for.
    pub username: String,
    /// Lower case; `None` once forgotten.
    pub email: Option<String>,
    /// Of the address as the server takes it for one person's; empty once forgotten.
    pub email_hash: String,
    /// The address's domain; empty when unreadable.
    pub domain: String,
    /// /24 or /64 of the sign-up; empty when unknown.
    pub network: String,
    /// As last judged.
    #[sqlx(json)]
    pub facts: Value,
    /// How far.
    pub state: State,
    /// What the rules say: `approve`, `reject`, `hold`, `wait`, `ignore`.
    pub verdict: String,
    /// The rule that decided.
    pub rule: Option<String>,
    /// For people.
    pub why: String,
    /// Hash of the rules that judged.
    pub ruleset: String,
    /// Why only a person moves it on: `person`, `burst`, `changed`.
    pub stopped: Option<String>,
    /// What a person wants: `approve`, `reject`, `hold`, `judge`.
    pub asked: Option<String>,
    /// Who.
    pub asked_by: Option<String>,
    /// When.
    pub asked_at: Option<DateTime<Utc>>,
    /// The address that person saw.
    pub asked_hash: Option<String>,
    /// End of the veto window.
    pub act_at: Option<DateTime<Utc>>,
    /// Signed up.
    pub signed_up_at: DateTime<Utc>,
    /// Last seen waiting on the server.
    pub seen_at: DateTime<Utc>,
    /// Last judged anew.
    pub judged_at: Option<DateTime<Utc>>,
    /// Approved, rejected or gone since.
    pub ended_at: Option<DateTime<Utc>>,
    /// `egret`, a person, or `elsewhere`.
    pub ended_by: Option<String>,
    /// When to look again after an approval.
    pub look_at: Option<DateTime<Utc>>,
    /// Times looked again.
    pub looks: i64,
    /// What was odd after the approval.
    pub flag: Option<String>,
    /// When the personal parts were forgotten.
    pub forgotten_at: Option<DateTime<Utc>>,
}

/// All columns of an [`Applicant`].
const COLUMNS: &str = "server, account_id, username, email, email_hash, domain, network, facts, state, verdict, rule, why,
    ruleset, stopped, asked, asked_by, asked_at, asked_hash, act_at, signed_up_at, seen_at, judged_at, ended_at, ended_by,
    look_at, looks, flag, forgotten_at";

impl fmt::Debug for Applicant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Applicant")
            .field("server", &self.server)
            .field("account_id", &self.account_id)
            .field("state", &self.state)
            .field("verdict", &self.verdict)
            .finish_non_exhaustive()
    }
}

/// What a server shows of somebody. It prints no address.
#[derive(Clone, PartialEq)]
pub struct Seen {
    /// There.
    pub account_id: String,
    /// The name asked for.
    pub username: String,
    /// Lower case.
    pub email: String,
    /// See [`Applicant::email_hash`].
    pub email_hash: String,
    /// See [`Applicant::domain`].
    pub domain: String,
    /// See [`Applicant::network`].
    pub network: String,
    /// Empty for a reason too short to mean anything.
    pub reason_hash: String,
    /// Everything a verdict is made from.
    pub facts: Value,
    /// Signed up.
    pub signed_up_at: DateTime<Utc>,
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seen")
            .field("account_id", &self.account_id)
            .finish_non_exhaustive()
    }
}

/// Writes down who is in a server's list: new ones as `waiting`, known ones as seen now. What is known of them is left
/// as it is until it was judged, so that a change is noticed even by the run after a crash.
pub async fn see(db: &Db, server: &str, seen: &[Seen], now: DateTime<Utc>) -> Result<(), Error> {
    let mut rows: Vec<&Seen> = seen.iter().collect();
    rows.sort_by_key(|row| &row.account_id);
    rows.dedup_by_key(|row| &row.account_id);
    if rows.is_empty() {
        return Ok(());
    }
    again!(see_sorted(db, server, &rows, now))
}

async fn see_sorted(db: &Db, server: &str, rows: &[&Seen], now: DateTime<Utc>) -> Result<(), Error> {
    const SQL: &str = "
        INSERT INTO applicants (server, account_id, username, email, email_hash, domain, network, reason_hash, facts,
            state, verdict, why, ruleset, signed_up_at, seen_at, looks) ";
    let stale = now - STALE;
    let mut tx = db.begin().await?;
    for chunk in rows.chunks(CHUNK) {
        on_tx!(&mut tx, connection => {
            let mut query = QueryBuilder::new(SQL);
            query.push_values(chunk, |mut values, row| {
                values.push_bind(server).push_bind(clean(&row.account_id)).push_bind(clean(&row.username));
                values.push_bind(clean(&row.email)).push_bind(&row.email_hash).push_bind(clean(&row.domain));
                values.push_bind(&row.network).push_bind(&row.reason_hash).push_bind(Json(clean_json(&row.facts)));
                values.push_bind(State::Waiting).push_bind("wait").push_bind("not judged yet").push_bind("");
                values.push_bind(micros(row.signed_up_at)).push_bind(now).push_bind(0_i64);
            });
            query.push(" ON CONFLICT (server, account_id) DO UPDATE SET seen_at = excluded.seen_at,
                state = CASE WHEN applicants.ended_at IS NULL THEN applicants.state ELSE 'waiting' END,
                ended_at = NULL, ended_by = NULL, look_at = NULL
                WHERE applicants.ended_at IS NULL OR applicants.ended_at < ");
            query.push_bind(stale);
            query.build().execute(connection).await.map(drop)
        })?;
    }
    tx.commit().await
}

/// Some applicants of a server; unknown ones are left out.
pub async fn load(db: &Db, server: &str, ids: &[String]) -> Result<Vec<Applicant>, Error> {
    let mut found = Vec::new();
    for chunk in ids.chunks(CHUNK) {
        let mut part: Vec<Applicant> = on!(db, pool => {
            let mut query = QueryBuilder::new("SELECT ");
            query.push(COLUMNS).push(" FROM applicants WHERE server = ").push_bind(server).push(" AND account_id IN (");
            push_list(&mut query, chunk);
            query.build_query_as().fetch_all(pool).await
        })?;
        found.append(&mut part);
    }
    Ok(found)
}

/// Everybody of this account id, whatever the server: for people who name somebody by hand.
pub async fn find(db: &Db, account_id: &str) -> Result<Vec<Applicant>, Error> {
    on!(db, pool => {
        let mut query = QueryBuilder::new("SELECT ");
        query.push(COLUMNS).push(" FROM applicants WHERE account_id = ").push_bind(account_id).push(" ORDER BY server");
        query.build_query_as().fetch_all(pool).await
    })
    .map_err(Error::from)
}

/// Which applicants to show.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of one server.
    pub server: Option<String>,
    /// Of one of these servers; `None` for any.
    pub servers: Option<Vec<String>>,
    /// In one of these states; empty: in any.
    pub states: Vec<State>,
    /// Whose name, address or domain holds this.
    pub search: Option<String>,
    /// Judged by this rule.
    pub rule: Option<String>,
    /// Signed up before this one: time and account id.
    pub before: Option<(DateTime<Utc>, String)>,
}

/// Applicants, newest first.
pub async fn list(db: &Db, filter: &Filter, limit: u32) -> Result<Vec<Applicant>, Error> {
    Ok(on!(db, pool => {
        let mut query = QueryBuilder::new("SELECT ");
        query.push(COLUMNS).push(" FROM applicants WHERE 1 = 1");
        if let Some(server) = &filter.server {
            query.push(" AND server = ").push_bind(server);
        }
        if let Some(servers) = &filter.servers {
            // An empty list is nobody's, and no SQL either.
            query.push(" AND server IN (");
            push_list(&mut query, servers);
        }
        if !filter.states.is_empty() {
            query.push(" AND state IN (");
            push_list(&mut query, &filter.states);
        }
        if let Some(rule) = &filter.rule {
            query.push(" AND rule = ").push_bind(rule);
        }
        if let Some(search) = &filter.search {
            let pattern = format!("%{}%", like(&search.to_lowercase()));
            query.push(" AND (LOWER(username) LIKE ").push_bind(pattern.clone()).push(" ESCAPE '!'");
            query.push(" OR email LIKE ").push_bind(pattern.clone()).push(" ESCAPE '!'");
            query.push(" OR domain LIKE ").push_bind(pattern).push(" ESCAPE '!')");
        }
        if let Some((at, id)) = &filter.before {
            query.push(" AND (signed_up_at < ").push_bind(micros(*at));
            query.push(" OR (signed_up_at = ").push_bind(micros(*at)).push(" AND account_id < ").push_bind(id).push("))");
        }
        query.push(" ORDER BY signed_up_at DESC, account_id DESC LIMIT ").push_bind(i64::from(limit));
        query.build_query_as().fetch_all(pool).await
    })?)
}

/// Who is to be looked after although no list named them: asked for by a person, decided and not carried out, a veto
/// window that ended, or an approval to look at again. People's wishes first, then the oldest. What is decided is left
/// out where it could not be carried out anyhow (`acts` is false): the list shows it for less.
pub async fn due(db: &Db, server: &str, now: DateTime<Utc>, acts: bool, limit: u32) -> Result<Vec<Applicant>, Error> {
    Ok(on!(db, pool => {
        let mut query = QueryBuilder::new("SELECT ");
        query.push(COLUMNS).push(" FROM applicants WHERE server = ").push_bind(server);
        query.push(" AND ((ended_at IS NULL AND (asked IS NOT NULL");
        if acts {
            query.push(" OR state = 'ready' OR (state = 'veto' AND act_at <= ").push_bind(now).push(")");
        }
        query.push(")) OR look_at <= ").push_bind(now);
        query.push(") ORDER BY CASE WHEN asked IS NULL THEN 1 ELSE 0 END, signed_up_at, account_id LIMIT ");
        query.push_bind(i64::from(limit));
        query.build_query_as().fetch_all(pool).await
    })?)
}

/// Who should be waiting on the server and was not in its list since `since`: approved or turned away by somebody else,
/// or gone.
pub async fn missing(db: &Db, server: &str, since: DateTime<Utc>, limit: u32) -> Result<Vec<Applicant>, Error> {
    Ok(on!(db, pool => {
        let mut query = QueryBuilder::new("SELECT ");
        query.push(COLUMNS).push(" FROM applicants WHERE ended_at IS NULL AND server = ").push_bind(server);
        query.push(" AND seen_at < ").push_bind(micros(since)).push(" ORDER BY seen_at, account_id LIMIT ");
        query.push_bind(i64::from(limit));
        query.build_query_as().fetch_all(pool).await
    })?)
}

/// How many are in each state, by server.
pub async fn counts(db: &Db) -> Result<Vec<(String, State, i64)>, Error> {
    const SQL: &str = "SELECT server, state, COUNT(*) FROM applicants GROUP BY server, state ORDER BY server, state";
    Ok(on!(db, pool => sqlx::query_as(SQL).fetch_all(pool).await)?)
}

/// How many each rule stands for now: rule, verdict, state, count.
pub async fn counts_by_rule(db: &Db) -> Result<Vec<(Option<String>, String, State, i64)>, Error> {
    const SQL: &str = "
        SELECT rule, verdict, state, COUNT(*) FROM applicants GROUP BY rule, verdict, state ORDER BY rule, verdict, state";
    Ok(on!(db, pool => sqlx::query_as(SQL).fetch_all(pool).await)?)
}

/// How many are in each state, by server; of those who are through, only who ended since.
pub async fn counts_since(db: &Db, since: DateTime<Utc>) -> Result<Vec<(String, State, i64)>, Error> {
    const SQL: &str = "
        SELECT server, state, COUNT(*) FROM applicants WHERE ended_at IS NULL OR ended_at >= $1
        GROUP BY server, state ORDER BY server, state";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(since).fetch_all(pool).await)?)
}
