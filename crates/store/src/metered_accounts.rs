//! Accounts that are measured: who they are, what they belong to, and how measuring them goes.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{FromRow, QueryBuilder};

use crate::{
    Db, Error,
    db::micros,
    list::push_list,
    text::{clean, clean_opt, is_key, like},
};

/// Rows in one statement.
const CHUNK: usize = 1000;

/// An account that is measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct Metered {
    /// Ours.
    pub id: i64,
    /// The actor: its identity.
    pub uri: String,
    /// The page for people.
    pub url: String,
    /// `user@domain`, lower case.
    pub acct: String,
    /// As it calls itself.
    pub name: String,
    /// Who is asked.
    pub host: String,
    /// Its id there.
    pub remote_id: Option<String>,
    /// `tracked`, `archived`, `removed`.
    pub state: String,
    /// Empty, `suspended`, `gone`.
    pub condition: String,
    /// The actor it moved to.
    pub moved_to: Option<String>,
    /// Who asked for it: `hand`, `import`, `server`, `followed`, `moved`.
    pub source: String,
    /// The last slot that has a point, in seconds since 1970.
    pub measured_slot: i64,
    /// Slot of its newest row.
    pub newest: i64,
    /// The last slot in which it could not be measured.
    pub tried_slot: i64,
    /// In that slot.
    pub tries: i64,
    /// Why not.
    pub trouble: Option<String>,
    /// When its server first said that it is gone.
    pub gone_at: Option<DateTime<Utc>>,
    /// When it is tried again.
    pub next_try_at: Option<DateTime<Utc>>,
    /// When it was added.
    pub added_at: DateTime<Utc>,
}

/// Somebody to add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct New {
    /// The actor.
    pub uri: String,
    /// The page for people.
    pub url: String,
    /// `user@domain`.
    pub acct: String,
    /// As it calls itself.
    pub name: String,
    /// Who is asked.
    pub host: String,
    /// Its id there.
    pub remote_id: Option<String>,
    /// Who asked for it.
    pub source: String,
    /// What it belongs to.
    pub groups: Vec<String>,
}

/// What came of adding somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Added {
    /// Was not there.
    New,
    /// Was there; only the groups are new, if anything.
    Known,
    /// Had been removed or archived, and is measured again, its points kept.
    Restored,
}

/// Which accounts a list shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// `tracked`, `archived`, `removed`; all of them where empty.
    pub states: Vec<String>,
    /// Of this group.
    pub group: Option<String>,
    /// Of this host.
    pub host: Option<String>,
    /// Part of the acct.
    pub search: Option<String>,
    /// Only those after this id.
    pub after: i64,
}

/// Adds an account, or finds it: by its actor, so that adding it twice gives the same id.
pub async fn add(db: &Db, new: &New, now: DateTime<Utc>) -> Result<Option<(i64, Added)>, Error> {
    const FIND: &str = "SELECT id, state FROM metered_accounts WHERE uri = $1";
    const RESTORE: &str = "
        UPDATE metered_accounts SET state = 'tracked', condition = '', gone_at = NULL, next_try_at = NULL
        WHERE id = $1 AND state <> 'tracked'";
    // The number after the highest one: whoever is faster has it, and the loser looks again. Points may have come to one
    // that was erased while it was measured; nobody else is to find them.
    const INSERT: &str = "
        INSERT INTO metered_accounts (id, uri, url, acct, name, host, remote_id, state, condition, source, measured_slot,
            newest, tried_slot, tries, added_at)
        SELECT COALESCE(MAX(taken), 0) + 1, $1, $2, $3, $4, $5, $6, 'tracked', '', $7, 0, 0, 0, 0, $8
        FROM (SELECT MAX(id) AS taken FROM metered_accounts UNION ALL SELECT MAX(account) FROM metered_points) AS ids
        WHERE true
        ON CONFLICT DO NOTHING RETURNING id";
    if !is_key(&new.uri) || !is_key(&new.acct) {
        return Ok(None);
    }
    for tries in 1..=20 {
        let found: Option<(i64, String)> = on_write!(db, pool => {
            sqlx::query_as(FIND).bind(&new.uri).fetch_optional(pool).await
        })?;
        if let Some((id, state)) = found {
            if state != "tracked" {
                on_write!(db, pool => sqlx::query(RESTORE).bind(id).execute(pool).await.map(drop))?;
            }
            join(db, id, &new.groups).await?;
            let added = if state == "tracked" {
                Added::Known
            } else {
                Added::Restored
            };
            return Ok(Some((id, added)));
        }
        let id: Option<i64> = on_write!(db, pool => {
            let query = sqlx::query_scalar(INSERT).bind(&new.uri).bind(clean(&new.url)).bind(new.acct.to_lowercase());
            let query = query.bind(clean(&new.name)).bind(&new.host).bind(clean_opt(new.remote_id.as_deref()));
            query.bind(&new.source).bind(micros(now)).fetch_optional(pool).await
        })?;
        if let Some(id) = id {
            join(db, id, &new.groups).await?;
            return Ok(Some((id, Added::New)));
        }
        crate::db::pause(tries).await;
    }
    Ok(None)
}

