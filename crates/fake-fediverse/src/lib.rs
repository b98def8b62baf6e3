//! A simulated fediverse: one home server and any number of origins of different software, over HTTP on loopback,
//! seeded and deterministic. It misbehaves when asked and logs every request.
//!
//! It uses nothing else of this workspace: its JSON is written by hand from what servers send, so a field misspelled
//! in our client is not misspelled here too.

mod faults;
mod request_log;
mod scenario;

pub use faults::{Fault, RateLimitStyle};
pub use request_log::{Logged, RequestLog};
pub use scenario::{Builtin, Giant, Scenario, Software};

/// A running fediverse. Everything stops when it is dropped.
#[derive(Debug)]
pub struct Fediverse {}

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

impl Fediverse {
    /// Starts every server on a port of its own at 127.0.0.1.
    ///
    /// # Panics
    /// When no port can be had.
    pub async fn start(_scenario: Scenario) -> Self {
        todo!()
    }

    /// `http://127.0.0.1:PORT` of the home server.
    pub fn home(&self) -> String {
        todo!()
    }

    /// `http://127.0.0.1:PORT` of an origin.
    pub fn origin(&self, _index: usize) -> String {
        todo!()
    }

    /// A token of the home user `me` with all `read`, `admin:read` and `write` scopes.
    pub fn token(&self) -> String {
        todo!()
    }

    /// A token of `me` with these scopes only.
    pub fn token_with(&self, _scopes: &[&str]) -> String {
        todo!()
    }

    /// Revokes a token: 401 from now on.
    pub fn revoke(&self, _token: &str) {
        todo!()
    }

    /// Every request so far, on all servers.
    pub fn log(&self) -> RequestLog {
        todo!()
    }

    /// Forgets the log.
    pub fn clear_log(&self) {
        todo!()
    }

    /// The scenario's threads, in the order they stand in the home timeline (newest last).
    pub fn threads(&self) -> Vec<Thread> {
        todo!()
    }

    /// Whether home has a status, by uri.
    pub fn home_has(&self, _uri: &str) -> bool {
        todo!()
    }

    /// Adds a public reply at an origin (not delivered to home) and gives its uri.
    pub fn reply(&self, _parent_uri: &str, _origin: usize) -> String {
        todo!()
    }

    /// Deletes a status at its origin: 410 there from now on.
    pub fn delete(&self, _uri: &str) {
        todo!()
    }

    /// Edits a status at its origin and at home if it is known there: `edited_at` moves.
    pub fn edit(&self, _uri: &str) {
        todo!()
    }

    /// Boosts a status on home by a followed account: a wrapper appears in the home timeline.
    pub fn boost(&self, _uri: &str) {
        todo!()
    }

    /// Bookmarks / favourites a status of home's as `me`.
    pub fn bookmark(&self, _uri: &str) {
        todo!()
    }

    /// See [`Fediverse::bookmark`].
    pub fn favourite(&self, _uri: &str) {
        todo!()
    }

    /// Home suspends a domain (for scenarios with `*.test` names in uris) or an origin by index.
    pub fn suspend_origin(&self, _index: usize) {
        todo!()
    }

    /// Puts a fault on a server (`None`: home) for requests whose path contains `path` (empty: all), for the next
    /// `times` requests (`None`: until taken off).
    pub fn fault(&self, _origin: Option<usize>, _path: &str, _fault: Fault, _times: Option<u32>) {
        todo!()
    }

    /// Takes all faults off a server.
    pub fn heal(&self, _origin: Option<usize>) {
        todo!()
    }

    /// Puts a robots.txt on a server.
    pub fn robots(&self, _origin: Option<usize>, _text: &str) {
        todo!()
    }
}
