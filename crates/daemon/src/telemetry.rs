//! Logs and metrics of the process.

mod journal;

use std::{
    io::IsTerminal as _,
    sync::{Mutex, OnceLock, PoisonError},
};

use job::RunLogs;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::{
    EnvFilter, Layer as _, filter::LevelFilter, fmt::format, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

use self::journal::Prioritised;

use crate::{
    config::{Log, LogFormat},
    run_lines::RunLines,
};

/// The scheduler tells of each reminder it makes. What the config says of it comes later and outweighs this.
const QUIET: &str = "tokio_cron_scheduler=warn";

/// Starts writing log lines to standard error, so that standard output belongs to results. `RUST_LOG` outweighs the
/// config. A second call changes nothing: in a test several daemons share a process.
pub fn start_logs(log: &Log) {
    let filter = std::env::var("RUST_LOG")
        .ok()
        .and_then(|text| EnvFilter::try_new(text).ok())
        .or_else(|| EnvFilter::try_new(format!("{QUIET},{}", log.level)).ok())
        .unwrap_or_else(|| EnvFilter::new(format!("{QUIET},info")));
    let people = match log.format {
        LogFormat::Text => true,
        LogFormat::Json => false,
        LogFormat::Auto => std::io::stderr().is_terminal(),
    };
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let json = || {
        let json = format::format().json().flatten_event(true);
        json.with_current_span(true).with_span_list(false)
    };
    let layer = match (people, journal::listens()) {
        (true, true) => {
            let text = format::format().without_time().with_ansi(false);
            layer.with_ansi(false).event_format(Prioritised(text)).boxed()
        }
        (true, false) => layer.with_ansi(std::io::stderr().is_terminal()).boxed(),
        (false, true) => {
            let layer = layer.fmt_fields(format::JsonFields::new());
            layer.event_format(Prioritised(json())).boxed()
        }
        (false, false) => layer.fmt_fields(format::JsonFields::new()).event_format(json()).boxed(),
    };
    let _ = tracing_subscriber::registry()
        .with(layer.with_filter(filter))
        .with(RunLines(run_logs()).with_filter(LevelFilter::INFO))
        .try_init();
}

/// What the runs of this process say while they go on.
pub fn run_logs() -> RunLogs {
    static LOGS: OnceLock<RunLogs> = OnceLock::new();
    LOGS.get_or_init(RunLogs::default).clone()
}

/// The recorder of metrics, installed once in a process.
///
/// # Errors
/// When another recorder is in place.
pub fn metrics() -> anyhow::Result<PrometheusHandle> {
    static HANDLE: Mutex<Option<PrometheusHandle>> = Mutex::new(None);
    // Held to the end: of two that start at once in one process, the second takes what the first put in place.
    let mut kept = HANDLE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(handle) = &*kept {
        return Ok(handle.clone());
    }
    let seconds = [0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 1800.0];
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &seconds)?
        .build_recorder();
    let ours = handle.handle();
    metrics::set_global_recorder(handle).map_err(|_| anyhow::anyhow!("another recorder of metrics is in place"))?;
    describe();
    *kept = Some(ours.clone());
    Ok(ours)
}

/// What a metric is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// As it stands now.
    Gauge,
    /// How long something took.
    Seconds,
}

/// A metric: its name, what it is, its labels, and what it says.
pub type Metric = (&'static str, Kind, &'static [&'static str], &'static str);

/// Every metric there is, as in docs/operations.md. Labels are words of ours or of the operator's config, never what
/// others choose: there are as many series with ten thousand origins as with ten.
pub const METRICS: &[Metric] = &[
    (
        "egret_job_runs_total",
        Kind::Counter,
        &["job", "outcome"],
        "Runs of jobs, by outcome",
    ),
    (
        "egret_job_run_seconds",
        Kind::Seconds,
        &["job"],
        "How long runs of jobs took",
    ),
    ("egret_job_running", Kind::Gauge, &["job"], "Runs of jobs under way"),
    (
        "egret_job_done_total",
        Kind::Counter,
        &["job", "what"],
        "What runs of jobs did, by name of the counter",
    ),
    (
        "egret_effects_total",
        Kind::Counter,
        &["feature", "state"],
        "Writes on other people's servers, by feature and the state they came to",
    ),
    (
        "egret_notices_total",
        Kind::Counter,
        &["feature", "kind"],
        "Notices for people, by feature and kind",
    ),
    (
        "egret_messages_total",
        Kind::Counter,
        &["channel", "outcome"],
        "Messages to people, by channel and outcome",
    ),
    (
        "egret_http_requests_total",
        Kind::Counter,
        &["host", "outcome"],
        "Requests to other servers: to those that the config names, and to all others together",
    ),
    (
        "egret_http_request_seconds",
        Kind::Seconds,
        &[],
        "How long requests to other servers took",
    ),
    (
        "egret_budget_limit",
        Kind::Gauge,
        &["login", "budget"],
        "Requests that a login has in a window",
    ),
    ("egret_budget_left", Kind::Gauge, &["login", "budget"], "Of these, left"),
    (
        "egret_origins",
        Kind::Gauge,
        &["state"],
        "Servers without a login of ours: known, and resting after failures",
    ),
    ("egret_queue_waiting", Kind::Gauge, &["queue"], "What waits, by queue"),
    (
        "egret_queue_oldest_seconds",
        Kind::Gauge,
        &["queue"],
        "For how long the oldest of it waits",
    ),
    (
        "egret_webhooks_total",
        Kind::Counter,
        &["outcome"],
        "Events that servers pushed, by outcome",
    ),
    (
        "egret_database_bytes",
        Kind::Gauge,
        &[],
        "What the database takes on disk",
    ),
    ("egret_processes", Kind::Gauge, &[], "Processes on the same database"),
    (
        "egret_clock_added_seconds",
        Kind::Gauge,
        &[],
        "By how much this machine's clock is behind the database's, and was moved",
    ),
    (
        "egret_moderation_judged_total",
        Kind::Counter,
        &[],
        "Accounts that rules judged, with what they wrote",
    ),
    (
        "egret_moderation_hits_total",
        Kind::Counter,
        &["standing"],
        "What rules matched, by standing",
    ),
    (
        "egret_moderation_cases_total",
        Kind::Counter,
        &[],
        "Cases that were opened",
    ),
    (
        "egret_moderation_reports_total",
        Kind::Counter,
        &[],
        "Reports that were filed",
    ),
    (
        "egret_moderation_verdicts_total",
        Kind::Counter,
        &["verdict"],
        "What people thought of reports",
    ),
];

fn describe() {
    for (name, kind, _, help) in METRICS {
        match kind {
            Kind::Counter => metrics::describe_counter!(*name, *help),
            Kind::Gauge => metrics::describe_gauge!(*name, *help),
            Kind::Seconds => metrics::describe_histogram!(*name, metrics::Unit::Seconds, *help),
        }
    }
}
