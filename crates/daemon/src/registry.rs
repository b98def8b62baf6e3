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
    let mut operations = operations::jobs(&config.operations);
    if !wants_snapshots(config, &jobs) {
        operations.retain(|job| job.name() != operations::SNAPSHOT);
    }
    jobs.extend(operations);
    jobs
}

/// Whether the nightly snapshot is anything to this operator: they said so, or something here moderates. A person with
/// an account has no right to what it keeps, and a job that can never run would only worry them.
fn wants_snapshots(config: &Config, jobs: &[Arc<dyn Job>]) -> bool {
    let moderates = |job: &Arc<dyn Job>| {
        let feature = job.name().split('.').next().unwrap_or_default();
        matches!(feature, "moderation" | "registrations" | "blocklists")
            && job.scopes().iter().any(|scope| scope.starts_with("admin:"))
    };
    config.origins.contains_key("operations.snapshot.enabled") || jobs.iter().any(moderates)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Layers, load};

    fn snapshots(text: &str) -> bool {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("egret.toml");
        std::fs::write(&file, text).unwrap();
        let layers = Layers {
            file: Some(file),
            ..Layers::default()
        };
        let config = load(&layers).unwrap();
        jobs(&config).iter().any(|job| job.name() == operations::SNAPSHOT)
    }

    #[test]
    fn a_nightly_snapshot_is_for_those_who_moderate_or_ask_for_it() {
        assert!(!snapshots(""), "a person with an account");
        assert!(snapshots("[registrations.pending]\nenabled = true"));
        assert!(snapshots("[operations.snapshot]\nenabled = true"));
        assert!(!snapshots(
            "[registrations.pending]\nenabled = true\n[operations.snapshot]\nenabled = false"
        ));
    }
}
