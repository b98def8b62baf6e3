//! Makes a fediverse from a scenario: the same one each time, but for ports and the time it starts.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, SeedableRng};

use crate::applicants;
use crate::scenario::{Giant, Scenario, Software};
use crate::shapes;
use crate::users::{Role, User};
use crate::words;
use crate::world::{Account, AccountIx, Draft, HOME, Kind, List, Server, ServerIx, StatusIx, Visibility, World};

/// Accounts on each origin.
const PEOPLE: usize = 12;
/// Home's users: `me` and these.
const LOCALS: [&str; 6] = ["me", "tove", "anselm", "birgit", "cosima", "dmitri"];
/// Who else signs in there: with the names of their roles and what these let them do. They post nothing.
const STAFF: [(&str, &str, u64); 3] = [
    ("admin", "Owner", 0x1),
    ("mod", "Gardener", 0x410),
    ("pretender", "Admin", 0),
];
/// Nothing of the scenario is younger: home fetches no replies to a post of less than 5 minutes.
const YOUNGEST: TimeDelta = TimeDelta::minutes(6);

/// Grows threads; keeps the dice.
#[derive(Debug)]
pub(crate) struct Gardener {
    rng: StdRng,
}

pub(crate) fn kind(software: Software) -> Kind {
    match software {
        Software::Mastodon | Software::MastodonOld => Kind::Mastodon,
        Software::Akkoma => Kind::Akkoma,
        Software::Mitra => Kind::Mitra,
        Software::GoToSocial => Kind::GoToSocial,
        Software::Other => Kind::Other,
    }
}

/// A server without anybody on it.
pub(crate) fn server(base: String, kind: Kind) -> Server {
    Server {
        host: base.trim_start_matches("http://").to_owned(),
        base,
        kind,
        copies: Default::default(),
        ids: Default::default(),
        account_ids: Default::default(),
        accounts: Vec::new(),
        orders: HashSet::new(),
        robots: None,
    }
}

/// Somebody of whom there is nothing to say yet.
pub(crate) fn account(server: ServerIx, username: &str, created_at: DateTime<Utc>) -> Account {
    Account {
        server,
        username: username.to_owned(),
        display_name: String::new(),
        note: String::new(),
        created_at,
        locked: false,
        bot: false,
        discoverable: None,
        indexable: false,
        numeric: true,
        statuses: Vec::new(),
        silenced: false,
        sensitized: false,
        suspended: false,
        gone: false,
    }
}

/// Settles people and plants all threads of a scenario.
pub(crate) fn plant(scenario: &Scenario, servers: Vec<Server>, now: DateTime<Utc>) -> (World, Gardener) {
    let mut world = World::new(servers);
    let mut gardener = Gardener {
        rng: StdRng::seed_from_u64(scenario.seed),
    };
    gardener.settle(&mut world, scenario, now);
    let count = scenario.threads;
    let sizes = gardener.sizes(count, scenario.replies);
    let youngest = if scenario.giant.is_some() { 180.0 } else { 15.0 };
    let oldest = 4.0 * 24.0 * 60.0;
    for (n, size) in sizes.into_iter().enumerate() {
        // Ages in a geometric row: many of today, some of days ago.
        let step = (count - 1 - n) as f64 / count.max(1) as f64;
        let minutes = youngest * f64::powf(oldest / youngest, step);
        let at = now - TimeDelta::milliseconds((minutes * 60_000.0) as i64);
        let origins = scenario.origins.len();
        let origin = if origins == 0 {
            HOME
        } else {
            1 + gardener.rng.random_range(0..origins)
        };
        let giant = scenario.giant.filter(|_| n + 1 == count);
        gardener.thread(
            &mut world,
            scenario,
            Plan {
                origin,
                at,
                until: now - YOUNGEST,
                size,
                giant,
            },
        );
    }
    gardener.lists(&mut world);
    if scenario.oddities {
        gardener.oddities(&mut world, now);
    }
    world.missing_at_start = missing(&world);
    world.arrived = 0;
    (world, gardener)
}

