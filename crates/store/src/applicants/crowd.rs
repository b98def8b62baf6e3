//! How alike applicants are: from one network, with one reason, with one address.

use std::collections::BTreeMap;

use chrono::{TimeDelta, Utc};
use sqlx::QueryBuilder;

use super::{CHUNK, Seen};
use crate::{Db, Error, db::micros};

/// Others who are like somebody.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Crowd {
    /// Signed up from the same network within the window, before or after.
    pub neighbours: i64,
    /// Wrote the same reason.
    pub same_reason: i64,
    /// Has the same address as the server reads it, and is not gone.
    pub same_address: i64,
    /// Has the same address and was turned away.
    pub rejected: i64,
}

/// The crowd around each of these applicants of a server, by account id. Those without are left out.
pub async fn crowd(db: &Db, server: &str, seen: &[Seen], window: TimeDelta) -> Result<BTreeMap<String, Crowd>, Error> {
    const JOINS: [(&str, &str); 4] = [
        (
            "network",
            "a.network = one.mine AND a.signed_up_at BETWEEN one.earliest AND one.latest",
        ),
        ("reason", "a.reason_hash = one.mine"),
        (
            "address",
            "a.email_hash = one.mine AND a.state NOT IN ('rejected', 'gone')",
        ),
        ("rejected", "a.email_hash = one.mine AND a.state = 'rejected'"),
    ];
    let mut crowds: BTreeMap<String, Crowd> = BTreeMap::new();
    for (kind, like) in JOINS {
        let mine = |row: &Seen| match kind {
            "network" => row.network.clone(),
            "reason" => row.reason_hash.clone(),
            _ => row.email_hash.clone(),
        };
        let rows: Vec<(&Seen, String)> = seen
            .iter()
            .map(|row| (row, mine(row)))
            .filter(|(_, mine)| !mine.is_empty())
            .collect();
        for chunk in rows.chunks(CHUNK) {
            let found: Vec<(String, i64)> = on!(db, pool => {
                let mut query = QueryBuilder::new("WITH one (id, mine, earliest, latest) AS (");
                query.push_values(chunk, |mut values, (row, mine)| {
                    // Far more than any window is still a time.
                    let far = |at: Option<chrono::DateTime<Utc>>| micros(at.unwrap_or(row.signed_up_at));
                    values.push_bind(&row.account_id).push_bind(mine);
                    values.push_bind(far(row.signed_up_at.checked_sub_signed(window)));
                    values.push_bind(far(row.signed_up_at.checked_add_signed(window)));
                });
                query.push(") SELECT one.id, COUNT(*) FROM one JOIN applicants a ON a.account_id <> one.id AND a.server = ");
                query.push_bind(server).push(" AND ").push(like).push(" GROUP BY one.id");
                query.build_query_as().fetch_all(pool).await
            })?;
            for (id, count) in found {
                let crowd = crowds.entry(id).or_default();
                match kind {
                    "network" => crowd.neighbours = count,
                    "reason" => crowd.same_reason = count,
                    "address" => crowd.same_address = count,
                    _ => crowd.rejected = count,
                }
            }
        }
    }
    Ok(crowds)
}
