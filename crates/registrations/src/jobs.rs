//! One struct per job, tying gather, plan and apply together.

use std::sync::Arc;

use job::{Job, job};

use crate::{Config, apply, gather::Rules};

/// What the jobs share.
struct With {
    config: Config,
    rules: Rules,
}

job!(
    /// Looks after those who wait for approval.
    Pending, "registrations.pending", Server,
    // A token that may only look can still observe.
    match with.config.mode {
        job::Mode::Observe => &["admin:read:accounts"],
        job::Mode::Act => &["admin:read:accounts", "admin:write:accounts"],
    },
    |cx, with: With| apply::pending(cx, &with.config, &with.rules).await
);
job!(
    /// Reads the lists that rules name.
    ReadLists, "registrations.lists", Daemon, &[],
    |cx, with: With| apply::read_lists(cx, &with.config, &with.rules).await
);
job!(
    /// Tells those who were turned away why.
    Letters, "registrations.mail", Daemon, &[],
    |cx, with: With| apply::send_letters(cx, &with.config).await
);
job!(
    /// Says once a day what was decided, and forgets what is old enough.
    Digest, "registrations.digest", Daemon, &[],
    |cx, with: With| apply::digest(cx, &with.config).await
);

/// The feature's jobs; none while nobody's sign-ups are looked after.
pub fn jobs(config: &Config) -> Vec<Arc<dyn Job>> {
    if !config.pending.enabled {
        return Vec::new();
    }
    let with = &Arc::new(With {
        config: config.clone(),
        rules: Rules::default(),
    });
    let mut jobs = vec![
        Pending::job(with, config.pending.section()),
        ReadLists::job(with, config.lists.section()),
        Letters::job(with, config.mail.section()),
        Digest::job(with, config.digest.section()),
    ];
    jobs.retain(|job| job.section().enabled);
    jobs
}
