//! People who post what moderators look at, from a test's side.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::Fediverse;
use crate::clock;
use crate::mastodon;
use crate::render;
use crate::seed;
use crate::state::State;
use crate::webhooks::Event;
use crate::world::{AccountIx, Draft, HOME, Visibility, World};

/// A report as home's database has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filed {
    /// Its id.
    pub id: String,
    /// Who filed it, as home spells them.
    pub by: String,
    /// Against whom.
    pub target: String,
    /// Ids of the statuses.
    pub statuses: Vec<String>,
    /// What was written.
    pub comment: String,
    /// `spam`, …
    pub category: String,
    /// Of home's rules.
    pub rules: Vec<String>,
    /// Told to the target's server.
    pub forwarded: bool,
    /// Resolved.
    pub resolved: bool,
}

impl Fediverse {
    /// Somebody of a server (`None`: home) joins. Gives home's id of the account.
    pub fn joins(&self, origin: Option<usize>, name: &str) -> String {
        joins(&self.state, origin.map_or(HOME, |origin| origin + 1), name)
    }

    /// Somebody posts this to everybody, and home gets it. Gives home's id of the status.
    ///
    /// # Panics
    /// When there is no such account.
    pub fn says(&self, acct: &str, html: &str) -> String {
        self.says_to(acct, html, "public", clock::now())
    }

    /// The same to others: `public`, `unlisted`, `private`, `direct`, at another time.
    ///
    /// # Panics
    /// When there is no such account.
    pub fn says_to(&self, acct: &str, html: &str, visibility: &str, at: DateTime<Utc>) -> String {
        let visibility = match visibility {
            "unlisted" => Visibility::Unlisted,
            "private" => Visibility::Private,
            "direct" => Visibility::Direct,
            _ => Visibility::Public,
        };
        says(&self.state, acct, html, visibility, at).unwrap_or_else(|| panic!("nobody is {acct}"))
    }

    /// Somebody changes what a status of theirs says, by home's id of it.
    ///
    /// # Panics
    /// When there is no such status.
    pub fn rewrites(&self, id: &str, html: &str) {
        let mut world = self.state.world();
        let ix = world.servers[HOME]
            .ids
            .get(id)
            .copied()
            .unwrap_or_else(|| panic!("no status {id}"));
        world.statuses[ix].content = html.to_owned();
        world.statuses[ix].edited_at = Some(clock::now());
        if world.origin(ix) == HOME {
            self.state
                .happened(Event::StatusUpdated, render::status(&world, HOME, ix, None));
        }
    }

    /// A status is deleted everywhere, by home's id of it.
    ///
    /// # Panics
    /// When there is no such status.
    pub fn deletes(&self, id: &str) {
        let mut world = self.state.world();
        let ix = world.servers[HOME]
            .ids
            .get(id)
            .copied()
            .unwrap_or_else(|| panic!("no status {id}"));
        world.statuses[ix].deleted = true;
        world.servers[HOME].ids.remove(id);
        world.servers[HOME].copies.remove(&ix);
    }

    /// Somebody's bio becomes this.
    ///
    /// # Panics
    /// When there is no such account.
    pub fn presents(&self, acct: &str, html: &str) {
        let mut world = self.state.world();
        let ix = suspect(&world, acct);
        html.clone_into(&mut world.accounts[ix].note);
        if world.accounts[ix].server == HOME {
            self.state
                .happened(Event::AccountUpdated, render::admin_account(&world, ix));
        }
    }

    /// A moderator suspends somebody, or lets them back in.
    ///
    /// # Panics
    /// When there is no such account.
    pub fn suspend_account(&self, acct: &str, suspended: bool) {
        let mut world = self.state.world();
        let ix = suspect(&world, acct);
        world.accounts[ix].suspended = suspended;
    }

    /// A moderator limits somebody, or takes that back, and home tells of it.
    ///
    /// # Panics
    /// When there is no such account.
    pub fn silence_account(&self, acct: &str, silenced: bool) {
        let mut world = self.state.world();
        let ix = suspect(&world, acct);
        world.accounts[ix].silenced = silenced;
        self.state
            .happened(Event::AccountUpdated, render::admin_account(&world, ix));
    }

    /// Whether home limits, hides the media of, and suspends somebody.
    ///
    /// # Panics
    /// When there is no such account.
    pub fn stands(&self, acct: &str) -> (bool, bool, bool) {
        let world = self.state.world();
        let who = &world.accounts[suspect(&world, acct)];
        (who.silenced, who.sensitized, who.suspended)
    }

