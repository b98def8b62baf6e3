//! What one feature noticed and another may want: bad domains for blocklists, odd accounts for moderators.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::FromRow;

use crate::{Db, Error, db::micros, text::clean};

/// A server of which several accounts were found to be bad.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct DomainFinding {
    /// Whose people saw it, `host[:port]`.
    pub server: String,
    /// Which domain.
    pub domain: String,
    /// Accounts of which a case was opened.
    pub accounts: i64,
    /// Accounts of which people said that it was right.
    pub confirmed: i64,
    /// `open`, `taken` (for a blocklist), `dismissed`.
    pub state: String,
    /// Who took or dismissed it.
    pub by: Option<String>,
    /// How hard it should be blocked, where it was taken: `silence`, `suspend`.
    pub severity: Option<String>,
    /// Found.
    pub first_at: DateTime<Utc>,
    /// Changed.
    pub last_at: DateTime<Utc>,
}

/// Keeps what is known of a domain; `true` when it is new.
pub async fn save_domain(db: &Db, finding: &DomainFinding) -> Result<bool, Error> {
    const KNOWN: &str =
        "UPDATE domain_findings SET accounts = $3, confirmed = $4, last_at = $5 WHERE server = $1 AND domain = $2";
    const SQL: &str = "
        INSERT INTO domain_findings (server, domain, accounts, confirmed, state, first_at, last_at)
        VALUES ($1, $2, $3, $4, 'open', $5, $5) ON CONFLICT (server, domain) DO NOTHING";
    for (sql, is_new) in [(KNOWN, false), (SQL, true)] {
        let rows = on_write!(db, pool => {
            let query = sqlx::query(sql).bind(&finding.server).bind(clean(&finding.domain)).bind(finding.accounts);
            let query = query.bind(finding.confirmed).bind(micros(finding.last_at));
            query.execute(pool).await.map(|done| done.rows_affected())
        })?;
        if rows > 0 {
            return Ok(is_new);
        }
    }
    Ok(false)
}

/// Domains in a state (or any), the weightiest first.
pub async fn domains(db: &Db, state: Option<&str>, limit: u32) -> Result<Vec<DomainFinding>, Error> {
    const SQL: &str = "
        SELECT * FROM domain_findings WHERE ($1 IS NULL OR state = $1) ORDER BY confirmed DESC, accounts DESC, domain LIMIT $2";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(state).bind(i64::from(limit)).fetch_all(pool).await)?)
}

/// Somebody took it for a blocklist, with a severity, dismissed it, or opened it again; `false` when there is none.
pub async fn set_domain(
    db: &Db,
    server: &str,
    domain: &str,
    state: &str,
    severity: Option<&str>,
    by: &str,
) -> Result<bool, Error> {
    const SQL: &str = "UPDATE domain_findings SET state = $3, by = $4, severity = $5 WHERE server = $1 AND domain = $2";
    let set = on_write!(db, pool => {
        let query = sqlx::query(SQL).bind(server).bind(domain).bind(state).bind(clean(by)).bind(severity);
        query.execute(pool).await.map(|done| done.rows_affected())
    })?;
    Ok(set > 0)
}

/// What a feature noticed of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct AccountFinding {
    /// UUID v7.
    pub id: String,
    /// `metering`, …
    pub feature: String,
    /// `host[:port]`.
    pub server: String,
    /// There; empty where only the name is known.
    pub account_id: String,
    /// `user`, or `user@domain`.
    pub acct: String,
    /// One word.
    pub kind: String,
    /// One sentence for people.
    pub text: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// Tells moderators of an account. The same finding is told once.
pub async fn tell_account(db: &Db, finding: &AccountFinding) -> Result<bool, Error> {
    const SQL: &str = "
        INSERT INTO account_findings (id, feature, server, account_id, acct, kind, text, at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING";
    let told = on_write!(db, pool => {
        let query = sqlx::query(SQL).bind(&finding.id).bind(&finding.feature).bind(&finding.server);
        let query = query.bind(clean(&finding.account_id)).bind(clean(&finding.acct)).bind(clean(&finding.kind));
        query.bind(clean(&finding.text)).bind(micros(finding.at)).execute(pool).await.map(|done| done.rows_affected())
    })?;
    Ok(told > 0)
}

/// Findings of a server that nobody has taken up, oldest first.
pub async fn accounts_open(db: &Db, server: &str, limit: u32) -> Result<Vec<AccountFinding>, Error> {
    const SQL: &str = "
        SELECT id, feature, server, account_id, acct, kind, text, at FROM account_findings
        WHERE server = $1 AND taken_at IS NULL ORDER BY id LIMIT $2";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(server).bind(i64::from(limit)).fetch_all(pool).await)?)
}

/// It was taken up.
pub async fn take_account(db: &Db, id: &str, now: DateTime<Utc>) -> Result<(), Error> {
    const SQL: &str = "UPDATE account_findings SET taken_at = $2 WHERE id = $1";
    on_write!(db, pool => sqlx::query(SQL).bind(id).bind(micros(now)).execute(pool).await.map(drop))?;
    Ok(())
}
