//! Logs and metrics of the process.

use std::{
    io::IsTerminal as _,
    sync::{Mutex, OnceLock, PoisonError},
};

use job::RunLogs;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::{
    EnvFilter, Layer as _, filter::LevelFilter, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

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
    let layer = if people {
        tracing_subscriber::fmt::layer()
            .with_ansi(std::io::stderr().is_terminal())
            .with_writer(std::io::stderr)
            .boxed()
    } else {
        tracing_subscriber::fmt::layer()
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .with_writer(std::io::stderr)
            .boxed()
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

/// Every metric there is, as in docs/operations.md. Labels are words of ours alone: never a host or what others choose.
fn describe() {
    metrics::describe_counter!("egret_job_runs_total", "Runs of jobs, by outcome");
    metrics::describe_counter!("egret_job_done_total", "What runs of jobs did, by name of the counter");
    metrics::describe_counter!("egret_notices_total", "Notices for people, by feature and kind");
    metrics::describe_counter!("egret_messages_total", "Messages to people, by channel and outcome");
    metrics::describe_counter!(
        "egret_effects_total",
        "Writes on other people's servers, by feature and the state they came to"
    );
    metrics::describe_counter!("egret_http_requests_total", "Requests to other servers, by outcome");
    metrics::describe_histogram!(
        "egret_http_request_seconds",
        metrics::Unit::Seconds,
        "How long requests to other servers took"
    );
    metrics::describe_counter!("egret_webhooks_total", "Events that servers pushed, by outcome");
    metrics::describe_counter!(
        "egret_moderation_judged_total",
        "Accounts that rules judged, with what they wrote"
    );
    metrics::describe_counter!("egret_moderation_hits_total", "What rules matched, by standing");
    metrics::describe_counter!("egret_moderation_cases_total", "Cases that were opened");
    metrics::describe_counter!("egret_moderation_reports_total", "Reports that were filed");
    metrics::describe_counter!("egret_moderation_verdicts_total", "What people thought of reports");
    metrics::describe_gauge!("egret_processes", "Processes on the same database");
    metrics::describe_gauge!("egret_job_running", "Runs of jobs under way");
    metrics::describe_histogram!(
        "egret_job_run_seconds",
        metrics::Unit::Seconds,
        "How long runs of jobs took"
    );
}
