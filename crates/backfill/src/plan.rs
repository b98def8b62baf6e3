//! Every decision of the feature. No async, no clock, no I/O.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};
use mastodon::remote::Post;
use model::{Account, Uri};
use store::{
    backfills::Backfill,
    wanted::{State, Wanted},
};

use crate::{Config, config::Order};

/// What is to be done about an account that was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    /// It was read lately, or for ever.
    Remembered,
    /// A round was cut off: it goes on.
    Resume,
    /// A round begins.
    Start,
}

/// Decides by what is remembered of an account.
pub(crate) fn due(row: Option<&Backfill>, now: DateTime<Utc>) -> Due {
    match row {
        None => Due::Start,
        Some(row) => match row.next_at {
            None if row.finished_at.is_some() => Due::Remembered,
            Some(next) if next > now => Due::Remembered,
            _ if row.started_at.is_some() && row.cursor.is_some() => Due::Resume,
            _ => Due::Start,
        },
    }
}

/// Why an account is left alone, if it asked for that.
pub(crate) fn opted_out(config: &Config, account: &Account) -> Option<&'static str> {
    if config.respect_nobot && says_nobot(&account.note) {
        return Some("nobot in the bio");
    }
    if config.respect_indexable && account.indexable == Some(false) {
        return Some("not to be searched");
    }
    match account.discoverable {
        Some(false) if config.respect_discoverable => Some("not to be found"),
        None if config.respect_discoverable && config.respect_undecided => Some("never said whether to be found"),
        _ => None,
    }
}

/// `#nobot`, as a word of its own or as the link that servers make of it; in any case. The bio is HTML.
fn says_nobot(note: &str) -> bool {
    let note = note.to_lowercase();
    if note.contains("/tags/nobot") {
        return true;
    }
    let mut text = String::with_capacity(note.len());
    for (place, part) in note.split('<').enumerate() {
        let (tag, words) = match part.split_once('>') {
            Some((tag, words)) if place > 0 => (tag, words),
            _ => ("", part),
        };
        // Paragraphs and breaks part words; a link or a span in a word does not.
        if ["p", "/p", "br", "div", "/div", "li", "/li"]
            .iter()
            .any(|block| tag.split([' ', '/']).next() == Some(block) || tag == *block)
        {
            text.push(' ');
        }
        text.push_str(words);
    }
    text.split(|c: char| !(c.is_alphanumeric() || matches!(c, '#' | '_')))
        .any(|word| matches!(word, "#nobot" | "nobot" | "#nobots"))
}

/// Of what an origin shows, that which home lacks, each once, at most `most` of them looked at.
pub(crate) fn missing<'a>(posts: &'a [Post], known: &HashSet<Uri>, most: usize) -> Vec<&'a Post> {
    let mut seen = HashSet::new();
    posts
        .iter()
        .filter(|post| seen.insert(&post.uri))
        .take(most)
        .filter(|post| !known.contains(&post.uri))
        .collect()
}

/// More than any account's posts that are looked at, so that no place in the order is beyond it.
const FAR: i64 = 20_000;

/// The rows that make home fetch these posts, in the operator's order, `before` of the account having been written down
/// already. Those that are too young wait until they are old enough not to enter timelines.
pub(crate) fn wanted(
    server: &str,
    posts: &[&Post],
    order: Order,
    before: i64,
    hold: TimeDelta,
    now: DateTime<Utc>,
) -> Vec<Wanted> {
    let mut posts: Vec<&Post> = posts.to_vec();
    // Pinned ones stand first whatever their age; what tells no time stays where it was listed.
    posts.sort_by_key(|post| (!post.pinned, std::cmp::Reverse(post.created_at.unwrap_or(now))));
    // Each page is older than the one before it.
    let first = match order {
        Order::Newest => before,
        Order::Oldest => {
            posts.reverse();
            posts.sort_by_key(|post| !post.pinned);
            -before - i64::try_from(posts.len()).unwrap_or(0)
        }
    };
    posts
        .into_iter()
        .zip(first..)
        .map(|(post, place)| {
            let held = post.created_at.map(|at| at + hold).filter(|until| *until > now);
            Wanted {
                server: server.to_owned(),
                uri: post.uri.to_string(),
                host: post.uri.host().to_string(),
                feature: "backfill".to_owned(),
                thread: None,
                in_reply_to: None,
                state: State::Wanted,
                status_id: None,
                tries: 0,
                reason: None,
                // What is due first is claimed first; among what is claimed at once, the one found last goes first.
                next_try_at: held.unwrap_or(now) + TimeDelta::microseconds(place),
                found_at: now + TimeDelta::microseconds(2 * FAR - place),
                ended_at: None,
            }
        })
        .collect()
}

/// Of these posts, those whose replies are worth a listing: not where there are none.
pub(crate) fn answered(posts: &[&Post], now: DateTime<Utc>) -> Vec<(String, String, DateTime<Utc>)> {
    posts
        .iter()
        .filter(|post| post.replies.is_none_or(|count| count > 0))
        .map(|post| {
            (
                post.uri.to_string(),
                post.uri.host().to_string(),
                post.created_at.unwrap_or(now),
            )
        })
        .collect()
}

