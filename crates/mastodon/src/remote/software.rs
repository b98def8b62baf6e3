//! Which program an origin runs.

use model::{Host, NodeInfo};
use net::{Net, Url};
use serde_json::Value;

use super::origin::{self, Origin};
use crate::Error;

/// How an origin's conversations can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Flavour {
    /// Mastodon, Hometown, glitch-soc and forks.
    Mastodon,
    /// Pleroma and Akkoma: flat contexts.
    Pleroma,
    /// Mitra.
    Mitra,
    /// Speaks Mastodon's API its own way, and tells whole contexts: Hollo, Iceshrimp.NET.
    Compatible,
    /// Misskey and its forks.
    Misskey,
    /// Lemmy, of either API.
    Lemmy,
    /// PieFed, whose API is much like Lemmy's.
    PieFed,
    /// PeerTube.
    PeerTube,
    /// Friendica.
    Friendica,
    /// Reads need a token or a signature: only our own server can fetch from it.
    Closed,
    /// Known by name, and read through ActivityPub.
    Foreign,
    /// Nodeinfo missing or silent: ActivityPub is tried.
    Unknown,
}

/// What nodeinfo said about an origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Software {
    /// The host that serves the API (it may differ from the one asked, on split domains).
    pub api_host: Host,
    /// Lower-case name, empty if unknown.
    pub name: String,
    /// Version, as told.
    pub version: String,
    /// How to read it.
    pub flavour: Flavour,
}

/// Every program known by name. A new one is a word here.
const TABLE: &[(Flavour, &[&str])] = &[
    (
        Flavour::Mastodon,
        &[
            "mastodon",
            "hometown",
            "glitch",
            "glitch-soc",
            "ecko",
            "fedibird",
            "kmyblue",
            "chuckya",
            "florence",
        ],
    ),
    (Flavour::Pleroma, &["pleroma", "akkoma", "rebased"]),
    (Flavour::Mitra, &["mitra"]),
    (Flavour::Compatible, &["hollo", "iceshrimp.net"]),
    (
        Flavour::Misskey,
        &[
            "misskey",
            "sharkey",
            "firefish",
            "calckey",
            "foundkey",
            "cherrypick",
            "iceshrimp",
            "magnetar",
            "meisskey",
            "catodon",
            "yojo-art",
            "rumisskey",
            "nexkey",
            "groundpolis",
            "dolphin",
        ],
    ),
    (Flavour::Lemmy, &["lemmy"]),
    (Flavour::PieFed, &["piefed"]),
    (Flavour::PeerTube, &["peertube"]),
    (Flavour::Friendica, &["friendica"]),
    (
        Flavour::Closed,
        &["gotosocial", "threads", "takahe", "superseriousbusiness"],
    ),
    (
        Flavour::Foreign,
        &[
            "mbin",
            "kbin",
            "hubzilla",
            "streams",
            "forte",
            "pixelfed",
            "loops",
            "snac",
            "wordpress",
            "ghost",
            "writefreely",
            "plume",
            "bookwyrm",
            "mobilizon",
            "gancio",
            "funkwhale",
            "castopod",
            "owncast",
            "discourse",
            "nodebb",
            "flipboard",
            "bridgy-fed",
            "bridgy fed",
            "wafrn",
            "microblogpub",
            "honk",
            "ktistec",
            "gnusocial",
            "smithereen",
            "bonfire",
        ],
    ),
];

/// Marks the version of software that says in its metadata that it speaks Mastodon's API, so that a stored name and
/// version tell it too.
const COMPATIBLE: &str = " (compatible; Mastodon)";

/// Longer names and versions are cut.
const LONGEST: usize = 100;

impl Flavour {
    /// From the lower-case software name and its version; for reading a stored row back.
    pub fn of(name: &str, version: &str) -> Self {
        let known = TABLE.iter().find(|(_, names)| names.contains(&name));
        match known {
            Some((flavour, _)) => *flavour,
            None if version.ends_with(COMPATIBLE) => Self::Mastodon,
            None => Self::Unknown,
        }
    }
}

impl Software {
    /// Of a host that says nothing.
    fn unknown(api_host: Host) -> Self {
        Self {
            api_host,
            name: String::new(),
            version: String::new(),
            flavour: Flavour::Unknown,
        }
    }

    /// From the document that `api_host` serves.
    fn read(api_host: Host, info: &NodeInfo) -> Self {
        let activitypub = info.protocols.iter().any(|p| p.eq_ignore_ascii_case("activitypub"));
        if !activitypub {
            return Self::unknown(api_host);
        }
        let name = crate::answer::clean(&info.software_name(), LONGEST);
        let mut version = crate::answer::clean(&info.software.version, LONGEST);
        // `metadata` is `[]` on PHP software; indexing that by name gives null.
        let fork = info.metadata["upstream"]["name"]
            .as_str()
            .is_some_and(|name| name.eq_ignore_ascii_case("mastodon"));
        let features = info.metadata["features"].as_array();
        let speaks = features.is_some_and(|list| list.iter().any(|f| f == "mastodon_api"));
        if (fork || speaks) && Flavour::of(&name, &version) == Flavour::Unknown {
            version.push_str(COMPATIBLE);
        }
        Self {
            flavour: Flavour::of(&name, &version),
            api_host,
            name,
            version,
        }
    }

