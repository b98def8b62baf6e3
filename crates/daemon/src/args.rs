//! What can be said on the command line.

mod archive;
mod blocks;
mod imports;
mod meter;
mod moderation;
mod operations;
mod registrations;

use std::{net::SocketAddr, path::PathBuf};

use clap::{Parser, Subcommand};

use crate::config::Layers;

pub use self::{
    archive::ArchiveAction,
    blocks::BlocksAction,
    imports::{FedifetcherOptions, ImportAction},
    meter::{ChartOptions, MeterAction},
    moderation::{CasesAction, RulesAction, WhichCases},
    operations::{BackupAction, NotifyAction},
    registrations::{RegistrationsAction, Who},
};

/// The heading of what every command takes, so that it does not stand between what the command itself takes.
const EVERYWHERE: &str = "For every command";

/// Looks after a Mastodon server and the people on it: missing replies, archive, metering, moderation, sign-ups,
/// blocklists and backups
#[derive(Debug, Parser)]
#[command(name = "egret", version, propagate_version = true)]
pub struct Args {
    /// The config file [default: $EGRET_CONFIG, else ./egret.toml, $XDG_CONFIG_HOME/egret/egret.toml, /etc/egret/egret.toml]
    #[arg(long, short, global = true, value_name = "FILE", help_heading = EVERYWHERE)]
    pub config: Option<PathBuf>,
    /// The database, as in [store] url
    #[arg(long, global = true, value_name = "URL", help_heading = EVERYWHERE)]
    pub store: Option<String>,
    /// How much to log, as in `log.level`
    #[arg(long, global = true, value_name = "LEVEL", help_heading = EVERYWHERE)]
    pub log: Option<String>,
    /// Prints JSON for programs
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    pub json: bool,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Asks for a token in the browser and writes the first config
    Init {
        /// Your server, such as `https://mastodon.example`
        #[arg(value_parser = server, required_unless_present = "actor")]
        url: Option<url::Url>,
        /// A name for the login
        #[arg(long, default_value = "me")]
        name: String,
        /// Also asks for what the jobs for a whole server need (for admins)
        #[arg(long)]
        admin: bool,
        /// Makes the key of an actor that signs fetches, found by others at this public address, such as
        /// `https://egret.example`; the config gets its [net.actor]
        #[arg(long, value_name = "URL", value_parser = server)]
        actor: Option<url::Url>,
    },
    /// Runs the daemon
    Run {
        /// Where the pages answer, as in [web] listen
        #[arg(long, value_name = "ADDRESS")]
        listen: Option<SocketAddr>,
    },
    /// Runs the daemon against a simulated fediverse
    Demo {
        /// Where the pages answer
        #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8470")]
        listen: SocketAddr,
        /// How many threads the home timeline holds
        #[arg(long, default_value_t = 60)]
        threads: usize,
    },
    /// Prints a link that signs you in at the dashboard, once
    Login,
    /// Makes and revokes tokens for programs that ask the API
    Token {
        /// What to do
        #[command(subcommand)]
        action: TokenAction,
    },
    /// Says what each job can do with this config, and what is missing
    Check,
    /// Brings the database up to date
    Migrate {
        /// Only says where it stands
        #[arg(long)]
        check: bool,
        /// Moves everything from this SQLite database into the one of [store], an empty Postgres
        #[arg(long, value_name = "URL", conflicts_with = "check")]
        from: Option<String>,
        /// Into this one instead
        #[arg(long, value_name = "URL", requires = "from")]
        to: Option<String>,
    },
    /// Runs jobs now, all of them or those named, and ends
    Once {
        /// Names such as replies.home
        jobs: Vec<String>,
    },
    /// Shows what runs when, and how it went
    Jobs {
        /// What to tell a job
        #[command(subcommand)]
        action: Option<JobsAction>,
    },
    /// Looks after the replies of one thread
    Replies {
        /// What to do
        #[command(subcommand)]
        action: RepliesAction,
    },
    /// Searches, checks and exports what is kept of your own activity
    Archive {
        /// What to do
        #[command(subcommand)]
        action: ArchiveAction,
    },
    /// Moderation rules: check, test, try on the past, put in place
    Rules {
        /// What to do.
        #[command(subcommand)]
        action: RulesAction,
    },
    /// Moderation cases: list, show, approve, dismiss, escalate, exempt
    Cases {
        /// What to do.
        #[command(subcommand)]
        action: CasesAction,
    },
    /// Looks after sign-ups that wait for approval
    Registrations {
        /// What to do
        #[command(subcommand)]
        action: RegistrationsAction,
    },
    /// Plans, applies and undoes domain blocks from shared lists
    Blocks {
        /// What to do
        #[command(subcommand)]
        action: BlocksAction,
    },
    /// Measures accounts over time
    Meter {
        /// What to do
        #[command(subcommand)]
        action: MeterAction,
    },
    /// Shows what was written on other people's servers, or would have been; holds it, and lets it go
    Effects {
        /// What to do
        #[command(subcommand)]
        action: EffectsAction,
    },
    /// Keeps what moderators decided as files, and brings a server back to one
    Backup {
        /// What to do
        #[command(subcommand)]
        action: BackupAction,
    },
    /// Says whether messages reach people
    Notify {
        /// What to do
        #[command(subcommand)]
        action: NotifyAction,
    },
    /// Takes over what another tool had
    Import {
        /// Which tool
        #[command(subcommand)]
        action: ImportAction,
    },
    /// Says whether the daemon of this config is ready, by its exit code: for containers
    Healthcheck,
    /// Prints the manual page, or writes one for each command to a folder
    Man {
        /// The folder
        folder: Option<PathBuf>,
    },
    /// Prints the completions of a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
}

