//! Reading the archive.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{FromRow, QueryBuilder};

use super::{KEPT, Kept};
use crate::{Db, Error, list::push_list};

const CHUNK: usize = 500;

/// Something that a login had or has to do with a status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct Activity {
    /// `server/login`.
    pub login: String,
    /// post, boost, favourite, …
    pub kind: String,
    /// The status.
    pub status: i64,
    /// When it was done, where the server tells.
    pub at: Option<DateTime<Utc>>,
    /// First seen.
    pub noticed_at: DateTime<Utc>,
    /// Noticed to be taken back.
    pub ended_at: Option<DateTime<Utc>>,
    /// The boost's or notification's own id.
    pub activity_id: Option<String>,
    /// Of a boost.
    pub visibility: Option<String>,
}

/// What a status said before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct Version {
    /// The status.
    pub status: i64,
    /// From when on it said so.
    pub version_at: DateTime<Utc>,
    /// Of what people wrote.
    pub digest: String,
    /// A `Status` or a `StatusEdit`.
    pub body: String,
    /// When we saw it.
    pub seen_at: DateTime<Utc>,
}

/// How many of something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct Count {
    /// Whose.
    pub login: String,
    /// What.
    pub what: String,
    /// How many.
    pub count: i64,
}

/// One status.
pub async fn load(db: &Db, id: i64) -> Result<Option<Kept>, Error> {
    Ok(list(db, &[id]).await?.pop())
}

/// Some statuses, oldest first.
pub async fn list(db: &Db, ids: &[i64]) -> Result<Vec<Kept>, Error> {
    let mut found: Vec<Kept> = Vec::new();
    for chunk in ids.chunks(CHUNK) {
        let mut part = on!(db, pool => {
            let mut query = QueryBuilder::new(format!("SELECT {KEPT} FROM archive_statuses s WHERE s.id IN ("));
            push_list(&mut query, chunk);
            query.build_query_as().fetch_all(pool).await
        })?;
        found.append(&mut part);
    }
    found.sort_by_key(|kept| kept.id);
    Ok(found)
}

/// A status by its uri or its page.
pub async fn find(db: &Db, address: &str) -> Result<Option<Kept>, Error> {
    if let Some(found) = by_uris(db, &[address.to_owned()]).await?.pop() {
        return Ok(Some(found));
    }
    let sql = format!("SELECT {KEPT} FROM archive_statuses s WHERE s.url = $1 ORDER BY s.id LIMIT 1");
    Ok(on!(db, pool => sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(address).fetch_optional(pool).await)?)
}

/// Those of these uris that are kept.
pub async fn by_uris(db: &Db, uris: &[String]) -> Result<Vec<Kept>, Error> {
    let mut found = Vec::new();
    for chunk in uris.chunks(CHUNK) {
        let mut part: Vec<Kept> = on!(db, pool => {
            let mut query = QueryBuilder::new(format!("SELECT {KEPT} FROM archive_statuses s WHERE s.uri IN ("));
            push_list(&mut query, chunk);
            query.build_query_as().fetch_all(pool).await
        })?;
        found.append(&mut part);
    }
    Ok(found)
}

/// The uri of a status by its id at a server.
pub async fn parent_uri(db: &Db, server: &str, server_id: &str) -> Result<Option<String>, Error> {
    const SQL: &str = "
        SELECT s.uri FROM archive_ids i JOIN archive_statuses s ON s.id = i.id
        WHERE i.server = $1 AND i.server_id = $2";
    Ok(on!(db, pool => sqlx::query_scalar(SQL).bind(server).bind(server_id).fetch_optional(pool).await)?)
}

