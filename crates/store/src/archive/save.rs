//! A page into the archive.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{FromRow, QueryBuilder};

use super::{Item, Page, forget, quotes, search, tags, wanted, wanted_id};
use crate::{
    Db, Error,
    db::{Tx, micros},
    dialect,
    list::push_list,
    text::{clean, clean_opt, is_key},
};

/// Rows in one statement: 19 columns each, and SQLite takes 32,766 parameters.
const CHUNK: usize = 500;

/// What saving a page changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Saved {
    /// Statuses that were not there.
    pub new: u64,
    /// Statuses that say something else now.
    pub edited: u64,
    /// Older versions that were not there.
    pub versions: u64,
    /// Activities that were not there.
    pub activities: u64,
    /// Statuses that were there already, as they are.
    pub known: u64,
}

impl Saved {
    /// Together with another page.
    pub fn add(&mut self, other: Self) {
        self.new += other.new;
        self.edited += other.edited;
        self.versions += other.versions;
        self.activities += other.activities;
        self.known += other.known;
    }
}

#[derive(Debug, Clone, FromRow)]
struct Known {
    id: i64,
    uri: String,
    version_at: DateTime<Utc>,
    digest: String,
    gone_at: Option<DateTime<Utc>>,
    server: String,
}

/// Saves a page and its cursor in one transaction. What was forgotten on request, and statuses whose uri or file addresses
/// no server would make, are left out.
pub async fn save(db: &Db, page: &Page<'_>) -> Result<Saved, Error> {
    let mut items: BTreeMap<&str, Vec<&Item>> = BTreeMap::new();
    let wanted = forget::without_forgotten(db, page.items).await?;
    for item in wanted.into_iter().filter(|item| is_key(&item.uri)) {
        items.entry(&item.uri).or_default().push(item);
    }
    again!(save_once(db, page, &items))
}

async fn save_once(db: &Db, page: &Page<'_>, items: &BTreeMap<&str, Vec<&Item>>) -> Result<Saved, Error> {
    let mut saved = Saved::default();
    let mut tx = db.begin().await?;
    // Of two spellings in one page the newer one stands.
    let newest: Vec<&Item> = items
        .values()
        .filter_map(|items| items.iter().copied().max_by_key(|item| item.version_at))
        .collect();
    for chunk in newest.chunks(CHUNK) {
        let (known, taken) = known(&mut tx, chunk).await?;
        let mut new = Vec::new();
        let mut ids: HashMap<&str, i64> = HashMap::new();
        for &item in chunk {
            match known.get(&item.uri) {
                None => new.push(item),
                Some(row) => {
                    ids.insert(&item.uri, row.id);
                    meet(db, &mut tx, page, row, item, &mut saved).await?;
                }
            }
        }
        let new = numbered(&mut tx, new, taken).await?;
        insert(db, &mut tx, page, &new).await?;
        saved.new += new.len() as u64;
        ids.extend(new.iter().map(|(id, item)| (item.uri.as_str(), *id)));
        saved.activities += belongings(&mut tx, page, items, &ids).await?;
    }
    if let Some((job, scope, value)) = page.cursor {
        const SQL: &str = "
            INSERT INTO cursors (job, scope, value, updated_at) VALUES ($1, $2, $3, $4)
            ON CONFLICT (job, scope) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at";
        on_tx!(&mut tx, connection => {
            let query = sqlx::query(SQL).bind(job).bind(scope).bind(clean(value)).bind(page.now);
            query.execute(connection).await.map(drop)
        })?;
    }
    tx.commit().await?;
    Ok(saved)
}

/// Those of the items that are there already, by uri, and which of the ids that the others would like are taken. Asked at
/// once: to SQLite's thread and back costs as much as finding a row.
async fn known(tx: &mut Tx, items: &[&Item]) -> Result<(HashMap<String, Known>, HashSet<i64>), Error> {
    let rows: Vec<Known> = on_tx!(tx, connection => {
        let mut query = QueryBuilder::new(
            "SELECT id, uri, version_at, digest, gone_at, server FROM archive_statuses WHERE uri IN (",
        );
        push_list(&mut query, items.iter().map(|item| &item.uri));
        query.push(" OR id IN (");
        push_list(&mut query, items.iter().map(|item| wanted_id(item.created_at, &item.uri)));
        query.build_query_as().fetch_all(connection).await
    })?;
    let taken = rows.iter().map(|row| row.id).collect();
    Ok((rows.into_iter().map(|row| (row.uri.clone(), row)).collect(), taken))
}

