//! Accounts and statuses as the Mastodon API of any server spells them.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::clock::iso;
use crate::users::{Role, User};
use crate::world::{AccountIx, HOME, Kind, ServerIx, StatusIx, World};

/// An Account.
pub(crate) fn account(world: &World, viewer: ServerIx, ix: AccountIx) -> Value {
    let who = &world.accounts[ix];
    let server = &world.servers[viewer];
    let base = &server.base;
    let known = who.statuses.iter().filter(|status| world.knows(viewer, **status));
    let last = known.clone().map(|status| world.statuses[*status].created_at).max();
    let suspended = viewer == HOME && world.account_suspended(ix);
    let text = |text: &str| {
        if suspended { String::new() } else { text.to_owned() }
    };
    let mut out = json!({
        "id": server.accounts[ix],
        "username": who.username,
        "acct": world.acct(viewer, ix),
        "display_name": text(&who.display_name),
        "locked": who.locked,
        "bot": who.bot,
        "discoverable": who.discoverable,
        "indexable": who.indexable,
        "group": false,
        "created_at": who.created_at.format("%Y-%m-%dT00:00:00.000Z").to_string(),
        "note": text(&who.note),
        "url": world.profile_url(ix),
        "uri": world.actor_uri(ix),
        "avatar": format!("{base}/avatars/original/missing.png"),
        "avatar_static": format!("{base}/avatars/original/missing.png"),
        "avatar_description": "",
        "header": format!("{base}/headers/original/missing.png"),
        "header_static": format!("{base}/headers/original/missing.png"),
        "header_description": "",
        "followers_count": 40 + ix * 7 % 900,
        "following_count": 20 + ix * 13 % 400,
        "statuses_count": known.count(),
        "last_status_at": last.map(|at| at.format("%Y-%m-%d").to_string()),
        "hide_collections": false,
        "show_media": true,
        "show_media_replies": true,
        "show_featured": true,
        "emojis": [],
        "fields": [],
    });
    let local = who.server == viewer;
    match server.kind {
        Kind::Mastodon if local => {
            out["noindex"] = json!(!who.indexable);
            let role = world
                .users
                .get(&ix)
                .map(|user| &user.role)
                .filter(|role| role.highlighted);
            let shown = role.map(|role| json!({ "id": role.id.to_string(), "name": role.name, "color": "" }));
            out["roles"] = shown.into_iter().collect();
        }
        Kind::Akkoma => {
            for missing in ["indexable", "discoverable", "uri", "hide_collections", "group"] {
                out.as_object_mut().map(|fields| fields.remove(missing));
            }
            out["pleroma"] = json!({ "is_admin": false, "ap_id": world.actor_uri(ix), "relationship": {} });
        }
        Kind::Mitra => {
            out["actor_id"] = json!(world.actor_uri(ix));
        }
        _ => {}
    }
    if suspended {
        out["suspended"] = json!(true);
    }
    if viewer == HOME && who.silenced {
        out["limited"] = json!(true);
    }
    out
}

/// A Status, as `reader` (a user of `viewer`) or a stranger sees it.
pub(crate) fn status(world: &World, viewer: ServerIx, ix: StatusIx, reader: Option<AccountIx>) -> Value {
    with_author(world, viewer, ix, reader, &mut |author| account(world, viewer, author))
}

