//! Webhooks from a test's side.

use std::sync::Arc;

use serde_json::Value;

use crate::Fediverse;
use crate::mastodon::admin_report;
use crate::render;
use crate::state::State;
use crate::webhooks::{self, Delivery, Event, Hook};
use crate::world::HOME;

impl Fediverse {
    /// From now on home tells this address of these events, whenever they happen.
    pub fn webhook(&self, url: &str, secret: &str, events: &[Event]) {
        self.state.hooks().push(Hook {
            url: url.to_owned(),
            secret: secret.to_owned(),
            events: events.to_vec(),
        });
    }

    /// Home tells every webhook that wants this event of this subject, whether or not anything happened to it: a user
    /// name or account id, the uri or home's id of a status, the id of a report. Gives the places among [`Fediverse::deliveries`].
    ///
    /// # Panics
    /// When there is no such subject.
    pub fn fire(&self, event: Event, subject: &str) -> Vec<usize> {
        let fired = fire(&self.state, event, subject);
        fired.unwrap_or_else(|| panic!("no {subject} for {}", event.as_str()))
    }

    /// Everything sent by webhook, and how that went.
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.state.deliveries().clone()
    }

    /// The same bytes once more.
    pub fn deliver_again(&self, place: usize) {
        webhooks::start(&self.state, place);
    }

    /// The body home would send, for tests that send it themselves.
    ///
    /// # Panics
    /// When there is no such subject.
    pub fn webhook_body(&self, event: Event, subject: &str) -> String {
        let object = object(&self.state, event, subject).unwrap_or_else(|| panic!("no {subject}"));
        let at = crate::clock::iso(crate::clock::now());
        serde_json::json!({ "event": event.as_str(), "created_at": at, "object": object }).to_string()
    }
}

pub(crate) fn fire(state: &Arc<State>, event: Event, subject: &str) -> Option<Vec<usize>> {
    let object = object(state, event, subject)?;
    let hooks: Vec<_> = state
        .hooks()
        .iter()
        .filter(|hook| hook.events.contains(&event))
        .cloned()
        .collect();
    Some(
        hooks
            .iter()
            .map(|hook| webhooks::send(state, hook, event, &object))
            .collect(),
    )
}

fn object(state: &State, event: Event, subject: &str) -> Option<Value> {
    let world = state.world();
    Some(match event {
        Event::AccountCreated | Event::AccountApproved | Event::AccountUpdated => {
            let by_id = world.servers[HOME].account_ids.get(subject).copied();
            let ix = by_id.or_else(|| world.find_account(HOME, subject))?;
            render::admin_account(&world, ix)
        }
        Event::ReportCreated | Event::ReportUpdated => {
            let id = subject
                .parse()
                .ok()
                .filter(|id| world.moderation.reports.contains_key(id))?;
            admin_report(&world, id)
        }
        Event::StatusCreated | Event::StatusUpdated => {
            let by_id = world.servers[HOME].ids.get(subject).copied();
            let ix = by_id
                .or_else(|| world.find(subject))
                .filter(|ix| world.knows(HOME, *ix))?;
            render::status(&world, HOME, ix, None)
        }
    })
}
