//! How a server can misbehave.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::clock;
use crate::request::{Call, Reply};
use crate::world::ServerIx;

/// One way to misbehave.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// 429, with the reset told in some style.
    RateLimited(RateLimitStyle),
    /// This status with an HTML body.
    Html(u16),
    /// This status with an empty body.
    Empty(u16),
    /// Answers after this long.
    Slow(Duration),
    /// Takes the request and never answers.
    Silent,
    /// Closes the connection without an answer.
    Close,
    /// Sends half of a body and closes.
    Truncated,
    /// Sends a body without end.
    Endless,
    /// Redirects to this address.
    Redirect(u16, String),
    /// Redirects in a loop.
    Loop,
    /// 200 with JSON that is not what was asked (`{}`).
    WrongJson,
    /// On search with resolve: 200 with three empty lists, the fetch having failed.
    ResolvesNothing,
}

/// How a 429 tells when to come back.
#[derive(Debug, Clone, PartialEq)]
pub enum RateLimitStyle {
    /// `X-RateLimit-Reset` in ISO 8601 with six digits, this far from now (may be negative).
    Iso(i64),
    /// `X-RateLimit-Reset` in epoch seconds.
    Epoch(i64),
    /// `X-RateLimit-Reset` in seconds from now.
    Delta(i64),
    /// Only `Retry-After`, in seconds.
    RetryAfter(i64),
    /// Nothing.
    Nothing,
}

impl RateLimitStyle {
    pub(crate) fn reply(&self) -> Reply {
        let reply = Reply::error(429, "Too many requests");
        let reset = match self {
            Self::Iso(seconds) => clock::iso_micros(clock::after(*seconds)),
            Self::Epoch(seconds) => clock::after(*seconds).timestamp().to_string(),
            Self::Delta(seconds) => seconds.to_string(),
            Self::RetryAfter(seconds) => return reply.header("retry-after", seconds.to_string()),
            Self::Nothing => return reply,
        };
        reply
            .header("x-ratelimit-limit", "300".to_owned())
            .header("x-ratelimit-remaining", "0".to_owned())
            .header("x-ratelimit-reset", reset)
    }
}

/// Shares of all requests, of 0 to 1 each, that go wrong by chance: the same seed, the same chances.
#[derive(Debug, Clone)]
pub struct Mix {
    /// Of the dice.
    pub seed: u64,
    /// Take longer than this to be answered.
    pub late: (f64, Duration),
    /// 503.
    pub down: f64,
    /// 200 with nothing in it; a resolve finds nothing.
    pub empty: f64,
    /// 429, to come back in a second.
    pub limited: f64,
}

/// The mix at work.
#[derive(Debug)]
pub(crate) struct Dice {
    mix: Mix,
    rng: StdRng,
}

impl Dice {
    pub(crate) fn new(mix: Mix) -> Self {
        Self {
            rng: StdRng::seed_from_u64(mix.seed),
            mix,
        }
    }

    fn roll(&mut self, call: &Call) -> Option<Fault> {
        let mut dice = self.rng.random_range(0.0..1.0);
        let mut falls = |share: f64| {
            let hit = dice < share;
            dice -= share;
            hit
        };
        let Mix {
            late,
            down,
            empty,
            limited,
            ..
        } = self.mix;
        if falls(late.0) {
            return Some(Fault::Slow(late.1));
        }
        if falls(down) {
            return Some(Fault::Empty(503));
        }
        if falls(empty) {
            return Some(if is_resolve(call) {
                Fault::ResolvesNothing
            } else {
                Fault::Empty(200)
            });
        }
        falls(limited).then_some(Fault::RateLimited(RateLimitStyle::Delta(1)))
    }
}

/// A fault that was put on a server.
#[derive(Debug)]
struct Placed {
    server: ServerIx,
    path: String,
    fault: Fault,
    /// Requests that it lets pass before.
    passes: u32,
    left: Option<u32>,
}

/// All faults of all servers.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    placed: Vec<Placed>,
    /// What goes wrong by chance, on all servers.
    pub(crate) dice: Option<Dice>,
}

impl Faults {
    pub(crate) fn place(&mut self, server: ServerIx, path: &str, fault: Fault, passes: u32, times: Option<u32>) {
        self.placed.push(Placed {
            server,
            path: path.to_owned(),
            fault,
            passes,
            left: times,
        });
    }

    pub(crate) fn heal(&mut self, server: ServerIx) {
        self.placed.retain(|placed| placed.server != server);
    }

    /// The fault that strikes this request, if any; one that strikes only so often is used up.
    pub(crate) fn strike(&mut self, call: &Call) -> Option<Fault> {
        let placed = self.placed_for(call);
        placed.or_else(|| self.dice.as_mut()?.roll(call))
    }

    fn placed_for(&mut self, call: &Call) -> Option<Fault> {
        let at = self.placed.iter().position(|placed| {
            placed.server == call.server
                && call.path.contains(&placed.path)
                && (placed.fault != Fault::ResolvesNothing || is_resolve(call))
        })?;
        let placed = &mut self.placed[at];
        if placed.passes > 0 {
            placed.passes -= 1;
            return None;
        }
        let fault = placed.fault.clone();
        if let Some(left) = &mut placed.left {
            *left = left.saturating_sub(1);
            if *left == 0 {
                self.placed.remove(at);
            }
        }
        Some(fault)
    }

    /// Whether a server is down for everybody, home's own fetches included.
    pub(crate) fn down(&self, server: ServerIx) -> bool {
        self.placed.iter().any(|placed| {
            placed.server == server
                && placed.path.is_empty()
                && placed.left.is_none()
                && placed.passes == 0
                && match placed.fault {
                    Fault::Silent | Fault::Close | Fault::Truncated | Fault::Endless | Fault::Loop => true,
                    Fault::Html(status) | Fault::Empty(status) => status >= 500,
                    _ => false,
                }
        })
    }
}

fn is_resolve(call: &Call) -> bool {
    call.path == "/api/v2/search" && call.flag("resolve")
}
