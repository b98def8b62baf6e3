//! `egret registrations`.

use std::path::PathBuf;

use clap::Subcommand;

/// What to do with sign-ups. A running daemon hears of wishes within seconds.
#[derive(Debug, Subcommand)]
pub enum RegistrationsAction {
    /// Lists who waits, newest first
    List {
        /// Only in this state: waiting, hold, veto, ready, approved, rejected, gone, ignored
        #[arg(long)]
        state: Vec<String>,
        /// Only whose name, address or domain holds this
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
        /// Only at this server
        #[arg(long)]
        server: Option<String>,
        /// How many
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Shows one of them with all facts and the history
    Show {
        /// Account id or name
        id: String,
        /// At this server, where several have one
        #[arg(long)]
        server: Option<String>,
    },
    /// Lets them in, once their address is confirmed
    Approve(Who),
    /// Turns them away, without a veto window
    Reject(Who),
    /// Leaves them to people; stops a rejection that has not happened yet
    Hold(Who),
    /// Lets the rules judge again whom a person or a burst stopped
    Judge(Who),
    /// Says what other rules would have said of those who came
    Replay {
        /// A file of rules, or a whole config [default: the rules in place]
        #[arg(long, value_name = "FILE")]
        rules: Option<PathBuf>,
    },
    /// Prints every decision ever made, a JSON object a line
    Audit,
}

/// Which applicants.
#[derive(Debug, clap::Args)]
pub struct Who {
    /// Account ids or names
    #[arg(required = true, value_name = "ID")]
    pub ids: Vec<String>,
    /// At this server, where several have one
    #[arg(long)]
    pub server: Option<String>,
}
