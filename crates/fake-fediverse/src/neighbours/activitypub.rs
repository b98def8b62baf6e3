//! Notes, actors and collections as ActivityPub documents, and the pages that stand at the same addresses.

use serde_json::{Value, json};

use crate::clock::iso_seconds;
use crate::request::{Call, Reply, escape};
use crate::scenario::Software;
use crate::world::{AccountIx, ServerIx, StatusIx, Visibility, World};

const PUBLIC: &str = "https://www.w3.org/ns/activitystreams#Public";
/// Items on a page of Mastodon's collections.
const PAGE: usize = 60;
/// Items on a page elsewhere.
const SMALL_PAGE: usize = 20;

pub(super) fn answer(world: &World, call: &Call, software: Software, secure: bool, path: &[&str]) -> Option<Reply> {
    if !matches!(call.method, http::Method::GET | http::Method::HEAD) {
        return None;
    }
    let server = call.server;
    let base = &world.servers[server].base;
    let address = format!("{base}{}", call.path);
    let activity = call.wants_activity();
    if secure && activity && call.signer.is_none() {
        return Some(Reply::error(
            401,
            match software {
                Software::GoToSocial => {
                    "Unauthorized: http request wasn't signed or http signature was invalid: (verifier)"
                }
                _ => "Request not signed",
            },
        ));
    }
    if let ["contexts", conversation, rest @ ..] = path {
        return conversation_collection(world, call, software, conversation, rest);
    }
    if let Some(of) = address.strip_suffix("/replies").and_then(|of| world.by_uri.get(of)) {
        return shown(world, server, *of).then(|| Reply::activity(&replies(world, call, software, *of)));
    }
    if let Some(ix) = world.find(&address).filter(|ix| world.origin(*ix) == server) {
        return Some(status(world, call, software, ix, &address, activity));
    }
    let by_address = |ix: &usize| world.actor_uri(*ix) == address || world.profile_url(*ix) == address;
    let actor = (0..world.accounts.len()).find(|ix| world.accounts[*ix].server == server && by_address(ix));
    if let Some(ix) = actor {
        return Some(match activity {
            true => Reply::activity(&self::actor(world, ix)),
            false => Reply::html(&format!("<h1>{}</h1>", world.accounts[ix].username)),
        });
    }
    let outbox_of = address.strip_suffix("/outbox")?;
    let owner = (0..world.accounts.len()).find(|ix| world.actor_uri(*ix) == outbox_of)?;
    Some(Reply::activity(&outbox(world, call, owner)))
}

fn shown(world: &World, server: ServerIx, ix: StatusIx) -> bool {
    world.visible(server, ix, None) && world.is_public(ix)
}

fn status(world: &World, call: &Call, software: Software, ix: StatusIx, address: &str, activity: bool) -> Reply {
    let status = &world.statuses[ix];
    if status.deleted {
        return match (software, activity) {
            (Software::Mitra | Software::Akkoma, true) => Reply::activity(&json!({
                "@context": "https://www.w3.org/ns/activitystreams", "id": status.uri, "type": "Tombstone",
            }))
            .status(410),
            (_, true) => Reply::empty(410),
            (_, false) => Reply::html("<h1>Gone</h1>").status(410),
        };
    }
    if !shown(world, call.server, ix) {
        return Reply::error(404, "Not Found");
    }
    if activity {
        let mut note = note(world, call.server, software, ix);
        note["@context"] = json!(["https://www.w3.org/ns/activitystreams", { "sensitive": "as:sensitive" }]);
        return Reply::activity(&note);
    }
    // The address that is the identity leads people to the one made for them.
    if address == status.uri && status.url != status.uri {
        let to = match software {
            Software::Akkoma => status
                .url
                .strip_prefix(world.servers[call.server].base.as_str())
                .unwrap_or(&status.url),
            _ => &status.url,
        };
        return Reply::redirect(to.to_owned());
    }
    Reply::html(&format!(
        "<link rel=\"alternate\" type=\"application/activity+json\" href=\"{}\">{}",
        status.uri, status.content
    ))
}

