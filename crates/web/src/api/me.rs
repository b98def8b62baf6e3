//! `/api/v1/me`: who asks, and what they may where.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{State, rights::Visitor};

pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(show))
}

/// One thing they may.
#[derive(Debug, Serialize, ToSchema)]
struct Right {
    /// `view`, `moderation`, `registrations`, `federation` or `admin`, which brings all others along.
    right: &'static str,
    /// A server, or a login of their own; `null` for everywhere.
    at: Option<String>,
}

/// Who asks.
#[derive(Debug, Serialize, ToSchema)]
struct Me {
    /// As the effects that they release say.
    name: String,
    /// What they may, and how far it reaches.
    rights: Vec<Right>,
}

/// Who asks, and what they may where.
#[utoipa::path(
    get, path = "/api/v1/me", tag = "me", operation_id = "show_me",
    responses((status = 200, description = "Whoever the token or the session stands for", body = Me))
)]
async fn show(visitor: Visitor) -> Json<Me> {
    let rights = visitor.grants().iter().map(|grant| Right {
        right: grant.right.as_str(),
        at: grant.scope().map(str::to_owned),
    });
    Json(Me {
        rights: rights.collect(),
        name: visitor.name.clone(),
    })
}
