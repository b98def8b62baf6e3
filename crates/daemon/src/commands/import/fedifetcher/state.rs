//! FediFetcher's state folder: six files, each of which may be missing.
//!
//! What they say is a memory and no proof: that program counted a reply as fetched on any answer of the home server. So
//! nothing here ever keeps a status from being fetched that home lacks.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use anyhow::Context as _;
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use model::{Host, Uri};
use serde_json::Value;
use store::{backfills, backfills::Backfill, hosts};

use super::super::Report;
use crate::doors::Doors;

/// Larger files are not its.
const LARGEST: u64 = 512 << 20;
/// What a host runs is asked again after this.
const KEEP_HOSTS: TimeDelta = TimeDelta::days(30);

const FILES: [&str; 6] = [
    "seen_urls",
    "known_followings",
    "recently_checked_users",
    "seen_hosts",
    "replied_toot_server_ids",
    "recent_context",
];

/// Whether a folder holds any of its files.
pub(super) fn is_state(folder: &Path) -> bool {
    FILES.iter().any(|name| folder.join(name).is_file())
}

/// What the folder holds.
#[derive(Debug, Default)]
pub(super) struct State {
    seen_urls: Option<Vec<String>>,
    odd_urls: usize,
    followings: Option<BTreeSet<String>>,
    checked: Option<BTreeMap<String, Option<DateTime<Utc>>>>,
    hosts: Option<Vec<Software>>,
    silent_hosts: usize,
    /// Threads whose origin was found, and those where it was not.
    replied: Option<(usize, usize)>,
    contexts: Option<usize>,
}

#[derive(Debug)]
struct Software {
    host: String,
    api_host: String,
    name: String,
    version: String,
    checked_at: DateTime<Utc>,
}

impl State {
    /// Reads all of it; a file that cannot be read is an error, a missing one is not.
    pub(super) fn read(folder: &Path) -> anyhow::Result<Self> {
        let mut state = Self::default();
        if let Some(text) = text(folder, "seen_urls")? {
            let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
            let urls: BTreeSet<String> = lines()
                .filter_map(|line| Uri::parse(line).ok())
                .map(String::from)
                .collect();
            state.odd_urls = lines().filter(|line| Uri::parse(line).is_err()).count();
            state.seen_urls = Some(urls.into_iter().collect());
        }
        if let Some(text) = text(folder, "known_followings")? {
            state.followings = Some(text.lines().filter_map(acct).collect());
        }
        if let Some(map) = object(folder, "recently_checked_users")? {
            let rows = map.iter().filter_map(|(name, at)| Some((acct(name)?, time(at))));
            state.checked = Some(rows.collect());
        }
        if let Some(map) = object(folder, "seen_hosts")? {
            let found: Vec<Software> = map.iter().filter_map(|(host, info)| software(host, info)).collect();
            state.silent_hosts = map.len() - found.len();
            state.hosts = Some(found);
        }
        if let Some(map) = object(folder, "replied_toot_server_ids")? {
            let nulls = map.values().filter(|value| value.is_null()).count();
            state.replied = Some((map.len() - nulls, nulls));
        }
        if let Some(map) = object(folder, "recent_context")? {
            state.contexts = Some(map.len());
        }
        Ok(state)
    }
}

/// Writes it to the store; what is there already stays as it is.
pub(super) async fn take_over(
    doors: &Doors,
    server: &str,
    state: &State,
    remember_hours: u64,
    report: &mut Report,
) -> anyhow::Result<()> {
    let (db, now) = (&doors.store, doors.clock.now());
    if let Some(accts) = &state.followings {
        let rows: Vec<Backfill> = accts.iter().map(|acct| remembered(server, acct, now, None)).collect();
        let new = backfills::insert(db, &rows).await?;
        report.counted("known_followings", "accounts not backfilled again", rows.len(), new);
    }
    if let Some(checked) = &state.checked {
        let remember = TimeDelta::hours(i64::try_from(remember_hours).unwrap_or(168).min(24 * 3650));
        let rows: Vec<Backfill> = checked
            .iter()
            .filter_map(|(acct, at)| {
                let at = at.filter(|at| *at <= now)?;
                Some(remembered(server, acct, at, Some(at + remember)))
            })
            .collect();
        let new = backfills::insert(db, &rows).await?;
        report.counted(
            "recently_checked_users",
            format!("accounts not backfilled again for {remember_hours} h from when they were"),
            checked.len(),
            new,
        );
    }
    if let Some(found) = &state.hosts {
        let names: Vec<String> = found.iter().map(|software| software.host.clone()).collect();
        let known: BTreeSet<String> = hosts::load(db, &names)
            .await?
            .into_iter()
            .filter(|origin| origin.checked_at.is_some())
            .map(|origin| origin.host)
            .collect();
        let mut new = 0;
        for software in found {
            if known.contains(&software.host) || now - software.checked_at > KEEP_HOSTS || software.checked_at > now {
                continue;
            }
            let Software {
                host,
                api_host,
                name,
                version,
                checked_at,
            } = software;
            hosts::save_software(db, host, api_host, name, version, *checked_at).await?;
            new += 1;
        }
        report.counted("seen_hosts", "what each host runs, for 30 days", found.len(), new);
        if state.silent_hosts > 0 {
            report.left(
                "seen_hosts",
                format!("{} that said nothing; they are asked again", state.silent_hosts),
            );
        }
    }
    if let Some(urls) = &state.seen_urls {
        let new = backfills::insert_seen(db, server, urls).await?;
        report.counted(
            "seen_urls",
            "kept as seen, not as proof: your server is asked what it has, and what it lacks is fetched",
            urls.len(),
            new,
        );
        if state.odd_urls > 0 {
            report.left("seen_urls", format!("{} lines that are no address", state.odd_urls));
        }
    }
    if let Some((found, nulls)) = state.replied {
        report.left(
            "replied_toot_server_ids",
            format!(
                "{found} origins of threads: your server tells them itself; {nulls} without one: they are looked for"
            ),
        );
    }
    if let Some(count) = state.contexts {
        report.left(
            "recent_context",
            format!("{count} times of visits: threads are visited when they grow"),
        );
    }
    Ok(())
}

