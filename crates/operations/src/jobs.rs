//! One struct per job, tying gather, plan and apply together.

use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use chrono::TimeDelta;
use job::{Job, JobContext, JobError, News, Scope, Section, Summary, tell};
use store::{job_runs, notices::Severity};
use tracing::info;

use crate::{
    Config,
    apply::{command, dump, notify, snapshot},
    config::{Command, Freshness, Notify, PgDump, Snapshot, Watched},
};

/// The job that keeps what moderators decided.
pub const SNAPSHOT: &str = "operations.snapshot";

/// Keeps what moderators decided.
struct Snapshots {
    config: Snapshot,
    section: Section,
    folder: Option<PathBuf>,
}

#[async_trait]
impl Job for Snapshots {
    fn name(&self) -> &'static str {
        SNAPSHOT
    }

    fn scope(&self) -> Scope {
        Scope::Server
    }

    fn section(&self) -> &Section {
        &self.section
    }

    fn scopes(&self) -> &'static [&'static str] {
        &["admin:read:domain_blocks"]
    }

    async fn run(&self, cx: &JobContext) -> Result<Summary, JobError> {
        let login = cx.login()?;
        let now = cx.clock.now();
        let folder = folder(self.folder.as_ref(), cx);
        let taken = snapshot::take(&cx.store, login, &folder, "nightly", now).await?;
        let manifest = taken.manifest.unwrap_or_else(|| unreachable!("it was just read"));
        let mut summary = Summary::default();
        summary.add("rows", manifest.counts.values().sum::<u64>());
        if !manifest.missing.is_empty() {
            summary.add("missing_parts", manifest.missing.len());
            let parts: Vec<&str> = manifest.missing.keys().map(String::as_str).collect();
            let text = format!(
                "snapshots of {} lack {}: the token or its owner's role may not read them, and what is not kept cannot be \
                 restored",
                login.server,
                parts.join(", ")
            );
            let news = News {
                feature: "operations",
                kind: "snapshot_parts",
                about: &login.server,
                severity: Severity::Info,
                text: &text,
            };
            tell(&cx.store, &*cx.clock, news).await;
        }
        summary.add("forgotten", snapshot::prune(&folder, &login.server, &self.config, now));
        Ok(summary)
    }
}

fn folder(set: Option<&PathBuf>, cx: &JobContext) -> PathBuf {
    let config = Config {
        folder: set.cloned(),
        ..Config::default()
    };
    config.folder(&cx.store)
}

/// Dumps databases.
struct PgDumps {
    config: PgDump,
    section: Section,
    folder: Option<PathBuf>,
}

#[async_trait]
impl Job for PgDumps {
    fn name(&self) -> &'static str {
        "operations.pg_dump"
    }

    fn scope(&self) -> Scope {
        Scope::Daemon
    }

    fn section(&self) -> &Section {
        &self.section
    }

    async fn run(&self, cx: &JobContext) -> Result<Summary, JobError> {
        let folder = folder(self.folder.as_ref(), cx);
        let mut summary = Summary::default();
        let mut failed = Vec::new();
        for (name, database) in &self.config.databases {
            cx.check_stop()?;
            // Of several, one that cannot be dumped does not keep the others from it.
            match dump::dump(cx, &self.config, &folder, name, database).await {
                Ok((file, dump)) => {
                    info!(file, bytes = dump.bytes, tables = dump.tables, "dumped {name}");
                    summary.add("dumped", 1);
                    let forgotten = dump::prune(&folder, name, &self.config, cx.clock.now());
                    if forgotten > 0 {
                        summary.add("forgotten", forgotten);
                    }
                }
                Err(_) if cx.stop.is_cancelled() => return Err(JobError::Stopped),
                Err(error) => {
                    let text = format!("no good dump of {name}: {error:#}");
                    let news = News {
                        feature: "operations",
                        kind: "dump",
                        about: name,
                        severity: Severity::Error,
                        text: &text,
                    };
                    tell(&cx.store, &*cx.clock, news).await;
                    failed.push(text);
                }
            }
        }
        if failed.is_empty() {
            Ok(summary)
        } else {
            Err(JobError::Transient(anyhow::anyhow!(failed.join("; "))))
        }
    }
}

/// Runs one command.
struct Commands {
    job: &'static str,
    name: String,
    config: Command,
    section: Section,
}

#[async_trait]
impl Job for Commands {
    fn name(&self) -> &'static str {
        self.job
    }

    fn scope(&self) -> Scope {
        Scope::Daemon
    }

    fn section(&self) -> &Section {
        &self.section
    }

    async fn run(&self, cx: &JobContext) -> Result<Summary, JobError> {
        command::run(cx, &self.name, &self.config).await
    }
}

/// Says when backups are too old.
struct Fresh {
    config: Freshness,
    dumps: PgDump,
    section: Section,
    folder: Option<PathBuf>,
}

