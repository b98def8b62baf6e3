//! A simulated fediverse: one home server and any number of origins of different software, over HTTP on loopback,
//! seeded and deterministic. It misbehaves when asked and logs every request.
//!
//! It uses nothing else of this workspace: its JSON is written by hand from what servers send, so a field misspelled
//! in our client is not misspelled here too.

mod applicants;
mod clock;
mod control;
mod diary;
mod faults;
mod gotosocial;
mod hooks;
mod ids;
mod known_actor;
mod limits;
mod live;
mod mastodon;
mod moderation;
mod neighbours;
mod people;
mod render;
mod request;
mod request_log;
mod scenario;
mod seed;
mod server;
mod shapes;
mod signatures;
mod state;
mod suspects;
mod tokens;
mod users;
mod webhooks;
mod words;
mod world;
mod writers;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::net::TcpListener;

pub use applicants::{Applicant, UserState};
pub use clock::advance;
pub use faults::{Fault, Mix, RateLimitStyle};
pub use known_actor::{KNOWN_KEY, KnownActor};
pub use people::Person;
pub use request_log::{Logged, RequestLog};
pub use scenario::{Builtin, Giant, Scenario, Software, Trees};
pub use signatures::Signatures;
pub use state::Knobs;
pub use suspects::Filed;
pub use webhooks::{Delivery, Event, signature};
pub use writers::{Profile, Writer};

use seed::{Gardener, Plan};
use state::State;
use tokens::{ALL_SCOPES, Tokens};
use world::{HOME, ServerIx, StatusIx, World};

/// A running fediverse. Everything stops when it is dropped.
#[derive(Debug)]
pub struct Fediverse {
    state: Arc<State>,
    gardener: Arc<Mutex<Gardener>>,
    token: String,
}

/// A thread of the scenario, as a test needs to know it.
#[derive(Debug, Clone)]
pub struct Thread {
    /// Index of the origin that holds the root.
    pub origin: usize,
    /// The root's uri.
    pub root: String,
    /// The root's `url` for people.
    pub url: String,
    /// Uris of all public replies, in the order they were made, with each one's parent uri.
    pub replies: Vec<(String, String)>,
}

impl Thread {
    /// The replies that nobody answered.
    pub fn leaves(&self) -> Vec<&str> {
        let parents: std::collections::HashSet<_> = self.replies.iter().map(|(_, parent)| parent.as_str()).collect();
        let uris = self.replies.iter().map(|(uri, _)| uri.as_str());
        uris.filter(|uri| !parents.contains(uri)).collect()
    }
}

/// Every thread, with the public replies its origin lists.
fn threads(world: &World) -> Vec<Thread> {
    world.threads.iter().map(|root| thread(world, *root)).collect()
}

fn thread(world: &World, root: StatusIx) -> Thread {
    let origin = world.origin(root);
    let mut replies = world.descendants(origin, root, None, usize::MAX, usize::MAX);
    replies.retain(|ix| world.is_public(*ix) && !world.statuses[*ix].deleted);
    replies.sort_unstable();
    let uri = |ix: StatusIx| world.statuses[ix].uri.clone();
    Thread {
        origin: origin.saturating_sub(1),
        root: uri(root),
        url: world.statuses[root].url.clone(),
        replies: replies
            .into_iter()
            .filter_map(|ix| Some((uri(ix), uri(world.statuses[ix].parent?))))
            .collect(),
    }
}

fn place(origin: Option<usize>) -> ServerIx {
    origin.map_or(HOME, |origin| origin + 1)
}

impl Fediverse {
    /// Starts every server on a port of its own at 127.0.0.1.
    ///
    /// # Panics
    /// When no port can be had.
    pub async fn start(scenario: Scenario) -> Self {
        Self::start_at(scenario, 0).await
    }

    /// The same, with home on this port (0: any).
    ///
    /// # Panics
    /// When no port can be had.
    pub async fn start_at(scenario: Scenario, home_port: u16) -> Self {
        Self::launch(scenario, home_port, false).await
    }

    /// The same with origins called `origin0.test`, `origin1.test` and so on, for what goes by domain, such as blocks.
    /// Whoever asks them has to look up these names as 127.0.0.1.
    ///
    /// # Panics
    /// When no port can be had.
    pub async fn start_named(scenario: Scenario) -> Self {
        Self::launch(scenario, 0, true).await
    }

