//! What an account's own server counts: followers, accounts followed, statuses. Through Mastodon's API, 40 accounts a
//! request where the server has that; through Misskey's; else from the totals of ActivityPub's collections.

use chrono::NaiveDate;
use model::{Host, Uri};
use net::{Net, Url};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::{Flavour, Software, origin::Origin};
use crate::{
    Error,
    answer::{Asked, clean},
};

/// More ids in one call are refused.
pub const ACCOUNTS_BATCH: usize = 40;

/// Names are cut after this.
const LONGEST: usize = 200;

/// A count, or why there is none.
pub type Count = Result<i32, &'static str>;

/// An account as its server shows it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measured {
    /// Its id there, where there is an API.
    pub id: Option<String>,
    /// The actor, where told.
    pub uri: Option<Uri>,
    /// The page for people.
    pub url: Option<Uri>,
    /// Its name on its server.
    pub username: String,
    /// As it calls itself.
    pub name: String,
    /// Followers.
    pub followers: Count,
    /// Accounts followed.
    pub following: Count,
    /// Statuses written.
    pub statuses: Count,
    /// Day of the last status.
    pub last_status: Option<NaiveDate>,
    /// Suspended there.
    pub suspended: bool,
    /// The actor (or page) it moved to.
    pub moved_to: Option<Uri>,
}

/// Whom to measure.
#[derive(Debug, Clone, Copy)]
pub struct Whom<'a> {
    /// The actor.
    pub uri: &'a Uri,
    /// Its id there, where known.
    pub id: Option<&'a str>,
    /// Its name there.
    pub username: &'a str,
}

/// Who a name belongs to, as its domain says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// `user@domain`, as the domain spells it.
    pub acct: String,
    /// The actor.
    pub uri: Uri,
}

impl Measured {
    /// From an account of Mastodon's API. `None` without an id.
    pub(crate) fn read(account: &Value) -> Option<Self> {
        let id = match &account["id"] {
            Value::String(id) => id.clone(),
            Value::Number(id) => id.to_string(),
            _ => return None,
        };
        let moved = &account["moved"];
        Some(Self {
            id: Some(id).filter(|id| !id.is_empty() && id.len() <= 128),
            uri: address(&account["uri"]),
            url: address(&account["url"]),
            username: text(&account["username"]),
            name: text(&account["display_name"]),
            followers: count(&account["followers_count"]),
            following: count(&account["following_count"]),
            statuses: count(&account["statuses_count"]),
            last_status: account["last_status_at"].as_str().and_then(day),
            suspended: account["suspended"] == true,
            moved_to: address(&moved["uri"]).or_else(|| address(&moved["url"])),
        })
    }

    /// From a user of Misskey's API.
    fn read_misskey(user: &Value) -> Option<Self> {
        Some(Self {
            id: Some(user["id"].as_str()?.to_owned()).filter(|id| id.len() <= 128),
            uri: address(&user["uri"]),
            url: address(&user["url"]),
            username: text(&user["username"]),
            name: text(&user["name"]),
            followers: count(&user["followersCount"]),
            following: count(&user["followingCount"]),
            statuses: count(&user["notesCount"]),
            last_status: user["updatedAt"].as_str().and_then(day),
            suspended: user["isSuspended"] == true,
            moved_to: address(&user["movedTo"]),
        })
    }
}

/// A whole number that can be true, or why not.
fn count(value: &Value) -> Count {
    match value {
        Value::Null => Err("not told"),
        Value::Number(number) => match number.as_i64() {
            Some(-1) => Err("hidden"),
            Some(number) if number < 0 => Err("below nothing"),
            Some(number) => i32::try_from(number).map_err(|_| "too large to be true"),
            None if number.is_u64() => Err("too large to be true"),
            None => Err("no whole number"),
        },
        _ => Err("no number"),
    }
}

/// The day of `2026-08-01` or of a full time.
fn day(text: &str) -> Option<NaiveDate> {
    text.get(..10)?.parse().ok()
}

fn address(value: &Value) -> Option<Uri> {
    Uri::parse(value.as_str().filter(|text| text.len() <= 2048)?).ok()
}

fn text(value: &Value) -> String {
    clean(value.as_str().unwrap_or_default(), LONGEST)
}