/// A status that is there already: untouched, if it says what it said.
async fn meet(db: &Db, tx: &mut Tx, page: &Page<'_>, row: &Known, item: &Item, saved: &mut Saved) -> Result<(), Error> {
    let version_at = micros(item.version_at);
    let back = page.live && row.gone_at.is_some();
    // An import spells a status its own way; a server's own words are worth more, at the same version too.
    let better = row.server.is_empty() && !page.server.is_empty();
    // And what an import tells of a version that is here is older than what is here.
    let same = row.digest == item.digest || (!page.live && row.version_at == version_at);
    if version_at < row.version_at {
        saved.versions += add_version(tx, row.id, item, page.now).await?;
        saved.known += 1;
    } else if same && !better && !back {
        saved.known += 1;
    } else {
        if version_at > row.version_at && row.digest != item.digest {
            keep_version(tx, row.id, page.now).await?;
            saved.edited += 1;
        } else {
            saved.known += 1;
        }
        rewrite(tx, page, row, item).await?;
        tags::replace(tx, row.id, &item.tags).await?;
        quotes::set(tx, row.id, item.quote.as_ref(), page.now).await?;
        search::replace(db, tx, row.id, item).await?;
    }
    Ok(())
}

/// What a server said of an older version.
async fn add_version(tx: &mut Tx, id: i64, item: &Item, now: DateTime<Utc>) -> Result<u64, Error> {
    const SQL: &str = "
        INSERT INTO archive_versions (status, version_at, digest, body, seen_at) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (status, version_at) DO NOTHING";
    Ok(on_tx!(tx, connection => {
        let query = sqlx::query(SQL).bind(id).bind(micros(item.version_at)).bind(&item.digest);
        let query = query.bind(clean(&item.body)).bind(now);
        query.execute(connection).await.map(|done| done.rows_affected())
    })?)
}

/// What stands in the archive becomes an older version.
async fn keep_version(tx: &mut Tx, id: i64, now: DateTime<Utc>) -> Result<(), Error> {
    const SQL: &str = "
        INSERT INTO archive_versions (status, version_at, digest, body, seen_at)
        SELECT id, version_at, digest, body, $2 FROM archive_statuses WHERE id = $1
        ON CONFLICT (status, version_at) DO UPDATE SET digest = excluded.digest, body = excluded.body";
    on_tx!(tx, connection => sqlx::query(SQL).bind(id).bind(now).execute(connection).await.map(drop))?;
    Ok(())
}

async fn rewrite(tx: &mut Tx, page: &Page<'_>, row: &Known, item: &Item) -> Result<(), Error> {
    const SQL: &str = "
        UPDATE archive_statuses SET url = $2, author_name = $3, version_at = $4, visibility = $5, language = $6,
            in_reply_to = $7, server = $8, server_id = $9, digest = $10, body = $11, checked_at = $12,
            history_due = (history_due OR $13), poll_ends_at = $14, gone_at = CASE WHEN $15 THEN NULL ELSE gone_at END
        WHERE id = $1";
    let edited = page.live && !page.server.is_empty() && item.version_at > item.created_at;
    on_tx!(tx, connection => {
        let query = sqlx::query(SQL).bind(row.id).bind(clean_opt(item.url.as_deref())).bind(clean(&item.author_name));
        let query = query.bind(micros(item.version_at)).bind(clean(&item.visibility)).bind(clean_opt(item.language.as_deref()));
        let query = query.bind(clean_opt(item.in_reply_to.as_deref())).bind(page.server).bind(clean(&item.server_id));
        let query = query.bind(&item.digest).bind(clean(&item.body)).bind(page.now);
        query.bind(edited).bind(item.poll_ends_at.map(micros)).bind(page.live).execute(connection).await.map(drop)
    })?;
    Ok(())
}

/// Gives new statuses their ids; two of one millisecond that would like the same stand one beside the other.
async fn numbered<'i>(
    tx: &mut Tx,
    items: Vec<&'i Item>,
    mut taken: HashSet<i64>,
) -> Result<Vec<(i64, &'i Item)>, Error> {
    let mut out = Vec::with_capacity(items.len());
    for item in items {
        let mut id = wanted_id(item.created_at, &item.uri);
        while taken.contains(&id) || is_taken(tx, id, &taken).await? {
            taken.insert(id);
            id += 1;
        }
        taken.insert(id);
        out.push((id, item));
    }
    Ok(out)
}

/// Only asked about the neighbours of an id that was taken.
async fn is_taken(tx: &mut Tx, id: i64, taken: &HashSet<i64>) -> Result<bool, Error> {
    const SQL: &str = "SELECT EXISTS (SELECT 1 FROM archive_statuses WHERE id = $1)";
    if !taken.contains(&(id - 1)) {
        return Ok(false);
    }
    Ok(on_tx!(tx, connection => sqlx::query_scalar(SQL).bind(id).fetch_one(connection).await)?)
}