    async fn launch(scenario: Scenario, home_port: u16, named: bool) -> Self {
        let kinds = std::iter::once(seed::kind(scenario.home)).chain(scenario.origins.iter().map(|s| seed::kind(*s)));
        let mut listeners = Vec::new();
        let mut servers = Vec::new();
        for (n, kind) in kinds.enumerate() {
            let port = if n == HOME { home_port } else { 0 };
            let listener = TcpListener::bind(("127.0.0.1", port))
                .await
                .expect("a port at 127.0.0.1");
            let port = listener.local_addr().expect("an address").port();
            let name = match n.checked_sub(1) {
                Some(origin) if named => format!("origin{origin}.test"),
                _ => "127.0.0.1".to_owned(),
            };
            servers.push(seed::server(format!("http://{name}:{port}"), kind));
            listeners.push(listener);
        }
        let (world, gardener) = seed::plant(&scenario, servers, clock::now());
        let mut tokens = Tokens::new(scenario.seed);
        let scopes: Vec<_> = ALL_SCOPES.iter().map(|scope| (*scope).to_owned()).collect();
        let token = tokens.issue(Some(world.me), &scopes, None);
        let (events, happened) = tokio::sync::mpsc::unbounded_channel();
        let state = Arc::new(State::new(scenario, world, tokens, events));
        webhooks::run(Arc::clone(&state), happened);
        for (server, listener) in listeners.into_iter().enumerate() {
            server::serve(Arc::clone(&state), server, listener);
        }
        Self {
            state,
            gardener: Arc::new(Mutex::new(gardener)),
            token,
        }
    }

    fn gardener(&self) -> MutexGuard<'_, Gardener> {
        self.gardener.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Finds a status a test names.
    ///
    /// # Panics
    /// When there is none: the test is wrong.
    fn find(world: &World, uri: &str) -> StatusIx {
        world
            .find(uri)
            .unwrap_or_else(|| panic!("no status {uri} in this fediverse"))
    }

    /// `http://127.0.0.1:PORT` of the home server.
    pub fn home(&self) -> String {
        self.state.world().servers[HOME].base.clone()
    }

    /// `http://127.0.0.1:PORT` of an origin, or its name: see [`Fediverse::start_named`].
    pub fn origin(&self, index: usize) -> String {
        self.state.world().servers[index + 1].base.clone()
    }

    /// A token of the home user `me` with every scope. For what needs permissions, see [`Fediverse::admin_token`].
    pub fn token(&self) -> String {
        self.token.clone()
    }

    /// A token of `me` with these scopes only.
    pub fn token_with(&self, scopes: &[&str]) -> String {
        let me = self.state.world().me;
        let scopes: Vec<_> = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        self.state.tokens().issue(Some(me), &scopes, None)
    }

    /// Revokes a token: 401 from now on.
    pub fn revoke(&self, token: &str) {
        if let Some(token) = self.state.tokens().tokens.get_mut(token) {
            token.revoked = true;
        }
    }

    /// Every request so far, on all servers.
    pub fn log(&self) -> RequestLog {
        RequestLog(self.state.log().clone())
    }

    /// Forgets the log.
    pub fn clear_log(&self) {
        self.state.log().clear();
    }

    /// The scenario's threads, in the order they stand in the home timeline (newest last).
    pub fn threads(&self) -> Vec<Thread> {
        threads(&self.state.world())
    }

    /// Whether home has a status, by uri.
    pub fn home_has(&self, uri: &str) -> bool {
        let world = self.state.world();
        world.find(uri).is_some_and(|ix| world.knows(HOME, ix))
    }

    /// Home's id of a status it has.
    pub fn home_id(&self, uri: &str) -> Option<String> {
        let world = self.state.world();
        world.id(HOME, world.find(uri)?).map(str::to_owned)
    }

    /// Public replies of all threads that home has not got.
    pub fn missing(&self) -> usize {
        seed::missing(&self.state.world())
    }

    /// How many times home went to other servers.
    pub fn remote_fetches(&self) -> u64 {
        self.state.world().remote_fetches
    }

    /// Adds a thread at an origin, and its root to the home timeline; home knows the scenario's share of the replies.
    pub fn thread(&self, origin: usize, replies: usize) -> Thread {
        let thread = self.grow(origin, replies);
        let world = self.state.world();
        mastodon::streaming::arrived(&self.state, &world, Self::find(&world, &thread.root));
        thread
    }

    fn grow(&self, origin: usize, replies: usize) -> Thread {
        let mut world = self.state.world();
        let now = clock::now();
        let plan = Plan {
            origin: origin + 1,
            at: now - chrono::TimeDelta::minutes(14),
            until: now - chrono::TimeDelta::minutes(6),
            size: replies,
            giant: None,
        };
        let root = self.gardener().thread(&mut world, &self.state.scenario, plan);
        thread(&world, root)
    }