/// Adds an account that nobody asked for by name: one that somebody removed stays removed. True when it is new.
pub async fn add_unless_removed(db: &Db, new: &New, now: DateTime<Utc>) -> Result<bool, Error> {
    const SQL: &str = "SELECT 1 FROM metered_accounts WHERE uri = $1";
    let there = on!(db, pool => {
        sqlx::query(SQL).bind(&new.uri).fetch_optional(pool).await.map(|row| row.is_some())
    })?;
    Ok(!there && matches!(add(db, new, now).await?, Some((_, Added::New))))
}

/// Adds an account to groups. Names are kept as given, without spaces around.
pub async fn join(db: &Db, account: i64, groups: &[String]) -> Result<(), Error> {
    const SQL: &str = "INSERT INTO metered_groups (name, account) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    for group in groups
        .iter()
        .map(|group| group.trim())
        .filter(|group| !group.is_empty() && is_key(group))
    {
        on_write!(db, pool => sqlx::query(SQL).bind(group).bind(account).execute(pool).await.map(drop))?;
    }
    Ok(())
}

/// Takes an account out of a group.
pub async fn leave(db: &Db, account: i64, group: &str) -> Result<bool, Error> {
    const SQL: &str = "DELETE FROM metered_groups WHERE name = $1 AND account = $2";
    Ok(on_write!(db, pool => {
        sqlx::query(SQL).bind(group).bind(account).execute(pool).await.map(|done| done.rows_affected() > 0)
    })?)
}

/// All groups and how many accounts each has.
pub async fn groups(db: &Db) -> Result<Vec<(String, i64)>, Error> {
    const SQL: &str = "SELECT name, COUNT(*) FROM metered_groups GROUP BY name ORDER BY name";
    Ok(on!(db, pool => sqlx::query_as(SQL).fetch_all(pool).await)?)
}

/// The groups of some accounts: account and name, sorted.
pub async fn groups_of(db: &Db, accounts: &[i64]) -> Result<Vec<(i64, String)>, Error> {
    let mut found = Vec::new();
    for chunk in accounts.chunks(CHUNK) {
        let mut part: Vec<(i64, String)> = on!(db, pool => {
            let mut query = QueryBuilder::new("SELECT account, name FROM metered_groups WHERE account IN (");
            push_list(&mut query, chunk);
            query.push(" ORDER BY account, name");
            query.build_query_as().fetch_all(pool).await
        })?;
        found.append(&mut part);
    }
    Ok(found)
}

/// One account.
pub async fn load(db: &Db, id: i64) -> Result<Option<Metered>, Error> {
    const SQL: &str = "SELECT * FROM metered_accounts WHERE id = $1";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(id).fetch_optional(pool).await)?)
}

/// Accounts by actor, page or `user@domain`.
pub async fn find(db: &Db, text: &str) -> Result<Vec<Metered>, Error> {
    const SQL: &str = "SELECT * FROM metered_accounts WHERE uri = $1 OR acct = $2 ORDER BY id";
    let acct = text.trim_start_matches('@').to_lowercase();
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(clean(text)).bind(clean(&acct)).fetch_all(pool).await)?)
}

/// A page of accounts by id.
pub async fn list(db: &Db, filter: &Filter, limit: u32) -> Result<Vec<Metered>, Error> {
    Ok(on!(db, pool => {
        let mut query = QueryBuilder::new("SELECT * FROM metered_accounts WHERE id > ");
        query.push_bind(filter.after);
        if !filter.states.is_empty() {
            query.push(" AND state IN (");
            push_list(&mut query, &filter.states);
        }
        if let Some(host) = &filter.host {
            query.push(" AND host = ").push_bind(host);
        }
        if let Some(group) = &filter.group {
            query.push(" AND id IN (SELECT account FROM metered_groups WHERE name = ").push_bind(clean(group)).push(")");
        }
        if let Some(search) = &filter.search {
            query.push(" AND acct LIKE ").push_bind(format!("%{}%", like(&search.to_lowercase()))).push(" ESCAPE '!'");
        }
        query.push(" ORDER BY id LIMIT ").push_bind(i64::from(limit));
        query.build_query_as().fetch_all(pool).await
    })?)
}

/// How many accounts there are, by state.
pub async fn counts(db: &Db) -> Result<Vec<(String, i64)>, Error> {
    const SQL: &str = "SELECT state, COUNT(*) FROM metered_accounts GROUP BY state ORDER BY state";
    Ok(on!(db, pool => sqlx::query_as(SQL).fetch_all(pool).await)?)
}

