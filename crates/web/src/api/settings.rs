//! `/api/v1/settings`, `/api/v1/modes`, `/api/v1/panic_stop`: what holds, and what can be switched while running.

use axum::{
    Json,
    extract::{Path, State as Extract},
    http::StatusCode,
};
use chrono::{DateTime, Utc};
use job::ModeNow;
use model::{Clock, SystemClock};
use serde::{Deserialize, Serialize};
use store::effects;
use tracing::warn;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::Body;
use crate::{State, problem::Problem, rights::Visitor, settings::Setting};

pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(modes)).routes(routes!(panic_stop))
}

pub(super) fn admin_routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(switch_mode, reset_mode))
        .routes(routes!(set_panic_stop, lift_panic_stop))
}

/// The effective config.
#[derive(Debug, Serialize, ToSchema)]
struct Settings {
    settings: Vec<Setting>,
}

/// The effective config: every key, secrets masked, and where its value came from.
#[utoipa::path(
    get, path = "/api/v1/settings", tag = "settings", operation_id = "list_settings",
    responses((status = 200, description = "Every key of the config as it holds", body = Settings))
)]
async fn list(Extract(state): Extract<State>) -> Json<Settings> {
    let settings = state.settings.list().to_vec();
    Json(Settings { settings })
}

/// Whether a feature may write on other people's servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mode {
    /// Plans are made and shown, nothing is sent.
    Observe,
    /// Plans are carried out.
    Act,
}

impl From<job::Mode> for Mode {
    fn from(mode: job::Mode) -> Self {
        match mode {
            job::Mode::Observe => Self::Observe,
            job::Mode::Act => Self::Act,
        }
    }
}

impl From<Mode> for job::Mode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Observe => Self::Observe,
            Mode::Act => Self::Act,
        }
    }
}

/// A feature's mode as it holds.
#[derive(Debug, Serialize, ToSchema)]
struct FeatureMode {
    /// `blocklists`, …
    feature: String,
    /// What holds.
    mode: Mode,
    /// What the config says.
    config: Mode,
    /// Who switched it while the daemon ran.
    switched_by: Option<String>,
    /// When.
    switched_at: Option<DateTime<Utc>>,
}

impl From<ModeNow> for FeatureMode {
    fn from(now: ModeNow) -> Self {
        let (switched_by, switched_at) = now.switched.unzip();
        Self {
            feature: now.feature.to_owned(),
            mode: now.mode.into(),
            config: now.config.into(),
            switched_by,
            switched_at,
        }
    }
}

/// The modes of all features that write on other people's servers.
#[derive(Debug, Serialize, ToSchema)]
struct Modes {
    modes: Vec<FeatureMode>,
}

/// The modes as they hold now.
#[utoipa::path(
    get, path = "/api/v1/modes", tag = "settings", operation_id = "list_modes",
    responses((status = 200, description = "The mode of each feature that writes", body = Modes))
)]
async fn modes(Extract(state): Extract<State>) -> Result<Json<Modes>, Problem> {
    let modes = state
        .ledger
        .modes_now()
        .await?
        .into_iter()
        .map(FeatureMode::from)
        .collect();
    Ok(Json(Modes { modes }))
}

/// Which mode.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Wanted {
    mode: Mode,
}

/// Switches a feature's mode, or gives it back to the config, in the visitor's name.
pub(crate) async fn switch(
    state: &State,
    visitor: &Visitor,
    feature: &str,
    mode: Option<job::Mode>,
) -> Result<(), Problem> {
    if !state.ledger.switch(feature, mode, &visitor.name).await? {
        return Err(Problem::not_found(
            "no feature of that name writes on other people's servers",
        ));
    }
    warn!(
        feature,
        mode = mode.map_or("as configured", job::Mode::as_str),
        who = visitor.name,
        "a mode was switched"
    );
    state.board.nudge();
    Ok(())
}

/// Switches a feature's mode; holds from the next effect on and outweighs the config.
#[utoipa::path(
    put, path = "/api/v1/modes/{feature}", tag = "settings", operation_id = "switch_mode", request_body = Wanted,
    params(("feature" = String, Path, description = "`blocklists`, …")),
    responses(
        (status = 204, description = "It holds from the next effect on"),
        (status = 404, description = "No such feature writes", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn switch_mode(
    Extract(state): Extract<State>,
    visitor: Visitor,
    Path(feature): Path<String>,
    Body(Wanted { mode }): Body<Wanted>,
) -> Result<StatusCode, Problem> {
    switch(&state, &visitor, &feature, Some(mode.into())).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Goes back to the mode of the config.
#[utoipa::path(
    delete, path = "/api/v1/modes/{feature}", tag = "settings", operation_id = "reset_mode",
    params(("feature" = String, Path, description = "`blocklists`, …")),
    responses(
        (status = 204, description = "The config's mode holds again"),
        (status = 404, description = "No such feature writes", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn reset_mode(
    Extract(state): Extract<State>,
    visitor: Visitor,
    Path(feature): Path<String>,
) -> Result<StatusCode, Problem> {
    switch(&state, &visitor, &feature, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whether all effects of all features are held.
#[derive(Debug, Serialize, ToSchema)]
struct PanicStop {
    active: bool,
    /// Who set it.
    set_by: Option<String>,
    /// When.
    set_at: Option<DateTime<Utc>>,
}

/// Whether the panic stop holds all effects.
#[utoipa::path(
    get, path = "/api/v1/panic_stop", tag = "settings", operation_id = "show_panic_stop",
    responses((status = 200, description = "Whether it stands, and who set it", body = PanicStop))
)]
async fn panic_stop(Extract(state): Extract<State>) -> Result<Json<PanicStop>, Problem> {
    let (set_by, set_at) = effects::panic_stop(&state.store).await?.unzip();
    Ok(Json(PanicStop {
        active: set_at.is_some(),
        set_by,
        set_at,
    }))
}

/// Sets the panic stop in the visitor's name, or lifts it.
pub(crate) async fn stop_all(state: &State, visitor: &Visitor, stop: bool) -> Result<(), Problem> {
    let who = stop.then_some(visitor.name.as_str());
    effects::set_panic_stop(&state.store, who, SystemClock.now()).await?;
    warn!(
        who = visitor.name,
        "the panic stop was {}",
        if stop { "set: all effects are held" } else { "lifted" }
    );
    Ok(())
}

/// Holds all effects of all features at once.
#[utoipa::path(
    put, path = "/api/v1/panic_stop", tag = "settings", operation_id = "set_panic_stop",
    responses((status = 204, description = "Nothing goes out any more until it is lifted"))
)]
async fn set_panic_stop(Extract(state): Extract<State>, visitor: Visitor) -> Result<StatusCode, Problem> {
    stop_all(&state, &visitor, true).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lifts the panic stop: what was held goes on with the next runs.
#[utoipa::path(
    delete, path = "/api/v1/panic_stop", tag = "settings", operation_id = "lift_panic_stop",
    responses((status = 204, description = "What was held goes on with the next runs"))
)]
async fn lift_panic_stop(Extract(state): Extract<State>, visitor: Visitor) -> Result<StatusCode, Problem> {
    stop_all(&state, &visitor, false).await?;
    Ok(StatusCode::NO_CONTENT)
}
