//! Looking up accounts that somebody asked for.

use chrono::TimeDelta;
use futures::{StreamExt as _, stream};
use job::{JobContext, JobError, Summary};
use store::{
    metered_accounts,
    metered_wishes::{self, Wish},
};

use crate::{Config, track};

/// Lookups at the same time.
const AT_ONCE: usize = 16;
/// After so many tries a host that does not answer is given up.
const TRIES: i64 = 8;
/// What came of a wish is kept this long.
const KEEP: TimeDelta = TimeDelta::days(30);

/// Looks up what is due, and says what came of it.
pub(crate) async fn wishes(cx: &JobContext, config: &Config) -> Result<Summary, JobError> {
    let now = cx.clock.now();
    metered_wishes::delete_older(&cx.store, now - KEEP).await?;
    let due = metered_wishes::due(&cx.store, now, config.wishes.per_run).await?;
    cx.progress.begin("accounts looked up", Some(due.len() as u64));
    let mut summary = Summary::default();
    let mut looking = stream::iter(due)
        .map(|wish| one(cx, config, wish))
        .buffer_unordered(AT_ONCE);
    while let Some(counter) = looking.next().await {
        summary.add(counter?, 1);
        cx.progress.advance(1);
    }
    Ok(summary)
}

async fn one(cx: &JobContext, config: &Config, mut wish: Wish) -> Result<&'static str, JobError> {
    cx.check_stop()?;
    if wish.source == track::NOW {
        let id = wish.address.parse().unwrap_or_default();
        let accounts: Vec<_> = metered_accounts::load(&cx.store, id).await?.into_iter().collect();
        wish.account = accounts.first().map(|account| account.id);
        let measured = super::now(cx, config, accounts).await?.get("measured") > 0;
        wish.state = if measured { "done" } else { "refused" }.to_owned();
        wish.reason = (!measured).then(|| "it could not be measured now".to_owned());
        metered_wishes::save(&cx.store, &wish).await?;
        return Ok(if measured { "measured" } else { "refused" });
    }
    let counter = match track::add(cx, config, &wish.address, &wish.groups, &wish.source).await? {
        Ok(tracked) => {
            wish.state = "done".to_owned();
            wish.account = Some(tracked.id);
            wish.reason = None;
            "added"
        }
        Err(refusal) => {
            wish.tries += 1;
            wish.reason = Some(refusal.to_string());
            if refusal.may_pass() && wish.tries < TRIES {
                wish.not_before = cx.clock.now() + TimeDelta::minutes(10 << wish.tries.min(7));
                "waiting"
            } else {
                wish.state = "refused".to_owned();
                "refused"
            }
        }
    };
    metered_wishes::save(&cx.store, &wish).await?;
    Ok(counter)
}
