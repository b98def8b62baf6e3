//! Adding accounts: looked up once, measured at once.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use job::{JobContext, JobError};
use model::Uri;
use serde::Serialize;
use store::{
    Db,
    metered_accounts::{self, Added, Metered, New},
    metered_points::{self, Point},
    metered_wishes::Wish,
};
use uuid::Uuid;

use crate::{
    Config, apply,
    export::Row,
    resolve::{Refusal, resolve},
};

/// An account that is measured from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tracked {
    /// Ours: the same however often it is added.
    pub id: i64,
    /// `user@domain`.
    pub acct: String,
    /// Whether it was new.
    pub added: Added,
}

/// Looks an account up and measures it from now on. One that is known already keeps its id and its points.
///
/// # Errors
/// Only when the run is to stop or the store cannot be asked; all else is a [`Refusal`].
pub async fn add(
    cx: &JobContext,
    config: &Config,
    address: &str,
    groups: &[String],
    source: &str,
) -> Result<Result<Tracked, Refusal>, JobError> {
    let resolved = match resolve(cx, address).await? {
        Ok(resolved) => resolved,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let mut new = resolved.new;
    new.source = source.to_owned();
    new.groups = groups.to_vec();
    let Some((id, added)) = metered_accounts::add(&cx.store, &new, cx.clock.now()).await? else {
        return Ok(Err(Refusal::Unreachable {
            host: new.host,
            reason: "the account could not be kept".to_owned(),
        }));
    };
    if added != Added::Known
        && let Some(account) = metered_accounts::load(&cx.store, id).await?
    {
        // A first point: nobody wants to wait for one until tomorrow. What fails here is tried again like any other.
        apply::now(cx, config, vec![account]).await?;
    }
    Ok(Ok(Tracked {
        id,
        acct: new.acct,
        added,
    }))
}

/// Measures accounts now, beside their slots where these have a point.
///
/// # Errors
/// When the run is to stop or the store cannot be asked.
pub async fn measure_now(cx: &JobContext, config: &Config, accounts: Vec<Metered>) -> Result<job::Summary, JobError> {
    apply::now(cx, config, accounts).await
}

/// The source of a wish that asks for no new account: its address is the number of one that is to be measured now.
pub const NOW: &str = "now";

/// What `metering.wishes` is to look up.
pub fn wish(address: &str, groups: Vec<String>, source: &str, now: DateTime<Utc>) -> Wish {
    Wish {
        id: Uuid::now_v7().to_string(),
        address: address.to_owned(),
        groups,
        source: source.to_owned(),
        state: "asked".to_owned(),
        account: None,
        reason: None,
        tries: 0,
        not_before: now,
        asked_at: now,
    }
}

/// Takes in rows that [`crate::export`] wrote: accounts that are not known yet are kept as they were named, without
/// asking anybody. Gives how many accounts there were, and how many rows are new.
///
/// # Errors
/// When the store cannot be asked.
pub async fn import_rows(db: &Db, rows: Vec<Row>, now: DateTime<Utc>) -> Result<(usize, u64), store::Error> {
    let mut ids: HashMap<String, i64> = HashMap::new();
    let mut points = Vec::with_capacity(rows.len());
    for row in rows {
        let id = match ids.get(&row.uri) {
            Some(id) => *id,
            None => {
                let Ok(uri) = Uri::parse(&row.uri) else { continue };
                let new = New {
                    url: row.uri.clone(),
                    uri: row.uri.clone(),
                    acct: row.acct.clone(),
                    name: String::new(),
                    host: uri.host().to_string(),
                    remote_id: None,
                    source: "import".to_owned(),
                    groups: Vec::new(),
                };
                let Some((id, _)) = metered_accounts::add(db, &new, now).await? else {
                    continue;
                };
                ids.insert(row.uri.clone(), id);
                id
            }
        };
        points.push(Point {
            account: id,
            ..row.point
        });
    }
    Ok((ids.len(), metered_points::insert(db, &points).await?))
}