/// All statuses after an id, oldest first, a bounded piece at a time: how the whole archive is read. With a login, only
/// what it has to do with.
pub async fn each(db: &Db, login: Option<&str>, after: i64, limit: u32) -> Result<Vec<Kept>, Error> {
    let sql = format!(
        "SELECT {KEPT} FROM archive_statuses s WHERE s.id > $1 AND ($2 = '' OR EXISTS (
            SELECT 1 FROM archive_activities a WHERE a.status = s.id AND a.login = $2)) ORDER BY s.id LIMIT $3"
    );
    Ok(on!(db, pool => {
        let query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(after).bind(login.unwrap_or_default());
        query.bind(i64::from(limit)).fetch_all(pool).await
    })?)
}

/// What everybody had to do with these statuses, oldest first.
pub async fn activities(db: &Db, ids: &[i64]) -> Result<Vec<Activity>, Error> {
    let mut found = Vec::new();
    for chunk in ids.chunks(CHUNK) {
        let mut part: Vec<Activity> = on!(db, pool => {
            let mut query = QueryBuilder::new(
                "SELECT login, kind, status, at, noticed_at, ended_at, activity_id, visibility FROM archive_activities
                 WHERE status IN (",
            );
            push_list(&mut query, chunk);
            query.push(" ORDER BY noticed_at, login, kind");
            query.build_query_as().fetch_all(pool).await
        })?;
        found.append(&mut part);
    }
    Ok(found)
}

/// A login's activities of one kind that stand, by status, a bounded piece at a time after a status.
pub async fn open_activities(db: &Db, login: &str, kind: &str, after: i64, limit: u32) -> Result<Vec<Activity>, Error> {
    const SQL: &str = "
        SELECT login, kind, status, at, noticed_at, ended_at, activity_id, visibility FROM archive_activities
        WHERE login = $1 AND kind = $2 AND ended_at IS NULL AND status > $3 ORDER BY status LIMIT $4";
    Ok(on!(db, pool => {
        sqlx::query_as(SQL).bind(login).bind(kind).bind(after).bind(i64::from(limit)).fetch_all(pool).await
    })?)
}

/// What a status said before, oldest first.
pub async fn versions(db: &Db, id: i64) -> Result<Vec<Version>, Error> {
    const SQL: &str =
        "SELECT status, version_at, digest, body, seen_at FROM archive_versions WHERE status = $1 ORDER BY version_at";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(id).fetch_all(pool).await)?)
}

/// Every login that anything is kept of, by a step from one to the next rather than by reading all there is.
pub async fn logins(db: &Db) -> Result<Vec<String>, Error> {
    const SQL: &str = "
        WITH RECURSIVE found (login) AS (
            SELECT MIN(login) FROM archive_activities
            UNION ALL
            SELECT (SELECT MIN(a.login) FROM archive_activities a WHERE a.login > found.login) FROM found
            WHERE found.login IS NOT NULL)
        SELECT login FROM found WHERE login IS NOT NULL";
    Ok(on!(db, pool => sqlx::query_scalar(SQL).fetch_all(pool).await)?)
}

/// What is kept, by login and kind; what was taken back counts too.
pub async fn counts(db: &Db) -> Result<Vec<Count>, Error> {
    const SQL: &str = "
        SELECT login, kind AS what, COUNT(*) AS count FROM archive_activities GROUP BY login, kind ORDER BY login, kind";
    Ok(on!(db, pool => sqlx::query_as(SQL).fetch_all(pool).await)?)
}

/// Which of these statuses a login wrote or boosted, by uri and kind.
pub async fn own(db: &Db, login: &str, uris: &[String]) -> Result<HashSet<(String, String)>, Error> {
    let mut found = HashSet::new();
    for chunk in uris.chunks(CHUNK) {
        let part: Vec<(String, String)> = on!(db, pool => {
            let mut query = QueryBuilder::new(
                "SELECT s.uri, a.kind FROM archive_statuses s JOIN archive_activities a ON a.status = s.id
                 WHERE a.ended_at IS NULL AND a.kind IN ('post', 'boost') AND a.login = ",
            );
            query.push_bind(login).push(" AND s.uri IN (");
            push_list(&mut query, chunk);
            query.build_query_as().fetch_all(pool).await
        })?;
        found.extend(part);
    }
    Ok(found)
}

