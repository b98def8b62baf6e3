//! What every server shows outside its API: well-known addresses, nodeinfo, robots.txt, pages and ActivityPub.

use serde_json::json;

use super::activitypub;
use crate::mastodon;
use crate::request::{Call, Reply};
use crate::scenario::Software;
use crate::state::State;
use crate::world::{HOME, World};

/// What nodeinfo says.
pub(super) fn name_and_version(software: Software) -> (&'static str, &'static str) {
    match software {
        Software::Mastodon => ("mastodon", "4.5.9"),
        Software::MastodonOld => ("mastodon", "4.3.14"),
        Software::Akkoma => ("akkoma", "3.13.3"),
        Software::Mitra => ("mitra", "5.9.2"),
        Software::GoToSocial => ("gotosocial", "0.20.0"),
        Software::Other => ("cherrypost", "1.2.0"),
    }
}

/// Answers what is no API.
pub(crate) fn answer(state: &State, call: &Call, path: &[&str]) -> Option<Reply> {
    let world = state.world();
    let base = &world.servers[call.server].base;
    let software = state.software(call.server);
    Some(match path {
        ["robots.txt"] => match &world.servers[call.server].robots {
            Some(text) => Reply::typed("text/plain; charset=utf-8", text.clone()),
            None if matches!(software, Software::Mastodon | Software::MastodonOld) => Reply::typed(
                "text/plain; charset=utf-8",
                "User-agent: *\nDisallow: /media_proxy/\nDisallow: /interact/\n".to_owned(),
            ),
            None => Reply::empty(404),
        },
        [".well-known", "nodeinfo"] => {
            let links: Vec<_> = ["2.0", "2.1"]
                .iter()
                .filter(|version| **version == "2.0" || !matches!(software, Software::Mastodon | Software::MastodonOld))
                .map(|version| {
                    json!({ "rel": format!("http://nodeinfo.diaspora.software/ns/schema/{version}"),
                            "href": format!("{base}/nodeinfo/{version}") })
                })
                .collect();
            Reply::json(&json!({ "links": links }))
        }
        ["nodeinfo", version @ ("2.0" | "2.1")] => nodeinfo(state, call, &world, software, version),
        [".well-known", "oauth-authorization-server"] if call.server == HOME && state.scenario.api_version >= 2 => {
            Reply::json(&mastodon::oauth::metadata(base))
        }
        [".well-known", "host-meta"] => Reply::typed(
            "application/xrd+xml; charset=utf-8",
            format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<XRD xmlns=\"http://docs.oasis-open.org/ns/xri/xrd-1.0\">\n  \
                 <Link rel=\"lrdd\" template=\"{base}/.well-known/webfinger?resource={{uri}}\"/>\n</XRD>\n"
            ),
        ),
        [".well-known", "webfinger"] => webfinger(&world, call),
        _ => {
            let secure = state.signatures().wants(call.server, software).is_some();
            return activitypub::answer(&world, call, software, secure, path);
        }
    })
}

fn nodeinfo(state: &State, call: &Call, world: &World, software: Software, version: &str) -> Reply {
    let (name, release) = if call.server == HOME && software == Software::Mastodon {
        ("mastodon", mastodon::version(state))
    } else {
        name_and_version(software)
    };
    let users = world.accounts.iter().filter(|who| who.server == call.server).count();
    let posts: usize = world
        .accounts
        .iter()
        .filter(|who| who.server == call.server)
        .map(|who| who.statuses.len())
        .sum();
    Reply::typed(
        &format!("application/json; profile=\"http://nodeinfo.diaspora.software/ns/schema/{version}#\""),
        json!({
            "version": version,
            "software": { "name": name, "version": release },
            "protocols": ["activitypub"],
            "services": { "outbound": [], "inbound": [] },
            "usage": { "users": { "total": users, "activeMonth": users, "activeHalfyear": users }, "localPosts": posts },
            "openRegistrations": false,
            // Some write an empty list where an object should stand.
            "metadata": if software == Software::Other { json!([]) } else { json!({ "nodeName": name }) },
        })
        .to_string(),
    )
}

fn webfinger(world: &World, call: &Call) -> Reply {
    let resource = call.param("resource").unwrap_or_default();
    let acct = resource.strip_prefix("acct:").unwrap_or(resource);
    match world
        .find_account(call.server, acct)
        .filter(|ix| world.accounts[*ix].server == call.server)
    {
        None => Reply::empty(404),
        Some(ix) => Reply::typed(
            "application/jrd+json; charset=utf-8",
            json!({
                "subject": format!("acct:{acct}"),
                "aliases": [world.profile_url(ix), world.actor_uri(ix)],
                "links": [
                    { "rel": "http://webfinger.net/rel/profile-page", "type": "text/html", "href": world.profile_url(ix) },
                    { "rel": "self", "type": "application/activity+json", "href": world.actor_uri(ix) },
                ],
            })
            .to_string(),
        ),
    }
}
