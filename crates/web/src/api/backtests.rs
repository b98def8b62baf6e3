//! `/api/v1/moderation/backtests`: rules tried on what was seen.

use axum::{Json, extract::State as Extract, http::StatusCode};
use chrono::TimeDelta;
use model::{Clock as _, SystemClock};
use moderation::Page;
use serde::{Deserialize, Serialize};
use store::rulesets::{self, Backtest};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Body, rules::problem};
use crate::{State, problem::Problem, rights::Visitor};

/// What was seen is of all servers.
pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(backtests, try_them))
}

/// What to try.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
struct Trial {
    /// How many days back, 1 to 365; default 7.
    days: Option<u32>,
    /// A page of rules to try in place of the one of its name; default: the rules in place as they are.
    name: Option<String>,
    /// Its TOML.
    text: Option<String>,
}

/// Tries that were asked for.
#[derive(Debug, Serialize, ToSchema)]
struct Trials {
    #[schema(value_type = Vec<Object>)]
    backtests: Vec<Backtest>,
}

/// Tries of rules on what was seen, newest first; the first fifty.
#[utoipa::path(
    get, path = "/api/v1/moderation/backtests", tag = "moderation", operation_id = "list_backtests",
    responses((status = 200, description = "The tries, with what came of them", body = Trials))
)]
async fn backtests(Extract(state): Extract<State>) -> Result<Json<Trials>, Problem> {
    let backtests = rulesets::backtests(&state.store, 50).await?;
    Ok(Json(Trials { backtests }))
}

/// What was asked for.
#[derive(Debug, Serialize, ToSchema)]
struct Asked {
    /// By which it is found among the tries.
    id: String,
}

/// Asks for rules to be tried on what was seen. A job does it within a minute.
#[utoipa::path(
    post, path = "/api/v1/moderation/backtests", tag = "moderation", operation_id = "ask_backtest", request_body = Trial,
    responses(
        (status = 202, description = "It is done within a minute", body = Asked),
        (status = 422, description = "They are no good rules", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn try_them(
    Extract(state): Extract<State>,
    visitor: Visitor,
    Body(trial): Body<Trial>,
) -> Result<(StatusCode, Json<Asked>), Problem> {
    let page = trial.text.map(|text| Page {
        name: trial.name.unwrap_or_else(|| "given.toml".to_owned()),
        text,
    });
    let id = ask_backtest(&state, &visitor, page, trial.days.unwrap_or(7)).await?;
    Ok((StatusCode::ACCEPTED, Json(Asked { id })))
}

/// Writes the wish to the store and wakes the job.
pub(crate) async fn ask_backtest(
    state: &State,
    visitor: &Visitor,
    page: Option<Page>,
    days: u32,
) -> Result<String, Problem> {
    let now = SystemClock.now();
    let since = now - TimeDelta::days(i64::from(days.clamp(1, 365)));
    let pages = match page {
        None => None,
        Some(page) => {
            let newest = rulesets::newest(&state.store).await?;
            let mut pages = newest.as_ref().map(moderation::pages_of).unwrap_or_default();
            pages.retain(|known| known.name != page.name);
            pages.push(page);
            Some(pages)
        }
    };
    let id = moderation::ask_backtest(&state.store, pages, since, &visitor.name, now)
        .await
        .map_err(problem)?;
    state.board.nudge();
    Ok(id)
}
