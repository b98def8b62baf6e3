//! Numbers and yes-or-no of a subject that rules ask for.

use std::collections::HashSet;

use chrono::{DateTime, Utc};

use crate::{
    AccountFacts, Field, StatusFacts,
    condition::{Fact, Is},
    document::{Document, View},
    fingerprint,
    text::{Mapped, Writer, read_html},
};

/// Addresses that a status links to, from its HTML and beside it.
pub(crate) fn links(status: &StatusFacts) -> Vec<String> {
    let mut out = Mapped::default();
    let links = read_html(&status.content, &mut Writer::new(&mut out));
    let mut all: Vec<String> = links.into_iter().map(|link| link.href).collect();
    all.extend(status.links.iter().cloned());
    all.sort();
    all.dedup();
    all
}

/// An address without what makes the same one look different: scheme, `www.`, trailing slash, what only counts visits.
pub(crate) fn same_link(link: &str) -> String {
    let rest = link.split_once("://").map_or(link, |(_, rest)| rest);
    let rest = rest.split('#').next().unwrap_or_default();
    let rest = rest.strip_prefix("www.").unwrap_or(rest);
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (host, path) = path.split_once('/').unwrap_or((path, ""));
    let mut out = host.to_ascii_lowercase();
    for part in path.split('/').filter(|part| !part.is_empty()) {
        out.push('/');
        out.push_str(part);
    }
    let kept = query
        .split('&')
        .filter(|part| !part.is_empty() && !part.starts_with("utm_") && !part.starts_with("fbclid"));
    for (n, part) in kept.enumerate() {
        out.push(if n == 0 { '?' } else { '&' });
        out.push_str(part);
    }
    out
}

