//! `/api/v1/effects`: every write on somebody else's server; hold and release.

use axum::{
    Json,
    extract::{Path, State as Extract},
    http::{StatusCode, Uri},
    response::Response,
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::effects::{self, Effect as Row, Filter, Part, State as Is};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Query,
    paging::{self, Limit},
};
use crate::{
    State,
    problem::Problem,
    rights::{Right, Visitor},
};

pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(show))
}

pub(super) fn admin_routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(release)).routes(routes!(hold))
}

/// Features whose effects people other than administrators look after.
const FEATURES: [&str; 3] = ["moderation", "registrations", "blocklists"];

/// The effects that a visitor may see: those of the features that they look after, at the servers where they do.
pub(crate) fn visible(visitor: &Visitor) -> Vec<Part> {
    let part = |feature: Option<&str>, right| Part {
        feature: feature.map(str::to_owned),
        servers: visitor.servers(right).filter(),
    };
    let mut parts = vec![part(None, Right::Admin)];
    parts.extend(FEATURES.map(|feature| part(Some(feature), Right::of_feature(feature))));
    // Who looks after a feature nowhere sees none of it.
    parts.retain(|part| part.servers.as_ref().is_none_or(|servers| !servers.is_empty()));
    parts
}

/// How far an effect has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stage {
    /// Planned while observing; nothing was sent.
    Rehearsed,
    /// Waits: panic stop, quota, or somebody.
    Held,
    /// About to be sent.
    Intended,
    /// Carried out.
    Done,
    /// The server refused it.
    Failed,
    /// Undone later.
    Undone,
}

impl Stage {
    pub(crate) const ALL: [Self; 6] = [
        Self::Rehearsed,
        Self::Held,
        Self::Intended,
        Self::Done,
        Self::Failed,
        Self::Undone,
    ];

    pub(crate) fn of(state: Is) -> Self {
        match state {
            Is::Rehearsed => Self::Rehearsed,
            Is::Held => Self::Held,
            Is::Intended => Self::Intended,
            Is::Done => Self::Done,
            Is::Failed => Self::Failed,
            Is::Undone => Self::Undone,
        }
    }

    pub(crate) fn state(self) -> Is {
        match self {
            Self::Rehearsed => Is::Rehearsed,
            Self::Held => Is::Held,
            Self::Intended => Is::Intended,
            Self::Done => Is::Done,
            Self::Failed => Is::Failed,
            Self::Undone => Is::Undone,
        }
    }

    /// As it is written.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Rehearsed => "rehearsed",
            Self::Held => "held",
            Self::Intended => "intended",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Undone => "undone",
        }
    }
}

/// One write on somebody else's server.
#[derive(Debug, Serialize, ToSchema)]
struct Effect {
    /// Sorts by time; the cursor of a page.
    id: String,
    /// `blocklists`, …
    feature: String,
    /// The server it is for.
    server: String,
    /// `domain_block.create`, …
    kind: String,
    /// What it is about: the same for the same wish.
    key: String,
    /// What is sent.
    #[schema(value_type = Object)]
    intent: Value,
    /// Why: rule, list, evidence, who agreed.
    #[schema(value_type = Object)]
    reason: Value,
    state: Stage,
    /// Why it waits or failed.
    note: Option<String>,
    /// What came back.
    #[schema(value_type = Option<Object>)]
    result: Option<Value>,
    /// Planned.
    planned_at: DateTime<Utc>,
    /// Last change.
    changed_at: DateTime<Utc>,
}

impl From<Row> for Effect {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            feature: row.feature,
            server: row.server,
            kind: row.kind,
            key: row.key,
            intent: row.intent,
            reason: row.reason,
            state: Stage::of(row.state),
            note: row.note,
            result: row.result,
            planned_at: row.planned_at,
            changed_at: row.changed_at,
        }
    }
}

/// Which effects.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Params {
    /// Only of this feature.
    pub(crate) feature: Option<String>,
    /// Only in this state.
    pub(crate) state: Option<Stage>,
    /// Only for this server.
    pub(crate) server: Option<String>,
    /// Older than this one: the cursor of the page before.
    pub(crate) before: Option<String>,
    /// How many, 1 to 200.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    pub(crate) limit: Limit,
}

