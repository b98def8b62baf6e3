//! Who visits, and what they may see and do. Rights come from permission bits, never from a role's name.

use std::convert::Infallible;

use axum::{
    Router,
    extract::{FromRequestParts, Request},
    http::request::Parts,
    middleware::{self, Next},
    response::{IntoResponse, Response},
};

use crate::{State, problem::Problem};

/// One thing that a visitor may be allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Right {
    /// See what is theirs: Overview, Jobs, Replies, their own archive and metering.
    View,
    /// Cases, rules, reports.
    Moderation,
    /// Who asks to come in.
    Registrations,
    /// Blocklists.
    Federation,
    /// Settings, running and pausing jobs, releasing effects, the panic stop.
    Admin,
}

impl Right {
    /// All of them, weakest first.
    pub(crate) const ALL: [Self; 5] = [
        Self::View,
        Self::Moderation,
        Self::Registrations,
        Self::Federation,
        Self::Admin,
    ];

    /// As it is written in scopes of API tokens.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Moderation => "moderation",
            Self::Registrations => "registrations",
            Self::Federation => "federation",
            Self::Admin => "admin",
        }
    }
}

/// Who asks. Put into every request before a route sees it.
#[derive(Debug, Clone)]
pub(crate) struct Visitor {
    /// How the effects ledger and the pages call them: `alice@mastodon.example`, `token backup`, `local`.
    pub(crate) name: String,
    rights: Vec<Right>,
}

impl Visitor {
    /// Somebody with these rights; [`Right::Admin`] brings all others along.
    pub(crate) fn new(name: impl Into<String>, rights: impl Into<Vec<Right>>) -> Self {
        Self {
            name: name.into(),
            rights: rights.into(),
        }
    }

    /// Whether they may.
    pub(crate) fn may(&self, right: Right) -> bool {
        self.rights.contains(&right) || self.rights.contains(&Right::Admin)
    }
}

impl<S: Sync> FromRequestParts<S> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        // Without one, somebody forgot the layer: then nobody may do anything.
        Ok(parts
            .extensions
            .get::<Self>()
            .cloned()
            .unwrap_or_else(|| Self::new("nobody", [])))
    }
}

/// `routes` for those only who have `right`.
pub(crate) fn only_with(right: Right, routes: Router<State>) -> Router<State> {
    routes.route_layer(middleware::from_fn(
        move |visitor: Visitor, request: Request, next: Next| async move { check(right, &visitor, request, next).await },
    ))
}

async fn check(right: Right, visitor: &Visitor, request: Request, next: Next) -> Response {
    if visitor.may(right) {
        return next.run(request).await;
    }
    Problem::new(403, "not yours")
        .because(format!(
            "{} may not do this: it needs the right \u{201c}{}\u{201d}",
            visitor.name,
            right.as_str()
        ))
        .into_response()
}