async fn insert(db: &Db, tx: &mut Tx, page: &Page<'_>, items: &[(i64, &Item)]) -> Result<(), Error> {
    const SQL: &str =
        "archive_statuses (id, uri, url, author, author_name, created_at, version_at, visibility, language,
            in_reply_to, server, server_id, digest, body, first_seen, checked_at, history_due, context_due,
            poll_ends_at) ";
    if items.is_empty() {
        return Ok(());
    }
    let live = page.live && !page.server.is_empty();
    let insert = dialect::insert_into(tx);
    on_tx!(&mut *tx, connection => {
        let mut query = QueryBuilder::new(insert);
        query.push(SQL);
        query.push_values(items, |mut values, (id, item)| {
            values.push_bind(*id).push_bind(&item.uri).push_bind(clean_opt(item.url.as_deref()));
            values.push_bind(clean(&item.author)).push_bind(clean(&item.author_name));
            values.push_bind(micros(item.created_at)).push_bind(micros(item.version_at));
            values.push_bind(clean(&item.visibility)).push_bind(clean_opt(item.language.as_deref()));
            values.push_bind(clean_opt(item.in_reply_to.as_deref())).push_bind(page.server);
            values.push_bind(clean(&item.server_id)).push_bind(&item.digest).push_bind(clean(&item.body));
            values.push_bind(page.now).push_bind(page.now).push_bind(live && item.version_at > item.created_at);
            values.push_bind(live && item.wants_context).push_bind(item.poll_ends_at.map(micros));
        });
        query.build().execute(connection).await.map(drop)
    })?;
    tags::insert(tx, items).await?;
    quotes::insert(tx, items, page.now).await?;
    search::insert(db, tx, items).await
}

/// What goes along with statuses: their ids at the server, activities, files. Gives how many activities were new.
async fn belongings(
    tx: &mut Tx,
    page: &Page<'_>,
    items: &BTreeMap<&str, Vec<&Item>>,
    ids: &HashMap<&str, i64>,
) -> Result<u64, Error> {
    let all: Vec<(i64, &Item)> = ids
        .iter()
        .flat_map(|(uri, id)| items[uri].iter().map(|item| (*id, *item)))
        .collect();
    if !page.server.is_empty() && !all.is_empty() {
        let mut pairs: Vec<_> = all.iter().map(|(id, item)| (item.server_id.as_str(), *id)).collect();
        pairs.sort_unstable();
        pairs.dedup_by_key(|pair| pair.0);
        let insert = dialect::insert_into(tx);
        on_tx!(&mut *tx, connection => {
            let mut query = QueryBuilder::new(insert);
            query.push("archive_ids (server, server_id, id) ");
            query.push_values(&pairs, |mut values, (server_id, id)| {
                values.push_bind(page.server).push_bind(clean(server_id)).push_bind(*id);
            });
            query.push(" ON CONFLICT (server, server_id) DO NOTHING");
            query.build().execute(connection).await.map(drop)
        })?;
    }
    let mut seen = HashSet::new();
    let mut activities = Vec::new();
    for (id, item) in &all {
        for activity in &item.activities {
            if seen.insert((*id, activity.kind.as_str())) {
                activities.push((*id, activity));
            }
        }
    }
    if !page.live {
        let ids: Vec<i64> = ids.values().copied().collect();
        let known = done_before(tx, page.login, &ids).await?;
        activities.retain(|(id, activity)| !known.contains(&(*id, activity.kind.clone())));
    }
    let mut new = 0;
    for chunk in activities.chunks(CHUNK) {
        let insert = dialect::insert_into(tx);
        new += on_tx!(&mut *tx, connection => {
            let mut query = QueryBuilder::new(insert);
            query.push("archive_activities (login, kind, status, noticed_at, at, activity_id, visibility) ");
            query.push_values(chunk, |mut values, (id, activity)| {
                values.push_bind(page.login).push_bind(&activity.kind).push_bind(*id).push_bind(page.now);
                values.push_bind(activity.at.map(micros)).push_bind(clean_opt(activity.activity_id.as_deref()));
                values.push_bind(clean_opt(activity.visibility.as_deref()));
            });
            query.push(" ON CONFLICT DO NOTHING");
            query.build().execute(connection).await.map(|done| done.rows_affected())
        })?;
    }
    super::files::insert(tx, &all, page.now).await?;
    if page.live {
        wanted::insert_links(tx, page, &all).await?;
    }
    Ok(new)
}

/// What a login did with these statuses, taken back or not: an import tells of what was, and begins nothing again.
async fn done_before(tx: &mut Tx, login: &str, ids: &[i64]) -> Result<HashSet<(i64, String)>, Error> {
    let mut found = HashSet::new();
    for chunk in ids.chunks(CHUNK) {
        let part: Vec<(i64, String)> = on_tx!(&mut *tx, connection => {
            let mut query = QueryBuilder::new("SELECT status, kind FROM archive_activities WHERE login = ");
            query.push_bind(login).push(" AND status IN (");
            push_list(&mut query, chunk);
            query.build_query_as().fetch_all(connection).await
        })?;
        found.extend(part);
    }
    Ok(found)
}