fn with_author(
    world: &World,
    viewer: ServerIx,
    ix: StatusIx,
    reader: Option<AccountIx>,
    account: &mut dyn FnMut(AccountIx) -> Value,
) -> Value {
    let status = &world.statuses[ix];
    let server = &world.servers[viewer];
    let parent = status.parent.filter(|parent| world.knows(viewer, *parent));
    let replies = status
        .children
        .iter()
        .filter(|child| world.knows(viewer, **child) && !world.statuses[**child].deleted)
        .count();
    let local = world.origin(ix) == viewer;
    let mentions: Vec<_> = status
        .mentions
        .iter()
        .map(|who| {
            json!({
                "id": server.accounts[*who],
                "username": world.accounts[*who].username,
                "url": world.profile_url(*who),
                "acct": world.acct(viewer, *who),
            })
        })
        .collect();
    let in_timeline_of_boosts = world.statuses[ix].boost_of;
    let mut out = json!({
        "id": world.id(viewer, ix),
        "created_at": iso(status.created_at),
        "in_reply_to_id": parent.and_then(|parent| world.id(viewer, parent)),
        "in_reply_to_account_id": status.parent.map(|parent| &server.accounts[world.statuses[parent].author]),
        "sensitive": false,
        "spoiler_text": "",
        "visibility": status.visibility.as_str(),
        "language": "en",
        "uri": status.uri,
        "url": (!status.no_url).then_some(&status.url),
        "replies_count": replies,
        "reblogs_count": 0,
        "favourites_count": 0,
        "quotes_count": 0,
        "edited_at": status.edited_at.map(iso),
        "content": if in_timeline_of_boosts.is_some() { "" } else { &status.content },
        "reblog": in_timeline_of_boosts.map(|original| self::status(world, viewer, original, reader)),
        "account": account(status.author),
        "media_attachments": [],
        "mentions": mentions,
        "tags": [],
        "emojis": [],
        "tagged_collections": [],
        "quote": null,
        "card": null,
        "poll": null,
        "quote_approval": { "automatic": ["public"], "manual": [], "current_user": "automatic" },
    });
    if local && viewer == HOME {
        out["application"] = json!({ "name": "Web", "website": null });
    }
    if status.local_only {
        out["local_only"] = json!(true);
    }
    if let Some(reader) = reader {
        out["favourited"] = json!(reader == world.me && world.favourites.values().any(|s| *s == ix));
        out["reblogged"] = json!(false);
        out["muted"] = json!(false);
        out["bookmarked"] = json!(reader == world.me && world.bookmarks.values().any(|s| *s == ix));
        out["filtered"] = json!([]);
        if reader == status.author {
            out["pinned"] = json!(false);
        }
    }
    match server.kind {
        Kind::Akkoma => {
            for missing in ["filtered", "quote_approval", "quotes_count", "tagged_collections"] {
                out.as_object_mut().map(|fields| fields.remove(missing));
            }
            out["pleroma"] = json!({
                "local": local,
                "conversation_id": status.root,
                "direct_conversation_id": null,
                "in_reply_to_account_acct": status.parent.map(|p| world.acct(viewer, world.statuses[p].author)),
                "context": format!("{}/contexts/{}", server.base, status.root),
            });
            out["edited_at"] = json!(status.edited_at.map(iso));
        }
        Kind::Mitra => {
            out.as_object_mut().map(|fields| fields.remove("filtered"));
            out["conversation"] = json!(status.root);
        }
        _ => {}
    }
    world.diary.dress(ix, &mut out);
    out
}

/// Many of them.
pub(crate) fn statuses(world: &World, viewer: ServerIx, found: &[StatusIx], reader: Option<AccountIx>) -> Value {
    // An account counts its statuses: once is enough where thousands of them are shown.
    let mut authors: HashMap<AccountIx, Value> = HashMap::new();
    let mut author = |ix| {
        let shown = authors.entry(ix).or_insert_with(|| account(world, viewer, ix));
        shown.clone()
    };
    found
        .iter()
        .map(|ix| with_author(world, viewer, *ix, reader, &mut author))
        .collect()
}

/// An Account as the admin API has it.
pub(crate) fn admin_account(world: &World, ix: AccountIx) -> Value {
    let who = &world.accounts[ix];
    let local = who.server == HOME;
    let user = world.users.get(&ix);
    let fact = |value: Value| if local { value } else { Value::Null };
    let of_user = |read: &dyn Fn(&User) -> Value| user.map_or(Value::Null, read);
    let mut out = json!({
        "id": world.servers[HOME].accounts[ix],
        "username": who.username,
        "domain": (!local).then(|| world.servers[who.server].host.clone()),
        "created_at": iso(who.created_at),
        "email": of_user(&|user| json!(user.email)),
        "ip": of_user(&|user| json!(user.ips.first().map(|(ip, _)| ip))),
        "confirmed": of_user(&|user| json!(user.confirmed)),
        "suspended": world.account_suspended(ix),
        "silenced": who.silenced,
        "sensitized": who.sensitized,
        "disabled": of_user(&|user| json!(user.disabled)),
        "approved": of_user(&|user| json!(user.approved)),
        "locale": of_user(&|user| json!(user.locale)),
        "invite_request": of_user(&|user| json!(user.invite_request)),
        "ips": of_user(&|user| {
            let seen = user.ips.iter().map(|(ip, at)| json!({ "ip": ip, "used_at": iso(*at) }));
            seen.collect()
        }),
        "account": account(world, HOME, ix),
        "role": fact(role_of(world, ix)),
    });
    if let Some(app) = user.and_then(|user| user.created_by_application_id.as_ref()) {
        out["created_by_application_id"] = json!(app);
    }
    if let Some(by) = user.and_then(|user| user.invited_by) {
        out["invited_by_account_id"] = json!(world.servers[HOME].accounts[by]);
    }
    out
}

/// A user's Role.
pub(crate) fn role_of(world: &World, ix: AccountIx) -> Value {
    let everyone = Role::everyone();
    let role = world.users.get(&ix).map_or(&everyone, |user| &user.role);
    json!({
        "id": role.id.to_string(), "name": role.name, "permissions": role.computed().to_string(), "color": "",
        "highlighted": role.highlighted, "collection_limit": 10,
    })
}
