//! What is kept, as files that other programs and people can read. Read and written a piece at a time.

mod lines;
mod lists;
mod mastodon;
mod note;
mod out;
mod render;
mod site;
mod tree;

use std::path::{Path, PathBuf};

use serde::Serialize;
use store::{
    Db,
    archive::{self, Activity, Kept},
};

use crate::{Blobs, found};
use out::Out;

/// Statuses read at once.
const PIECE: u32 = 500;

/// How it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `statuses.jsonl`: a line each, with the server's own JSON, activities and versions.
    Jsonl,
    /// `statuses.csv`, for spreadsheets.
    Csv,
    /// A file a month.
    Markdown,
    /// Pages for a browser, with search, that need no server.
    Site,
    /// A ZIP such as Mastodon makes of an account.
    Mastodon,
    /// The lists that Mastodon imports, as CSV.
    Lists,
    /// The files under readable names, as links.
    Tree,
}

impl Format {
    /// By its name.
    ///
    /// # Errors
    /// One line with the names there are.
    pub fn named(name: &str) -> Result<Self, String> {
        Ok(match name {
            "jsonl" => Self::Jsonl,
            "csv" => Self::Csv,
            "markdown" => Self::Markdown,
            "site" | "html" => Self::Site,
            "mastodon" | "mastodon-zip" => Self::Mastodon,
            "lists" => Self::Lists,
            "tree" => Self::Tree,
            _ => {
                return Err(format!(
                    "there is no format {name:?}; there are jsonl, csv, markdown, site, mastodon, lists and tree"
                ));
            }
        })
    }

    /// Whether it is of one account, so that a login has to be named.
    pub fn is_of_login(self) -> bool {
        matches!(self, Self::Mastodon | Self::Lists)
    }
}

/// What is to be written.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// Where to.
    pub folder: &'a Path,
    /// How.
    pub format: Format,
    /// Only what this login has to do with.
    pub login: Option<&'a str>,
    /// Followers-only and direct messages too, where the format is made to be shown.
    pub private: bool,
    /// Files as copies, where the format would have links.
    pub copies: bool,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Written {
    /// Statuses, or entries of lists.
    pub statuses: u64,
    /// Pictures, sounds and videos.
    pub media: u64,
    /// Files.
    pub files: Vec<PathBuf>,
}

/// Writes what is kept, or what a login has to do with, to a folder. Files that are there already are not overwritten.
///
/// # Errors
/// When the store fails, or a file is there or cannot be written.
pub async fn export(db: &Db, blobs: &Blobs, wish: Wish<'_>) -> anyhow::Result<Written> {
    match (wish.format, wish.login) {
        (Format::Site, _) => site::site(db, blobs, wish).await,
        (Format::Tree, _) => tree::tree(db, blobs, wish).await,
        (Format::Mastodon, Some(login)) => mastodon::mastodon(db, blobs, wish.folder, login).await,
        (Format::Lists, Some(login)) => lists::lists(db, wish.folder, login).await,
        (Format::Mastodon | Format::Lists, None) => anyhow::bail!("say whose: --login host/name"),
        (Format::Jsonl | Format::Csv | Format::Markdown, _) => lines(db, wish).await,
    }
}

/// Everything that is kept, a piece at a time with what belongs to it.
struct Reader<'a> {
    db: &'a Db,
    login: Option<&'a str>,
    after: i64,
}

impl<'a> Reader<'a> {
    fn of(db: &'a Db, login: Option<&'a str>) -> Self {
        Self { db, login, after: -1 }
    }

    /// The next statuses, oldest first, and what the login (or all) had to do with them; nothing at the end.
    async fn next(&mut self) -> Result<Option<(Vec<Kept>, Vec<Activity>)>, store::Error> {
        let page = archive::each(self.db, self.login, self.after, PIECE).await?;
        let Some(last) = page.last() else { return Ok(None) };
        self.after = last.id;
        let ids: Vec<i64> = page.iter().map(|kept| kept.id).collect();
        let mut activities = archive::activities(self.db, &ids).await?;
        activities.retain(|one| self.login.is_none_or(|login| one.login == login));
        Ok(Some((page, activities)))
    }
}

async fn lines(db: &Db, wish: Wish<'_>) -> anyhow::Result<Written> {
    let mut out = Out::of(wish.folder)?;
    let mut reader = Reader::of(db, wish.login);
    while let Some((page, activities)) = reader.next().await? {
        for kept in page {
            let mine: Vec<&Activity> = activities.iter().filter(|one| one.status == kept.id).collect();
            match wish.format {
                Format::Csv => {
                    let shown = found(kept, &activities, &[], None);
                    out.line("statuses.csv", lines::CSV, &lines::csv(&shown))?;
                }
                Format::Markdown => {
                    let name = format!("{}.md", kept.created_at.format("%Y-%m"));
                    let heading = format!("# {}\n", kept.created_at.format("%Y-%m"));
                    let shown = found(kept, &activities, &[], None);
                    out.line(&name, &heading, &lines::markdown(&shown))?;
                }
                _ => {
                    let versions = archive::versions(db, kept.id).await?;
                    out.line("statuses.jsonl", "", &lines::jsonl(&kept, &mine, &versions)?)?;
                }
            }
            out.written.statuses += 1;
        }
    }
    Ok(out.end()?)
}
