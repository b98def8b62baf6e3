//! One struct per job, tying gather, plan and apply together.

use std::sync::Arc;

use async_trait::async_trait;
use job::{Job, JobContext, JobError, Scope, Section, Summary};

use crate::{
    Config,
    apply::{self, Pass},
    gather,
};

macro_rules! job {
    ($(#[$doc:meta])* $name:ident, $section:ident, $for_ever:expr, $scopes:expr, |$cx:ident, $config:ident| $found:expr) => {
        $(#[$doc])*
        struct $name {
            config: Arc<Config>,
            section: Section,
        }

        impl $name {
            fn job(config: &Arc<Config>) -> Arc<dyn Job> {
                Arc::new(Self { section: config.$section.section(), config: Arc::clone(config) })
            }
        }

        #[async_trait]
        impl Job for $name {
            fn name(&self) -> &'static str {
                concat!("backfill.", stringify!($section))
            }

            fn scope(&self) -> Scope {
                Scope::Login
            }

            fn section(&self) -> &Section {
                &self.section
            }

            fn scopes(&self) -> &'static [&'static str] {
                $scopes
            }

            async fn run(&self, $cx: &JobContext) -> Result<Summary, JobError> {
                let $config = &*self.config;
                let pass = Pass::new($cx, $config, stringify!($section), $for_ever)?;
                let found = $found;
                apply::run(&pass, found).await
            }
        }
    };
}

job!(
    /// The posts of accounts followed, each account once.
    Followings, followings, true, &["read:accounts", "read:statuses"],
    |cx, config| gather::followings(cx, &config.followings.user, config.followings.length).await?
);
job!(
    /// The posts of followers.
    Followers, followers, false, &["read:accounts", "read:statuses"],
    |cx, config| gather::followers(cx, &config.followers.user, config.followers.length).await?
);
job!(
    /// The posts of those who ask to follow.
    FollowRequests, follow_requests, false, &["read:accounts", "read:statuses", "read:follows"],
    |cx, config| gather::follow_requests(cx, config.follow_requests.length).await?
);
job!(
    /// The posts of those in notifications.
    Notifications, notifications, false, &["read:accounts", "read:statuses", "read:notifications"],
    |cx, config| gather::notifications(cx, config.notifications.hours).await?
);
job!(
    /// The posts of accounts in lists.
    Lists, lists, false, &["read:accounts", "read:statuses", "read:lists"],
    |cx, config| gather::lists(cx, config.lists.length).await?
);
job!(
    /// The posts of authors and mentioned accounts in timelines.
    Mentioned, mentioned, false, &["read:accounts", "read:statuses"],
    |cx, config| gather::mentioned(cx, &config.mentioned).await?
);

/// The replies of posts that were fetched.
struct Contexts {
    config: Arc<Config>,
    section: Section,
}

#[async_trait]
impl Job for Contexts {
    fn name(&self) -> &'static str {
        "backfill.contexts"
    }

    fn scope(&self) -> Scope {
        Scope::Server
    }

    fn section(&self) -> &Section {
        &self.section
    }

    fn scopes(&self) -> &'static [&'static str] {
        &["read:statuses"]
    }

    async fn run(&self, cx: &JobContext) -> Result<Summary, JobError> {
        let pass = Pass::new(cx, &self.config, "contexts", false)?;
        apply::contexts(&pass, self.config.contexts.per_run).await
    }
}

/// The feature's jobs, those switched off left out.
pub fn jobs(config: &Config) -> Vec<Arc<dyn Job>> {
    if !config.any_enabled() {
        return Vec::new();
    }
    let config = &Arc::new(config.clone());
    let contexts = Contexts {
        section: config.contexts.section(),
        config: Arc::clone(config),
    };
    let mut jobs = vec![
        Followings::job(config),
        Followers::job(config),
        FollowRequests::job(config),
        Notifications::job(config),
        Lists::job(config),
        Mentioned::job(config),
        Arc::new(contexts),
    ];
    jobs.retain(|job| job.section().enabled);
    jobs
}