#[async_trait]
impl Job for Fresh {
    fn name(&self) -> &'static str {
        "operations.freshness"
    }

    fn scope(&self) -> Scope {
        Scope::Daemon
    }

    fn section(&self) -> &Section {
        &self.section
    }

    async fn run(&self, cx: &JobContext) -> Result<Summary, JobError> {
        let mut summary = Summary::default();
        let now = cx.clock.now();
        let mut stale = Vec::new();
        let folder = folder(self.folder.as_ref(), cx);
        // Where the first dump is still on its way nobody is told that there is none.
        let began = job_runs::last(&cx.store, "operations.pg_dump", "").await?;
        let is_over = began.is_some_and(|run| run.finished_at.is_some());
        for name in self.dumps.databases.keys().filter(|_| self.dumps.enabled) {
            let alarm = TimeDelta::from_std(self.dumps.alarm).unwrap_or(TimeDelta::MAX);
            match dump::found(&folder, Some(name)).first() {
                Some((_, good)) if now - good.made_at <= alarm => summary.add("fresh", 1),
                Some((file, good)) => stale.push((
                    name.clone(),
                    format!(
                        "the newest good dump of {name}, {file}, is from {}; see the runs of operations.pg_dump",
                        good.made_at.format("%Y-%m-%d %H:%M UTC")
                    ),
                )),
                None if is_over => stale.push((
                    name.clone(),
                    format!("there is no good dump of {name}; see the runs of operations.pg_dump"),
                )),
                None => {}
            }
        }
        for watched in &self.config.files {
            match newest(watched) {
                Some(age) if age <= watched.alarm => summary.add("fresh", 1),
                age => {
                    let path = watched.path.display().to_string();
                    let what = age.map_or_else(
                        || "cannot be found".to_owned(),
                        |age| format!("was last written {} ago", humantime::format_duration(whole(age))),
                    );
                    stale.push((path.clone(), format!("the backup {path} {what}")));
                }
            }
        }
        summary.add("stale", stale.len());
        for (about, text) in &stale {
            let news = News {
                feature: "operations",
                kind: "stale",
                about,
                severity: Severity::Error,
                text,
            };
            tell(&cx.store, &*cx.clock, news).await;
        }
        Ok(summary)
    }
}

fn whole(age: std::time::Duration) -> std::time::Duration {
    std::time::Duration::from_secs(age.as_secs())
}

/// How long ago the newest file was written, by the file system's own clock.
fn newest(watched: &Watched) -> Option<std::time::Duration> {
    let age = |path: &std::path::Path| {
        let meta = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
        meta.modified().ok()?.elapsed().ok().or(Some(std::time::Duration::ZERO))
    };
    match std::fs::read_dir(&watched.path) {
        Ok(entries) => entries.flatten().filter_map(|entry| age(&entry.path())).min(),
        Err(_) => age(&watched.path),
    }
}

/// Hands notices to people.
struct Notices {
    config: Notify,
    section: Section,
}

#[async_trait]
impl Job for Notices {
    fn name(&self) -> &'static str {
        "operations.notify"
    }

    fn scope(&self) -> Scope {
        Scope::Daemon
    }

    fn section(&self) -> &Section {
        &self.section
    }

    async fn run(&self, cx: &JobContext) -> Result<Summary, JobError> {
        notify::notices(cx, &self.config).await
    }
}

/// A week in one message.
struct Weekly {
    config: Config,
    section: Section,
}

#[async_trait]
impl Job for Weekly {
    fn name(&self) -> &'static str {
        "operations.digest"
    }

    fn scope(&self) -> Scope {
        Scope::Daemon
    }

    fn section(&self) -> &Section {
        &self.section
    }

    async fn run(&self, cx: &JobContext) -> Result<Summary, JobError> {
        notify::week(cx, &self.config).await
    }
}

/// One name for all time: jobs are known by names that live as long as the process, and a reload makes no new ones.
fn job_name(name: &str) -> &'static str {
    static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let full = format!("operations.command.{name}");
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = names.get(full.as_str()) {
        return known;
    }
    let kept: &'static str = full.leak();
    names.insert(kept);
    kept
}

/// The feature's jobs: those that the config gives something to do.
pub fn jobs(config: &Config) -> Vec<Arc<dyn Job>> {
    let folder = &config.folder;
    let mut jobs: Vec<Arc<dyn Job>> = vec![Arc::new(Snapshots {
        section: config.snapshot.section(),
        config: (*config.snapshot).clone(),
        folder: folder.clone(),
    })];
    if !config.pg_dump.databases.is_empty() {
        jobs.push(Arc::new(PgDumps {
            section: config.pg_dump.section(),
            config: (*config.pg_dump).clone(),
            folder: folder.clone(),
        }));
    }
    if !config.pg_dump.databases.is_empty() || !config.freshness.files.is_empty() {
        jobs.push(Arc::new(Fresh {
            section: config.freshness.section(),
            config: (*config.freshness).clone(),
            dumps: (*config.pg_dump).clone(),
            folder: folder.clone(),
        }));
    }
    for (name, command) in &config.command {
        jobs.push(Arc::new(Commands {
            job: job_name(name),
            name: name.clone(),
            section: command.section(),
            config: command.clone(),
        }));
    }
    if !config.notify.channels.is_empty() {
        jobs.push(Arc::new(Notices {
            section: config.notify.section(),
            config: (*config.notify).clone(),
        }));
    }
    if config.notify.channels.iter().any(|channel| channel.digest) {
        jobs.push(Arc::new(Weekly {
            section: config.digest.section(),
            config: config.clone(),
        }));
    }
    jobs.retain(|job| job.section().enabled);
    jobs
}
