//! What mastodon-meter kept, read from what `mongodump` writes (BSON, packed or not), or from the JSON of `mongoexport`:
//! an object a line, or one list.

mod bson;

use std::{collections::HashMap, io::Read as _};

use chrono::{DateTime, NaiveDateTime};
use model::Uri;
use serde_json::Value;
use store::{metered_accounts::New, metered_points::Point};

/// It measured once a day.
const STEP: i32 = 86_400;
/// What a packed dump may unpack to.
const LARGEST: u64 = 1024 * 1024 * 1024;

/// An account that it tracked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tracked {
    /// Its key in the other file.
    pub internal_id: String,
    /// Name on its server.
    pub username: String,
    /// `https://host`.
    pub instance: String,
    /// The server's id.
    pub id: String,
}

/// What it measured once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metering {
    /// Whose.
    pub account: String,
    /// Seconds since 1970.
    pub at: i64,
    /// Followers, if that is a count.
    pub followers: Option<i32>,
    /// Statuses, if that is a count.
    pub statuses: Option<i32>,
}

impl Tracked {
    fn host(&self) -> Option<String> {
        let text = self.instance.trim();
        let url = if text.contains("://") {
            text.to_owned()
        } else {
            format!("https://{text}")
        };
        Some(Uri::parse(&url).ok()?.host().to_string())
    }

    /// As people write it.
    pub fn address(&self) -> String {
        let host = self.host().unwrap_or_else(|| self.instance.clone());
        format!("@{}@{host}", self.username.trim_start_matches('@'))
    }

    /// To be kept for its points, though nobody finds it any more.
    pub fn as_new(&self) -> Option<New> {
        let host = self.host()?;
        let name = self.username.trim_start_matches('@').to_lowercase();
        let uri = Uri::parse(&format!("https://{host}/users/{name}")).ok()?;
        Some(New {
            uri: uri.to_string(),
            url: format!("https://{host}/@{name}"),
            acct: format!("{name}@{host}"),
            name: String::new(),
            host,
            remote_id: Some(self.id.clone()).filter(|id| !id.is_empty()),
            source: "import".to_owned(),
            groups: Vec::new(),
        })
    }
}

/// Reads `tracked-accounts`.
///
/// # Errors
/// One line that says what is wrong.
pub fn accounts(dump: &[u8]) -> Result<Vec<Tracked>, String> {
    objects(dump)?
        .iter()
        .map(|object| {
            let field = |name: &str| plain(&object[name]).ok_or_else(|| format!("an account without `{name}`"));
            Ok(Tracked {
                internal_id: field("internal_id")?,
                username: field("username")?,
                instance: field("instance")?,
                id: plain(&object["id"]).unwrap_or_default(),
            })
        })
        .collect()
}

/// Reads `meterings`.
///
/// # Errors
/// One line that says what is wrong.
pub fn meterings(dump: &[u8]) -> Result<Vec<Metering>, String> {
    objects(dump)?
        .iter()
        .map(|object| {
            Ok(Metering {
                account: plain(&object["parent_account_internal_id"])
                    .ok_or("a metering without `parent_account_internal_id`")?,
                at: time(&object["timestamp"]).ok_or("a metering without a `timestamp` that can be read")?,
                followers: count(&object["subscribers_count"]),
                statuses: count(&object["toot_count"]),
            })
        })
        .collect()
}

/// The meterings of known accounts as points.
pub fn points(meterings: &[Metering], ids: &HashMap<String, i64>) -> Vec<Point> {
    meterings
        .iter()
        .filter_map(|one| {
            let missing = one.followers.is_none() || one.statuses.is_none();
            Some(Point {
                account: *ids.get(&one.account)?,
                slot: one.at,
                lag: 0,
                span: 0,
                points: 1,
                step: STEP,
                followers: one.followers,
                following: None,
                statuses: one.statuses,
                last_status: None,
                gap: missing.then(|| "no count in mastodon-meter".to_owned()),
            })
        })
        .collect()
}

fn objects(dump: &[u8]) -> Result<Vec<Value>, String> {
    let mut unpacked = Vec::new();
    let dump = if dump.starts_with(&[0x1f, 0x8b]) {
        let mut gzip = flate2::read::MultiGzDecoder::new(dump).take(LARGEST + 1);
        gzip.read_to_end(&mut unpacked)
            .map_err(|error| format!("cannot be unpacked: {error}"))?;
        if unpacked.len() as u64 > LARGEST {
            return Err("unpacks to more than 1 GiB".to_owned());
        }
        &unpacked
    } else {
        dump
    };
    if bson::is_bson(dump) {
        return bson::documents(dump);
    }
    let text = std::str::from_utf8(dump).map_err(|_| "is neither BSON nor JSON".to_owned())?;
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.starts_with('[') {
        return serde_json::from_str(text).map_err(|error| error.to_string());
    }
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(n, line)| serde_json::from_str(line).map_err(|error| format!("line {}: {error}", n + 1)))
        .collect()
}

/// A text or a number, in plain or extended JSON.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Object(object) => ["$numberInt", "$numberLong", "$oid"]
            .iter()
            .find_map(|key| plain(object.get(*key)?)),
        _ => None,
    }
}

fn count(value: &Value) -> Option<i32> {
    plain(value)?.parse().ok().filter(|count| *count >= 0)
}

/// `{"$date": "2021-09-07T03:00:00Z"}`, `{"$date": {"$numberLong": "…"}}` (milliseconds), or a text; without a zone
/// it is UTC.
fn time(value: &Value) -> Option<i64> {
    let value = value.get("$date").unwrap_or(value);
    let text = plain(value)?;
    if let Ok(milliseconds) = text.parse::<i64>() {
        return Some(milliseconds.div_euclid(1000));
    }
    if let Ok(time) = DateTime::parse_from_rfc3339(&text) {
        return Some(time.timestamp());
    }
    let naive = NaiveDateTime::parse_from_str(&text.replace('T', " "), "%Y-%m-%d %H:%M:%S%.f").ok()?;
    Some(naive.and_utc().timestamp())
}

#[cfg(test)]
mod tests;