fn note(world: &World, server: ServerIx, software: Software, ix: StatusIx) -> Value {
    let status = &world.statuses[ix];
    let author = world.actor_uri(status.author);
    let followers = format!("{author}/followers");
    let mentioned: Vec<_> = status.mentions.iter().map(|who| world.actor_uri(*who)).collect();
    let (to, mut cc) = match status.visibility {
        Visibility::Public => (vec![PUBLIC.to_owned()], vec![followers]),
        _ => (vec![followers], vec![PUBLIC.to_owned()]),
    };
    cc.extend(mentioned.iter().cloned());
    let tags: Vec<_> = status
        .mentions
        .iter()
        .map(|who| json!({ "type": "Mention", "href": world.actor_uri(*who), "name": format!("@{}", world.acct(server, *who)) }))
        .collect();
    let root = status.root;
    let mut out = json!({
        "id": status.uri,
        "type": "Note",
        "summary": null,
        "inReplyTo": status.parent.map(|parent| &world.statuses[parent].uri),
        "published": iso_seconds(status.created_at),
        "updated": status.edited_at.map(iso_seconds),
        "url": (!status.no_url).then_some(&status.url),
        "attributedTo": author,
        "to": to,
        "cc": cc,
        "sensitive": false,
        "conversation": format!("tag:conversation:{root}"),
        "content": status.content,
        "contentMap": { "en": status.content },
        "attachment": [],
        "tag": tags,
    });
    if status.edited_at.is_none() {
        out.as_object_mut().map(|fields| fields.remove("updated"));
    }
    match software {
        Software::Mastodon | Software::MastodonOld => {
            out["replies"] = inline_replies(world, server, ix);
            // Only where the conversation started here does it have an address here.
            if software == Software::Mastodon && world.origin(root) == server {
                out["context"] = json!(conversation_address(world, server, root));
            }
        }
        Software::Akkoma => {
            out["context"] = json!(format!("{}/contexts/{root}", world.servers[server].base));
            let own: Vec<_> = children(world, server, ix, Some(true)).into_iter().take(5).collect();
            if !own.is_empty() {
                out["replies"] = json!({
                    "type": "Collection", "id": format!("{}/replies", status.uri),
                    "items": own.iter().map(|ix| &world.statuses[*ix].uri).collect::<Vec<_>>(),
                });
            }
        }
        Software::Mitra | Software::Other => out["replies"] = json!(format!("{}/replies", status.uri)),
        Software::GoToSocial => {
            let id = format!("{}/replies", status.uri);
            out["replies"] = json!({
                "id": id, "type": "Collection",
                "first": { "id": format!("{id}?page=true"), "type": "CollectionPage", "partOf": id,
                           "next": format!("{id}?page=1") },
            });
        }
    }
    out
}

/// Direct replies that strangers may see, oldest first: the author's own, others', or all.
fn children(world: &World, server: ServerIx, of: StatusIx, own: Option<bool>) -> Vec<StatusIx> {
    let author = world.statuses[of].author;
    let mut found: Vec<_> = world.statuses[of]
        .children
        .iter()
        .copied()
        .filter(|child| shown(world, server, *child))
        .filter(|child| own.is_none_or(|own| (world.statuses[*child].author == author) == own))
        .collect();
    found.sort_unstable_by_key(|child| world.order(server, *child));
    found
}

/// Mastodon embeds up to five of the author's own replies; others' come by `next`.
fn inline_replies(world: &World, server: ServerIx, ix: StatusIx) -> Value {
    let id = format!("{}/replies", world.statuses[ix].uri);
    let own: Vec<_> = children(world, server, ix, Some(true)).into_iter().take(5).collect();
    let next = match own.last().and_then(|last| world.id(server, *last)) {
        Some(last) => format!("{id}?min_id={last}&page=true"),
        None => format!("{id}?only_other_accounts=true&page=true"),
    };
    json!({
        "id": id, "type": "Collection",
        "first": { "type": "CollectionPage", "next": next, "partOf": id,
                   "items": own.iter().map(|ix| &world.statuses[*ix].uri).collect::<Vec<_>>() },
    })
}

/// Local ones in full, others by address.
fn items(world: &World, server: ServerIx, software: Software, found: &[StatusIx]) -> Value {
    found
        .iter()
        .map(|ix| match world.origin(*ix) == server {
            true => note(world, server, software, *ix),
            false => json!(world.statuses[*ix].uri),
        })
        .collect()
}

fn replies(world: &World, call: &Call, software: Software, of: StatusIx) -> Value {
    let id = format!("{}/replies", world.statuses[of].uri);
    match software {
        Software::Mastodon | Software::MastodonOld => mastodon_replies(world, call, software, of, &id),
        _ => plain_replies(world, call, of, &id),
    }
}

