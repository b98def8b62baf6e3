//! `/api/v1/registrations/rules`: the rules with what they did, and what others would have changed.

use std::collections::BTreeMap;

use axum::{Json, extract::State as Extract};
use chrono::{DateTime, Utc};
use registrations::{Replay, Rule, Ruleset, known_lists, replay};
use serde::{Deserialize, Serialize};
use store::applicants::{self, StoredRule};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::Body;
use crate::{State, problem::Problem};

pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(list))
}

/// Rules judge the people of all servers, and so does what compares them.
pub(super) fn replay_routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(compare))
}

/// A rule, and how many it stands for now.
#[derive(Debug, Serialize, ToSchema)]
struct Counted {
    /// By which its verdicts are explained.
    name: String,
    /// As in the config.
    #[schema(value_type = Object)]
    rule: serde_json::Value,
    /// `config`, or a person.
    changed_by: String,
    /// When.
    changed_at: DateTime<Utc>,
    /// Applicants it decided, by how far they are: `hold`, `approved`, …
    #[schema(value_type = Object)]
    counts: BTreeMap<&'static str, i64>,
}

/// All rules.
#[derive(Debug, Serialize, ToSchema)]
struct Rules {
    rules: Vec<Counted>,
}

/// The rules in place, of the config and of the page, with their counters.
#[utoipa::path(
    get, path = "/api/v1/registrations/rules", tag = "registrations", operation_id = "list_registration_rules",
    responses((status = 200, description = "The rules by name", body = Rules))
)]
async fn list(Extract(state): Extract<State>) -> Result<Json<Rules>, Problem> {
    let mut counts: BTreeMap<String, BTreeMap<&'static str, i64>> = BTreeMap::new();
    for (rule, _, is, count) in applicants::counts_by_rule(&state.store).await? {
        *counts
            .entry(rule.unwrap_or_default())
            .or_default()
            .entry(is.as_str())
            .or_default() += count;
    }
    let rules = applicants::rules(&state.store).await?.into_iter().map(|one| Counted {
        counts: counts.remove(&one.name).unwrap_or_default(),
        name: one.name,
        rule: one.rule,
        changed_by: one.changed_by,
        changed_at: one.changed_at,
    });
    Ok(Json(Rules { rules: rules.collect() }))
}

/// Rules as in the config, as JSON.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Tried {
    /// In place of those of the same names, beside the others.
    #[schema(value_type = Vec<Object>)]
    rules: Vec<Rule>,
}

/// What these rules, beside those in place, would have changed. Nothing is put in place.
#[utoipa::path(
    post, path = "/api/v1/registrations/rules/replay", tag = "registrations", operation_id = "replay_registrations",
    request_body = Tried,
    responses(
        (status = 200, description = "How many would be judged alike, and who otherwise", body = Object),
        (status = 422, description = "They are no good rules", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn compare(Extract(state): Extract<State>, Body(tried): Body<Tried>) -> Result<Json<Replay>, Problem> {
    let (_, rules) = in_place(&state).await?;
    let ruleset = compile(&state, &beside(rules, tried.rules)).await?;
    Ok(Json(replay(&state.store, &ruleset).await?))
}

/// The rules in place, as the job last used them.
pub(crate) async fn in_place(state: &State) -> Result<(Vec<StoredRule>, Vec<Rule>), Problem> {
    let stored = applicants::rules(&state.store).await?;
    let rules = stored
        .iter()
        .filter_map(|one| serde_json::from_value(one.rule.clone()).ok())
        .collect();
    Ok((stored, rules))
}

/// New rules in place of those of the same names, beside the others.
pub(crate) fn beside(mut rules: Vec<Rule>, new: Vec<Rule>) -> Vec<Rule> {
    rules.retain(|rule| !new.iter().any(|one| one.name == rule.name));
    rules.extend(new);
    rules
}

/// Ready to judge, or why not.
pub(crate) async fn compile(state: &State, rules: &[Rule]) -> Result<Ruleset, Problem> {
    let lists = known_lists(&state.store).await?;
    Ruleset::new(rules, &lists).map_err(|why| Problem::field(422, "rules", why))
}