/// What to tell a job. A running daemon hears of it within seconds.
#[derive(Debug, Subcommand)]
pub enum JobsAction {
    /// Lets a job rest until it is resumed
    Pause(JobName),
    /// Ends a pause
    Resume(JobName),
    /// Asks the running daemon for a run now
    Run(JobName),
}

/// Which job.
#[derive(Debug, clap::Args)]
pub struct JobName {
    /// A name such as replies.home
    pub job: String,
    /// Only for this login or server [default: all]
    #[arg(long, default_value = "", hide_default_value = true)]
    pub scope: String,
}

/// What to do with tokens.
#[derive(Debug, Subcommand)]
pub enum TokenAction {
    /// Makes a token and shows it, this once
    Create {
        /// Who will use it; the ledger of effects shows this name
        #[arg(long)]
        name: String,
        /// What it may: view, moderation, registrations, federation, admin (all of them); each also at one server, as in
        /// moderation@mastodon.example, and view for one login, as in view@mastodon.example/me
        #[arg(long = "scope", value_name = "SCOPE", required = true)]
        scopes: Vec<String>,
        /// Until when, from now on, such as 90d [default: for ever]
        #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
        expires: Option<std::time::Duration>,
    },
    /// Lists tokens, when each was last used, and those that were revoked
    List,
    /// Makes a token worth nothing, at once
    Revoke {
        /// Its name
        name: String,
    },
}

/// What to do with replies.
#[derive(Debug, Subcommand)]
pub enum RepliesAction {
    /// Fetches the missing replies of one thread now, and shows what it found
    Fetch {
        /// Any status of the thread, as its address reads in a browser
        url: String,
        /// With this login [default: the first]
        #[arg(long)]
        login: Option<String>,
    },
}

/// What to do with the ledger.
#[derive(Debug, Subcommand)]
pub enum EffectsAction {
    /// Lists effects, newest first
    List {
        /// Only of this feature
        #[arg(long)]
        feature: Option<String>,
        /// Only in this state: rehearsed, held, intended, done, failed, undone
        #[arg(long)]
        state: Option<String>,
        /// Only for this server
        #[arg(long)]
        server: Option<String>,
        /// How many
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Shows one effect
    Show {
        /// Its id
        id: String,
    },
    /// Takes effects that wait out of the queue until somebody releases them
    Hold {
        /// Their ids
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
    },
    /// Lets effects that wait pass the quota: the next run sends them
    Release {
        /// Their ids
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
    },
    /// The panic stop: holds all effects of all features at once
    Stop,
    /// Lifts the panic stop: what it held goes on
    Resume,
}

/// The address of a server, as people write it: `mastodon.example` will do.
fn server(text: &str) -> Result<url::Url, String> {
    let text = text.trim();
    let url = if text.contains("://") {
        url::Url::parse(text)
    } else {
        url::Url::parse(&format!("https://{text}"))
    };
    url.ok()
        .filter(|url| matches!(url.scheme(), "https" | "http") && url.has_host() && url.username().is_empty())
        .ok_or_else(|| "not the address of a server; write https://your.server".to_owned())
}

impl Args {
    /// The layers of the config that these arguments stand on.
    pub fn layers(&self) -> Layers {
        let mut layers = Layers::of_process();
        layers.file.clone_from(&self.config);
        if let Some(url) = &self.store {
            layers.flags.push(("store.url", url.clone()));
        }
        if let Some(level) = &self.log {
            layers.flags.push(("log.level", level.clone()));
        }
        if let Command::Run { listen: Some(listen) } = &self.command {
            layers.flags.push(("web.listen", listen.to_string()));
        }
        layers
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn every_command_can_be_asked() {
        super::Args::command().debug_assert();
    }
}