fn seconds(since: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Option<i64> {
    // A time in the future is taken for now.
    since.map(|since| (now - since).num_seconds().max(0))
}

fn count(number: usize) -> Option<i64> {
    i64::try_from(number).ok()
}

fn big(number: Option<u64>) -> Option<i64> {
    number.map(|number| i64::try_from(number).unwrap_or(i64::MAX))
}

/// A number of the account; `None` when nobody knows, or when it is one of a status.
pub(crate) fn of_account(
    fact: Fact,
    account: &AccountFacts,
    document: &Document<'_>,
    now: DateTime<Utc>,
) -> Option<i64> {
    let letters = |field| document.field(field).map(|text| text.chars().count()).sum();
    match fact {
        Fact::AccountAge => seconds(account.created_at, now),
        Fact::Followers => big(account.followers),
        Fact::Following => big(account.following),
        Fact::StatusesCount => big(account.statuses_count),
        Fact::FieldsCount => count(account.fields.len()),
        Fact::BioLength => count(letters(Field::Bio)),
        Fact::DisplayNameLength => count(letters(Field::DisplayName)),
        Fact::UsernameDigits => count(account.username.chars().filter(char::is_ascii_digit).count()),
        Fact::ProfileLinks => count(document.field(Field::Url).count()),
        _ => None,
    }
}

/// A number of a status.
pub(crate) fn of_status(fact: Fact, status: &StatusFacts, document: &Document<'_>, now: DateTime<Utc>) -> Option<i64> {
    match fact {
        Fact::ContentLength => count(document.field(Field::Content).map(|text| text.chars().count()).sum()),
        Fact::Capitals => capitals(&status.content),
        Fact::Links => count(document.field(Field::Url).count()),
        Fact::LinkDomains => {
            let names: HashSet<&str> = document.field(Field::RegisteredDomain).collect();
            count(names.len())
        }
        Fact::Mentions => count(status.mentions.len()),
        Fact::StrangerMentions => strangers(status).and_then(|(least, most)| (least == most).then_some(least)),
        Fact::LocalMentions => count(status.mentions.iter().filter(|mention| mention.is_local()).count()),
        Fact::Tags => count(status.tags.len()),
        Fact::Media => count(status.media.len()),
        Fact::MediaWithoutAlt => count(
            status
                .media
                .iter()
                .filter(|media| media.description.trim().is_empty())
                .count(),
        ),
        Fact::PollOptions => count(status.poll_options.len()),
        Fact::StatusAge => seconds(status.created_at, now),
        _ => None,
    }
}

/// How many of those named do not know the author: as many as are known not to, up to those of whom nobody knows.
pub(crate) fn strangers(status: &StatusFacts) -> Option<(i64, i64)> {
    let of = |known: Option<bool>| {
        status
            .mentions
            .iter()
            .filter(|mention| mention.knows_author == known)
            .count()
    };
    let least = of(Some(false));
    Some((count(least)?, count(least + of(None))?))
}

fn capitals(html: &str) -> Option<i64> {
    let mut out = Mapped::default();
    let mut writer = Writer::new(&mut out).cased();
    read_html(html, &mut writer);
    let letters = out
        .text()
        .chars()
        .filter(|c| c.is_lowercase() || c.is_uppercase())
        .count();
    let upper = out.text().chars().filter(|c| c.is_uppercase()).count();
    (letters > 0).then(|| count(upper * 100 / letters)).flatten()
}

/// A number of all statuses that are looked at together.
pub(crate) fn of_recent(fact: Fact, statuses: &[(&StatusFacts, &Document<'_>)]) -> Option<i64> {
    let share = |some: usize| {
        let all = statuses.len();
        (all > 0).then(|| count(some * 100 / all)).flatten()
    };
    match fact {
        Fact::RecentPosts => count(statuses.len()),
        Fact::RecentDuplicates => {
            let mut seen = std::collections::HashMap::<u64, usize>::new();
            for (_, document) in statuses {
                let text = document.field(Field::Content).next().unwrap_or_default();
                let words = fingerprint::tokens(text);
                // Two pictures without a word do not say the same.
                if words.is_empty() {
                    continue;
                }
                let key = words
                    .iter()
                    .fold(0, |sum, word| fingerprint::mix(sum, fingerprint::hash(word.as_bytes())));
                *seen.entry(key).or_default() += 1;
            }
            share(seen.into_values().filter(|many| *many > 1).sum())
        }
        Fact::RecentWithLinks => share(
            statuses
                .iter()
                .filter(|(_, document)| document.field(Field::Url).next().is_some())
                .count(),
        ),
        Fact::RecentLinkDomains => {
            let names: HashSet<&str> = statuses
                .iter()
                .flat_map(|(_, document)| document.field(Field::RegisteredDomain))
                .collect();
            count(names.len())
        }
        Fact::RecentMentions => {
            let names: HashSet<&str> = statuses
                .iter()
                .flat_map(|(status, _)| &status.mentions)
                .map(|mention| mention.acct.as_str())
                .collect();
            count(names.len())
        }
        _ => None,
    }
}

/// Whether a fact is about all statuses together.
pub(crate) fn is_recent(fact: Fact) -> bool {
    (fact as usize) >= Fact::RecentPosts as usize
}

/// Whether a fact is about the account.
pub(crate) fn is_of_account(fact: Fact) -> bool {
    (fact as usize) <= Fact::ProfileLinks as usize
}

/// What is so of an account.
pub(crate) fn account_is(is: Is, account: &AccountFacts) -> Option<bool> {
    Some(match is {
        Is::Local => account.is_local(),
        Is::Remote => !account.is_local(),
        Is::Bot => account.bot,
        Is::Locked => account.locked,
        Is::Silenced => account.silenced,
        Is::Suspended => account.suspended,
        Is::HasAvatar => account.has_avatar?,
        Is::HasHeader => account.has_header?,
        Is::HasBio => !account.bio.trim().is_empty(),
        Is::Followed => account.followed?,
        Is::Follows => account.follows?,
        Is::Staff => account.is_staff(),
        _ => return None,
    })
}

/// What is so of a status.
pub(crate) fn status_is(is: Is, status: &StatusFacts, document: &Document<'_>) -> Option<bool> {
    Some(match is {
        Is::Reply => status.is_reply,
        Is::Edited => status.edited_at.is_some(),
        Is::Sensitive => status.sensitive,
        Is::HasMedia => !status.media.is_empty(),
        Is::HasLink => !document.text(View::Plain).is_empty() && document.field(Field::Url).next().is_some(),
        Is::HasPoll => !status.poll_options.is_empty(),
        Is::MentionsStranger => {
            if status
                .mentions
                .iter()
                .any(|mention| mention.knows_author == Some(false))
            {
                true
            } else if status.mentions.iter().any(|mention| mention.knows_author.is_none()) {
                return None;
            } else {
                false
            }
        }
        _ => return None,
    })
}
