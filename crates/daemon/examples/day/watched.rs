//! What is seen of the daemon from outside.

use std::{error::Error, path::Path, time::Instant};

use serde_json::{Value, json};

/// A running daemon.
pub(super) struct Watched {
    pid: u32,
    base: String,
    /// How long `/readyz` took to answer, in milliseconds.
    answers: Vec<f64>,
}

impl Watched {
    /// The process that listens there.
    pub(super) fn new(pid: u32, listen: &str) -> Self {
        Self {
            pid,
            base: format!("http://{listen}"),
            answers: Vec::new(),
        }
    }

    /// How long `/readyz` took to answer, each time it was asked, in milliseconds.
    pub(super) fn answers(&mut self) -> &mut [f64] {
        &mut self.answers
    }

    /// Seconds of processor time.
    pub(super) fn processor(&self) -> Option<f64> {
        processor(&Path::new("/proc").join(self.pid.to_string()))
    }

    /// Seconds of processor time of the threads whose name begins so.
    pub(super) fn threads(&self, name: &str) -> Option<f64> {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.pid)).ok()?;
        let named = tasks
            .flatten()
            .map(|task| task.path())
            .filter(|task| std::fs::read_to_string(task.join("comm")).is_ok_and(|comm| comm.starts_with(name)));
        Some(named.filter_map(|task| processor(&task)).sum())
    }

    /// A line of its `status`, in MiB.
    pub(super) fn memory(&self, line: &str) -> Option<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid)).ok()?;
        let value = status.lines().find_map(|l| l.strip_prefix(line)?.strip_prefix(':'))?;
        let kib: f64 = value.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kib / 1024.0)
    }

    /// Asks `/readyz`, and says whether it answered well.
    pub(super) async fn ask(&mut self) -> bool {
        let url = format!("{}/readyz", self.base);
        let took = tokio::task::spawn_blocking(move || {
            let begun = Instant::now();
            ureq::get(&url).call().is_ok().then(|| begun.elapsed())
        });
        let Ok(Some(took)) = took.await else {
            return false;
        };
        self.answers.push(took.as_secs_f64() * 1000.0);
        true
    }

    /// Runs by job and outcome, and the time they took, as `/metrics` has them.
    pub(super) async fn runs(&self) -> Result<Value, Box<dyn Error>> {
        let url = format!("{}/metrics", self.base);
        let text = tokio::task::spawn_blocking(move || ureq::get(&url).call()?.body_mut().read_to_string()).await??;
        let (mut all, mut failed, mut seconds) = (0.0, 0.0, json!({}));
        for line in text.lines() {
            let Some((name, value)) = line.rsplit_once(' ') else {
                continue;
            };
            let value: f64 = value.parse().unwrap_or(0.0);
            if name.starts_with("egret_job_runs_total{") {
                all += value;
                if name.contains("\"failed\"") {
                    failed += value;
                }
            } else if name.starts_with("egret_job_run_seconds_sum{") {
                let job = name.split("job=\"").nth(1).and_then(|rest| rest.split('"').next());
                let before = job.and_then(|job| seconds[job].as_f64()).unwrap_or(0.0);
                if let Some(job) = job {
                    seconds[job] = json!(before + value);
                }
            }
        }
        Ok(json!({ "all": all, "failed": failed, "seconds": seconds }))
    }
}

/// Seconds of processor time of a process or thread, by its folder in `/proc`.
fn processor(folder: &Path) -> Option<f64> {
    let stat = std::fs::read_to_string(folder.join("stat")).ok()?;
    // The name stands in brackets and may hold blanks; user and system time are the 12th and 13th behind it.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let ticks: f64 = fields.next()?.parse::<f64>().ok()? + fields.next()?.parse::<f64>().ok()?;
    Some(ticks / 100.0)
}
