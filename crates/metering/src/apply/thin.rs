//! Thinning old points, some accounts a run.

use chrono::TimeDelta;
use job::{JobContext, JobError, Summary};
use store::{
    cursors,
    metered_accounts::{self, Filter},
    metered_points,
};

use crate::{
    Config,
    plan::{self, Bucket},
};

const JOB: &str = "metering.thinning";
/// Accounts between two looks at the stop.
const PAGE: u32 = 200;

/// Thins the accounts after those of the last run.
pub(crate) async fn thin(cx: &JobContext, config: &Config) -> Result<Summary, JobError> {
    let mut summary = Summary::default();
    let now = cx.clock.now();
    let levels: Vec<(Bucket, i64)> = [(Bucket::Day, config.days_after), (Bucket::Week, config.weeks_after)]
        .into_iter()
        .filter(|(_, after)| !after.is_zero())
        .filter_map(|(bucket, after)| Some((bucket, (now - TimeDelta::from_std(after).ok()?).timestamp())))
        .collect();
    if levels.is_empty() {
        return Ok(summary);
    }
    let zone = config.accounts.zone();
    let at = cursors::load(&cx.store, JOB, "").await?;
    let mut after: i64 = at.and_then(|text| text.parse().ok()).unwrap_or(0);
    let mut left = config.thinning.per_run;
    while left > 0 {
        cx.check_stop()?;
        let filter = Filter {
            after,
            ..Filter::default()
        };
        let accounts = metered_accounts::list(&cx.store, &filter, PAGE.min(left)).await?;
        let Some(last) = accounts.last() else {
            // Round: the next run begins again.
            cursors::delete(&cx.store, JOB, "").await?;
            return Ok(summary);
        };
        after = last.id;
        left = left.saturating_sub(u32::try_from(accounts.len()).unwrap_or(u32::MAX));
        for account in &accounts {
            for (bucket, before) in &levels {
                let rows = metered_points::finer(&cx.store, account.id, *before, bucket.step()).await?;
                let (mut delete, mut keep) = plan::thin(&rows, *bucket, zone, *before);
                // Each account knows its newest row, which is not worth losing however old it is.
                delete.retain(|slot| *slot != account.newest);
                keep.retain(|slot| *slot != account.newest);
                if !delete.is_empty() || !keep.is_empty() {
                    metered_points::thin(&cx.store, account.id, &delete, &keep, bucket.step()).await?;
                }
                summary.add("deleted", delete.len());
            }
        }
        summary.add("accounts", accounts.len());
        cursors::save(&cx.store, JOB, "", &after.to_string(), now).await?;
    }
    Ok(summary)
}