    /// Whether it is Mastodon itself (or a fork that counts the same) of at least this version.
    pub(super) fn is_mastodon(&self, at_least: (u32, u32)) -> bool {
        let mut numbers = self.version.split(|c: char| !c.is_ascii_digit());
        let mut number = || numbers.next().and_then(|n| n.parse::<u32>().ok());
        self.flavour == Flavour::Mastodon
            && !self.version.ends_with(COMPATIBLE)
            // Hometown and Florence count their own versions.
            && !matches!(self.name.as_str(), "hometown" | "florence")
            && number().zip(number()).is_some_and(|version| version >= at_least)
    }
}

/// Asks `https://host/.well-known/nodeinfo` (scheme and port as in `origin`), else host-meta.
///
/// # Errors
/// Only when the host cannot be asked at all (unreachable, blocked, robots, out of order); an odd answer is `Unknown`.
pub async fn detect(net: &Net, origin: &Url) -> Result<Software, Error> {
    let mut asked = Origin::new(net, origin.clone());
    if let Some(software) = nodeinfo(&mut asked).await? {
        return Ok(software);
    }
    let unknown = Software::unknown(asked.host());
    let meta = match asked
        .text("/.well-known/host-meta", "application/xrd+xml, application/xml")
        .await
    {
        Ok(meta) => meta,
        Err(error) => return odd(error).map(|()| unknown),
    };
    let elsewhere =
        lrdd(&meta).filter(|url| url.scheme() == origin.scheme() && Host::of(url).ok() != Some(asked.host()));
    Ok(match elsewhere {
        Some(url) => nodeinfo(&mut Origin::new(net, url)).await?.unwrap_or(unknown),
        None => unknown,
    })
}

async fn nodeinfo(origin: &mut Origin<'_>) -> Result<Option<Software>, Error> {
    let (links, at) = match origin.json("/.well-known/nodeinfo", &[]).await {
        Ok(answer) => answer,
        Err(error) => return odd(error).map(|()| None),
    };
    let Some(href) = best_link(&links, &at) else {
        return Ok(None);
    };
    match origin.json_at(href).await {
        Ok((info, at)) => {
            let host = Host::of(&at).unwrap_or_else(|_| origin.host());
            Ok(Some(Software::read(host, &document(info))))
        }
        Err(error) => odd(error).map(|()| None),
    }
}

/// The document in the shape of 2.x: in 1.0, protocols are told apart by direction.
fn document(mut info: Value) -> NodeInfo {
    if let Some(protocols) = info.get_mut("protocols")
        && let Value::Object(directions) = protocols
    {
        let both = directions.values().filter_map(Value::as_array).flatten();
        *protocols = both.cloned().collect();
    }
    serde_json::from_value(info).unwrap_or_default()
}

/// Whether an error is only an odd answer. What says that the host has trouble now must not be remembered as what
/// it runs.
fn odd(error: Error) -> Result<(), Error> {
    match error {
        Error::Net(net::Error::TooLarge { .. } | net::Error::Redirect { .. } | net::Error::Refused { .. }) => Ok(()),
        Error::Net(_) | Error::RateLimited { .. } => Err(error),
        Error::ServerDown {
            http_status: 502..=504, ..
        } => Err(error),
        _ => Ok(()),
    }
}

/// The newest document whose address lies on the host asked, above or below it.
fn best_link(links: &Value, at: &Url) -> Option<Url> {
    let links = links["links"].as_array()?;
    ["2.1", "2.0", "2.2", "1.0"].iter().find_map(|version| {
        links.iter().take(20).find_map(|link| {
            let rel = link["rel"].as_str()?;
            if !rel.ends_with(&format!("/schema/{version}")) {
                return None;
            }
            let href = at.join(link["href"].as_str()?).ok()?;
            origin::related(&href, at).then_some(href)
        })
    })
}

