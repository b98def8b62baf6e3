//! One struct per job, tying gather, plan and apply together.

use std::sync::Arc;

use async_trait::async_trait;
use job::{Job, JobContext, JobError, Scope, Section, Summary};

use crate::{
    Config,
    apply::{self, Kind},
};

/// Polls read again in one run.
const POLLS: u32 = 200;

macro_rules! job {
    ($(#[$doc:meta])* $name:ident, $section:ident, $scope:ident, $scopes:expr, |$cx:ident, $job:ident, $config:ident| $run:expr) => {
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
                concat!("archive.", stringify!($section))
            }

            fn scope(&self) -> Scope {
                Scope::$scope
            }

            fn section(&self) -> &Section {
                &self.section
            }

            fn scopes(&self) -> &'static [&'static str] {
                $scopes
            }

            async fn run(&self, $cx: &JobContext) -> Result<Summary, JobError> {
                #[expect(unused_variables, reason = "most jobs have no settings of their own, some no name to give")]
                let ($job, $config) = (self.name(), &*self.config);
                $run
            }
        }
    };
}

job!(
    /// Own statuses and boosts.
    Statuses, statuses, Login, &["read:accounts", "read:statuses"],
    |cx, job, config| apply::walk(cx, job, Kind::Post).await
);
job!(
    /// Favourites.
    Favourites, favourites, Login, &["read:accounts", "read:favourites"],
    |cx, job, config| apply::walk(cx, job, Kind::Favourite).await
);
job!(
    /// Bookmarks.
    Bookmarks, bookmarks, Login, &["read:accounts", "read:bookmarks"],
    |cx, job, config| apply::walk(cx, job, Kind::Bookmark).await
);
job!(
    /// Statuses that mention the login.
    Mentions, mentions, Login, &["read:accounts", "read:notifications"],
    |cx, job, config| apply::walk(cx, job, Kind::Mention).await
);
job!(
    /// Polls voted in, and results of polls that ended.
    Polls, polls, Login, &["read:accounts", "read:notifications", "read:statuses"],
    |cx, job, config| {
        let mut summary = apply::walk(cx, job, Kind::Poll).await?;
        for (counter, count) in apply::polls(cx, POLLS).await?.counters() {
            if counter == "polls" {
                summary.add("polls", count);
            }
        }
        Ok(summary)
    }
);
job!(
    /// Direct messages.
    Conversations, conversations, Login, &["read:accounts", "read:statuses"],
    |cx, job, config| apply::walk(cx, job, Kind::Conversation).await
);
job!(
    /// What kept statuses reply to.
    Context, context, Login, &["read:accounts", "read:statuses"],
    |cx, job, config| apply::context(cx, &config.context).await
);
job!(
    /// Followers, mutes, filters and the like.
    Lists, lists, Login, &["read:accounts"],
    |cx, job, config| apply::lists(cx).await
);
job!(
    /// Files that statuses show.
    Media, media, Login, &[],
    |cx, job, config| apply::media(cx, config).await
);
job!(
    /// Edits, deletions, what was taken back.
    Recheck, recheck, Login, &["read:accounts", "read:statuses"],
    |cx, job, config| apply::recheck(cx, &config.recheck).await
);
job!(
    /// Compares counts with the server.
    Audit, audit, Login, &["read:accounts"],
    |cx, job, config| apply::audit(cx).await
);

/// The feature's jobs, those switched off left out.
pub fn jobs(config: &Config) -> Vec<Arc<dyn Job>> {
    let config = &Arc::new(config.clone());
    let mut jobs = vec![
        Statuses::job(config),
        Favourites::job(config),
        Bookmarks::job(config),
        Mentions::job(config),
        Polls::job(config),
        Conversations::job(config),
        Context::job(config),
        Lists::job(config),
        Media::job(config),
        Recheck::job(config),
        Audit::job(config),
    ];
    jobs.retain(|job| job.section().enabled);
    jobs
}