    /// Streams that are open at home.
    pub fn open_streams(&self) -> usize {
        self.state.streams().open()
    }

    /// Ends all streams; whoever listens may come back.
    pub fn cut_streams(&self) {
        self.state.streams().cut();
    }

    /// Adds a thread that is not in the home timeline, but that the home user `user` (0: `me`) replied to. Gives it and
    /// the uri of that reply.
    pub fn joined_thread(&self, origin: usize, replies: usize, user: usize) -> (Thread, String) {
        let thread = self.grow(origin, replies);
        let reply = self.local_reply(&thread.root, user);
        let mut world = self.state.world();
        let root = Self::find(&world, &thread.root);
        let order = world.order(HOME, root);
        world.timeline.remove(&order);
        (thread, reply)
    }

    /// A user of home (0: `me`) replies to a status, now. Home and the servers concerned know of it.
    pub fn local_reply(&self, parent_uri: &str, user: usize) -> String {
        self.local_reply_at(parent_uri, user, clock::now())
    }

    /// The same, made at another time.
    pub fn local_reply_at(&self, parent_uri: &str, user: usize, at: DateTime<Utc>) -> String {
        let mut world = self.state.world();
        let parent = Self::find(&world, parent_uri);
        let author = world.local_users[user];
        world.learn_upwards(HOME, parent);
        let reply = self.gardener().local_reply(&mut world, parent, author, at);
        self.state
            .happened(Event::StatusCreated, render::status(&world, HOME, reply, None));
        world.statuses[reply].uri.clone()
    }

    /// Takes the mention off a status, as users do.
    pub fn drop_mentions(&self, uri: &str) {
        let mut world = self.state.world();
        let ix = Self::find(&world, uri);
        world.statuses[ix].mentions.clear();
    }

    /// Adds a public reply at an origin (not delivered to home) and gives its uri.
    pub fn reply(&self, parent_uri: &str, origin: usize) -> String {
        self.reply_at(parent_uri, origin, clock::now())
    }

    /// The same, made at another time.
    pub fn reply_at(&self, parent_uri: &str, origin: usize, at: DateTime<Utc>) -> String {
        let mut world = self.state.world();
        let parent = Self::find(&world, parent_uri);
        let reply = self.gardener().reply(&mut world, parent, origin + 1, at);
        world.statuses[reply].uri.clone()
    }

    /// Adds a reply by the status's own author, which home does not hear of.
    pub fn self_reply(&self, parent_uri: &str) -> String {
        let mut world = self.state.world();
        let parent = Self::find(&world, parent_uri);
        let author = world.statuses[parent].author;
        let reply = self.gardener().local_reply(&mut world, parent, author, clock::now());
        world.statuses[reply].visibility = world::Visibility::Public;
        world.statuses[reply].uri.clone()
    }

    /// Home gets a status and its ancestors as if they had been delivered.
    pub fn deliver(&self, uri: &str) {
        let mut world = self.state.world();
        let ix = Self::find(&world, uri);
        world.learn_upwards(HOME, ix);
        world.arrived = world.arrived.saturating_sub(1);
    }

    /// Resolving this status fails (200, empty) until [`Fediverse::resolvable`].
    pub fn unresolvable(&self, uri: &str) {
        let mut world = self.state.world();
        let ix = Self::find(&world, uri);
        world.statuses[ix].unresolvable = true;
    }

    /// See [`Fediverse::unresolvable`].
    pub fn resolvable(&self, uri: &str) {
        let mut world = self.state.world();
        let ix = Self::find(&world, uri);
        world.statuses[ix].unresolvable = false;
    }

    /// Home loses a status, as its content cache does; the origin keeps it.
    pub fn forget(&self, uri: &str) {
        let mut world = self.state.world();
        let ix = Self::find(&world, uri);
        if let Some(copy) = world.servers[HOME].copies.remove(&ix) {
            world.servers[HOME].ids.remove(&copy.id);
            world.timeline.remove(&copy.order);
        }
    }

    /// `url` is null from now on, in every API.
    pub fn drop_url(&self, uri: &str) {
        let mut world = self.state.world();
        let ix = Self::find(&world, uri);
        world.statuses[ix].no_url = true;
    }

