//! `egret blocks`.

use clap::Subcommand;

/// What to do with domain blocks.
#[derive(Debug, Subcommand)]
pub enum BlocksAction {
    /// Reads the lists and shows what would change on each server
    Plan {
        /// Only on this server, host or host:port [default: all that a policy is for]
        #[arg(long)]
        server: Option<String>,
        /// Also counts follows: a request for each candidate that the server has met
        #[arg(long)]
        follows: bool,
    },
    /// Carries out exactly the plan of this hash, what waits for a human included, or refuses
    Apply {
        /// The hash, or its first 8 characters or more
        hash: String,
    },
    /// Says no to a plan: it is not asked about again
    Dismiss {
        /// The hash, or its first 8 characters or more
        hash: String,
    },
    /// Takes back what a run did
    Undo {
        /// The run, as `egret blocks runs` shows it
        run: String,
        /// Does it; without this it is only shown
        #[arg(long)]
        yes: bool,
    },
    /// Lists the runs that changed something
    Runs,
    /// Says who wants a domain blocked, what the policies make of it, and what was done
    Why {
        /// The domain
        domain: String,
    },
    /// Finds domains that we changed or were told to leave alone
    Search {
        /// A part of the domain
        text: String,
    },
    /// Plans to lift blocks that fit all of these; `egret blocks apply` then does it
    Clear {
        /// On this server, host or host:port [default: the only one]
        #[arg(long)]
        server: Option<String>,
        /// Not only blocks that are ours
        #[arg(long)]
        all: bool,
        /// Wanted by this list
        #[arg(long)]
        source: Option<String>,
        /// noop, silence or suspend
        #[arg(long)]
        severity: Option<String>,
        /// Whose private comment contains this
        #[arg(long)]
        private_comment: Option<String>,
        /// Whose public comment contains this
        #[arg(long)]
        public_comment: Option<String>,
        /// This domain and what is below it
        #[arg(long)]
        within: Option<String>,
        /// Made before this, such as 2026-01-31
        #[arg(long)]
        before: Option<chrono::NaiveDate>,
        /// Made on this day or later
        #[arg(long)]
        since: Option<chrono::NaiveDate>,
    },
    /// Prints the merged list of a policy
    Export {
        /// Which policy
        #[arg(long, default_value = "default")]
        policy: String,
        /// csv, json, rapidblock or fires
        #[arg(long, default_value = "csv")]
        format: String,
    },
    /// Shows how each list fares, and its bad rows
    Lists {
        /// Only this one
        name: Option<String>,
    },
    /// Names local people who follow somebody of a domain or are followed from there, before a suspension ends that
    Affected {
        /// The domain
        domain: String,
        /// On this server, host or host:port [default: the only one]
        #[arg(long)]
        server: Option<String>,
    },
    /// Agrees to what a list lost or gained, where that is held
    Approve {
        /// The list
        list: String,
    },
    /// Hands blocks that a moderator or another tool made or changed to the lists
    Adopt {
        /// The domain
        #[arg(required_unless_present = "private_comment")]
        domain: Option<String>,
        /// All whose private comment contains this, as what FediBlockHole stamped
        #[arg(long)]
        private_comment: Option<String>,
        /// On this server, host or host:port [default: the only one]
        #[arg(long)]
        server: Option<String>,
    },
}