/// Public replies of threads that home could have and has not.
pub(crate) fn missing(world: &World) -> usize {
    world
        .threads
        .iter()
        .flat_map(|root| world.descendants(world.origin(*root), *root, None, usize::MAX, usize::MAX))
        .filter(|ix| world.is_public(*ix) && !world.statuses[*ix].deleted && !world.knows(HOME, *ix))
        .count()
}

/// One thread to grow.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) origin: ServerIx,
    pub(crate) at: DateTime<Utc>,
    pub(crate) until: DateTime<Utc>,
    pub(crate) size: usize,
    pub(crate) giant: Option<Giant>,
}

impl Gardener {
    fn settle(&mut self, world: &mut World, scenario: &Scenario, now: DateTime<Utc>) {
        for (n, name) in LOCALS.iter().enumerate() {
            let (_, display_name) = words::name(&mut self.rng, n);
            let ix = self.person(world, HOME, (*name).to_owned(), display_name, now);
            world.users.insert(ix, User::settled(name, Role::everyone()));
            world.local_users.push(ix);
        }
        world.me = world.local_users[0];
        for origin in 1..=scenario.origins.len() {
            for n in 0..PEOPLE {
                let (username, display_name) = words::name(&mut self.rng, n);
                self.person(world, origin, username, display_name, now);
            }
        }
        // Last, so that nobody else is another person for it.
        for (n, (name, role, permissions)) in STAFF.into_iter().enumerate() {
            let ix = world.add_account(account(HOME, name, now - TimeDelta::days(4000 - n as i64)));
            let role = Role::named(3 + n as i64, role, permissions);
            world.users.insert(ix, User::settled(name, role));
        }
        applicants::queue(world, scenario.applicants, now);
    }

    fn person(
        &mut self,
        world: &mut World,
        server: ServerIx,
        username: String,
        display_name: String,
        now: DateTime<Utc>,
    ) -> AccountIx {
        let days = self.rng.random_range(60..3000);
        let note = words::bio(&mut self.rng);
        let mastodon = world.servers[server].kind == Kind::Mastodon;
        world.add_account(Account {
            server,
            username,
            display_name,
            note,
            created_at: now - TimeDelta::days(days),
            locked: self.rng.random_bool(0.1),
            bot: self.rng.random_bool(0.03),
            discoverable: [Some(true), Some(true), Some(false), None][self.rng.random_range(0..4)],
            indexable: self.rng.random_bool(0.7),
            numeric: mastodon && self.rng.random_bool(0.3),
            statuses: Vec::new(),
            ..account(server, "", now)
        })
    }

    fn someone(&mut self, world: &World, server: ServerIx) -> AccountIx {
        let there: Vec<_> = (0..world.accounts.len())
            .filter(|ix| world.accounts[*ix].server == server)
            .collect();
        there.choose(&mut self.rng).copied().unwrap_or(world.me)
    }

    /// Most threads are small and a few are large; together they have exactly `total`.
    fn sizes(&mut self, count: usize, total: usize) -> Vec<usize> {
        let weights: Vec<f64> = (0..count)
            .map(|_| self.rng.random_range(0.05_f64..1.0).powf(-0.8))
            .collect();
        let sum: f64 = weights.iter().sum();
        let mut sizes: Vec<usize> = weights.iter().map(|w| (w / sum * total as f64) as usize).collect();
        let rest = total.saturating_sub(sizes.iter().sum());
        for n in 0..rest {
            if count > 0 {
                sizes[n % count] += 1;
            }
        }
        sizes
    }

