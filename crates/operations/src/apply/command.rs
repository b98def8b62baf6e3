//! Runs a command of the operator: one at a time, among all processes.

use std::time::Duration;

use job::{JobContext, JobError, News, Summary, tell};
use store::{leases, notices::Severity};
use tracing::info;

use crate::{
    config::Command,
    process::{self, End, Program},
};

/// Whoever has it runs a command.
const LEASE: &str = "operations.command";

/// How long the lease outlives a silent owner.
const LASTS: Duration = Duration::from_secs(60);

/// Lines of output that are kept with the run, and characters of each.
const LINES: (usize, usize) = (200, 500);

/// Runs it, unless another command runs: then this one is skipped, and comes again by its schedule.
///
/// # Errors
/// When it cannot be started, takes too long, or ends with a code that is a failure.
pub async fn run(cx: &JobContext, name: &str, command: &Command) -> Result<Summary, JobError> {
    let mut summary = Summary::default();
    let Some(lease) = leases::take(&cx.store, LEASE, &cx.run, LASTS, cx.clock.now()).await? else {
        info!("another command runs; this one waits for its next time");
        summary.add("skipped", 1);
        return Ok(summary);
    };
    let program = Program {
        argv: command.argv.clone(),
        folder: command.folder.clone(),
        ..Program::default()
    };
    let work = process::run(&program, None, command.timeout, &cx.stop);
    let ran = job::while_held(&cx.store, &*cx.clock, &lease, LASTS, work).await;
    leases::release(&cx.store, &lease).await?;
    let ran = ran.ok_or_else(|| JobError::Transient(anyhow::anyhow!("lost the right to run to another process")))?;
    let ran = match ran {
        Ok(ran) => ran,
        Err(error) => return Err(failed(cx, name, error.to_string()).await),
    };
    let lines: Vec<&str> = ran.output.lines().collect();
    for line in &lines[lines.len().saturating_sub(LINES.0)..] {
        let line: String = line.chars().take(LINES.1).collect();
        info!("{line}");
    }
    match ran.end {
        End::Stopped => return Err(JobError::Stopped),
        End::Code(code) if command.codes.contains(&code) => {}
        _ => return Err(failed(cx, name, ran.told()).await),
    }
    if let Some(expected) = &command.expect
        && !ran.output.contains(expected.as_str())
    {
        return Err(failed(
            cx,
            name,
            format!("did not say {expected:?}; its last words: {}", ran.last_line()),
        )
        .await);
    }
    summary.add("ran", 1);
    Ok(summary)
}

async fn failed(cx: &JobContext, name: &str, what: String) -> JobError {
    let text = format!("the command {name:?} {what}");
    let news = News {
        feature: "operations",
        kind: "command",
        about: name,
        severity: Severity::Error,
        text: &text,
    };
    tell(&cx.store, &*cx.clock, news).await;
    JobError::Transient(anyhow::anyhow!(text))
}
