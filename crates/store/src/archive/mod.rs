//! The archive: statuses that people wrote or marked, what they did with them, what they said before, and the files
//! that go along.
//!
//! A status is one row whatever it was met as; what a login has to do with it is an activity. A page of a server's list
//! and the cursor behind it are one transaction, so a crash anywhere repeats a page at most, and a page that is saved
//! twice changes nothing.

pub mod entries;
pub mod files;
pub mod recheck;
pub mod search;
pub mod wanted;

mod forget;
mod quotes;
mod read;
mod save;
mod tags;

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::FromRow;

pub use forget::{Forgotten, Whom, forget, forget_blobs, without_forgotten};
pub use quotes::{Quoted, quotes};
pub use read::{
    Activity, Count, Version, activities, by_uris, counts, each, find, list, load, logins, months, open_activities,
    own, parent_uri, standing, thread, versions,
};
pub use save::{Saved, save};
pub use tags::{hours, people, tags};

/// A status as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct Kept {
    /// Sorts by time; see [`first_id`].
    pub id: i64,
    /// Its identity across servers.
    pub uri: String,
    /// The page for people.
    pub url: Option<String>,
    /// `user@domain`, lower case.
    pub author: String,
    /// As shown.
    pub author_name: String,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// When it was last edited, else written.
    pub version_at: DateTime<Utc>,
    /// Who may see it, in the server's word.
    pub visibility: String,
    /// Its language.
    pub language: Option<String>,
    /// The parent's id on `server`.
    pub in_reply_to: Option<String>,
    /// The server that spelled the body; empty where an import did, and ids are uris then.
    pub server: String,
    /// Its id there.
    pub server_id: String,
    /// Of what people wrote.
    pub digest: String,
    /// The server's own JSON.
    pub body: String,
    /// First kept.
    pub first_seen: DateTime<Utc>,
    /// Last asked for.
    pub checked_at: DateTime<Utc>,
    /// Noticed to be deleted.
    pub gone_at: Option<DateTime<Utc>>,
}

/// The columns of a [`Kept`], of `archive_statuses` named `s`.
const KEPT: &str = "s.id, s.uri, s.url, s.author, s.author_name, s.created_at, s.version_at, s.visibility, s.language, \
    s.in_reply_to, s.server, s.server_id, s.digest, s.body, s.first_seen, s.checked_at, s.gone_at";

/// A status to keep, with what is known of it by now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Item {
    /// Its identity across servers.
    pub uri: String,
    /// The page for people.
    pub url: Option<String>,
    /// `user@domain`, lower case.
    pub author: String,
    /// As shown.
    pub author_name: String,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// When it was last edited, else written.
    pub version_at: DateTime<Utc>,
    /// Who may see it.
    pub visibility: String,
    /// Its language.
    pub language: Option<String>,
    /// The parent's id on the page's server.
    pub in_reply_to: Option<String>,
    /// Its own id there.
    pub server_id: String,
    /// Of what people wrote: the same digest is the same text.
    pub digest: String,
    /// The server's own JSON.
    pub body: String,
    /// Folded words in the order of the text.
    pub words: Vec<String>,
    /// What it can be filtered by.
    pub facets: Vec<Facet>,
    /// Hashtags, folded.
    pub tags: Vec<String>,
    /// What it quotes.
    pub quote: Option<Quote>,
    /// Addresses in its text that look like statuses'.
    pub links: Vec<String>,
    /// Files that it shows.
    pub files: Vec<File>,
    /// Whether its parents are to be fetched when it is new.
    pub wants_context: bool,
    /// When its poll ends, if it has one that has not.
    pub poll_ends_at: Option<DateTime<Utc>>,
    /// What the login has to do with it.
    pub activities: Vec<NewActivity>,
}

/// One thing that a search can be narrowed to without reading statuses.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Facet {
    /// What kind: `a` author, `l` language, `m` media, `v` visibility, `t` tag.
    pub kind: char,
    /// Its value, folded.
    pub value: String,
}

/// A quote, as its server tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// The quoted status, where the server shows it.
    pub uri: Option<String>,
    /// pending, accepted, rejected, revoked, deleted, unauthorized, … in the server's words.
    pub state: String,
}

/// A file that a status shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Where our server serves it.
    pub url: String,
    /// own, other, avatar, emoji or card.
    pub kind: &'static str,
    /// The same at its origin.
    pub fallback: Option<String>,
}

/// Something that a login has to do with a status.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewActivity {
    /// post, boost, favourite, bookmark, mention, poll, conversation, parent, link, quote, thread.
    pub kind: String,
    /// When it was done, where the server tells.
    pub at: Option<DateTime<Utc>>,
    /// The boost's or notification's own id.
    pub activity_id: Option<String>,
    /// Of a boost.
    pub visibility: Option<String>,
}

/// What is saved at once.
#[derive(Debug, Clone)]
pub struct Page<'a> {
    /// `server/login` that it belongs to.
    pub login: &'a str,
    /// The server whose ids and JSON these are; empty for an import.
    pub server: &'a str,
    /// The statuses.
    pub items: &'a [Item],
    /// Job, scope and value of the cursor behind this page.
    pub cursor: Option<(&'a str, &'a str, &'a str)>,
    /// Whether activities that ended may begin again: not in an import of what once was.
    pub live: bool,
    /// When it was read.
    pub now: DateTime<Utc>,
}

/// The id of the first status of a moment, as a bound for dates: milliseconds, and 20 bits that tell statuses of one
/// millisecond apart. Newest first is then the order of the index, of both search engines too.
pub fn first_id(at: DateTime<Utc>) -> i64 {
    at.timestamp_millis().clamp(0, (1 << 43) - 1) << 20
}

/// The id that a status would like to have.
fn wanted_id(at: DateTime<Utc>, uri: &str) -> i64 {
    let noise = i64::try_from(fnv(uri) & 0xf_ffff).unwrap_or(0);
    first_id(at) | noise
}

/// FNV-1a: stable over versions and machines, which what is stored has to be.
fn fnv(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_time() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let (a, b) = (at("2026-03-01T12:00:00Z"), at("2026-03-01T12:00:00.001Z"));
        assert!(wanted_id(a, "https://a.example/2") < first_id(b));
        assert!(wanted_id(a, "x") >= first_id(a));
        assert_eq!(first_id(at("1901-01-01T00:00:00Z")), 0);
        assert!(first_id(at("9999-01-01T00:00:00Z")) > 0);
    }
}
