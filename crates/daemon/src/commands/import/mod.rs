//! `egret import`: takes over what another tool had, one file per tool.
//!
//! What they all hold to: importing twice changes nothing, nothing that is there is overwritten, and a report says
//! what was taken over and what has no equivalent.

mod archives;
mod fediblockhole;
mod fedifetcher;
mod mastodon_meter;

use serde::Serialize;

use crate::{
    Exit,
    args::{Args, ImportAction},
    out,
};

/// Does what the arguments say.
pub(super) async fn run(args: &Args, action: &ImportAction) -> anyhow::Result<Exit> {
    match action {
        ImportAction::Fedifetcher(options) => fedifetcher::run(args, options).await,
        ImportAction::MastodonZip { file, login } => archives::mastodon_zip(args, file, login).await,
        ImportAction::Lama { folder, login, account } => archives::lama(args, folder, login, account).await,
        ImportAction::MastodonArchive { files, login } => archives::mastodon_archive(args, files, login).await,
        ImportAction::Fediblockhole { file } => fediblockhole::run(args, file),
        ImportAction::MastodonMeter { dump, meterings } => mastodon_meter::run(args, dump, meterings.as_deref()).await,
    }
}

/// What an import did, line by line.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct Report {
    /// One line per thing that was found.
    pub(super) lines: Vec<Line>,
}

/// What became of one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Line {
    /// A file, an option.
    pub(super) what: String,
    /// What was made of it, for people.
    pub(super) became: String,
    /// How many of it were there, and how many of these were new here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) counts: Option<(u64, u64)>,
    /// Whether it was taken over.
    pub(super) taken: bool,
}

impl Report {
    /// Something taken over.
    pub(super) fn took(&mut self, what: impl Into<String>, became: impl Into<String>) {
        self.push(what, became, None, true);
    }

    /// Several things taken over, some of which may have been here before.
    pub(super) fn counted(&mut self, what: impl Into<String>, became: impl Into<String>, found: usize, new: u64) {
        let found = u64::try_from(found).unwrap_or(u64::MAX);
        self.push(what, became, Some((found, new)), true);
    }

    /// Something without an equivalent.
    pub(super) fn left(&mut self, what: impl Into<String>, why: impl Into<String>) {
        self.push(what, why, None, false);
    }

    fn push(&mut self, what: impl Into<String>, became: impl Into<String>, counts: Option<(u64, u64)>, taken: bool) {
        self.lines.push(Line {
            what: what.into(),
            became: became.into(),
            counts,
            taken,
        });
    }

    /// As a table on standard error, where it does not mix with a config on standard output.
    pub(super) fn table(&self) -> String {
        let rows: Vec<Vec<String>> = self
            .lines
            .iter()
            .map(|line| {
                let taken = match line.counts {
                    Some((found, new)) => format!("{new} new of {found}"),
                    None if line.taken => "taken over".to_owned(),
                    None => "left".to_owned(),
                };
                vec![line.what.clone(), taken, line.became.clone()]
            })
            .collect();
        out::aligned(&["WHAT", "TAKEN", "BECAME"], &rows)
    }
}