    /// A moderator of home resolves a report; nothing else happens.
    ///
    /// # Panics
    /// When there is no such report.
    pub fn resolve_report(&self, by: &str, id: &str) {
        let mut world = self.state.world();
        let by = suspect(&world, by);
        let number = id.parse().unwrap_or(0);
        let report = world
            .moderation
            .reports
            .get_mut(&number)
            .unwrap_or_else(|| panic!("no report {id}"));
        report.action_taken_at = Some(clock::now());
        report.action_taken_by = Some(by);
        report.updated_at = clock::now();
        self.state
            .happened(Event::ReportUpdated, mastodon::admin_report(&world, number));
    }

    /// All reports that home has.
    pub fn filed(&self) -> Vec<Filed> {
        let world = self.state.world();
        let reports = world.moderation.reports.iter();
        reports
            .map(|(id, report)| Filed {
                id: id.to_string(),
                by: world.acct(HOME, report.by),
                target: world.acct(HOME, report.target),
                statuses: report
                    .statuses
                    .iter()
                    .filter_map(|ix| world.id(HOME, *ix))
                    .map(str::to_owned)
                    .collect(),
                comment: report.comment.clone(),
                category: report.category.clone(),
                rules: report.rules.clone(),
                forwarded: report.forwarded,
                resolved: report.action_taken_at.is_some(),
            })
            .collect()
    }
}

fn joins(state: &State, server: usize, name: &str) -> String {
    let mut world = state.world();
    let ix = world.add_account(seed::account(server, name, clock::now()));
    if server == HOME {
        let user = crate::users::User::settled(name, crate::users::Role::everyone());
        world.users.insert(ix, user);
    }
    world.servers[HOME].accounts[ix].clone()
}

fn says(state: &State, acct: &str, html: &str, visibility: Visibility, at: DateTime<Utc>) -> Option<String> {
    let mut world = state.world();
    let author = world.find_account(HOME, acct)?;
    let low = u16::try_from(world.statuses.len() & 0xffff).unwrap_or(0);
    let ix = world.post(Draft {
        author,
        created_at: at,
        parent: None,
        visibility,
        content: html.to_owned(),
        low,
    });
    world.learn(HOME, ix);
    if world.accounts[author].server == HOME {
        state.happened(Event::StatusCreated, render::status(&world, HOME, ix, None));
    }
    mastodon::streaming::posted(state, &world, ix);
    world.id(HOME, ix).map(str::to_owned)
}

/// People of home post so many statuses a second for a while; each `every`-th, by somebody new, says `word`.
pub(crate) fn flood(state: &Arc<State>, per_second: u32, seconds: u32, every: u32, word: &str) {
    let (state, word) = (Arc::clone(state), word.to_owned());
    tokio::spawn(async move {
        let mut tick = tokio::time::interval(Duration::from_secs(1) / per_second.max(1));
        for n in 0..50 {
            joins(&state, HOME, &format!("writer{n}"));
        }
        for n in 0..per_second * seconds {
            tick.tick().await;
            let (name, text) = match n % every.max(1) {
                0 => {
                    let name = format!("suspect{n}");
                    joins(&state, HOME, &name);
                    (name, format!("<p>{word} number {n}</p>"))
                }
                _ => (format!("writer{}", n % 50), format!("<p>a good morning, the {n}th</p>")),
            };
            says(&state, &name, &text, Visibility::Public, clock::now());
        }
    });
}

/// How webhooks were answered, and how long after a status its report was there; in milliseconds.
pub(crate) fn flooded(state: &State) -> Value {
    let mut acks: Vec<f64> = Vec::new();
    for delivery in state.deliveries().iter() {
        acks.extend(delivery.took.iter().map(|took| took.as_secs_f64() * 1000.0));
    }
    let world = state.world();
    let reports = world.moderation.reports.values().filter_map(|report| {
        let status = report.statuses.iter().map(|ix| world.statuses[*ix].created_at).max()?;
        Some((report.created_at - status).as_seconds_f64() * 1000.0)
    });
    let mut reports: Vec<f64> = reports.collect();
    let at = |all: &mut Vec<f64>, percent: usize| {
        all.sort_by(f64::total_cmp);
        all.get(all.len() * percent / 100).copied()
    };
    json!({
        "acks": acks.len(), "ack_p50": at(&mut acks, 50), "ack_p99": at(&mut acks, 99),
        "reports": reports.len(), "report_p50": at(&mut reports, 50), "report_p99": at(&mut reports, 99),
    })
}

fn suspect(world: &World, acct: &str) -> AccountIx {
    world
        .find_account(HOME, acct)
        .unwrap_or_else(|| panic!("nobody is {acct}"))
}