fn after(world: &World, server: ServerIx, call: &Call) -> u64 {
    call.param("min_id").map_or(0, |id| {
        let known = world.servers[server].ids.get(id);
        known.map_or_else(|| id.parse().unwrap_or(0), |ix| world.order(server, *ix))
    })
}

fn mastodon_replies(world: &World, call: &Call, software: Software, of: StatusIx, id: &str) -> Value {
    let server = call.server;
    let others = call.flag("only_other_accounts");
    let above = after(world, server, call);
    let found: Vec<_> = children(world, server, of, Some(!others))
        .into_iter()
        .filter(|ix| world.order(server, *ix) > above)
        .take(PAGE)
        .collect();
    let last = found.last().and_then(|ix| world.id(server, *ix));
    let next = match (others, found.len() == PAGE) {
        (true, false) => None,
        (true, true) => last.map(|last| format!("{id}?min_id={last}&only_other_accounts=true&page=true")),
        (false, true) => last.map(|last| format!("{id}?min_id={last}&page=true")),
        (false, false) => Some(format!("{id}?only_other_accounts=true&page=true")),
    };
    let query: Vec<_> = ["min_id", "only_other_accounts"]
        .iter()
        .filter_map(|name| call.param(name).map(|value| format!("{name}={}", escape(value))))
        .chain(["page=true".to_owned()])
        .collect();
    let mut page = json!({
        "id": format!("{id}?{}", query.join("&")), "type": "CollectionPage", "partOf": id,
        "items": items(world, server, software, &found),
    });
    if let Some(next) = next {
        page["next"] = json!(next);
    }
    if call.flag("page") {
        page["@context"] = json!("https://www.w3.org/ns/activitystreams");
        return page;
    }
    json!({ "@context": "https://www.w3.org/ns/activitystreams", "id": id, "type": "Collection", "first": page })
}

/// An ordered collection whose pages are numbered, as the rest of the world has it.
fn plain_replies(world: &World, call: &Call, of: StatusIx, id: &str) -> Value {
    let found = children(world, call.server, of, None);
    let page: usize = call.param("page").and_then(|page| page.parse().ok()).unwrap_or(0);
    if page == 0 {
        return json!({
            "@context": "https://www.w3.org/ns/activitystreams", "id": id, "type": "OrderedCollection",
            "totalItems": found.len(), "first": format!("{id}?page=1"),
        });
    }
    let start = (page - 1).saturating_mul(SMALL_PAGE);
    let uris: Vec<_> = found
        .iter()
        .skip(start)
        .take(SMALL_PAGE)
        .map(|ix| &world.statuses[*ix].uri)
        .collect();
    let more = found.len() > start.saturating_add(SMALL_PAGE);
    let mut out = json!({
        "@context": "https://www.w3.org/ns/activitystreams", "id": format!("{id}?page={page}"),
        "type": "OrderedCollectionPage", "partOf": id, "orderedItems": uris,
    });
    if more {
        out["next"] = json!(format!("{id}?page={}", page + 1));
    } else if uris.len() == 1 {
        // A single item is not always wrapped in a list.
        out["orderedItems"] = json!(uris[0]);
    }
    out
}

/// `https://host/contexts/<account>-<status>`.
fn conversation_address(world: &World, server: ServerIx, root: StatusIx) -> String {
    let there = &world.servers[server];
    let account = &there.accounts[world.statuses[root].author];
    format!(
        "{}/contexts/{account}-{}",
        there.base,
        world.id(server, root).unwrap_or_default()
    )
}