/// The host of the `lrdd` template in a host-meta document.
fn lrdd(xml: &str) -> Option<Url> {
    let element = xml.split("<Link").skip(1).take(20).find_map(|part| {
        let element = part.split('>').next()?;
        element.contains("lrdd").then_some(element)
    })?;
    let (_, rest) = element.split_once("template=")?;
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let template = rest[1..].split(quote).next()?;
    let mut url = Url::parse(&template.replace("{uri}", "x")).ok()?;
    url.set_path("/");
    url.set_query(None);
    url.has_host().then_some(url)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(info: Value) -> Software {
        Software::read(Host::stored("a.example"), &serde_json::from_value(info).unwrap())
    }

    #[test]
    fn names_in_any_case_and_php_metadata() {
        let rows = [
            ("Mastodon", Flavour::Mastodon),
            ("AKKOMA", Flavour::Pleroma),
            ("mitra", Flavour::Mitra),
            ("GoToSocial", Flavour::Closed),
            ("Iceshrimp.NET", Flavour::Compatible),
            ("Iceshrimp", Flavour::Misskey),
            ("Sharkey", Flavour::Misskey),
            ("lemmy", Flavour::Lemmy),
            ("PieFed", Flavour::PieFed),
            ("PeerTube", Flavour::PeerTube),
            ("hollo", Flavour::Compatible),
            ("WordPress", Flavour::Foreign),
            ("snac", Flavour::Foreign),
            ("Friendica", Flavour::Friendica),
            ("brandnew", Flavour::Unknown),
            ("", Flavour::Unknown),
        ];
        for (name, flavour) in rows {
            let software =
                read(json!({"software": {"name": name, "version": "1"}, "protocols": ["activitypub"], "metadata": []}));
            assert_eq!(software.flavour, flavour, "{name}");
            assert_eq!(Flavour::of(&software.name, &software.version), flavour, "{name}");
        }
    }

    #[test]
    fn protocols_of_the_first_version_are_told_by_direction() {
        let info = json!({"software": {"name": "friendica", "version": "2024.12"},
            "protocols": {"inbound": ["diaspora", "activitypub"], "outbound": ["activitypub"]}});
        let software = Software::read(Host::stored("a.example"), &document(info));
        assert_eq!(software.flavour, Flavour::Friendica);
        for odd in [json!([]), json!("x"), json!(null), json!({"protocols": {"inbound": 7}})] {
            let software = Software::read(Host::stored("a.example"), &document(odd));
            assert_eq!(software.flavour, Flavour::Unknown);
        }
    }

    #[test]
    fn a_fork_is_known_by_its_metadata_and_stays_known() {
        for metadata in [
            json!({"upstream": {"name": "Mastodon"}}),
            json!({"features": ["x", "mastodon_api"]}),
        ] {
            let software = read(
                json!({"software": {"name": "elefant", "version": "9.9"}, "protocols": ["activitypub"], "metadata": metadata}),
            );
            assert_eq!(software.flavour, Flavour::Mastodon);
            assert_eq!(Flavour::of(&software.name, &software.version), Flavour::Mastodon);
            assert!(!software.is_mastodon((4, 3)));
        }
        let closed = json!({"software": {"name": "gotosocial"}, "protocols": ["activitypub"], "metadata": {"features": ["mastodon_api"]}});
        assert_eq!(read(closed).flavour, Flavour::Closed);
    }

    #[test]
    fn without_activitypub_it_is_unknown() {
        for protocols in [json!([]), json!(["diaspora"]), json!(null)] {
            let software = read(json!({"software": {"name": "mastodon"}, "protocols": protocols}));
            assert_eq!((software.flavour, software.name.as_str()), (Flavour::Unknown, ""));
        }
    }

    #[test]
    fn versions_are_read_from_their_head() {
        let is = |version: &str| {
            read(json!({"software": {"name": "mastodon", "version": version}, "protocols": ["activitypub"]}))
                .is_mastodon((4, 3))
        };
        assert!(is("4.3.0") && is("4.6.0-nightly.2026-04-09") && is("4.5.3+glitch") && is("10.0.1"));
        assert!(!is("4.2.9") && !is("3.5.3") && !is("") && !is("v"));
    }

    #[test]
    fn links_in_order_and_near_home() {
        let at: Url = "https://a.example/.well-known/nodeinfo".parse().unwrap();
        let rel = |v: &str| format!("http://nodeinfo.diaspora.software/ns/schema/{v}");
        let best = |links: Value| best_link(&json!({"links": links}), &at).map(String::from);
        let (new, old) = ("https://a.example/2.1", "https://social.a.example/2.0");
        let all = json!([{"rel": rel("1.0"), "href": "/1"}, {"rel": rel("2.0"), "href": old}, {"rel": rel("2.1"), "href": new}]);
        assert_eq!(best(all).as_deref(), Some(new));
        assert_eq!(
            best(json!([{"rel": rel("2.2"), "href": "/x"}, {"rel": rel("2.0"), "href": old}])).as_deref(),
            Some(old)
        );
        assert_eq!(
            best(json!([{"rel": rel("2.0"), "href": "https://evil.example/2.0"}])),
            None
        );
        assert_eq!(best(json!([{"rel": rel("2.0"), "href": "http://a.example/2.0"}])), None);
        assert_eq!(best(json!("nothing")), None);
    }

    #[test]
    fn host_meta_names_the_other_host() {
        let xml =
            r#"<XRD><Link rel="lrdd" template="https://social.a.example/.well-known/webfinger?resource={uri}"/></XRD>"#;
        assert_eq!(lrdd(xml).unwrap().as_str(), "https://social.a.example/");
        for xml in [
            "",
            "<Link rel='lrdd'>",
            "<Link rel='lrdd' template=>",
            "<Link rel='lrdd' template='x'/>",
        ] {
            assert_eq!(lrdd(xml), None, "{xml}");
        }
    }
}
