//! One struct per job, tying gather, plan and apply together.

use std::sync::Arc;

use async_trait::async_trait;
use job::{Job, JobContext, JobError, Scope, Section, Summary};

use crate::{Config, apply, gather::Rules};

/// Looks after those who wait for approval.
struct Pending {
    config: Arc<Config>,
    rules: Arc<Rules>,
    section: Section,
}

#[async_trait]
impl Job for Pending {
    fn name(&self) -> &'static str {
        "registrations.pending"
    }

    fn scope(&self) -> Scope {
        Scope::Server
    }

    fn section(&self) -> &Section {
        &self.section
    }

    fn scopes(&self) -> &'static [&'static str] {
        // A token that may only look can still observe.
        match self.config.mode {
            job::Mode::Observe => &["admin:read:accounts"],
            job::Mode::Act => &["admin:read:accounts", "admin:write:accounts"],
        }
    }

    async fn run(&self, cx: &JobContext) -> Result<Summary, JobError> {
        apply::pending(cx, &self.config, &self.rules).await
    }
}

macro_rules! daemon_job {
    ($(#[$doc:meta])* $name:ident, $text:literal, $section:ident, |$cx:ident, $config:ident, $rules:ident| $run:expr) => {
        $(#[$doc])*
        struct $name {
            config: Arc<Config>,
            rules: Arc<Rules>,
            section: Section,
        }

        impl $name {
            fn job(config: &Arc<Config>, rules: &Arc<Rules>) -> Arc<dyn Job> {
                Arc::new(Self { section: config.$section.section(), config: Arc::clone(config), rules: Arc::clone(rules) })
            }
        }

        #[async_trait]
        impl Job for $name {
            fn name(&self) -> &'static str {
                $text
            }

            fn scope(&self) -> Scope {
                Scope::Daemon
            }

            fn section(&self) -> &Section {
                &self.section
            }

            async fn run(&self, $cx: &JobContext) -> Result<Summary, JobError> {
                let ($config, $rules) = (&*self.config, &*self.rules);
                let _ = $rules;
                $run
            }
        }
    };
}

daemon_job!(
    /// Reads the lists that rules name.
    ReadLists, "registrations.lists", lists,
    |cx, config, rules| apply::read_lists(cx, config, rules).await
);
daemon_job!(
    /// Tells those who were turned away why.
    Letters, "registrations.mail", mail,
    |cx, config, rules| apply::send_letters(cx, config).await
);
daemon_job!(
    /// Says once a day what was decided, and forgets what is old enough.
    Digest, "registrations.digest", digest,
    |cx, config, rules| apply::digest(cx, config).await
);

/// The feature's jobs; none while nobody's sign-ups are looked after.
pub fn jobs(config: &Config) -> Vec<Arc<dyn Job>> {
    if !config.pending.enabled {
        return Vec::new();
    }
    let (config, rules) = (Arc::new(config.clone()), Arc::new(Rules::default()));
    let pending = Pending {
        section: config.pending.section(),
        config: Arc::clone(&config),
        rules: Arc::clone(&rules),
    };
    let mut jobs: Vec<Arc<dyn Job>> = vec![
        Arc::new(pending),
        ReadLists::job(&config, &rules),
        Letters::job(&config, &rules),
        Digest::job(&config, &rules),
    ];
    jobs.retain(|job| job.section().enabled);
    jobs
}
