//! What a list says: rows read from its text, whatever its format, and every row that could not be.

mod csv;
mod detect;
mod fires;
mod json;
mod plain;
mod rapidblock;
mod words;

use std::borrow::Cow;

use model::Severity;
use serde::{Deserialize, Serialize};

use crate::name::{self, Hidden, Name};

pub use fires::{ACCEPT as FIRES_ACCEPT, CONTEXT as FIRES_CONTEXT, Feed, feed, joined as joined_feed};
pub(crate) use json::{MOST_MEMORY, memory};
pub use words::{boolean, severity, severity_word};

/// How a list is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Found out by looking at it.
    #[default]
    Auto,
    /// A table with commas (or semicolons) between the cells, with or without a header.
    Csv,
    /// A table with tabs between the cells.
    Tsv,
    /// One domain a line.
    Plain,
    /// A JSON array, as the admin's or the public API answers, or as `GoToSocial` exports.
    Json,
    /// RapidBlock's JSON.
    Rapidblock,
    /// A log of changes, or a snapshot, as FIRES datasets publish them.
    Fires,
}

/// What else a list may say of a domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// Media are not fetched.
    RejectMedia,
    /// Reports are ignored.
    RejectReports,
    /// The domain is shown with stars.
    Obfuscate,
    /// For everybody.
    PublicComment,
    /// For moderators.
    PrivateComment,
}

/// How to read one list.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// How it is written.
    pub format: Format,
    /// For rows that tell none; without it such rows are not used.
    pub default_severity: Option<Severity>,
    /// Nothing harder than this is believed.
    pub max_severity: Severity,
    /// What is taken beside domain and severity.
    pub fields: Vec<Field>,
    /// Nothing is an answer, and not trouble.
    pub may_be_empty: bool,
}

impl Default for Reading {
    fn default() -> Self {
        Self {
            format: Format::Auto,
            default_severity: None,
            max_severity: Severity::Suspend,
            fields: vec![Field::RejectMedia, Field::RejectReports, Field::PublicComment],
            may_be_empty: false,
        }
    }
}

impl Reading {
    pub(crate) fn takes(&self, field: Field) -> bool {
        self.fields.contains(&field)
    }
}

/// What a row wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stance {
    /// A block of this severity.
    Block(Severity),
    /// No block: cleared, accepted, or information only.
    Clear,
    /// The list takes back, by name, what it said before.
    Retracted,
}

/// Flags as far as a list states them: a list without the column says nothing, which is not `false`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Flags {
    /// Media are not fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reject_media: Option<bool>,
    /// Reports are ignored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reject_reports: Option<bool>,
    /// The domain is shown with stars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub obfuscate: Option<bool>,
}

/// One row.
#[derive(Debug, Clone, PartialEq)]
pub struct Row<'a> {
    /// Of whom.
    pub name: Name<'a>,
    /// What.
    pub stance: Stance,
    /// And what else.
    pub flags: Flags,
    /// For everybody; empty when there is none.
    pub public_comment: Cow<'a, str>,
    /// For moderators.
    pub private_comment: Cow<'a, str>,
    /// Line (of a table) or place (in a JSON list), from 1.
    pub line: u32,
}

/// A row, or a cell of one, that is not right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Line (of a table) or place (in a JSON list), from 1.
    pub line: u32,
    /// Character in the line, from 1.
    pub column: u32,
    /// The cell, cut.
    pub text: String,
    /// What is wrong with it.
    pub reason: String,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "line {}, column {}: {} (`{}`)",
            self.line, self.column, self.reason, self.text
        )
    }
}

/// A list as read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Parsed<'a> {
    /// How it turned out to be written.
    pub format: Format,
    /// The rows that can be used.
    pub rows: Vec<Row<'a>>,
    /// Rows that cannot be used; the first [`MOST_FAULTS`] of them.
    pub faults: Vec<Fault>,
    /// How many rows cannot be used.
    pub bad: usize,
    /// Rows that are used although something about them is odd; the first [`MOST_FAULTS`].
    pub notes: Vec<Fault>,
}

/// Faults kept word by word; the others are counted.
pub const MOST_FAULTS: usize = 1000;

/// Rows of one list; larger ones are nobody's blocklist.
const MOST_ROWS: usize = 2_000_000;

/// Why a text is no list at all. Then the last good copy stays.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// Nothing there.
    #[error("the list is empty")]
    Empty,
    /// A web page where a list should be.
    #[error("a web page, not a list")]
    Html,
    /// It ends inside a quoted cell or a JSON value.
    #[error("the list breaks off: {0}")]
    Truncated(String),
    /// Another format than promised, or none that is known.
    #[error("not a list of this kind: {0}")]
    Shape(String),
    /// There are rows, and none can be used.
    #[error("none of its {bad} rows can be used; the first: {first}")]
    AllBad {
        /// How many.
        bad: usize,
        /// What is wrong with the first.
        first: String,
    },
    /// More rows than any list has.
    #[error("more than {MOST_ROWS} rows")]
    TooLong,
}

/// Reads a list.
///
/// # Errors
/// When it is none, or cannot be trusted to be whole.
pub fn parse<'a>(text: &'a str, reading: &Reading) -> Result<Parsed<'a>, ListError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if reading.may_be_empty && text.trim().is_empty() {
        return Ok(Parsed::default());
    }
    let format = match reading.format {
        Format::Auto => detect::format(text)?,
        format => {
            detect::refuse(text, format)?;
            format
        }
    };
    let mut sink = Sink::new(format, reading);
    if matches!(format, Format::Auto | Format::Csv | Format::Tsv | Format::Plain) {
        sink.is_damaged = is_damaged(text);
        // About as long as rows are; what is not used is never touched.
        sink.parsed.rows.reserve_exact((text.len() / 40 + 1).min(MOST_ROWS));
    }
    match format {
        Format::Auto | Format::Csv => csv::read(text, csv::delimiter(text), &mut sink)?,
        Format::Tsv => csv::read(text, b'\t', &mut sink)?,
        Format::Plain => plain::read(text, &mut sink)?,
        Format::Json => json::read(text, &mut sink)?,
        Format::Rapidblock => rapidblock::read(text, &mut sink)?,
        Format::Fires => fires::read(text, &mut sink)?,
    }
    sink.finish()
}

