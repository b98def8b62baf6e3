//! Hashtags, and what else is counted of an archive: hours and people.

use sqlx::QueryBuilder;

use super::{Count, Item};
use crate::{Db, Error, db::Tx, dialect, list::push_list, text::is_key};

const CHUNK: usize = 500;
/// Counted are the newest of a login's activities: a page must not take longer the longer somebody lives.
const NEWEST: i64 = 100_000;
/// What a login did itself.
const OWN: &str = "('post', 'boost', 'favourite', 'bookmark', 'poll')";

pub(super) async fn insert(tx: &mut Tx, items: &[(i64, &Item)]) -> Result<(), Error> {
    let mut rows: Vec<(i64, &str)> = items
        .iter()
        .flat_map(|(id, item)| item.tags.iter().map(|tag| (*id, tag.as_str())))
        .filter(|(_, tag)| is_key(tag))
        .collect();
    rows.sort_unstable();
    rows.dedup();
    for chunk in rows.chunks(CHUNK) {
        let insert = dialect::insert_into(tx);
        on_tx!(&mut *tx, connection => {
            let mut query = QueryBuilder::new(insert);
            query.push("archive_tags (status, tag) ");
            query.push_values(chunk, |mut values, (id, tag)| {
                values.push_bind(*id).push_bind(*tag);
            });
            query.push(" ON CONFLICT DO NOTHING");
            query.build().execute(connection).await.map(drop)
        })?;
    }
    Ok(())
}

pub(super) async fn replace(tx: &mut Tx, id: i64, tags: &[String]) -> Result<(), Error> {
    const DELETE: &str = "DELETE FROM archive_tags WHERE status = $1";
    on_tx!(&mut *tx, connection => sqlx::query(DELETE).bind(id).execute(connection).await.map(drop))?;
    let item = Item {
        tags: tags.to_vec(),
        ..Item::default()
    };
    insert(tx, &[(id, &item)]).await
}

/// The tags of what these logins wrote, boosted and marked lately, most used first: `what` is the tag.
pub async fn tags(db: &Db, logins: &[String], limit: u32) -> Result<Vec<Count>, Error> {
    count(
        db,
        logins,
        "t.tag",
        "JOIN archive_tags t ON t.status = a.status",
        OWN,
        limit,
    )
    .await
}

/// Whom they boosted, marked and talked with lately, most met first: `what` is an acct.
pub async fn people(db: &Db, logins: &[String], limit: u32) -> Result<Vec<Count>, Error> {
    const KINDS: &str = "('boost', 'favourite', 'bookmark', 'mention', 'conversation')";
    let join = "JOIN archive_statuses s ON s.id = a.status AND NOT EXISTS (
        SELECT 1 FROM archive_activities p WHERE p.status = s.id AND p.login = a.login AND p.kind = 'post')";
    count(db, logins, "s.author", join, KINDS, limit).await
}

/// At which hours (UTC) they write, lately: `what` is 0 to 23.
pub async fn hours(db: &Db, logins: &[String]) -> Result<Vec<Count>, Error> {
    // The id begins with the milliseconds of when it was written.
    let hour = "CAST((a.status / 1048576 / 3600000) % 24 AS TEXT)";
    count(db, logins, hour, "", "('post')", 24).await
}

async fn count(
    db: &Db,
    logins: &[String],
    what: &str,
    join: &str,
    kinds: &str,
    limit: u32,
) -> Result<Vec<Count>, Error> {
    if logins.is_empty() {
        return Ok(Vec::new());
    }
    Ok(on!(db, pool => {
        let mut query = QueryBuilder::new(format!(
            "SELECT '' AS login, {what} AS what, COUNT(*) AS count
             FROM (SELECT login, kind, status FROM archive_activities WHERE kind IN {kinds} AND login IN ("
        ));
        push_list(&mut query, logins);
        query.push(format!(" ORDER BY status DESC LIMIT {NEWEST}) a {join} GROUP BY 2 ORDER BY 3 DESC, 2 LIMIT "));
        query.push_bind(i64::from(limit));
        query.build_query_as().fetch_all(pool).await
    })?)
}
