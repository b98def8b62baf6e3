//! The features. A new one is a line here and a field in [`Config`].

use std::sync::Arc;

use job::Job;

use crate::config::Config;

/// Every job that the config leaves on.
pub fn jobs(config: &Config) -> Vec<Arc<dyn Job>> {
    let mut jobs = Vec::new();
    jobs.extend(replies::jobs(&config.replies));
    jobs.extend(backfill::jobs(&config.backfill));
    jobs
}