/// How many statuses and boosts of a login stand, as servers count them: direct messages are not counted.
pub async fn standing(db: &Db, login: &str) -> Result<i64, Error> {
    const SQL: &str = "
        SELECT COUNT(*) FROM archive_activities a JOIN archive_statuses s ON s.id = a.status
        WHERE a.login = $1 AND a.kind IN ('post', 'boost') AND a.ended_at IS NULL
            AND s.gone_at IS NULL AND NOT (a.kind = 'post' AND s.visibility = 'direct')";
    Ok(on!(db, pool => sqlx::query_scalar(SQL).bind(login).fetch_one(pool).await)?)
}

/// Statuses a month by kind, for these logins: `what` is `2026-03`, `login` the kind.
pub async fn months(db: &Db, logins: &[String]) -> Result<Vec<Count>, Error> {
    if logins.is_empty() {
        return Ok(Vec::new());
    }
    Ok(on!(db, pool => {
        let mut query = QueryBuilder::new(
            "SELECT a.kind AS login, substr(CAST(s.created_at AS TEXT), 1, 7) AS what, COUNT(*) AS count
             FROM archive_activities a JOIN archive_statuses s ON s.id = a.status WHERE a.login IN (",
        );
        push_list(&mut query, logins);
        query.push(" GROUP BY a.kind, substr(CAST(s.created_at AS TEXT), 1, 7) ORDER BY 2, 1");
        query.build_query_as().fetch_all(pool).await
    })?)
}

#[derive(FromRow)]
struct Link {
    id: i64,
    server: String,
    server_id: String,
    in_reply_to: Option<String>,
}

/// The conversation around a status as far as it is kept, at most `limit` statuses, oldest first.
pub async fn thread(db: &Db, id: i64, limit: usize) -> Result<Vec<Kept>, Error> {
    const OF: &str = "SELECT id, server, server_id, in_reply_to FROM archive_statuses WHERE id = $1";
    // Server and id as some status of the thread spells its parent; imports have uris for ids.
    const PARENT: &str = "
        SELECT id, server, server_id, in_reply_to FROM archive_statuses
        WHERE id = (SELECT id FROM archive_ids WHERE server = $1 AND server_id = $2)
            OR ($1 = '' AND uri = $2) LIMIT 1";
    const CHILDREN: &str = "
        SELECT id, server, server_id, in_reply_to FROM archive_statuses
        WHERE server = $1 AND in_reply_to = $2 ORDER BY id LIMIT $3";
    let Some(mut at): Option<Link> = on!(db, pool => sqlx::query_as(OF).bind(id).fetch_optional(pool).await)? else {
        return Ok(Vec::new());
    };
    let mut seen = HashSet::from([at.id]);
    while let Some(parent) = at.in_reply_to.as_deref().filter(|_| seen.len() < limit) {
        let found: Option<Link> = on!(db, pool => {
            sqlx::query_as(PARENT).bind(&at.server).bind(parent).fetch_optional(pool).await
        })?;
        match found {
            Some(link) if seen.insert(link.id) => at = link,
            _ => break,
        }
    }
    let mut queue = vec![at];
    for id in seen.clone() {
        queue.extend(on!(db, pool => sqlx::query_as::<_, Link>(OF).bind(id).fetch_optional(pool).await)?);
    }
    while let Some(link) = queue.pop().filter(|_| seen.len() < limit) {
        let rest = i64::try_from(limit - seen.len()).unwrap_or(0);
        let children: Vec<Link> = on!(db, pool => {
            sqlx::query_as(CHILDREN).bind(&link.server).bind(&link.server_id).bind(rest).fetch_all(pool).await
        })?;
        for child in children {
            if seen.insert(child.id) {
                queue.push(child);
            }
        }
    }
    let ids: Vec<i64> = seen.into_iter().collect();
    list(db, &ids).await
}