    /// Grows one thread into home's timeline, and tells home and the origins what they know of it.
    pub(crate) fn thread(&mut self, world: &mut World, scenario: &Scenario, plan: Plan) -> StatusIx {
        let author = self.someone(world, plan.origin);
        let content = words::opening(&mut self.rng);
        let root = self.post(world, author, plan.at, None, content);
        world.learn(HOME, root);
        if !world.followed.contains(&author) {
            world.followed.push(author);
        }
        world.enter_timeline(root);
        world.threads.push(root);
        let shape = match plan.giant {
            Some(giant) => shapes::giant(&mut self.rng, giant),
            None => shapes::grow(&mut self.rng, scenario.trees, plan.size),
        };
        let mut nodes = vec![root];
        let span = (plan.until - plan.at).num_milliseconds().max(1000) as f64;
        let total = shape.len() as f64;
        let mut locals = Vec::new();
        let local_at = (shape.len() >= 10 && scenario.known > 0.0 && self.rng.random_bool(0.3))
            .then(|| self.rng.random_range(shape.len() / 2..shape.len()));
        for (n, parent) in shape.iter().enumerate() {
            let at = plan.at + TimeDelta::milliseconds((span * ((n + 1) as f64 / (total + 1.0)).powf(1.4)) as i64);
            let mut parent = nodes[*parent];
            let mut author = self.replier(world, scenario, parent, root);
            if local_at == Some(n) {
                author = world.local_users[self.rng.random_range(1..LOCALS.len())];
                locals.push(nodes.len());
            } else if world.origin(parent) == HOME {
                // Home hears of answers to its own users, so they are no use here.
                parent = root;
            }
            let content = words::answer(&mut self.rng);
            let reply = self.post(world, author, at, Some(parent), content);
            self.tell_origins(world, reply);
            nodes.push(reply);
        }
        for local in &locals {
            world.learn_upwards(HOME, nodes[*local]);
        }
        self.tell_home(world, &nodes[1..], scenario.known);
        root
    }

    fn post(
        &mut self,
        world: &mut World,
        author: AccountIx,
        created_at: DateTime<Utc>,
        parent: Option<StatusIx>,
        content: String,
    ) -> StatusIx {
        let low = self.rng.random();
        let visibility = match parent.is_some() && self.rng.random_bool(0.15) {
            true => Visibility::Unlisted,
            false => Visibility::Public,
        };
        world.post(Draft {
            author,
            created_at,
            parent,
            visibility,
            content,
            low,
        })
    }

    /// Who answers: anybody anywhere, sometimes the author of the thread.
    fn replier(&mut self, world: &World, scenario: &Scenario, parent: StatusIx, root: StatusIx) -> AccountIx {
        let author = world.statuses[root].author;
        if self.rng.random_bool(0.08) || (parent != root && self.rng.random_bool(0.06)) {
            return author;
        }
        let origins = scenario.origins.len().max(1);
        let server = if self.rng.random_bool(0.25) || scenario.origins.is_empty() {
            world.origin(root)
        } else {
            1 + self.rng.random_range(0..origins)
        };
        self.someone(world, server)
    }

    /// A reply reaches its own server, its parent's and the root's, with what it answers.
    pub(crate) fn tell_origins(&mut self, world: &mut World, reply: StatusIx) {
        let root = world.statuses[reply].root;
        let mut servers = vec![world.origin(reply), world.origin(root)];
        servers.extend(world.statuses[reply].parent.map(|parent| world.origin(parent)));
        for server in servers {
            world.learn(server, reply);
            let mut next = world.statuses[reply].parent;
            while let Some(ix) = next {
                if !world.learn(server, ix) {
                    break;
                }
                next = world.statuses[ix].parent;
            }
        }
    }

    /// Home gets its share, ancestors first.
    fn tell_home(&mut self, world: &mut World, replies: &[StatusIx], share: f64) {
        let target = (replies.len() as f64 * share.clamp(0.0, 1.0)).round() as usize;
        let mut have = replies.iter().filter(|ix| world.knows(HOME, **ix)).count();
        let mut order = replies.to_vec();
        order.shuffle(&mut self.rng);
        for ix in order {
            let mut chain = 0;
            let mut next = Some(ix);
            while let Some(at) = next.filter(|at| !world.knows(HOME, *at)) {
                chain += 1;
                next = world.statuses[at].parent;
            }
            if have + chain <= target {
                have += world.learn_upwards(HOME, ix);
            }
        }
    }

    fn lists(&mut self, world: &mut World) {
        for title in ["Neighbours", "Work"] {
            let members: Vec<_> = world
                .followed
                .iter()
                .copied()
                .filter(|_| self.rng.random_bool(0.3))
                .collect();
            let id = world.row();
            world.lists.push(List {
                id,
                title: title.to_owned(),
                members,
            });
        }
    }

