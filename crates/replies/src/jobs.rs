//! One struct per job, tying gather, plan and apply together.

use std::{future::Future, sync::Arc};

use job::{Job, JobContext, JobError, Summary, job};

use crate::{
    Config,
    apply::{self, Pass},
    gather::{self, Found},
    live,
};

/// Looks into the threads that were found.
async fn look(
    cx: &JobContext,
    config: &Config,
    found: impl Future<Output = Result<Found, JobError>>,
) -> Result<Summary, JobError> {
    let pass = Pass::new(cx, config)?;
    apply::run(&pass, found.await?).await
}

job!(
    /// Replies to what stands in the home timeline.
    Home, "replies.home", Login, &["read:statuses", "read:search"],
    |cx, config: Config| look(cx, config, gather::home(cx, config.home.length)).await
);
job!(
    /// Replies to bookmarks.
    Bookmarks, "replies.bookmarks", Login, &["read:statuses", "read:search", "read:bookmarks"],
    |cx, config: Config| look(cx, config, gather::bookmarks(cx, config.bookmarks.length)).await
);
job!(
    /// Replies to favourites.
    Favourites, "replies.favourites", Login, &["read:statuses", "read:search", "read:favourites"],
    |cx, config: Config| look(cx, config, gather::favourites(cx, config.favourites.length)).await
);
job!(
    /// Replies to what stands in lists.
    Lists, "replies.lists", Login, &["read:statuses", "read:search", "read:lists"],
    |cx, config: Config| look(cx, config, gather::lists(cx, config.lists.length)).await
);
job!(
    /// Replies to what local users replied to.
    Joined, "replies.joined", Server, &["read:statuses", "read:search", "admin:read:accounts"],
    |cx, config: Config| look(cx, config, gather::joined(cx, config.joined.hours)).await
);

job!(
    /// Replies to what has just arrived.
    Live, live::JOB, Server, &["read:statuses", "read:search"],
    |cx, config: Config| {
        let pass = Pass::new(cx, config)?;
        let (heard, found) = gather::heard(cx).await?;
        let summary = apply::run(&pass, found).await?;
        store::heard::delete(&cx.store, &heard).await?;
        Ok(summary)
    }
);
job!(
    /// Drains what any feature wants home to have.
    Wanted, "replies.wanted", Server, &["read:statuses", "read:search"],
    |cx, config: Config| apply::wanted(&Pass::new(cx, config)?).await
);

/// The feature's jobs, those switched off left out.
pub fn jobs(config: &Config) -> Vec<Arc<dyn Job>> {
    let config = &Arc::new(config.clone());
    let mut jobs = vec![
        Home::job(config, config.home.section()),
        Bookmarks::job(config, config.bookmarks.section()),
        Favourites::job(config, config.favourites.section()),
        Lists::job(config, config.lists.section()),
        Joined::job(config, config.joined.section()),
        Live::job(config, config.live.section()),
        Wanted::job(config, config.wanted.section()),
    ];
    jobs.retain(|job| job.section().enabled);
    jobs
}
