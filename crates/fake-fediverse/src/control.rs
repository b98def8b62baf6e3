//! A side door for other processes: `/__fake/…` on every server, not counted, not logged, never at fault.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::applicants::{self, Applicant};
use crate::clock::now;
use crate::faults::{Fault, RateLimitStyle};
use crate::hooks;
use crate::people::{self, Person};
use crate::request::{Call, Reply};
use crate::request_log::{Logged, RequestLog};
use crate::seed;
use crate::state::State;
use crate::suspects;
use crate::webhooks::{self, Delivery, Event, Hook};
use crate::world::HOME;

pub(crate) fn answer(state: &Arc<State>, call: &Call) -> Reply {
    match call.path.as_str() {
        "/__fake/log" => Reply::json(&state.log().iter().map(logged).collect()),
        "/__fake/clear" => {
            state.log().clear();
            Reply::json(&json!({}))
        }
        "/__fake/summary" => Reply::json(&summary(state)),
        "/__fake/has" => {
            let world = state.world();
            let uri = call.param("uri").unwrap_or_default();
            let has = world.find(uri).is_some_and(|ix| world.knows(HOME, ix));
            Reply::json(&json!({ "uri": uri, "has": has }))
        }
        "/__fake/threads" => Reply::json(&threads(state)),
        "/__fake/advance" => {
            let seconds = call.param("seconds").and_then(|text| text.parse().ok());
            crate::advance(Duration::from_secs(seconds.unwrap_or_default()));
            Reply::json(&json!({}))
        }
        "/__fake/fault" => match fault(call) {
            Some(fault) => {
                let times = call.param("times").and_then(|times| times.parse().ok());
                let path = call.param("path").unwrap_or_default();
                state.faults().place(server(call), path, fault, 0, times);
                Reply::json(&json!({}))
            }
            None => Reply::error(400, "unknown fault"),
        },
        "/__fake/person" => {
            let person = Person {
                name: call.param("name").unwrap_or_default(),
                password: call.param("password").unwrap_or_default(),
                role: call.param("role").unwrap_or_default(),
                permissions: bits(call),
            };
            done(
                !person.name.is_empty() && people::add(state, &person),
                "the name is taken",
            )
        }
        "/__fake/applicant" => {
            let given = |name: &str| call.param(name).filter(|text| !text.is_empty()).map(str::to_owned);
            let applicant = Applicant {
                reason: given("reason"),
                ip: given("ip"),
                locale: given("locale"),
                confirmed: call.flag("confirmed"),
                app: given("app"),
                invited_by: given("invited_by"),
                ..Applicant::new(
                    call.param("name").unwrap_or_default(),
                    call.param("email").unwrap_or_default(),
                )
            };
            match applicants::apply(state, &applicant, now()) {
                Some(id) => Reply::json(&json!({ "id": id })),
                None => Reply::error(404, "the name is taken"),
            }
        }
        "/__fake/confirm" => {
            let name = call.param("name").unwrap_or_default();
            done(applicants::confirm(state, name), "nobody is called that")
        }
        "/__fake/email" => {
            let email = call.param("email").unwrap_or_default();
            let name = call.param("name").unwrap_or_default();
            done(applicants::change_email(state, name, email), "nobody is called that")
        }
        "/__fake/webhook" => {
            state.hooks().push(Hook {
                url: call.param("url").unwrap_or_default().to_owned(),
                secret: call.param("secret").unwrap_or_default().to_owned(),
                events: call
                    .param("events")
                    .unwrap_or_default()
                    .split(',')
                    .filter_map(Event::named)
                    .collect(),
            });
            Reply::json(&json!({}))
        }
        "/__fake/flood" => {
            let number = |name: &str, or: u32| call.param(name).and_then(|text| text.parse().ok()).unwrap_or(or);
            let word = call.param("word").unwrap_or("casino");
            let (per_second, seconds) = (number("per_second", 200), number("seconds", 5));
            suspects::flood(state, per_second, seconds, number("every", 20), word);
            Reply::json(&json!({}))
        }
        "/__fake/flooded" => Reply::json(&suspects::flooded(state)),
        "/__fake/fire" => {
            let event = call.param("event").and_then(Event::named);
            let subject = call.param("subject").unwrap_or_default();
            match event.and_then(|event| hooks::fire(state, event, subject)) {
                Some(places) => Reply::json(&json!({ "deliveries": places })),
                None => Reply::error(404, "no such event or subject"),
            }
        }
        "/__fake/deliveries" => Reply::json(&state.deliveries().iter().map(delivery).collect()),
        "/__fake/again" => {
            webhooks::start(
                state,
                call.param("delivery")
                    .and_then(|n| n.parse().ok())
                    .unwrap_or(usize::MAX),
            );
            Reply::json(&json!({}))
        }
        "/__fake/writes" => Reply::json(&RequestLog(state.log().clone()).writes().0.iter().map(logged).collect()),
        "/__fake/role" => {
            let name = call.param("name").unwrap_or_default();
            done(
                people::set(state, name, call.param("role"), bits(call)),
                "nobody is called that",
            )
        }
        "/__fake/consent" => {
            let url = call.param("url").unwrap_or_default();
            match people::consent_of(state, call.param("name").unwrap_or_default(), url) {
                Ok(to) => Reply::json(&json!({ "location": to })),
                Err(page) => Reply::error(400, &page),
            }
        }
        "/__fake/heal" => {
            state.faults().heal(server(call));
            Reply::json(&json!({}))
        }
        _ => Reply::error(404, "no such thing here"),
    }
}

