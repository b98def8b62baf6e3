//! Domains that nothing is read from, because a list says so that the operator chose for it.

use sqlx::QueryBuilder;

use crate::{Db, Error, list::push_list, text::is_key};

/// Rows in one statement: 2 columns each.
const CHUNK: usize = 1000;

/// Every domain, by name.
pub async fn list(db: &Db) -> Result<Vec<String>, Error> {
    const SQL: &str = "SELECT DISTINCT domain FROM shunned ORDER BY domain";
    Ok(on!(db, pool => sqlx::query_scalar(SQL).fetch_all(pool).await)?)
}

/// What a list says from now on, in the place of what it said before. Writes nothing where it says the same.
pub async fn replace(db: &Db, source: &str, domains: &[String]) -> Result<(), Error> {
    let mut domains: Vec<&String> = domains.iter().filter(|domain| is_key(domain)).collect();
    domains.sort_unstable();
    domains.dedup();
    const OF: &str = "SELECT domain FROM shunned WHERE source = $1";
    let mut before: Vec<String> = on!(db, pool => sqlx::query_scalar(OF).bind(source).fetch_all(pool).await)?;
    before.sort_unstable();
    if before.iter().eq(domains.iter().copied()) {
        return Ok(());
    }
    const CLEAR: &str = "DELETE FROM shunned WHERE source = $1";
    let mut tx = db.begin().await?;
    on_tx!(&mut tx, connection => sqlx::query(CLEAR).bind(source).execute(connection).await.map(drop))?;
    for chunk in domains.chunks(CHUNK) {
        on_tx!(&mut tx, connection => {
            let mut query = QueryBuilder::new("INSERT INTO shunned (source, domain) ");
            query.push_values(chunk, |mut values, domain| {
                values.push_bind(source).push_bind(domain.as_str());
            });
            query.build().execute(connection).await.map(drop)
        })?;
    }
    tx.commit().await
}

/// Forgets lists that are none of these.
pub async fn keep_only(db: &Db, sources: &[&str]) -> Result<(), Error> {
    on_write!(db, pool => {
        let mut query = QueryBuilder::new("DELETE FROM shunned");
        if !sources.is_empty() {
            query.push(" WHERE source NOT IN (");
            push_list(&mut query, sources);
        }
        query.build().execute(pool).await.map(drop)
    })?;
    Ok(())
}
