//! Whom a server's own people wrote to: whoever was written to is no stranger to them.

use chrono::{DateTime, Utc};
use sqlx::QueryBuilder;

use crate::{Db, Error, db::micros, text::clean};

/// Rows in one statement.
const CHUNK: usize = 200;

/// Keeps whom one of a server's own wrote to, and when last.
pub async fn save(db: &Db, server: &str, acct: &str, to: &[String], now: DateTime<Utc>) -> Result<(), Error> {
    let (acct, mut to) = (acct.to_lowercase(), to.to_vec());
    to.iter_mut().for_each(|to| *to = to.to_lowercase());
    to.sort_unstable();
    to.dedup();
    for chunk in to.chunks(CHUNK) {
        on_write!(db, pool => {
            let mut query = QueryBuilder::new("INSERT INTO wrote_to (server, acct, to_acct, at) ");
            query.push_values(chunk, |mut values, to| {
                values.push_bind(server).push_bind(clean(&acct)).push_bind(clean(to)).push_bind(micros(now));
            });
            query.push(" ON CONFLICT (server, to_acct, acct) DO UPDATE SET at = excluded.at");
            query.build().execute(pool).await.map(drop)
        })?;
    }
    Ok(())
}

/// Which of a server's own wrote to somebody, of those asked for, in lower case.
pub async fn who(db: &Db, server: &str, to: &str, of: &[String]) -> Result<Vec<String>, Error> {
    let (to, mut found) = (to.to_lowercase(), Vec::new());
    for chunk in of.chunks(500) {
        let rows: Vec<String> = on!(db, pool => {
            let mut query = QueryBuilder::new("SELECT acct FROM wrote_to WHERE server = ");
            query.push_bind(server).push(" AND to_acct = ").push_bind(&to).push(" AND acct IN (");
            let mut list = query.separated(", ");
            for acct in chunk {
                list.push_bind(acct.to_lowercase());
            }
            query.push(")");
            query.build_query_scalar().fetch_all(pool).await
        })?;
        found.extend(rows);
    }
    Ok(found)
}

/// Forgets what was last so before `before`; gives how many rows.
pub async fn delete_older(db: &Db, before: DateTime<Utc>) -> Result<u64, Error> {
    const SQL: &str = "DELETE FROM wrote_to WHERE at < $1";
    Ok(on_write!(db, pool => {
        sqlx::query(SQL).bind(micros(before)).execute(pool).await.map(|done| done.rows_affected())
    })?)
}