/// Up to [`ACCOUNTS_BATCH`] accounts of one server; those it does not show are left out. `None` where the server does
/// not answer for several at once.
///
/// # Errors
/// When the host cannot be asked, or answers something else.
pub async fn measure_batch(
    net: &Net,
    software: &Software,
    uri: &Uri,
    ids: &[&str],
) -> Result<Option<Vec<Measured>>, Error> {
    if software.flavour != Flavour::Mastodon {
        return Ok(None);
    }
    let mut api = api(net, software, uri)?;
    let query: Vec<(&str, &str)> = ids.iter().take(ACCOUNTS_BATCH).map(|&id| ("id[]", id)).collect();
    match api.json("/api/v1/accounts", &query).await {
        Ok((Value::Array(items), _)) => Ok(Some(items.iter().filter_map(Measured::read).collect())),
        Ok(_) => Err(odd(&api, "/api/v1/accounts", "JSON that is no list")),
        Err(error) if crate::api::is_no_batch(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// One account.
///
/// # Errors
/// `NotFound` and `Gone` when it is no more, `NoToken` and `Forbidden` when strangers are shown nothing.
pub async fn measure(net: &Net, software: &Software, whom: Whom<'_>) -> Result<Measured, Error> {
    match software.flavour {
        Flavour::Mastodon | Flavour::Pleroma | Flavour::Mitra | Flavour::Compatible => {
            let mut api = api(net, software, whom.uri)?;
            let answer = match whom.id {
                Some(id) => {
                    let path = format!("/api/v1/accounts/{}", utf8_percent_encode(id, NON_ALPHANUMERIC));
                    api.json(&path, &[]).await
                }
                None => api.json("/api/v1/accounts/lookup", &[("acct", whom.username)]).await,
            };
            match answer {
                Ok((account, _)) => {
                    Measured::read(&account).ok_or_else(|| odd(&api, "an account", "JSON without an id"))
                }
                // What the API hides from strangers, the actor may show.
                Err(Error::NoToken { .. } | Error::Forbidden { .. }) => collections(net, whom).await,
                Err(error) => Err(error),
            }
        }
        Flavour::Misskey => {
            let mut api = api(net, software, whom.uri)?;
            let question = match whom.id {
                Some(id) => json!({ "userId": id }),
                None => json!({ "username": whom.username, "host": null }),
            };
            match api.ask("/api/users/show", &question).await {
                Ok(user) => {
                    Measured::read_misskey(&user).ok_or_else(|| odd(&api, "/api/users/show", "JSON without an id"))
                }
                // Misskey answers 400 and a code where others answer 404.
                Err(Error::NotJson { host, what, reason }) if reason.starts_with("HTTP 400") => {
                    Err(Error::NotFound { host, what })
                }
                Err(error) => Err(error),
            }
        }
        _ => collections(net, whom).await,
    }
}

/// The totals of an actor's collections.
async fn collections(net: &Net, whom: Whom<'_>) -> Result<Measured, Error> {
    let mut pages = Origin::of(net, &whom.uri.host(), whom.uri).ok_or_else(|| nowhere(whom.uri))?;
    let actor = pages.document(&whom.uri.url()).await?;
    if !actor["inbox"].is_string() {
        return Err(odd(&pages, "the actor", "a document that is no actor"));
    }
    let mut totals: [Count; 3] = [Err("not told"); 3];
    for (total, key) in totals.iter_mut().zip(["followers", "following", "outbox"]) {
        let collection = match &actor[key] {
            Value::Object(_) => actor[key].clone(),
            Value::String(text) => match Url::parse(text).ok().filter(|url| pages.owns(url)) {
                Some(url) => match pages.document(&url).await {
                    Ok(collection) => collection,
                    Err(error) if error.is_of_host() => return Err(error),
                    Err(_) => {
                        *total = Err("hidden");
                        continue;
                    }
                },
                None => continue,
            },
            _ => continue,
        };
        *total = count(&collection["totalItems"]);
    }
    let [followers, following, statuses] = totals;
    Ok(Measured {
        id: None,
        uri: address(&actor["id"]),
        url: address(&actor["url"]),
        username: text(&actor["preferredUsername"]),
        name: text(&actor["name"]),
        followers,
        following,
        statuses,
        last_status: None,
        suspended: actor["suspended"] == true,
        moved_to: address(&actor["movedTo"]),
    })
}

/// Asks a domain whom a name belongs to. `resource` is `acct:user@domain`; `at` is the domain's address.
///
/// # Errors
/// `NotFound` when nobody is called that, `NotJson` when the host speaks no WebFinger.
pub async fn webfinger(net: &Net, resource: &str, at: &Url) -> Result<Found, Error> {
    let mut origin = Origin::new(net, at.clone());
    let (answer, _) = origin.json("/.well-known/webfinger", &[("resource", resource)]).await?;
    let links = answer["links"].as_array().map(Vec::as_slice).unwrap_or_default();
    let actor = links.iter().take(50).find_map(|link| {
        let kind = link["type"].as_str().unwrap_or_default();
        let speaks = kind.contains("activity+json") || kind.contains("activitystreams");
        (link["rel"] == "self" && speaks)
            .then(|| address(&link["href"]))
            .flatten()
    });
    let uri = actor.ok_or_else(|| odd(&origin, "/.well-known/webfinger", "nobody who speaks ActivityPub"))?;
    let subject = answer["subject"].as_str().unwrap_or_default();
    let acct = subject
        .strip_prefix("acct:")
        .filter(|acct| acct.len() <= 300 && acct.contains('@'));
    Ok(Found {
        acct: acct.unwrap_or(resource.trim_start_matches("acct:")).to_lowercase(),
        uri,
    })
}

/// The actor behind a page, and its name.
///
/// # Errors
/// When there is no actor at the address.
pub async fn actor(net: &Net, uri: &Uri) -> Result<(Uri, String), Error> {
    let mut pages = Origin::of(net, &uri.host(), uri).ok_or_else(|| nowhere(uri))?;
    let actor = pages.document(&uri.url()).await?;
    let name = text(&actor["preferredUsername"]);
    match address(&actor["id"]).filter(|_| actor["inbox"].is_string() && !name.is_empty()) {
        Some(id) => Ok((id, name)),
        None => Err(odd(&pages, "the page", "a document that is no actor")),
    }
}

fn api<'a>(net: &'a Net, software: &Software, uri: &Uri) -> Result<Origin<'a>, Error> {
    Origin::of(net, &software.api_host, uri).ok_or_else(|| nowhere(uri))
}

fn nowhere(uri: &Uri) -> Error {
    Error::NotFound {
        host: uri.host(),
        what: uri.to_string(),
    }
}

fn odd(origin: &Origin<'_>, what: &str, reason: &str) -> Error {
    let host: Host = origin.host();
    Asked {
        host,
        what: what.to_owned(),
        login: None,
        scope: None,
    }
    .not_json(reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Check 43.
    #[test]
    fn what_is_no_count_is_none_and_says_why() {
        let read =
            |value: Value| Measured::read(&json!({"id": "1", "followers_count": value, "statuses_count": 7})).unwrap();
        assert_eq!(read(json!(102)).followers, Ok(102));
        assert_eq!(read(json!(0)).followers, Ok(0));
        assert_eq!(read(json!(-1)).followers, Err("hidden"));
        assert_eq!(read(json!(-7)).followers, Err("below nothing"));
        assert_eq!(read(json!(null)).followers, Err("not told"));
        assert_eq!(read(json!("12")).followers, Err("no number"));
        assert_eq!(read(json!({})).followers, Err("no number"));
        assert_eq!(read(json!(1.5)).followers, Err("no whole number"));
        assert_eq!(read(json!(2_147_483_648_i64)).followers, Err("too large to be true"));
        assert_eq!(read(json!(u64::MAX)).followers, Err("too large to be true"));
        assert_eq!(read(json!(-1)).statuses, Ok(7), "one count does not hide another");
        let bare = Measured::read(&json!({"id": 5})).unwrap();
        assert_eq!((bare.id.as_deref(), bare.followers), (Some("5"), Err("not told")));
        assert_eq!(Measured::read(&json!({"followers_count": 1})), None);
    }

    #[test]
    fn days_in_both_spellings() {
        let read = |text: &str| {
            Measured::read(&json!({"id": "1", "last_status_at": text}))
                .unwrap()
                .last_status
        };
        let day = NaiveDate::from_ymd_opt(2026, 8, 1);
        assert_eq!((read("2026-08-01"), read("2026-08-01T13:49:58.223Z")), (day, day));
        assert_eq!((read(""), read("gestern")), (None, None));
    }
}