/// How long an account rests after `failures` in a row before this one: an hour, doubling up to a week.
pub(crate) fn rest(failures: i64) -> TimeDelta {
    (TimeDelta::hours(1) * (1 << failures.clamp(0, 8))).min(TimeDelta::days(7))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000, 0).unwrap()
    }

    fn post(n: i64, pinned: bool) -> Post {
        Post {
            uri: Uri::parse(&format!("https://a.example/{n}")).unwrap(),
            created_at: Some(now() - TimeDelta::hours(n)),
            replies: Some(0),
            pinned,
        }
    }

    fn account(json: serde_json::Value) -> Account {
        let mut account = serde_json::json!({"id": "1", "discoverable": true, "indexable": true});
        account
            .as_object_mut()
            .unwrap()
            .extend(json.as_object().unwrap().clone());
        serde_json::from_value(account).unwrap()
    }

    /// Check 24.
    #[test]
    fn who_asks_to_be_left_alone_is() {
        let config = Config::default();
        let open = Config {
            respect_nobot: false,
            respect_indexable: false,
            respect_discoverable: false,
            ..Config::default()
        };
        for json in [
            serde_json::json!({"note": "<p>hello #nobot</p>"}),
            serde_json::json!({"note": r##"<p><a href="https://a.example/tags/NoBot">#<span>NoBot</span></a></p>"##}),
            serde_json::json!({"note": "<p>x</p><p>#<span>nobot</span></p>"}),
            serde_json::json!({"note": "please NOBOT"}),
            serde_json::json!({"indexable": false}),
            serde_json::json!({"discoverable": false}),
            serde_json::json!({"discoverable": null}),
        ] {
            let account = account(json.clone());
            assert!(opted_out(&config, &account).is_some(), "{json}");
            assert_eq!(opted_out(&open, &account), None, "{json}");
        }
        for json in [
            serde_json::json!({}),
            serde_json::json!({"note": "<p>I know nobotany, <b>bots</b> and #nobother</p>"}),
            serde_json::json!({"indexable": null}),
        ] {
            assert_eq!(opted_out(&config, &account(json.clone())), None, "{json}");
        }
        let decided = Config {
            respect_undecided: false,
            ..Config::default()
        };
        assert_eq!(
            opted_out(&decided, &account(serde_json::json!({"discoverable": null}))),
            None
        );
    }

    #[test]
    fn an_account_is_read_again_when_its_time_has_come() {
        let row = |cursor: Option<&str>, started: bool, finished: bool, next_hours: Option<i64>| Backfill {
            server: "home.example".into(),
            acct: "a@a.example".into(),
            source: "followers".into(),
            cursor: cursor.map(str::to_owned),
            listed: 0,
            wanted: 0,
            failures: 0,
            trouble: None,
            started_at: started.then(now),
            finished_at: finished.then(now),
            next_at: next_hours.map(|hours| now() + TimeDelta::hours(hours)),
        };
        assert_eq!(due(None, now()), Due::Start);
        assert_eq!(due(Some(&row(None, false, true, None)), now()), Due::Remembered);
        assert_eq!(due(Some(&row(None, false, true, Some(1))), now()), Due::Remembered);
        assert_eq!(due(Some(&row(None, false, true, Some(0))), now()), Due::Start);
        assert_eq!(due(Some(&row(Some("c"), true, false, Some(0))), now()), Due::Resume);
        assert_eq!(
            due(Some(&row(Some("c"), true, true, Some(1))), now()),
            Due::Remembered,
            "it rests"
        );
        assert_eq!(due(Some(&row(None, true, false, Some(0))), now()), Due::Start);
    }

    #[test]
    fn the_first_to_be_fetched_is_due_first_and_goes_first() {
        let posts = [post(1, false), post(2, false), post(9, true), post(3, false)];
        let refs: Vec<&Post> = posts.iter().collect();
        let uris = |order| -> Vec<String> {
            let mut rows = wanted("home.example", &refs, order, 0, TimeDelta::zero(), now());
            assert!(rows.iter().all(|row| row.next_try_at <= row.found_at));
            rows.sort_by_key(|row| row.next_try_at);
            let first: Vec<String> = rows
                .iter()
                .map(|row| row.uri.rsplit('/').next().unwrap().to_owned())
                .collect();
            rows.sort_by_key(|row| std::cmp::Reverse(row.found_at));
            let again: Vec<String> = rows
                .iter()
                .map(|row| row.uri.rsplit('/').next().unwrap().to_owned())
                .collect();
            assert_eq!(first, again);
            again
        };
        assert_eq!(uris(Order::Newest), ["9", "1", "2", "3"]);
        assert_eq!(uris(Order::Oldest), ["9", "3", "2", "1"]);
    }

    #[test]
    fn what_is_young_waits_until_it_enters_no_timeline() {
        let posts = [post(1, false), post(7, false)];
        let refs: Vec<&Post> = posts.iter().collect();
        let rows = wanted("home.example", &refs, Order::Newest, 0, TimeDelta::hours(6), now());
        assert_eq!((rows[0].next_try_at - now()).num_hours(), 5);
        assert_eq!((rows[1].next_try_at - now()).num_seconds(), 0);
    }

    #[test]
    fn only_posts_with_replies_are_asked_about() {
        let mut posts = [post(1, false), post(2, false), post(3, false)];
        posts[1].replies = Some(2);
        posts[2].replies = None;
        let refs: Vec<&Post> = posts.iter().collect();
        assert_eq!(answered(&refs, now()).len(), 2);
    }

    proptest! {
        #[test]
        fn planned_again_nothing_is_missing(all in prop::collection::vec(0i64..60, 0..80),
                                            home in prop::collection::hash_set(0i64..60, 0..60),
                                            most in 0usize..100) {
            let posts: Vec<_> = all.iter().map(|n| post(*n, false)).collect();
            let mut known: HashSet<Uri> = home.into_iter().map(|n| post(n, false).uri).collect();
            let first: Vec<Uri> = missing(&posts, &known, most).iter().map(|post| post.uri.clone()).collect();
            let distinct: HashSet<&Uri> = first.iter().collect();
            prop_assert_eq!(distinct.len(), first.len());
            known.extend(first);
            prop_assert!(missing(&posts, &known, most).is_empty());
        }
    }
}
