//! The same words for outcomes in logs, metrics, tables and JSON.

use store::job_runs::Outcome;

/// How a run ended, in one word.
pub fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Running => "running",
        Outcome::Finished => "finished",
        Outcome::Failed => "failed",
        Outcome::Refused => "refused",
        Outcome::TimedOut => "timed_out",
        Outcome::Panicked => "panicked",
        Outcome::Stopped => "stopped",
        Outcome::Lost => "lost",
    }
}
