//! The features. A new one is a line in each function here and a field in [`Config`].

use std::sync::Arc;

use job::{Job, Ledger};

use crate::config::Config;

/// Every job that the config leaves on.
pub fn jobs(config: &Config) -> Vec<Arc<dyn Job>> {
    let mut jobs = Vec::new();
    jobs.extend(replies::jobs(&config.replies));
    jobs.extend(backfill::jobs(&config.backfill));
    jobs.extend(archive::jobs(&config.archive));
    jobs.extend(registrations::jobs(&config.registrations));
    jobs.extend(blocklists::jobs(&config.blocklists));
    jobs.extend(metering::jobs(&config.metering));
    jobs.extend(moderation::jobs(&moderation(config)));
    jobs.extend(operations::jobs(&config.operations));
    jobs
}

/// Tells the ledger what each feature may write on other people's servers. What is not told here only observes.
pub fn configure(config: &Config, ledger: &Ledger) {
    let registrations = &config.registrations;
    ledger.configure("registrations", registrations.mode, Some(registrations.quota));
    ledger.configure("blocklists", config.blocklists.mode, config.blocklists.quota);
    let moderation = &config.moderation;
    ledger.configure(moderation::FEATURE, moderation.mode, Some(moderation.quota));
    let operations = &config.operations;
    ledger.configure("operations", operations.mode, operations.quota);
    let safeguard = operations::Safeguard::new(operations, ledger.store());
    ledger.guard(
        "blocklists",
        safeguard.map(|it| Arc::new(it) as Arc<dyn job::Safeguard>),
    );
}

/// Which events that servers push are wanted, and the job that each one wakes.
pub fn webhooks(config: &Config) -> Vec<(&'static str, &'static str)> {
    let mut wanted = Vec::new();
    if config.registrations.pending.enabled {
        wanted.extend(registrations::WEBHOOKS.map(|event| (event, "registrations.pending")));
    }
    if config.moderation.inbox.enabled {
        wanted.extend(moderation::WEBHOOKS.map(|event| (event, moderation::INBOX)));
    }
    wanted
}

/// `[moderation]`, with the address of our pages for links in reports.
pub fn moderation(config: &Config) -> moderation::Config {
    let url = config.web.url.as_ref().map(ToString::to_string);
    moderation::Config {
        pages: url.unwrap_or_else(|| format!("http://{}", config.web.listen)),
        ..(*config.moderation).clone()
    }
}