/// Bytes as text: what is no UTF-8 becomes the replacement character, which spoils its row and no other.
pub fn decode(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

/// A cell and where it stands.
#[derive(Debug, Clone, Copy)]
struct Place {
    line: u32,
    column: u32,
}

/// Collects rows and faults.
struct Sink<'a, 'r> {
    parsed: Parsed<'a>,
    /// Something in the text is: each row has to be looked at for it.
    is_damaged: bool,
    reading: &'r Reading,
}

/// What a reader found in one row, before it is judged.
#[derive(Default)]
struct Draft<'a> {
    /// `None`: the row tells no severity.
    severity: Option<Severity>,
    clear: bool,
    digest: Option<[u8; 32]>,
    flags: Flags,
    public_comment: Cow<'a, str>,
    private_comment: Cow<'a, str>,
}

impl<'a, 'r> Sink<'a, 'r> {
    fn new(format: Format, reading: &'r Reading) -> Self {
        Self {
            parsed: Parsed {
                format,
                ..Parsed::default()
            },
            is_damaged: false,
            reading,
        }
    }

    fn fault(&mut self, at: Place, text: &str, reason: impl Into<String>) {
        self.parsed.bad += 1;
        if self.parsed.faults.len() < MOST_FAULTS {
            self.parsed.faults.push(fault(at, text, reason.into()));
        }
    }

    fn note(&mut self, at: Place, text: &str, reason: impl Into<String>) {
        if self.parsed.notes.len() < MOST_FAULTS {
            self.parsed.notes.push(fault(at, text, reason.into()));
        }
    }

    /// Judges one row by its domain and what it says.
    fn row(&mut self, at: Place, domain: Cow<'a, str>, draft: Draft<'a>) -> Result<(), ListError> {
        let read = match domain {
            Cow::Borrowed(domain) => name::read(domain),
            Cow::Owned(ref domain) => name::read(domain).map(owned),
        };
        let read = match read {
            Ok(read) => read,
            Err(error) => {
                self.fault(at, &domain, error.to_string());
                return Ok(());
            }
        };
        if let Some(note) = read.note {
            self.note(at, &domain, note);
        }
        let stance = match (draft.clear, draft.severity.or(self.reading.default_severity)) {
            (true, _) => Stance::Clear,
            (false, Some(severity)) => Stance::Block(severity.min(self.reading.max_severity)),
            (false, None) => {
                self.fault(
                    at,
                    &domain,
                    "no severity; set `default_severity` for this list to say which is meant",
                );
                return Ok(());
            }
        };
        let mut name = read.name;
        if let Name::Hidden(hidden) = &mut name {
            hidden.digest = draft.digest;
        }
        if self.parsed.rows.len() >= MOST_ROWS {
            return Err(ListError::TooLong);
        }
        self.parsed.rows.push(Row {
            name,
            stance,
            flags: draft.flags,
            public_comment: draft.public_comment,
            private_comment: draft.private_comment,
            line: at.line,
        });
        Ok(())
    }

    fn finish(self) -> Result<Parsed<'a>, ListError> {
        let Parsed { rows, faults, bad, .. } = &self.parsed;
        match (rows.is_empty(), faults.first()) {
            (true, None) if !self.reading.may_be_empty => Err(ListError::Empty),
            (true, Some(first)) => Err(ListError::AllBad {
                bad: *bad,
                first: first.to_string(),
            }),
            (true, None) | (false, _) => Ok(self.parsed),
        }
    }
}

fn owned<'a>(read: name::Read<'_>) -> name::Read<'a> {
    name::Read {
        name: match read.name {
            Name::Plain(name) => Name::Plain(Cow::Owned(name.into_owned())),
            Name::Hidden(hidden) => Name::Hidden(hidden),
        },
        note: read.note,
    }
}

fn fault(at: Place, text: &str, reason: String) -> Fault {
    Fault {
        line: at.line,
        column: at.column,
        text: text.chars().filter(|c| !c.is_control()).take(60).collect(),
        reason,
    }
}

/// Whether a text was damaged on its way: NUL, or bytes that are no UTF-8.
fn is_damaged(text: &str) -> bool {
    text.as_bytes().contains(&0) || text.contains('\u{fffd}')
}

/// Without space around it. Nearly all cells have none, and a look at both ends tells.
pub(crate) fn trimmed(text: &str) -> &str {
    let is_bare = |byte: Option<&u8>| byte.is_none_or(|byte| byte.is_ascii_graphic());
    if is_bare(text.as_bytes().first()) && is_bare(text.as_bytes().last()) {
        return text;
    }
    text.trim()
}

fn hidden_digest(text: &str) -> Option<[u8; 32]> {
    let text = text.trim();
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut digest = [0; 32];
    for (byte, pair) in digest.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(digest)
}

impl Hidden {
    /// Whether the visible letters allow this domain.
    pub fn may_be(&self, domain: &str) -> bool {
        self.pattern.len() == domain.len()
            && self
                .pattern
                .bytes()
                .zip(domain.bytes())
                .all(|(shown, byte)| shown == b'*' || shown == byte)
    }
}

#[cfg(test)]
mod tests;