    /// What real timelines hold besides: see `Scenario::oddities`.
    fn oddities(&mut self, world: &mut World, now: DateTime<Utc>) {
        let remote: Vec<_> = (0..world.accounts.len())
            .filter(|ix| world.accounts[*ix].server != HOME)
            .collect();
        let odd = [
            (Visibility::Private, "<p>For followers only: I am moving house.</p>"),
            (Visibility::Direct, "<p>@me between us: the key is under the mat.</p>"),
        ];
        for (n, (visibility, text)) in odd.into_iter().enumerate() {
            let Some(author) = remote.choose(&mut self.rng).copied() else {
                continue;
            };
            let at = now - TimeDelta::minutes(20 + n as i64);
            let ix = self.post(world, author, at, None, text.to_owned());
            world.statuses[ix].visibility = visibility;
            world.statuses[ix].mentions = vec![world.me];
            world.learn(HOME, ix);
            world.enter_timeline(ix);
        }
        let (first, last) = (world.threads.first().copied(), world.threads.last().copied());
        if let Some(popular) = first {
            for n in 0..5 {
                if let Some(by) = remote.choose(&mut self.rng).copied() {
                    self.boost(world, popular, by, now - TimeDelta::minutes(30 - n));
                }
            }
        }
        if let Some(root) = last {
            // Mastodon's API allows it, and some software makes use of it.
            if let Some(reply) = world.statuses[root].children.first().copied() {
                world.statuses[reply].no_url = true;
            }
            let author = world.local_users[1];
            let reply = self.local_reply(world, root, author, now - TimeDelta::minutes(7));
            world.statuses[reply].mentions.clear();
            self.local_reply(world, reply, author, now - TimeDelta::minutes(6));
        }
        let local = world.local_users[2];
        let ix = self.post(
            world,
            local,
            now - TimeDelta::minutes(25),
            None,
            "<p>Only for this house.</p>".to_owned(),
        );
        world.statuses[ix].local_only = true;
        world.enter_timeline(ix);
    }

    /// A user of home answers; the servers concerned hear of it.
    pub(crate) fn local_reply(
        &mut self,
        world: &mut World,
        parent: StatusIx,
        author: AccountIx,
        at: DateTime<Utc>,
    ) -> StatusIx {
        let content = words::answer(&mut self.rng);
        let reply = self.post(world, author, at, Some(parent), content);
        self.tell_origins(world, reply);
        reply
    }

    /// A public reply by somebody of `server`, which home does not hear of.
    pub(crate) fn reply(
        &mut self,
        world: &mut World,
        parent: StatusIx,
        server: ServerIx,
        at: DateTime<Utc>,
    ) -> StatusIx {
        let author = self.someone(world, server);
        let content = words::answer(&mut self.rng);
        let reply = self.post(world, author, at, Some(parent), content);
        world.statuses[reply].visibility = Visibility::Public;
        self.tell_origins(world, reply);
        reply
    }

    /// A wrapper in home's timeline.
    pub(crate) fn boost(
        &mut self,
        world: &mut World,
        original: StatusIx,
        by: AccountIx,
        at: DateTime<Utc>,
    ) -> StatusIx {
        let ix = self.post(world, by, at, None, String::new());
        let status = &mut world.statuses[ix];
        status.boost_of = Some(original);
        status.visibility = Visibility::Public;
        let old = std::mem::take(&mut status.uri);
        status.uri = format!("{old}/activity");
        status.url.clone_from(&status.uri);
        let new = status.uri.clone();
        world.by_uri.remove(&old);
        world.by_uri.insert(new, ix);
        world.learn(HOME, original);
        world.learn(HOME, ix);
        world.enter_timeline(ix);
        ix
    }

    /// Somebody who is followed.
    pub(crate) fn followed(&mut self, world: &World) -> AccountIx {
        world.followed.choose(&mut self.rng).copied().unwrap_or(world.me)
    }

    /// A server other than home.
    pub(crate) fn any_origin(&mut self, scenario: &Scenario) -> ServerIx {
        match scenario.origins.len() {
            0 => HOME,
            origins => 1 + self.rng.random_range(0..origins),
        }
    }

    /// A number below `below`.
    pub(crate) fn dice(&mut self, below: usize) -> usize {
        self.rng.random_range(0..below.max(1))
    }
}