fn done(happened: bool, otherwise: &str) -> Reply {
    match happened {
        true => Reply::json(&json!({})),
        false => Reply::error(404, otherwise),
    }
}

/// Permission bits: `1040` or `0x410`.
fn bits(call: &Call) -> u64 {
    let text = call.param("permissions").unwrap_or_default();
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).unwrap_or(0),
        None => text.parse().unwrap_or(0),
    }
}

fn server(call: &Call) -> usize {
    let origin = call.param("origin").and_then(|origin| origin.parse::<usize>().ok());
    origin.map_or(HOME, |origin| origin + 1)
}

/// `fault=html:502`, `silent`, `slow:1500`, `rate-iso:30`, …
fn fault(call: &Call) -> Option<Fault> {
    let text = call.param("fault")?;
    let (name, value) = text.split_once(':').unwrap_or((text, ""));
    let status = || value.parse::<u16>().ok().filter(|status| (100..1000).contains(status));
    let seconds = || value.parse::<i64>().ok();
    Some(match name {
        "html" => Fault::Html(status()?),
        "empty" => Fault::Empty(status()?),
        "slow" => Fault::Slow(Duration::from_millis(value.parse().ok()?)),
        "silent" => Fault::Silent,
        "close" => Fault::Close,
        "truncated" => Fault::Truncated,
        "endless" => Fault::Endless,
        "redirect" => Fault::Redirect(302, value.to_owned()),
        "loop" => Fault::Loop,
        "wrong-json" => Fault::WrongJson,
        "resolves-nothing" => Fault::ResolvesNothing,
        "rate-iso" => Fault::RateLimited(RateLimitStyle::Iso(seconds()?)),
        "rate-epoch" => Fault::RateLimited(RateLimitStyle::Epoch(seconds()?)),
        "rate-delta" => Fault::RateLimited(RateLimitStyle::Delta(seconds()?)),
        "rate-retry-after" => Fault::RateLimited(RateLimitStyle::RetryAfter(seconds()?)),
        "rate-nothing" => Fault::RateLimited(RateLimitStyle::Nothing),
        _ => return None,
    })
}

fn logged(entry: &Logged) -> Value {
    json!({
        "origin": entry.origin, "method": entry.method, "path": entry.path, "query": entry.query,
        "bearer": entry.bearer.is_some(), "user_agent": entry.user_agent, "http_status": entry.http_status,
        "ago_ms": u64::try_from(entry.at.elapsed().as_millis()).unwrap_or(u64::MAX),
    })
}

fn delivery(delivery: &Delivery) -> Value {
    json!({ "event": delivery.event.as_str(), "url": delivery.url, "body": delivery.body,
            "answers": delivery.answers, "over": delivery.over })
}

fn summary(state: &State) -> Value {
    let log = RequestLog(state.log().clone());
    let world = state.world();
    json!({
        "home_requests": log.home().len(),
        "origin_requests": log.origins(None).len(),
        "resolves": log.resolves().len(),
        "repeated_resolves": log.repeated_resolves().len(),
        "remote_fetches": world.remote_fetches,
        "threads": world.threads.len(),
        "replies_missing_before": world.missing_at_start,
        "replies_missing_now": seed::missing(&world),
        "replies_arrived": world.arrived,
    })
}

fn threads(state: &State) -> Value {
    let threads = crate::threads(&state.world());
    threads
        .iter()
        .map(|thread| {
            json!({ "origin": thread.origin, "root": thread.root, "url": thread.url,
                    "replies": thread.replies.iter().map(|(uri, parent)| json!({ "uri": uri, "in_reply_to": parent }))
                        .collect::<Value>() })
        })
        .collect()
}
