//! One struct per job.

use std::sync::Arc;

use async_trait::async_trait;
use job::{Job, JobContext, JobError, Scope, Section, Summary};

use crate::{Config, apply};

macro_rules! job {
    ($(#[$doc:meta])* $name:ident, $job:literal, $scope:expr, $scopes:expr, |$cx:ident, $config:ident| $run:expr) => {
        $(#[$doc])*
        struct $name {
            config: Arc<Config>,
            section: Section,
        }

        #[async_trait]
        impl Job for $name {
            fn name(&self) -> &'static str {
                $job
            }

            fn scope(&self) -> Scope {
                $scope
            }

            fn section(&self) -> &Section {
                &self.section
            }

            fn scopes(&self) -> &'static [&'static str] {
                $scopes
            }

            async fn run(&self, $cx: &JobContext) -> Result<Summary, JobError> {
                let $config = &*self.config;
                $run
            }
        }
    };
}

job!(
    /// Every account, once in each slot.
    Accounts, "metering.accounts", Scope::Daemon, &[],
    |cx, config| apply::slot(cx, config).await
);
job!(
    /// What failed, again within the slot.
    Retries, "metering.retries", Scope::Daemon, &[],
    |cx, config| apply::retries(cx, config).await
);
job!(
    /// Accounts that were asked for.
    Wishes, "metering.wishes", Scope::Daemon, &[],
    |cx, config| apply::wishes(cx, config).await
);
job!(
    /// Old points.
    Thinning, "metering.thinning", Scope::Daemon, &[],
    |cx, config| apply::thin(cx, config).await
);

job!(
    /// What a server counts of itself.
    Server, "metering.server", Scope::Server, &[],
    |cx, config| apply::server(cx, config).await
);
job!(
    /// What statuses brought.
    Posts, "metering.posts", Scope::Login, &["read:accounts", "read:statuses"],
    |cx, config| apply::posts(cx, config).await
);
job!(
    /// Who came and who left.
    Followers, "metering.followers", Scope::Login, &["read:accounts"],
    |cx, config| apply::followers(cx, config).await
);
job!(
    /// Accounts that are measured unasked.
    Sources, "metering.sources", Scope::Login, &["read:accounts"],
    |cx, config| apply::sources(cx, config).await
);

/// The feature's jobs, those switched off left out.
pub fn jobs(config: &Config) -> Vec<Arc<dyn Job>> {
    let config = &Arc::new(config.clone());
    let mut jobs: Vec<Arc<dyn Job>> = vec![
        Arc::new(Accounts {
            section: config.accounts.timed(),
            config: Arc::clone(config),
        }),
        Arc::new(Retries {
            section: config.retries.section(),
            config: Arc::clone(config),
        }),
        Arc::new(Wishes {
            section: config.wishes.section(),
            config: Arc::clone(config),
        }),
        Arc::new(Thinning {
            section: config.thinning.section(),
            config: Arc::clone(config),
        }),
        Arc::new(Server {
            section: config.server.section(),
            config: Arc::clone(config),
        }),
        Arc::new(Posts {
            section: config.posts.section(),
            config: Arc::clone(config),
        }),
        Arc::new(Followers {
            section: config.followers.section(),
            config: Arc::clone(config),
        }),
        Arc::new(Sources {
            section: config.sources.section(),
            config: Arc::clone(config),
        }),
    ];
    jobs.retain(|job| job.section().enabled);
    jobs
}
