//! What `me` writes, marks and is told of, with all that a status may carry: warnings, pictures, polls, quotes, edits.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::clock::iso;
use crate::world::{AccountIx, Draft, HOME, StatusIx, Visibility, World};
use crate::{Fediverse, Writer, clock, render};

/// Everything around the statuses of `me` that the rest of the world has no use for.
#[derive(Debug, Default)]
pub(crate) struct Diary {
    /// Fields that a status has instead of the plain ones.
    pub(crate) extras: HashMap<StatusIx, Value>,
    /// Versions before the one that stands, oldest first, as `StatusEdit`s.
    pub(crate) past: HashMap<StatusIx, Vec<Value>>,
    /// Notifications that show a status: which, of what type, when.
    pub(crate) told: BTreeMap<u64, (StatusIx, &'static str, DateTime<Utc>)>,
    /// Conversations by the order of their last status: id and that status.
    pub(crate) conversations: BTreeMap<u64, (u64, StatusIx)>,
    /// Files of home by path: type and bytes, which are text here.
    pub(crate) files: HashMap<String, (String, String)>,
}

impl Diary {
    /// Puts a status's own fields over the plain ones.
    pub(crate) fn dress(&self, ix: StatusIx, out: &mut Value) {
        for (name, value) in self.extras.get(&ix).and_then(Value::as_object).into_iter().flatten() {
            out[name] = value.clone();
        }
    }

    /// All versions of a status, oldest first.
    pub(crate) fn history(world: &World, ix: StatusIx) -> Vec<Value> {
        let mut versions = world.diary.past.get(&ix).cloned().unwrap_or_default();
        versions.push(edit(world, ix));
        versions
    }
}

/// A status as it stands, as a `StatusEdit`.
fn edit(world: &World, ix: StatusIx) -> Value {
    let shown = render::status(world, HOME, ix, None);
    let since = shown["edited_at"].as_str().or(shown["created_at"].as_str());
    let mut out = json!({ "created_at": since });
    for name in [
        "content",
        "spoiler_text",
        "sensitive",
        "account",
        "media_attachments",
        "emojis",
        "poll",
        "quote",
    ] {
        out[name] = shown[name].clone();
    }
    out
}

impl Fediverse {
    /// `me` posts, with these fields instead of the plain ones (`visibility` counts). Gives the uri.
    pub fn post(&self, text: &str, at: DateTime<Utc>, fields: Value) -> String {
        let mut world = self.state.world();
        let author = world.me;
        write(&mut world, author, None, text, at, fields)
    }

    /// `me` boosts a status, which home learns if need be.
    pub fn boost_it(&self, uri: &str, at: DateTime<Utc>) -> String {
        let mut world = self.state.world();
        let of = Self::find(&world, uri);
        world.learn(HOME, of);
        let me = world.me;
        self.gardener().boost(&mut world, of, me, at);
        let wrapper = world.accounts[me].statuses.last().copied().unwrap_or(of);
        world.statuses[wrapper].uri.clone()
    }

    /// Somebody posts something that home gets and `me` is told of: as a `mention`, a `poll` that ended, … Gives the
    /// uri.
    pub fn tell(&self, writer: &Writer, kind: &'static str, text: &str, at: DateTime<Utc>) -> String {
        let mut world = self.state.world();
        let uri = write(&mut world, writer.account, None, text, at, json!({}));
        let ix = Self::find(&world, &uri);
        world.learn(HOME, ix);
        let row = world.row();
        world.diary.told.insert(row, (ix, kind, at));
        uri
    }

    /// A direct message from somebody (`None`: from `me`), maybe as an answer to one. Gives the uri.
    pub fn whisper(&self, from: Option<&Writer>, to: Option<&str>, text: &str, at: DateTime<Utc>) -> String {
        let mut world = self.state.world();
        let me = world.me;
        let parent = to.map(|uri| Self::find(&world, uri));
        let author = from.map_or(me, |writer| writer.account);
        let uri = write(&mut world, author, parent, text, at, json!({ "visibility": "direct" }));
        let ix = Self::find(&world, &uri);
        if author != me && !world.statuses[ix].mentions.contains(&me) {
            world.statuses[ix].mentions.push(me);
        }
        world.learn(HOME, ix);
        let root = world.statuses[ix].root;
        let before = world
            .diary
            .conversations
            .iter()
            .find(|(_, (_, last))| world.statuses[*last].root == root);
        let before = before.map(|(order, (id, _))| (*order, *id));
        let id = match before {
            Some((order, id)) => {
                world.diary.conversations.remove(&order);
                id
            }
            None => world.row(),
        };
        let order = world.order(HOME, ix);
        world.diary.conversations.insert(order, (id, ix));
        uri
    }