/// Hosts with accounts whose slot is still to be measured and was not tried yet, and how many.
pub async fn due_hosts(db: &Db, slot: i64) -> Result<Vec<(String, i64)>, Error> {
    const SQL: &str = "
        SELECT host, COUNT(*) FROM metered_accounts
        WHERE state = 'tracked' AND measured_slot < $1 AND tried_slot < $1 GROUP BY host ORDER BY host";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(slot).fetch_all(pool).await)?)
}

/// Some accounts of a host that are to be measured and were not tried yet, by id.
pub async fn due(db: &Db, host: &str, slot: i64, after: i64, limit: u32) -> Result<Vec<Metered>, Error> {
    const SQL: &str = "
        SELECT * FROM metered_accounts
        WHERE state = 'tracked' AND host = $1 AND id > $2 AND measured_slot < $3 AND tried_slot < $3
        ORDER BY id LIMIT $4";
    Ok(on!(db, pool => {
        sqlx::query_as(SQL).bind(host).bind(after).bind(slot).bind(i64::from(limit)).fetch_all(pool).await
    })?)
}

/// Accounts that are to be tried again: tracked ones that failed in this slot, and archived ones that may be back.
pub async fn again(db: &Db, slot: i64, now: DateTime<Utc>, limit: u32) -> Result<Vec<Metered>, Error> {
    const SQL: &str = "
        SELECT * FROM metered_accounts
        WHERE next_try_at IS NOT NULL AND next_try_at <= $1
            AND (state = 'archived' OR (state = 'tracked' AND tried_slot = $2))
        ORDER BY next_try_at, id LIMIT $3";
    Ok(on!(db, pool => {
        sqlx::query_as(SQL).bind(micros(now)).bind(slot).bind(i64::from(limit)).fetch_all(pool).await
    })?)
}

/// Accounts that could not be measured in this slot: why, and when they are tried again.
pub async fn mark_failed(
    db: &Db,
    accounts: &[i64],
    slot: i64,
    trouble: &str,
    next_try_at: DateTime<Utc>,
) -> Result<(), Error> {
    for chunk in accounts.chunks(CHUNK) {
        on_write!(db, pool => {
            let mut query = QueryBuilder::new("UPDATE metered_accounts SET tries = CASE WHEN tried_slot = ");
            query.push_bind(slot).push(" THEN tries + 1 ELSE 1 END, tried_slot = ").push_bind(slot);
            query.push(", trouble = ").push_bind(clean(trouble));
            query.push(", next_try_at = ").push_bind(micros(next_try_at)).push(" WHERE id IN (");
            push_list(&mut query, chunk);
            query.build().execute(pool).await.map(drop)
        })?;
    }
    Ok(())
}

/// What its server says about an account now: everything but the counts.
pub async fn save(db: &Db, account: &Metered) -> Result<(), Error> {
    const SQL: &str = "
        UPDATE metered_accounts SET url = $2, acct = $3, name = $4, host = $5, remote_id = $6, state = $7, condition = $8,
            moved_to = $9, trouble = $10, gone_at = $11, next_try_at = $12
        WHERE id = $1";
    on_write!(db, pool => {
        let query = sqlx::query(SQL).bind(account.id).bind(clean(&account.url)).bind(clean(&account.acct));
        let query = query.bind(clean(&account.name)).bind(&account.host).bind(clean_opt(account.remote_id.as_deref()));
        let query = query.bind(&account.state).bind(&account.condition).bind(clean_opt(account.moved_to.as_deref()));
        let query = query.bind(clean_opt(account.trouble.as_deref())).bind(account.gone_at.map(micros));
        query.bind(account.next_try_at.map(micros)).execute(pool).await.map(drop)
    })?;
    Ok(())
}

/// Stops measuring an account; its points stay, and adding it again goes on with them. False when it is not there.
pub async fn remove(db: &Db, id: i64) -> Result<bool, Error> {
    const SQL: &str = "UPDATE metered_accounts SET state = 'removed', next_try_at = NULL WHERE id = $1";
    Ok(on_write!(db, pool => sqlx::query(SQL).bind(id).execute(pool).await.map(|done| done.rows_affected() > 0))?)
}

/// Erases an account, its points, events and groups. False when it is not there.
pub async fn purge(db: &Db, id: i64) -> Result<bool, Error> {
    again!(purge_once(db, id))
}

async fn purge_once(db: &Db, id: i64) -> Result<bool, Error> {
    let mut tx = db.begin().await?;
    let mut there = false;
    for sql in [
        "DELETE FROM metered_points WHERE account = $1",
        "DELETE FROM metered_events WHERE account = $1",
        "DELETE FROM metered_groups WHERE account = $1",
        "DELETE FROM metered_accounts WHERE id = $1",
    ] {
        there = on_tx!(&mut tx, connection => {
            sqlx::query(sql).bind(id).execute(connection).await.map(|done| done.rows_affected() > 0)
        })?;
    }
    tx.commit().await?;
    Ok(there)
}
