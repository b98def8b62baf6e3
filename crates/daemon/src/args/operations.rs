//! `egret backup` and `egret notify`.

use std::path::PathBuf;

use clap::Subcommand;

/// What to do with backups.
#[derive(Debug, Subcommand)]
pub enum BackupAction {
    /// Takes a snapshot of each server's blocks, allows and rules, and of what we wrote there
    Create {
        /// Only of this server, host or host:port [default: all]
        #[arg(long)]
        server: Option<String>,
    },
    /// Lists snapshots and dumps, newest first
    List,
    /// Brings a server back to a snapshot; what came since stays
    Restore {
        /// The snapshot: a name from `egret backup list`, or a file
        snapshot: PathBuf,
        /// Only shows what would change
        #[arg(long)]
        plan: bool,
        /// Also takes out what came since the snapshot
        #[arg(long)]
        exact: bool,
    },
}

/// What to do with messages.
#[derive(Debug, Subcommand)]
pub enum NotifyAction {
    /// Sends a message to each channel of [operations.notify] now
    Test {
        /// Only to this one
        channel: Option<String>,
    },
    /// Shows how each channel fares
    Status,
}
