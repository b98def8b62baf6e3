//! What a job is, what it is handed, and when it is due.

mod board;
mod context;
mod cron;
mod declare;
mod effects;
mod error;
mod lease;
mod notice;
pub mod origins;
mod round;
mod run_logs;
mod safeguard;
mod schedule;
pub mod section;
mod summary;
mod walk;

pub use board::{Board, Live, Progress};
pub use context::{JobContext, Login};
pub use effects::{Effects, Ledger, Mode, ModeNow, Sent, Settled, Wish};
pub use error::JobError;
pub use lease::while_held;
pub use notice::{News, tell};
pub use round::Round;
pub use run_logs::RunLogs;
pub use safeguard::Safeguard;
pub use schedule::{Due, Schedule, ScheduleError, due, slot};
pub use section::Section;
pub use summary::Summary;
pub use walk::Walk;

/// For those who implement [`Job`] by hand; [`job!`] does it for the rest.
pub use async_trait::async_trait;

/// What a run is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// One run per login.
    Login,
    /// One run per server.
    Server,
    /// One run for the whole daemon.
    Daemon,
}

/// One thing the daemon does over and over.
///
/// A run takes no arguments. All it needs is in the config it was built from and in the store, so the run after a
/// crash, a restart or a month's silence is the same run.
#[async_trait]
pub trait Job: Send + Sync + 'static {
    /// `feature.noun`: one word for the config, the logs, the metrics and the `job_runs` table.
    fn name(&self) -> &'static str;

    /// What a run is for.
    fn scope(&self) -> Scope;

    /// The keys of its section that all jobs share: schedule, jitter, time limit, callbacks.
    fn section(&self) -> &Section;

    /// When it runs.
    fn schedule(&self) -> &Schedule {
        &self.section().schedule
    }

    /// Names of the logins it is for; empty means every login whose scopes suffice.
    fn logins(&self) -> &[String] {
        &self.section().logins
    }

    /// Scopes its token needs.
    fn scopes(&self) -> &'static [&'static str] {
        &[]
    }

    /// Does a bounded piece of work and says what it did.
    async fn run(&self, cx: &JobContext) -> Result<Summary, JobError>;
}