/// All public posts of a conversation that started here.
fn conversation_collection(
    world: &World,
    call: &Call,
    software: Software,
    conversation: &str,
    rest: &[&str],
) -> Option<Reply> {
    let server = call.server;
    let root = *world.servers[server].ids.get(conversation.split_once('-')?.1)?;
    let address = conversation_address(world, server, root);
    let right = software == Software::Mastodon && address.ends_with(conversation) && world.origin(root) == server;
    if !right || !matches!(rest, [] | ["items"]) {
        return None;
    }
    let above = after(world, server, call);
    let mut all: Vec<(u64, StatusIx)> = (root..world.statuses.len())
        .filter(|ix| world.statuses[*ix].root == root && world.knows(server, *ix))
        .map(|ix| (world.order(server, ix), ix))
        .filter(|(order, _)| *order > above)
        .collect();
    all.sort_unstable();
    let shown = all.into_iter().map(|(_, ix)| ix).filter(|ix| shown(world, server, *ix));
    let all: Vec<StatusIx> = shown.take(PAGE).collect();
    let items_address = format!("{address}/items");
    let next = all
        .last()
        .filter(|_| all.len() == PAGE)
        .and_then(|last| world.id(server, *last))
        .map(|last| format!("{items_address}?min_id={last}&page=true"));
    let min_id = call
        .param("min_id")
        .map_or(String::new(), |id| format!("min_id={}&", escape(id)));
    let in_full = !rest.is_empty();
    let mut page = json!({
        "id": format!("{items_address}?{min_id}page=true"), "type": "CollectionPage", "partOf": items_address,
        "items": match in_full {
            true => items(world, server, software, &all),
            false => all.iter().map(|ix| json!(world.statuses[*ix].uri)).collect(),
        },
    });
    if let Some(next) = next {
        page["next"] = json!(next);
    }
    let mut out = match (in_full, call.flag("page")) {
        (true, true) => page,
        (true, false) => json!({ "id": items_address, "type": "Collection", "first": page }),
        (false, _) => json!({
            "id": address, "type": "Collection", "first": page,
            "attributedTo": world.actor_uri(world.statuses[root].author),
        }),
    };
    out["@context"] = json!("https://www.w3.org/ns/activitystreams");
    Some(Reply::activity(&out))
}

fn actor(world: &World, ix: AccountIx) -> Value {
    let who = &world.accounts[ix];
    let id = world.actor_uri(ix);
    json!({
        "@context": ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1"],
        "id": id, "type": if who.bot { "Service" } else { "Person" }, "preferredUsername": who.username,
        "name": who.display_name, "summary": who.note, "url": world.profile_url(ix),
        "inbox": format!("{id}/inbox"), "outbox": format!("{id}/outbox"), "followers": format!("{id}/followers"),
        "following": format!("{id}/following"), "manuallyApprovesFollowers": who.locked,
        "discoverable": who.discoverable, "indexable": who.indexable,
        "published": who.created_at.format("%Y-%m-%dT00:00:00Z").to_string(),
    })
}

fn outbox(world: &World, call: &Call, owner: AccountIx) -> Value {
    let server = call.server;
    let id = format!("{}/outbox", world.actor_uri(owner));
    let mut all: Vec<_> = world.accounts[owner]
        .statuses
        .iter()
        .copied()
        .filter(|ix| shown(world, server, *ix))
        .collect();
    all.sort_unstable_by_key(|ix| std::cmp::Reverse(world.order(server, *ix)));
    if !call.flag("page") {
        return json!({
            "@context": "https://www.w3.org/ns/activitystreams", "id": id, "type": "OrderedCollection",
            "totalItems": all.len(), "first": format!("{id}?page=true"), "last": format!("{id}?min_id=0&page=true"),
        });
    }
    let below = call.param("max_id").and_then(|id| world.servers[server].ids.get(id));
    let below = below.map_or(u64::MAX, |ix| world.order(server, *ix));
    let found: Vec<_> = all
        .into_iter()
        .filter(|ix| world.order(server, *ix) < below)
        .take(SMALL_PAGE)
        .collect();
    let activities: Vec<_> = found
        .iter()
        .map(|ix| {
            let status = &world.statuses[*ix];
            if let Some(of) = status.boost_of {
                return json!({ "id": format!("{}/activity", status.uri), "type": "Announce",
                    "actor": world.actor_uri(owner), "published": iso_seconds(status.created_at), "to": [PUBLIC],
                    "object": world.statuses[of].uri });
            }
            json!({ "id": format!("{}/activity", status.uri), "type": "Create", "actor": world.actor_uri(owner),
                    "published": iso_seconds(status.created_at), "to": [PUBLIC],
                    "object": { "id": status.uri, "type": "Note", "attributedTo": world.actor_uri(owner),
                                "url": status.url, "content": status.content, "to": [PUBLIC],
                                "inReplyTo": status.parent.map(|parent| &world.statuses[parent].uri),
                                "published": iso_seconds(status.created_at) } })
        })
        .collect();
    let mut out = json!({
        "@context": "https://www.w3.org/ns/activitystreams", "id": format!("{id}?page=true"),
        "type": "OrderedCollectionPage", "partOf": id, "orderedItems": activities,
    });
    if let Some(last) = found.last().filter(|_| found.len() == SMALL_PAGE) {
        out["next"] = json!(format!(
            "{id}?max_id={}&page=true",
            world.id(server, *last).unwrap_or_default()
        ));
    }
    out
}
