//! Accounts with a history: people of other servers, what they posted, and what they are to `me`.

use chrono::{DateTime, TimeDelta, Utc};

use crate::world::{AccountIx, Draft, HOME, List, Visibility, World};
use crate::{Fediverse, clock, seed};

/// Somebody on an origin.
#[derive(Debug, Clone)]
pub struct Writer {
    pub(crate) account: AccountIx,
    /// As home spells it.
    pub acct: String,
    /// Address of the profile.
    pub url: String,
    /// Uris of the public posts, oldest first.
    pub posts: Vec<String>,
}

/// What a writer is like.
#[derive(Debug, Clone)]
pub struct Profile {
    /// The bio.
    pub note: String,
    /// Wants to be found.
    pub discoverable: Option<bool>,
    /// Lets posts be searched.
    pub indexable: bool,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            note: "<p>hello</p>".to_owned(),
            discoverable: Some(true),
            indexable: true,
        }
    }
}

impl Fediverse {
    /// Adds somebody on an origin who posted this often, an hour apart and the last time a day ago; home has the
    /// oldest `known` of it.
    pub fn writer(&self, origin: usize, posts: usize, known: usize) -> Writer {
        self.writer_like(origin, posts, known, Profile::default())
    }

    /// The same, of another kind.
    pub fn writer_like(&self, origin: usize, posts: usize, known: usize, profile: Profile) -> Writer {
        let mut world = self.state.world();
        let now = clock::now();
        let name = format!("writer{}", world.accounts.len());
        let mut account = seed::account(origin + 1, &name, now - TimeDelta::days(400));
        account.note = profile.note;
        account.discoverable = profile.discoverable;
        account.indexable = profile.indexable;
        account.numeric = false;
        let account = world.add_account(account);
        let mut uris = Vec::new();
        for n in 0..posts {
            let hours = i64::try_from(posts - n).unwrap_or(0) + 24;
            let uri = write(&mut world, account, now - TimeDelta::hours(hours), Visibility::Public);
            if n < known {
                let ix = Self::find(&world, &uri);
                world.learn(HOME, ix);
            }
            uris.push(uri);
        }
        Writer {
            acct: world.acct(HOME, account),
            url: world.profile_url(account),
            account,
            posts: uris,
        }
    }

    /// Somebody posts, which home does not hear of. Gives the uri.
    pub fn write(&self, writer: &Writer, at: DateTime<Utc>) -> String {
        write(&mut self.state.world(), writer.account, at, Visibility::Public)
    }

    /// The same for followers only.
    pub fn write_privately(&self, writer: &Writer, at: DateTime<Utc>) -> String {
        write(&mut self.state.world(), writer.account, at, Visibility::Private)
    }

    /// Somebody boosts a status on their own server, which home does not hear of.
    pub fn boost_there(&self, writer: &Writer, uri: &str) {
        let mut world = self.state.world();
        let of = Self::find(&world, uri);
        let boost = write(&mut world, writer.account, clock::now(), Visibility::Public);
        let ix = Self::find(&world, &boost);
        world.statuses[ix].boost_of = Some(of);
    }

    /// Somebody pins one of their posts, on their own server.
    pub fn pin(&self, uri: &str) {
        let mut world = self.state.world();
        let ix = Self::find(&world, uri);
        world.pinned.insert(ix);
    }

    /// `me` follows somebody.
    pub fn follow(&self, writer: &Writer) {
        self.state.world().followed.push(writer.account);
    }

    /// Somebody follows `me`.
    pub fn followed_by(&self, writer: &Writer) {
        self.state.world().followers.push(writer.account);
    }

    /// `me` has a list of these people. Titles may repeat, as on any server.
    pub fn list(&self, title: &str, people: &[&Writer]) {
        let mut world = self.state.world();
        let id = world.row();
        world.lists.push(List {
            id,
            title: title.to_owned(),
            members: people.iter().map(|person| person.account).collect(),
        });
    }

    /// Somebody asks to follow `me`.
    pub fn asked_by(&self, writer: &Writer) {
        self.state.world().requests.push(writer.account);
    }

    /// Somebody did something that `me` is told of.
    pub fn notify(&self, writer: &Writer, at: DateTime<Utc>) {
        let mut world = self.state.world();
        let row = world.row();
        world.notices.insert(row, (writer.account, at));
    }

    /// A status of home's timeline names somebody.
    pub fn mention(&self, uri: &str, writer: &Writer) {
        let mut world = self.state.world();
        let ix = Self::find(&world, uri);
        world.statuses[ix].mentions.push(writer.account);
    }

    /// Puts somebody on the first list of `me`.
    pub fn enlist(&self, writer: &Writer) {
        let mut world = self.state.world();
        if let Some(list) = world.lists.first_mut() {
            list.members.push(writer.account);
        }
    }
}

fn write(world: &mut World, author: AccountIx, at: DateTime<Utc>, visibility: Visibility) -> String {
    let low = u16::try_from(world.statuses.len() & 0xffff).unwrap_or(0);
    let ix = world.post(Draft {
        author,
        created_at: at,
        parent: None,
        visibility,
        content: "<p>one of many</p>".to_owned(),
        low,
    });
    world.statuses[ix].uri.clone()
}
