//! How alike applicants are: from one network, with one reason, with one address.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::QueryBuilder;

use super::{CHUNK, Seen};
use crate::{Db, Error, db::micros};

/// Others are counted so far and no further: ten thousand who all wrote the same cost as much each as two hundred.
pub const COUNTED: u32 = 200;

/// Others who are like somebody, each number up to [`COUNTED`].
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

/// A way to be like somebody.
#[derive(Clone, Copy)]
enum Like {
    Network,
    Reason,
    Address,
    Rejected,
}

impl Like {
    /// The condition on `a`, the other. Each begins with what its partial index is for, else neither engine uses it.
    fn sql(self) -> &'static str {
        match self {
            Self::Network => {
                "a.network <> '' AND a.network = one.mine AND a.signed_up_at BETWEEN one.earliest AND one.latest"
            }
            Self::Reason => "a.reason_hash <> '' AND a.reason_hash = one.mine",
            Self::Address => "a.email_hash <> '' AND a.email_hash = one.mine AND a.state NOT IN ('rejected', 'gone')",
            Self::Rejected => "a.email_hash <> '' AND a.email_hash = one.mine AND a.state = 'rejected'",
        }
    }

    fn of(self, row: &Seen) -> &str {
        match self {
            Self::Network => &row.network,
            Self::Reason => &row.reason_hash,
            Self::Address | Self::Rejected => &row.email_hash,
        }
    }

    fn number(self, crowd: &mut Crowd) -> &mut i64 {
        match self {
            Self::Network => &mut crowd.neighbours,
            Self::Reason => &mut crowd.same_reason,
            Self::Address => &mut crowd.same_address,
            Self::Rejected => &mut crowd.rejected,
        }
    }
}

/// The crowd around each of these applicants of a server, by account id. Those without are left out.
pub async fn crowd(db: &Db, server: &str, seen: &[Seen], window: TimeDelta) -> Result<BTreeMap<String, Crowd>, Error> {
    let mut crowds: BTreeMap<String, Crowd> = BTreeMap::new();
    for like in [Like::Network, Like::Reason, Like::Address, Like::Rejected] {
        let rows: Vec<&Seen> = seen.iter().filter(|row| !like.of(row).is_empty()).collect();
        for chunk in rows.chunks(CHUNK) {
            for (id, count) in count(db, server, chunk, like, window).await? {
                if count > 0 {
                    *like.number(crowds.entry(id).or_default()) = count;
                }
            }
        }
    }
    Ok(crowds)
}

async fn count(
    db: &Db,
    server: &str,
    rows: &[&Seen],
    like: Like,
    window: TimeDelta,
) -> Result<Vec<(String, i64)>, sqlx::Error> {
    on!(db, pool => {
        let mut query = QueryBuilder::new("WITH one (id, mine, earliest, latest) AS (");
        query.push_values(rows, |mut values, row| {
            // Far more than any window is still a time.
            let far = |at: Option<DateTime<Utc>>| micros(at.unwrap_or(row.signed_up_at));
            values.push_bind(&row.account_id).push_bind(like.of(row));
            values.push_bind(far(row.signed_up_at.checked_sub_signed(window)));
            values.push_bind(far(row.signed_up_at.checked_add_signed(window)));
        });
        query.push(") SELECT one.id, (SELECT COUNT(*) FROM (SELECT 1 FROM applicants a WHERE a.server = ");
        query.push_bind(server).push(" AND ").push(like.sql()).push(" AND a.account_id <> one.id LIMIT ");
        query.push_bind(i64::from(COUNTED)).push(") others) FROM one");
        query.build_query_as().fetch_all(pool).await
    })
}
