//! How many pages are made at once.
//!
//! Making a page is work for the processor, and so is turning rows into JSON. If everybody's were begun at once, each
//! thread would go from page to page for as long as there are any, and who asks whether we are alive would wait for all
//! of them. So few are begun, the others wait in line, and what is asked beside them finds a thread soon.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State as Extract},
    middleware::{self, Next},
    response::Response,
};
use tokio::sync::Semaphore;

use crate::State;

/// As many as SQLite has readers: more would wait there.
const AT_ONCE: usize = 4;

/// The line. Clone it freely.
#[derive(Debug, Clone)]
pub(crate) struct Turns(Arc<Semaphore>);

impl Default for Turns {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

impl Turns {
    /// `routes` whose requests wait for their turn.
    pub(crate) fn line(&self, routes: Router<State>) -> Router<State> {
        routes.route_layer(middleware::from_fn_with_state(self.clone(), wait))
    }
}

async fn wait(Extract(Turns(turns)): Extract<Turns>, request: Request, next: Next) -> Response {
    // Nobody closes it; were it closed, all would be let through.
    let _turn = turns.acquire().await;
    next.run(request).await
}
