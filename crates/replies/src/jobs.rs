//! One struct per job, tying gather, plan and apply together.

use std::sync::Arc;

use async_trait::async_trait;
use job::{Job, JobContext, JobError, Scope, Section, Summary};

use crate::{
    Config,
    apply::{self, Pass},
    gather, live,
};

macro_rules! job {
    ($(#[$doc:meta])* $name:ident, $text:literal, $section:ident, $scope:expr, $scopes:expr, |$cx:ident, $config:ident| $found:expr) => {
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
                $text
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
                let pass = Pass::new($cx, $config)?;
                let found = $found;
                apply::run(&pass, found).await
            }
        }
    };
}

job!(
    /// Replies to what stands in the home timeline.
    Home, "replies.home", home, Scope::Login, &["read:statuses", "read:search"],
    |cx, config| gather::home(cx, config.home.length).await?
);
job!(
    /// Replies to bookmarks.
    Bookmarks, "replies.bookmarks", bookmarks, Scope::Login, &["read:statuses", "read:search", "read:bookmarks"],
    |cx, config| gather::bookmarks(cx, config.bookmarks.length).await?
);
job!(
    /// Replies to favourites.
    Favourites, "replies.favourites", favourites, Scope::Login, &["read:statuses", "read:search", "read:favourites"],
    |cx, config| gather::favourites(cx, config.favourites.length).await?
);
job!(
    /// Replies to what stands in lists.
    Lists, "replies.lists", lists, Scope::Login, &["read:statuses", "read:search", "read:lists"],
    |cx, config| gather::lists(cx, config.lists.length).await?
);
job!(
    /// Replies to what local users replied to.
    Joined, "replies.joined", joined, Scope::Server, &["read:statuses", "read:search", "admin:read:accounts"],
    |cx, config| gather::joined(cx, config.joined.hours).await?
);

/// Replies to what has just arrived.
struct Live {
    config: Arc<Config>,
    section: Section,
}

#[async_trait]
impl Job for Live {
    fn name(&self) -> &'static str {
        live::JOB
    }

    fn scope(&self) -> Scope {
        Scope::Server
    }

    fn section(&self) -> &Section {
        &self.section
    }

    fn scopes(&self) -> &'static [&'static str] {
        &["read:statuses", "read:search"]
    }

    async fn run(&self, cx: &JobContext) -> Result<Summary, JobError> {
        let pass = Pass::new(cx, &self.config)?;
        let (heard, found) = gather::heard(cx).await?;
        let summary = apply::run(&pass, found).await?;
        store::heard::delete(&cx.store, &heard).await?;
        Ok(summary)
    }
}

/// Drains what any feature wants home to have.
struct Wanted {
    config: Arc<Config>,
    section: Section,
}

#[async_trait]
impl Job for Wanted {
    fn name(&self) -> &'static str {
        "replies.wanted"
    }

    fn scope(&self) -> Scope {
        Scope::Server
    }

    fn section(&self) -> &Section {
        &self.section
    }

    fn scopes(&self) -> &'static [&'static str] {
        &["read:statuses", "read:search"]
    }

    async fn run(&self, cx: &JobContext) -> Result<Summary, JobError> {
        apply::wanted(&Pass::new(cx, &self.config)?).await
    }
}

/// The feature's jobs, those switched off left out.
pub fn jobs(config: &Config) -> Vec<Arc<dyn Job>> {
    let config = &Arc::new(config.clone());
    let wanted = Wanted {
        section: config.wanted.section(),
        config: Arc::clone(config),
    };
    let live = Live {
        section: config.live.section(),
        config: Arc::clone(config),
    };
    let mut jobs: Vec<Arc<dyn Job>> = vec![
        Home::job(config),
        Bookmarks::job(config),
        Favourites::job(config),
        Lists::job(config),
        Joined::job(config),
        Arc::new(live),
        Arc::new(wanted),
    ];
    jobs.retain(|job| job.section().enabled);
    jobs
}