    /// A status says something else from now on; what it said is its history.
    pub fn edit_to(&self, uri: &str, text: &str, at: DateTime<Utc>, fields: Value) {
        let mut world = self.state.world();
        let ix = Self::find(&world, uri);
        let before = edit(&world, ix);
        world.diary.past.entry(ix).or_default().push(before);
        world.statuses[ix].content = format!("<p>{text}</p>");
        world.statuses[ix].edited_at = Some(at);
        let extras = world.diary.extras.entry(ix).or_insert_with(|| json!({}));
        for (name, value) in fields.as_object().into_iter().flatten() {
            extras[name] = value.clone();
        }
    }

    /// Votes of a status's poll changed, or it ended: no edit.
    pub fn edit_poll(&self, uri: &str, fields: Value) {
        let mut world = self.state.world();
        let ix = Self::find(&world, uri);
        world.diary.extras.insert(ix, fields);
    }

    /// A file at home, by its path; gives the address. What it holds is text.
    pub fn file(&self, path: &str, content_type: &str, text: &str) -> String {
        let mut world = self.state.world();
        let file = (content_type.to_owned(), text.to_owned());
        world.diary.files.insert(path.to_owned(), file);
        format!("{}{path}", world.servers[HOME].base)
    }

    /// `me` takes a favourite or bookmark back.
    pub fn unmark(&self, uri: &str) {
        let mut world = self.state.world();
        let ix = Self::find(&world, uri);
        world.favourites.retain(|_, marked| *marked != ix);
        world.bookmarks.retain(|_, marked| *marked != ix);
    }

    /// A chain of replies at home, each to the one before, the last of them by `me`. Gives the uris, root first.
    pub fn chain(&self, writer: &Writer, length: usize) -> Vec<String> {
        let mut world = self.state.world();
        let begin = clock::now() - chrono::TimeDelta::days(2);
        let mut uris: Vec<String> = Vec::with_capacity(length);
        for n in 0..length {
            let author = if n + 1 == length { world.me } else { writer.account };
            let parent = uris.last().map(|uri| Self::find(&world, uri));
            let at = begin + chrono::TimeDelta::seconds(i64::try_from(n).unwrap_or(0));
            let uri = write(&mut world, author, parent, &format!("link {n}"), at, json!({}));
            let ix = Self::find(&world, &uri);
            world.learn(HOME, ix);
            uris.push(uri);
        }
        uris
    }
}

fn write(
    world: &mut World,
    author: AccountIx,
    parent: Option<StatusIx>,
    text: &str,
    at: DateTime<Utc>,
    fields: Value,
) -> String {
    let visibility = match fields["visibility"].as_str() {
        Some("unlisted") => Visibility::Unlisted,
        Some("private") => Visibility::Private,
        Some("direct") => Visibility::Direct,
        _ => Visibility::Public,
    };
    let low = u16::try_from(world.statuses.len() & 0xffff).unwrap_or(0);
    let content = format!("<p>{text}</p>");
    let ix = world.post(Draft {
        author,
        created_at: at,
        parent,
        visibility,
        content,
        low,
    });
    world.diary.extras.insert(ix, fields);
    world.statuses[ix].uri.clone()
}

/// A notification that shows a status.
pub(crate) fn notification(world: &World, row: u64, told: (StatusIx, &'static str, DateTime<Utc>)) -> Value {
    let (ix, kind, at) = told;
    json!({ "id": row.to_string(), "type": kind, "created_at": iso(at), "group_key": format!("ungrouped-{row}"),
            "account": render::account(world, HOME, world.statuses[ix].author),
            "status": render::status(world, HOME, ix, Some(world.me)) })
}
