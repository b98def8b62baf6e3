//! One struct per job.

use std::sync::Arc;

use job::{Job, job};

use crate::{Config, apply};

job!(
    /// Every account, once in each slot.
    Accounts, "metering.accounts", Daemon, &[],
    |cx, config: Config| apply::slot(cx, config).await
);
job!(
    /// What failed, again within the slot.
    Retries, "metering.retries", Daemon, &[],
    |cx, config: Config| apply::retries(cx, config).await
);
job!(
    /// Accounts that were asked for.
    Wishes, "metering.wishes", Daemon, &[],
    |cx, config: Config| apply::wishes(cx, config).await
);
job!(
    /// Old points.
    Thinning, "metering.thinning", Daemon, &[],
    |cx, config: Config| apply::thin(cx, config).await
);

job!(
    /// What a server counts of itself.
    Server, "metering.server", Server, &[],
    |cx, config: Config| apply::server(cx, config).await
);
job!(
    /// What statuses brought.
    Posts, "metering.posts", Login, &["read:accounts", "read:statuses"],
    |cx, config: Config| apply::posts(cx, config).await
);
job!(
    /// Who came and who left.
    Followers, "metering.followers", Login, &["read:accounts"],
    |cx, config: Config| apply::followers(cx, config).await
);
job!(
    /// Accounts that are measured unasked.
    Sources, "metering.sources", Login, &["read:accounts"],
    |cx, config: Config| apply::sources(cx, config).await
);

/// The feature's jobs, those switched off left out.
pub fn jobs(config: &Config) -> Vec<Arc<dyn Job>> {
    let config = &Arc::new(config.clone());
    let mut jobs = vec![
        Accounts::job(config, config.accounts.timed()),
        Retries::job(config, config.retries.section()),
        Wishes::job(config, config.wishes.section()),
        Thinning::job(config, config.thinning.section()),
        Server::job(config, config.server.section()),
        Posts::job(config, config.posts.section()),
        Followers::job(config, config.followers.section()),
        Sources::job(config, config.sources.section()),
    ];
    jobs.retain(|job| job.section().enabled);
    jobs
}