fn remembered(server: &str, acct: &str, finished_at: DateTime<Utc>, next_at: Option<DateTime<Utc>>) -> Backfill {
    Backfill {
        server: server.to_owned(),
        acct: acct.to_owned(),
        source: "fedifetcher".to_owned(),
        cursor: None,
        listed: 0,
        wanted: 0,
        failures: 0,
        trouble: None,
        started_at: None,
        finished_at: Some(finished_at),
        next_at,
    }
}

fn text(folder: &Path, name: &str) -> anyhow::Result<Option<String>> {
    let file = folder.join(name);
    let of = || format!("cannot read {}", file.display());
    match fs::metadata(&file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(of),
        Ok(meta) if meta.len() > LARGEST => {
            anyhow::bail!("{} is larger than any that FediFetcher wrote", file.display())
        }
        Ok(_) => {}
    }
    let bytes = fs::read(&file).with_context(of)?;
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

/// A JSON object; an empty file, as a crash leaves it, is an empty one.
fn object(folder: &Path, name: &str) -> anyhow::Result<Option<serde_json::Map<String, Value>>> {
    let Some(text) = text(folder, name)? else {
        return Ok(None);
    };
    if text.trim().is_empty() {
        return Ok(Some(serde_json::Map::new()));
    }
    match serde_json::from_str(&text) {
        Ok(Value::Object(map)) => Ok(Some(map)),
        // Version 1 wrote lists where later ones wrote objects.
        Ok(Value::Array(_)) => Ok(Some(serde_json::Map::new())),
        Ok(_) => anyhow::bail!("{name} is not what FediFetcher wrote there"),
        Err(error) => Err(error).with_context(|| format!("{name} is not JSON; it may have been cut off")),
    }
}

/// `user@domain` as the store has it; local accounts have none.
fn acct(line: &str) -> Option<String> {
    let text = line.trim().trim_start_matches('@').to_lowercase();
    let (user, domain) = text.split_once('@')?;
    (!user.is_empty() && !domain.is_empty() && text.len() <= 512 && !text.contains(char::is_whitespace)).then_some(text)
}

/// The times it wrote: RFC 3339, or Python's own with a space and with or without an offset.
fn time(value: &Value) -> Option<DateTime<Utc>> {
    let text = value.as_str()?.trim();
    let with_t = text.replacen(' ', "T", 1);
    DateTime::parse_from_rfc3339(&with_t)
        .map(|time| time.to_utc())
        .or_else(|_| NaiveDateTime::parse_from_str(&with_t, "%Y-%m-%dT%H:%M:%S%.f").map(|time| time.and_utc()))
        .ok()
}

fn software(host: &str, info: &Value) -> Option<Software> {
    // Some entries carry the port or the letters of the address they were made from.
    let of = |text: &str| Host::of(&super::url(text)?).ok().map(|host| host.to_string());
    let name = info["software"].as_str()?.trim().to_lowercase();
    if name.is_empty() {
        return None;
    }
    let host = of(host)?;
    Some(Software {
        api_host: info["webserver"].as_str().and_then(of).unwrap_or_else(|| host.clone()),
        host,
        name,
        version: info["version"].as_str().unwrap_or_default().to_owned(),
        checked_at: time(&info["last_checked"])?,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn its_times_are_read() {
        let rows = [
            "2026-08-13T10:00:00.123456+00:00",
            "2026-08-13 10:00:00.123456+00:00",
            "2026-08-13T12:00:00.123456+02:00",
            "2026-08-13 10:00:00.123456",
            "2026-08-13T10:00:00.123456Z",
        ];
        for text in rows {
            let read = time(&json!(text)).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(read.to_rfc3339(), "2026-08-13T10:00:00.123456+00:00", "{text}");
        }
        assert_eq!((time(&json!(null)), time(&json!("yesterday"))), (None, None));
    }

    #[test]
    fn accounts_are_spelled_one_way() {
        assert_eq!(acct(" @Alice@A.example ").as_deref(), Some("alice@a.example"));
        for line in ["alice", "", "@", "a b@c.example", "alice@"] {
            assert_eq!(acct(line), None, "{line}");
        }
    }

    #[test]
    fn a_host_is_read_from_any_version() {
        let info = json!({"webserver": "social.a.example", "software": "Mastodon", "version": "4.3.1", "rawnodeinfo": {},
            "last_checked": "2026-08-13 10:00:00+00:00", "mastodonApiSupport": true});
        let read = software("A.example", &info).unwrap();
        assert_eq!(
            (read.host.as_str(), read.api_host.as_str(), read.name.as_str()),
            ("a.example", "social.a.example", "mastodon")
        );
        assert!(
            software(
                "b.example",
                &json!({"info": null, "last_checked": "2026-08-13 10:00:00+00:00"})
            )
            .is_none()
        );
    }
}
