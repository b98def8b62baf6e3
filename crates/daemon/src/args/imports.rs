//! `egret import`.

use std::path::PathBuf;

use clap::Subcommand;

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
