//! What is kept, as files that other programs and people can read. Read and written a piece at a time.

use std::{
    collections::HashMap,
    fs::{File, OpenOptions},
    io::{self, BufWriter, Write as _},
    path::{Path, PathBuf},
};

use serde::Serialize;
use serde_json::Value;
use store::{
    Db,
    archive::{self, Activity, Kept},
};

use crate::{Found, found};

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
}

impl Format {
    /// By its name.
    ///
    /// # Errors
    /// One line with the names there are.
    pub fn named(name: &str) -> Result<Self, String> {
        match name {
            "jsonl" => Ok(Self::Jsonl),
            "csv" => Ok(Self::Csv),
            "markdown" => Ok(Self::Markdown),
            _ => Err(format!(
                "there is no format {name:?}; there are jsonl, csv and markdown"
            )),
        }
    }
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Written {
    /// Statuses.
    pub statuses: u64,
    /// Files.
    pub files: Vec<PathBuf>,
}

/// Writes what is kept, or what a login has to do with, to a folder. Files that are there already are not overwritten.
///
/// # Errors
/// When the store fails, or a file is there or cannot be written.
pub async fn export(db: &Db, folder: &Path, format: Format, login: Option<&str>) -> anyhow::Result<Written> {
    std::fs::create_dir_all(folder)?;
    let mut out = Out {
        folder: folder.to_owned(),
        files: HashMap::new(),
        written: Written::default(),
    };
    let logins = login.map(|login| vec![login.to_owned()]);
    let mut after = -1;
    loop {
        let page = archive::each(db, login, after, PIECE).await?;
        let Some(last) = page.last() else { break };
        after = last.id;
        let ids: Vec<i64> = page.iter().map(|kept| kept.id).collect();
        let activities = archive::activities(db, &ids).await?;
        for kept in page {
            let mine = activities.iter().filter(|activity| activity.status == kept.id);
            let mine: Vec<&Activity> = mine.filter(|a| login.is_none_or(|login| a.login == login)).collect();
            match format {
                Format::Jsonl => {
                    let versions = archive::versions(db, kept.id).await?;
                    out.line("statuses.jsonl", "", &jsonl(&kept, &mine, &versions)?)?;
                }
                Format::Csv => {
                    let shown = found(kept, &activities, &[], logins.as_deref());
                    out.line("statuses.csv", CSV, &csv(&shown))?;
                }
                Format::Markdown => {
                    let name = format!("{}.md", kept.created_at.format("%Y-%m"));
                    let heading = format!("# {}\n", kept.created_at.format("%Y-%m"));
                    let shown = found(kept, &activities, &[], logins.as_deref());
                    out.line(&name, &heading, &markdown(&shown))?;
                }
            }
            out.written.statuses += 1;
        }
    }
    Ok(out.end()?)
}

struct Out {
    folder: PathBuf,
    files: HashMap<String, BufWriter<File>>,
    written: Written,
}

impl Out {
    fn line(&mut self, name: &str, heading: &str, line: &str) -> io::Result<()> {
        if !self.files.contains_key(name) {
            // Months come in order, so no more than one has to be open; a file a month for decades is still few.
            for (_, mut file) in self.files.drain() {
                file.flush()?;
            }
            let path = self.folder.join(name);
            let mut options = OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let file = options
                .open(&path)
                .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))?;
            let mut file = BufWriter::new(file);
            if !heading.is_empty() {
                writeln!(file, "{heading}")?;
            }
            self.written.files.push(path);
            self.files.insert(name.to_owned(), file);
        }
        match self.files.get_mut(name) {
            Some(file) => writeln!(file, "{line}"),
            None => Ok(()),
        }
    }

    fn end(mut self) -> io::Result<Written> {
        for (_, mut file) in self.files.drain() {
            file.flush()?;
        }
        Ok(self.written)
    }
}

fn jsonl(kept: &Kept, activities: &[&Activity], versions: &[archive::Version]) -> serde_json::Result<String> {
    let versions: Vec<Value> = versions
        .iter()
        .map(|version| {
            serde_json::json!({ "version_at": version.version_at,
                "body": serde_json::from_str::<Value>(&version.body).unwrap_or_default() })
        })
        .collect();
    serde_json::to_string(&serde_json::json!({
        "uri": kept.uri, "author": kept.author, "created_at": kept.created_at, "gone_at": kept.gone_at,
        "server": kept.server, "activities": activities, "versions": versions,
        "status": serde_json::from_str::<Value>(&kept.body).unwrap_or_default(),
    }))
}

const CSV: &str = "created_at,author,kinds,visibility,language,url,content_warning,text,media";

fn csv(found: &Found) -> String {
    let kinds: Vec<&str> = found.activities.iter().map(|activity| activity.kind.as_str()).collect();
    let media: Vec<&str> = found.media.iter().map(|medium| medium.url.as_str()).collect();
    [
        found.created_at.to_rfc3339(),
        found.author.clone(),
        kinds.join(" "),
        found.visibility.clone(),
        found.language.clone().unwrap_or_default(),
        found.url.clone().unwrap_or_else(|| found.uri.clone()),
        found.spoiler.clone(),
        found.text.clone(),
        media.join(" "),
    ]
    .iter()
    .map(|cell| cell_of(cell))
    .collect::<Vec<_>>()
    .join(",")
}

/// A cell; one that a spreadsheet would take for a formula is made a text.
fn cell_of(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = text.replace('"', "\"\"");
    format!("\"{}{text}\"", if formula { "'" } else { "" })
}

fn markdown(found: &Found) -> String {
    let mut out = format!(
        "\n## {} · {}\n\n<{}>\n\n",
        found.created_at.format("%Y-%m-%d %H:%M"),
        plain_line(&found.author),
        found.url.as_deref().unwrap_or(&found.uri).replace(['>', '<', '\n'], "")
    );
    if !found.spoiler.is_empty() {
        out += &format!("**{}**\n\n", plain_line(&found.spoiler));
    }
    for line in found.text.lines() {
        out += &format!("{}\n\n", plain_line(line));
    }
    for medium in &found.media {
        out += &format!(
            "- {}: <{}>\n",
            plain_line(&medium.description),
            medium.url.replace(['>', '<', '\n'], "")
        );
    }
    out
}

/// One line in which nothing is markup.
fn plain_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '!' | '|' => {
                out.push('\\');
                out.push(c);
            }
            '\n' | '\r' => out.push(' '),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_and_no_text_is_markup() {
        assert_eq!(cell_of("=cmd|x"), "\"'=cmd|x\"");
        assert_eq!(cell_of("a \"b\", c"), "\"a \"\"b\"\", c\"");
        assert_eq!(plain_line("<script>*x*\n# y"), "\\<script\\>\\*x\\* \\# y");
    }
}
