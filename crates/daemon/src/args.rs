//! What can be said on the command line.

mod moderation;

use std::{net::SocketAddr, path::PathBuf};

use clap::{Parser, Subcommand};

use crate::config::Layers;

pub use self::moderation::{CasesAction, RulesAction, WhichCases};

/// One quiet bird beside the elephant: does for a Mastodon server what five tools do today.
#[derive(Debug, Parser)]
#[command(name = "egret", version, about, propagate_version = true)]
pub struct Args {
    /// The config file [default: $EGRET_CONFIG, else ./egret.toml, $XDG_CONFIG_HOME/egret/egret.toml, /etc/egret/egret.toml]
    #[arg(long, short, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The database, as in [store] url
    #[arg(long, global = true, value_name = "URL")]
    pub store: Option<String>,
    /// How much to log, as in `log.level`
    #[arg(long, global = true, value_name = "LEVEL")]
    pub log: Option<String>,
    /// Prints JSON for programs
    #[arg(long, global = true)]
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
    /// Shows what was written, or would have been, on other people's servers
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
    #[arg(long, default_value = "")]
    pub scope: String,
}

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

/// What to do with the archive.
#[derive(Debug, Subcommand)]
pub enum ArchiveAction {
    /// Finds statuses: words, "phrases", begin*, -without, and filters such as from:user@host, kind:bookmark, has:image,
    /// is:direct, lang:de, tag:birds, login:host/name, since:2026-01-31, until:2026-02-28
    Search {
        /// What to look for; nothing finds the newest
        query: Vec<String>,
        /// How many
        #[arg(long, default_value_t = 20)]
        limit: u32,
        /// Goes on after this one, by the ID of the last one shown
        #[arg(long, value_name = "ID")]
        before: Option<i64>,
    },
    /// Shows one status with its versions and the thread around it, as far as they are kept
    Show {
        /// Its address or ID
        status: String,
    },
    /// Counts what is kept
    Stats,
    /// Writes what is kept to a new folder
    Export {
        /// The folder
        folder: PathBuf,
        /// jsonl, csv, markdown, site (pages with a search), mastodon (a ZIP such as Mastodon makes), lists (the CSV
        /// that Mastodon imports) or tree (the files under readable names)
        #[arg(long, default_value = "jsonl")]
        format: String,
        /// Followers-only and direct messages too, in a site
        #[arg(long)]
        private: bool,
        /// Copies instead of links, in a tree
        #[arg(long)]
        copies: bool,
        /// Only what this login, as in host/name, has to do with
        #[arg(long)]
        login: Option<String>,
    },
    /// Reads every kept file again; damaged and missing ones are fetched anew
    Verify,
    /// Forgets a status, an author or a login, with files that nothing else shows
    Forget {
        /// A status, by its address
        #[arg(long, value_name = "URL", group = "whom", required = true)]
        status: Option<String>,
        /// All that somebody wrote, by user@domain
        #[arg(long, value_name = "ACCT", group = "whom")]
        author: Option<String>,
        /// All that only this login, as in host/name, has to do with
        #[arg(long, value_name = "LOGIN", group = "whom")]
        login: Option<String>,
        /// Does it; without this it is only shown what would go
        #[arg(long)]
        yes: bool,
    },
}

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

/// Which tool to take over from. Importing twice changes nothing.
#[derive(Debug, Subcommand)]
pub enum ImportAction {
    /// FediFetcher and mastodon_get_replies: what they remember, and their settings as a config
    Fedifetcher(FedifetcherOptions),
    /// Mastodon's own archive, a ZIP or an old tar.gz: what you wrote, with its files, into the archive
    MastodonZip {
        /// The archive
        file: PathBuf,
        /// The login that it belongs to here, as in host/name
        #[arg(long)]
        login: String,
    },
    /// LAMA: its database and files, into the archive
    Lama {
        /// Its folder, or `data` in it
        folder: PathBuf,
        /// The login that it belongs to here, as in host/name
        #[arg(long)]
        login: String,
        /// The account whose activity is taken, as in user@host
        #[arg(long)]
        account: String,
    },
    /// mastodon-archive: its JSON, split parts too, and its files, into the archive
    MastodonArchive {
        /// Its files, such as mastodon.example.user.alice.json
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// The login that they belong to here, as in host/name
        #[arg(long)]
        login: String,
    },
    /// FediBlockHole: its TOML as a config of ours, and what will be different
    Fediblockhole {
        /// Its config, such as /etc/default/fediblockhole.conf.toml
        file: PathBuf,
    },
    /// mastodon-meter: the accounts it tracked and what it measured, from a dump of its MongoDB
    MastodonMeter {
        /// The folder that mongodump made (`dump/mastodon-meter`), or the collection `tracked-accounts` as a file of
        /// mongodump or mongoexport
        dump: PathBuf,
        /// The collection `meterings`, where the first is a file
        meterings: Option<PathBuf>,
    },
}

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

/// Where FediFetcher's things are.
#[derive(Debug, clap::Args)]
pub struct FedifetcherOptions {
    /// Its state folder (often `artifacts`), the folder above it, or a file with its settings
    pub path: Option<PathBuf>,
    /// More files with settings: config.json, a script, a compose file, a workflow, a CronJob, a .env; later ones win
    #[arg(long, value_name = "FILE")]
    pub settings: Vec<PathBuf>,
    /// Also reads the FF_ variables of this environment
    #[arg(long)]
    pub environment: bool,
    /// Writes the config to this new file, and tokens beside it [default: prints the config, without tokens]
    #[arg(long, value_name = "FILE")]
    pub to: Option<PathBuf>,
    /// The server that the state is about [default: as in the settings, else the only one in the config]
    #[arg(long, value_name = "URL")]
    pub server: Option<url::Url>,
}

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

/// What to do with the ledger.
#[derive(Debug, Subcommand)]
pub enum EffectsAction {
    /// Lists effects, newest first
    List {
        /// Only of this feature
        #[arg(long)]
        feature: Option<String>,
        /// How many
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Shows one effect
    Show {
        /// Its id
        id: String,
    },
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