    /// A status's identity is this from now on: its origin's base and `rest`, which may be any address that software
    /// makes. Gives it whole.
    pub fn readdress(&self, uri: &str, rest: &str) -> String {
        let mut world = self.state.world();
        let ix = Self::find(&world, uri);
        let new = format!("{}{rest}", world.servers[world.origin(ix)].base);
        let old = std::mem::replace(&mut world.statuses[ix].uri, new.clone());
        world.by_uri.remove(&old);
        world.by_uri.insert(new.clone(), ix);
        new
    }

    /// Deletes a status at its origin: 410 there from now on.
    pub fn delete(&self, uri: &str) {
        let mut world = self.state.world();
        let ix = Self::find(&world, uri);
        world.statuses[ix].deleted = true;
    }

    /// Edits a status at its origin and at home if it is known there: `edited_at` moves.
    pub fn edit(&self, uri: &str) {
        let mut world = self.state.world();
        let ix = Self::find(&world, uri);
        let status = &mut world.statuses[ix];
        status.edited_at = Some(clock::now());
        status.content = status.content.replace("</p>", " (edited)</p>");
        if world.origin(ix) == HOME {
            self.state
                .happened(Event::StatusUpdated, render::status(&world, HOME, ix, None));
        }
    }

    /// Boosts a status on home by a followed account: a wrapper appears in the home timeline.
    pub fn boost(&self, uri: &str) {
        let mut world = self.state.world();
        let ix = Self::find(&world, uri);
        let mut gardener = self.gardener();
        let by = gardener.followed(&world);
        let boost = gardener.boost(&mut world, ix, by, clock::now());
        mastodon::streaming::arrived(&self.state, &world, boost);
    }

    /// Bookmarks / favourites a status of home's as `me`.
    pub fn bookmark(&self, uri: &str) {
        let mut world = self.state.world();
        let ix = Self::find(&world, uri);
        let row = world.row();
        world.bookmarks.insert(row, ix);
    }

    /// See [`Fediverse::bookmark`].
    pub fn favourite(&self, uri: &str) {
        let mut world = self.state.world();
        let ix = Self::find(&world, uri);
        let row = world.row();
        world.favourites.insert(row, ix);
    }

    /// Home suspends a domain (for scenarios with `*.test` names in uris) or an origin by index.
    pub fn suspend_origin(&self, index: usize) {
        let host = self.state.world().servers[index + 1].host.clone();
        self.suspend(&host);
    }

    /// Home suspends a domain and its subdomains.
    pub fn suspend(&self, domain: &str) {
        self.block_domain(domain, "suspend", None);
    }

    /// Puts a fault on a server (`None`: home) for requests whose path contains `path` (empty: all), for the next
    /// `times` requests (`None`: until taken off).
    pub fn fault(&self, origin: Option<usize>, path: &str, fault: Fault, times: Option<u32>) {
        self.fault_after(origin, path, fault, 0, times);
    }

    /// The same, once so many of these requests have passed.
    pub fn fault_after(&self, origin: Option<usize>, path: &str, fault: Fault, passes: u32, times: Option<u32>) {
        self.state.faults().place(place(origin), path, fault, passes, times);
    }

    /// Lets requests to all servers go wrong by chance; `None` ends it.
    pub fn mix(&self, mix: Option<Mix>) {
        self.state.faults().dice = mix.map(faults::Dice::new);
    }

    /// Takes all faults off a server.
    pub fn heal(&self, origin: Option<usize>) {
        self.state.faults().heal(place(origin));
    }

    /// Puts a robots.txt on a server.
    pub fn robots(&self, origin: Option<usize>, text: &str) {
        self.state.world().servers[place(origin)].robots = Some(text.to_owned());
    }

    /// An origin shows its documents only to those who sign this way from now on, as Mastodon in secure mode does. (A
    /// GoToSocial always wants signatures, made the older way.)
    pub fn wants_signatures(&self, origin: usize, signatures: Signatures) {
        self.state.signatures().wanted.insert(origin + 1, signatures);
    }

    /// Turns what can be turned while it runs.
    pub fn turn(&self, turn: impl FnOnce(&mut Knobs)) {
        turn(&mut self.state.knobs());
    }

    /// Keeps adding replies, and now and then a thread, for so long, or until the fediverse is dropped: for a picture
    /// that moves.
    pub fn live(&self, every: Duration, lasts: Duration) {
        live::run(Arc::clone(&self.state), Arc::clone(&self.gardener), every, lasts);
    }
}

impl Drop for Fediverse {
    fn drop(&mut self) {
        self.state.stop.cancel();
    }
}
