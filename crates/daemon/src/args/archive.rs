//! `egret archive`.

use std::path::PathBuf;

use clap::Subcommand;

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