/// A page of effects.
#[derive(Debug, Serialize, ToSchema)]
struct Effects {
    effects: Vec<Effect>,
    /// The next page's `before`; `null` on the last one.
    next: Option<String>,
}

/// Every write, newest first: of the features that whoever asks looks after.
#[utoipa::path(
    get, path = "/api/v1/effects", tag = "effects", operation_id = "list_effects", params(Params),
    responses((status = 200, description = "A page of effects, newest first", body = Effects,
        headers(("link" = String, description = "The next page, with `rel=\"next\"`"))))
)]
async fn list(
    Extract(state): Extract<State>,
    visitor: Visitor,
    uri: Uri,
    Query(params): Query<Params>,
) -> Result<Response, Problem> {
    let (rows, next) = page(&state, &visitor, &params).await?;
    let effects = rows.into_iter().map(Effect::from).collect();
    let body = Effects {
        effects,
        next: next.clone(),
    };
    Ok(paging::page(&uri, next.as_deref(), body))
}

/// A page of what this visitor may see, and where the next one begins.
pub(crate) async fn page(
    state: &State,
    visitor: &Visitor,
    params: &Params,
) -> Result<(Vec<Row>, Option<String>), Problem> {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let filter = Filter {
        feature: given(&params.feature),
        among: Some(visible(visitor)),
        state: params.state.map(Stage::state),
        server: given(&params.server),
        before: given(&params.before),
    };
    let mut rows = effects::search(&state.store, &filter, params.limit.get() + 1).await?;
    let next = params.limit.cut(&mut rows, |row| row.id.clone());
    Ok((rows, next))
}

/// One effect, if this visitor may see it.
pub(crate) async fn load(state: &State, visitor: &Visitor, id: &str) -> Result<Row, Problem> {
    effects::load(&state.store, id)
        .await?
        .filter(|row| visible(visitor).iter().any(|part| part.has(&row.feature, &row.server)))
        .ok_or_else(|| Problem::not_found("there is no such effect"))
}

/// One effect.
#[utoipa::path(
    get, path = "/api/v1/effects/{id}", tag = "effects", operation_id = "show_effect",
    params(("id" = String, Path, description = "Of the effect")),
    responses(
        (status = 200, description = "The effect, with its evidence and what came of it", body = Effect),
        (status = 404, description = "There is no such effect", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn show(
    Extract(state): Extract<State>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Json<Effect>, Problem> {
    Ok(Json(load(&state, &visitor, &id).await?.into()))
}

/// What somebody may want of an effect that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    Release,
    Hold,
}

/// Does it, in the visitor's name.
pub(crate) async fn tell(state: &State, visitor: &Visitor, id: &str, wish: Wish) -> Result<(), Problem> {
    let row = load(state, visitor, id).await?;
    visitor.demand(Right::Admin, &row.server)?;
    let moved = match wish {
        Wish::Release => state.ledger.release(id, &visitor.name).await,
        Wish::Hold => state.ledger.hold(id, &visitor.name).await,
    };
    match moved {
        Ok(true) => Ok(()),
        Ok(false) => {
            Err(Problem::new(409, "not any more").because("this effect does not wait: it was sent, or refused"))
        }
        Err(error) => Err(Problem::new(503, "the ledger does not answer").because(error.to_string())),
    }
}

/// Lets a waiting effect pass the quota: its feature's next run sends it.
#[utoipa::path(
    post, path = "/api/v1/effects/{id}/release", tag = "effects", operation_id = "release_effect",
    params(("id" = String, Path, description = "Of the effect")),
    responses(
        (status = 204, description = "The feature's next run sends it, unless panic stop or mode hold it"),
        (status = 404, description = "There is no such effect", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It does not wait", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn release(
    Extract(state): Extract<State>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    tell(&state, &visitor, &id, Wish::Release).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a waiting effect out of the queue until somebody releases it.
#[utoipa::path(
    post, path = "/api/v1/effects/{id}/hold", tag = "effects", operation_id = "hold_effect",
    params(("id" = String, Path, description = "Of the effect")),
    responses(
        (status = 204, description = "Nothing sends it until somebody releases it"),
        (status = 404, description = "There is no such effect", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It does not wait", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn hold(Extract(state): Extract<State>, visitor: Visitor, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    tell(&state, &visitor, &id, Wish::Hold).await?;
    Ok(StatusCode::NO_CONTENT)
}
