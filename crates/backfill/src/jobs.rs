//! One struct per job, tying gather, plan and apply together.

use std::{future::Future, sync::Arc};

use job::{Job, JobContext, JobError, Summary, job};

use crate::{
    Config,
    apply::{self, Pass},
    gather::{self, Found},
};

/// Fetches the posts of the accounts that were found: each account once, or again after a while.
async fn fetch(
    cx: &JobContext,
    config: &Config,
    source: &'static str,
    for_ever: bool,
    found: impl Future<Output = Result<Found, JobError>>,
) -> Result<Summary, JobError> {
    let pass = Pass::new(cx, config, source, for_ever)?;
    apply::run(&pass, found.await?).await
}

job!(
    /// The posts of accounts followed, each account once.
    Followings, "backfill.followings", Login, &["read:accounts", "read:statuses"],
    |cx, config: Config| fetch(cx, config, "followings", true, gather::followings(cx, &config.followings.user, config.followings.length)).await
);
job!(
    /// The posts of followers.
    Followers, "backfill.followers", Login, &["read:accounts", "read:statuses"],
    |cx, config: Config| fetch(cx, config, "followers", false, gather::followers(cx, &config.followers.user, config.followers.length)).await
);
job!(
    /// The posts of those who ask to follow.
    FollowRequests, "backfill.follow_requests", Login, &["read:accounts", "read:statuses", "read:follows"],
    |cx, config: Config| fetch(cx, config, "follow_requests", false, gather::follow_requests(cx, config.follow_requests.length)).await
);
job!(
    /// The posts of those in notifications.
    Notifications, "backfill.notifications", Login, &["read:accounts", "read:statuses", "read:notifications"],
    |cx, config: Config| fetch(cx, config, "notifications", false, gather::notifications(cx, config.notifications.hours)).await
);
job!(
    /// The posts of accounts in lists.
    Lists, "backfill.lists", Login, &["read:accounts", "read:statuses", "read:lists"],
    |cx, config: Config| fetch(cx, config, "lists", false, gather::lists(cx, config.lists.length)).await
);
job!(
    /// The posts of authors and mentioned accounts in timelines.
    Mentioned, "backfill.mentioned", Login, &["read:accounts", "read:statuses"],
    |cx, config: Config| fetch(cx, config, "mentioned", false, gather::mentioned(cx, &config.mentioned)).await
);

job!(
    /// The replies of posts that were fetched.
    Contexts, "backfill.contexts", Server, &["read:statuses"],
    |cx, config: Config| {
        let pass = Pass::new(cx, config, "contexts", false)?;
        apply::contexts(&pass, config.contexts.per_run).await
    }
);

/// The feature's jobs, those switched off left out.
pub fn jobs(config: &Config) -> Vec<Arc<dyn Job>> {
    if !config.any_enabled() {
        return Vec::new();
    }
    let config = &Arc::new(config.clone());
    let mut jobs = vec![
        Followings::job(config, config.followings.section()),
        Followers::job(config, config.followers.section()),
        FollowRequests::job(config, config.follow_requests.section()),
        Notifications::job(config, config.notifications.section()),
        Lists::job(config, config.lists.section()),
        Mentioned::job(config, config.mentioned.section()),
        Contexts::job(config, config.contexts.section()),
    ];
    jobs.retain(|job| job.section().enabled);
    jobs
}
