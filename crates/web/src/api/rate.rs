//! How often one client may ask. A script gone wild must not keep the pages from those who read them.

use std::{num::NonZeroU32, sync::Arc};

use axum::{
    extract::{Request, State},
    http::header,
    middleware::Next,
    response::{IntoResponse, Response},
};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock as _};

use crate::{limits::Client, problem::Problem, rights::Visitor};

/// Requests a minute, in the long run.
const PER_MINUTE: NonZeroU32 = NonZeroU32::new(600).unwrap();

/// Requests at once before the pace is even.
const BURST: NonZeroU32 = NonZeroU32::new(200).unwrap();

/// From this many clients on, those whose budget is full again are forgotten.
const MANY: usize = 4096;

/// The budgets of all clients. Clone it freely.
#[derive(Clone)]
pub(crate) struct Rate(Arc<DefaultKeyedRateLimiter<String>>);

impl Default for Rate {
    fn default() -> Self {
        Self(Arc::new(RateLimiter::keyed(
            Quota::per_minute(PER_MINUTE).allow_burst(BURST),
        )))
    }
}

/// Lets a request through, or answers 429 with `Retry-After`. A client is who signed in, from one address.
pub(crate) async fn check(
    State(Rate(budgets)): State<Rate>,
    visitor: Visitor,
    client: Client,
    request: Request,
    next: Next,
) -> Response {
    let client = format!("{}@{}", visitor.name, client.key());
    if budgets.len() > MANY {
        budgets.retain_recent();
    }
    match budgets.check_key(&client) {
        Ok(()) => next.run(request).await,
        Err(not_yet) => {
            let wait = not_yet.wait_time_from(governor::clock::DefaultClock::default().now());
            Problem::new(429, "too many requests")
                .because(format!(
                    "at most {PER_MINUTE} requests a minute; try again after Retry-After"
                ))
                .with(header::RETRY_AFTER, wait.as_secs().max(1))
                .into_response()
        }
    }
}
