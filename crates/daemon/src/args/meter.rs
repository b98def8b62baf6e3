//! `egret meter`.

use std::path::PathBuf;

use clap::Subcommand;

/// What to do with metered accounts.
#[derive(Debug, Subcommand)]
pub enum MeterAction {
    /// Measures accounts from now on
    Add {
        /// `@user@host`, the address of a profile, or an id of your own server
        #[arg(required = true)]
        addresses: Vec<String>,
        /// Puts them into this group
        #[arg(long, value_name = "NAME")]
        group: Vec<String>,
    },
    /// Stops measuring accounts; what was measured stays
    Remove {
        /// `@user@host`, the actor's address, or the number that `list` shows
        #[arg(required = true)]
        accounts: Vec<String>,
        /// Erases what was measured as well
        #[arg(long)]
        purge: bool,
    },
    /// Lists the accounts that are measured
    List {
        /// Only of this group
        #[arg(long, value_name = "NAME")]
        group: Option<String>,
        /// Only in this state: tracked, archived, removed
        #[arg(long)]
        state: Vec<String>,
        /// Only whose name holds this
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
    },
    /// Puts accounts into a group, or takes them out of it
    Group {
        /// The group
        name: String,
        /// `@user@host`, the actor's address, or the number that `list` shows
        #[arg(required = true)]
        accounts: Vec<String>,
        /// Takes them out
        #[arg(long)]
        leave: bool,
    },
    /// Measures accounts now
    Now {
        /// `@user@host`, the actor's address, or the number that `list` shows [default: all]
        accounts: Vec<String>,
    },
    /// Says what changed, as a text to paste
    Report {
        /// `@user@host`, the actor's address, or the number that `list` shows [default: all]
        accounts: Vec<String>,
        /// Only of this group
        #[arg(long, value_name = "NAME")]
        group: Option<String>,
        /// Since when: 24h, 7d, week, month, year
        #[arg(long, default_value = "24h")]
        since: String,
        /// As an HTML page
        #[arg(long)]
        html: bool,
    },
    /// Draws a chart, as PNG or SVG by the name of the file
    Chart(ChartOptions),
    /// Which statuses, tags and hours brought most
    Posts {
        /// Whose, as `server/login`; yours where there is one only
        #[arg(long)]
        login: Option<String>,
        /// Since when: 24h, 7d, week, month, year
        #[arg(long, default_value = "month")]
        since: String,
    },
    /// Who followed you, and who does not any more
    Followers {
        /// Whose, as `server/login`; yours where there is one only
        #[arg(long)]
        login: Option<String>,
        /// Since when: 24h, 7d, week, month, year
        #[arg(long, default_value = "month")]
        since: String,
    },
    /// What a server of yours counts of itself
    Server {
        /// One number over time, such as `users` or `week.logins` [default: the newest of each]
        key: Option<String>,
        /// The server's host; yours where there is one only
        #[arg(long)]
        server: Option<String>,
        /// Since when: 24h, 7d, week, month, year
        #[arg(long, default_value = "year")]
        since: String,
    },
    /// Writes out what was measured
    Export {
        /// `@user@host`, the actor's address, or the number that `list` shows [default: all]
        accounts: Vec<String>,
        /// Only of this group
        #[arg(long, value_name = "NAME")]
        group: Option<String>,
        /// How: csv, json (an object a line), openmetrics (the newest counts)
        #[arg(long, default_value = "csv")]
        format: String,
    },
    /// Takes in a list of accounts (one a line, a CSV, an export of followings) or what `export` wrote
    Import {
        /// The file
        file: PathBuf,
        /// Puts the accounts into this group
        #[arg(long, value_name = "NAME")]
        group: Vec<String>,
    },
}

/// What to draw.
#[derive(Debug, clap::Args)]
pub struct ChartOptions {
    /// `@user@host`, the actor's address, or the number that `list` shows; several are compared
    pub accounts: Vec<String>,
    /// The accounts of this group
    #[arg(long, value_name = "NAME")]
    pub group: Option<String>,
    /// What to draw: followers, following, statuses, both (followers and statuses)
    #[arg(long, default_value = "followers")]
    pub metric: String,
    /// How far back: 24h, 7d, week, month, year [default: all]
    #[arg(long)]
    pub since: Option<String>,
    /// Where to write it
    #[arg(long, short, value_name = "FILE")]
    pub out: PathBuf,
    /// On a dark ground
    #[arg(long)]
    pub dark: bool,
    /// Pixels across
    #[arg(long)]
    pub width: Option<u32>,
    /// Pixels down
    #[arg(long)]
    pub height: Option<u32>,
    /// Each pixel of a PNG as so many by so many
    #[arg(long, default_value_t = 1)]
    pub scale: u32,
}
