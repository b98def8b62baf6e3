//! `/api/v1/registrations/rules`: the rules with what they did, what others would have changed; write, try, delete them.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{Path, State as Extract},
    http::StatusCode,
};
use chrono::{DateTime, Utc};
use model::{Clock as _, SystemClock};
use registrations::{Facts, Judgement, Replay, Rule, Ruleset, known_lists, replay};
use serde::{Deserialize, Serialize};
use store::applicants::{self, StoredRule};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::Body;
use crate::{State, problem::Problem, rights::Visitor};

pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(r#try))
}

/// Rules judge the people of all servers, and so does what compares them.
pub(super) fn everywhere_routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(compare))
        .routes(routes!(write))
        .routes(routes!(delete))
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

/// Puts rules in place of those of the same names, beside the others: all of them or none.
#[utoipa::path(
    post, path = "/api/v1/registrations/rules", tag = "registrations", operation_id = "write_registration_rules",
    request_body = Tried,
    responses(
        (status = 204, description = "They judge from the next pass on"),
        (status = 422, description = "They are no good rules, or the config file has one of the name", body = Problem,
            content_type = "application/problem+json"),
    )
)]
async fn write(
    Extract(state): Extract<State>,
    visitor: Visitor,
    Body(tried): Body<Tried>,
) -> Result<StatusCode, Problem> {
    put(&state, &visitor, tried.rules).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The same for the page.
pub(crate) async fn put(state: &State, visitor: &Visitor, new: Vec<Rule>) -> Result<(), Problem> {
    let no_good = |why: String| Err(Problem::field(422, "rules", why));
    if new.is_empty() {
        return no_good("there are none".to_owned());
    }
    let (stored, rules) = in_place(state).await?;
    for rule in &new {
        if rule.domain_lists.iter().any(|list| !list.starts_with("https://")) {
            // Whoever may write rules here need not be allowed to read this machine's files.
            return no_good("domain_lists: only https:// addresses here; files go into the config".to_owned());
        }
        if stored
            .iter()
            .any(|one| one.name == rule.name && one.changed_by == applicants::CONFIG)
        {
            return no_good(in_config(&rule.name));
        }
    }
    compile(state, &beside(rules, new.clone())).await?;
    for rule in new {
        let stored = StoredRule {
            name: rule.name.clone(),
            rule: serde_json::to_value(&rule).unwrap_or_default(),
            changed_by: visitor.name.clone(),
            changed_at: SystemClock.now(),
        };
        // The config was reloaded this moment.
        if !applicants::save_rule(&state.store, &stored).await? {
            return no_good(in_config(&rule.name));
        }
    }
    state.board.nudge();
    Ok(())
}

fn in_config(name: &str) -> String {
    format!("{name:?} stands in the config file; change it there")
}

/// Takes a rule away that was written here.
#[utoipa::path(
    delete, path = "/api/v1/registrations/rules/{name}", tag = "registrations", operation_id = "delete_registration_rule",
    params(("name" = String, Path, description = "Of the rule")),
    responses(
        (status = 204, description = "It judges nobody from the next pass on"),
        (status = 404, description = "There is none, or it stands in the config file", body = Problem,
            content_type = "application/problem+json"),
    )
)]
async fn delete(Extract(state): Extract<State>, Path(name): Path<String>) -> Result<StatusCode, Problem> {
    drop_rule(&state, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The same for the page.
pub(crate) async fn drop_rule(state: &State, name: &str) -> Result<(), Problem> {
    if !applicants::delete_rule(&state.store, name).await? {
        return Err(Problem::not_found(
            "there is no such rule, or it stands in the config file",
        ));
    }
    state.board.nudge();
    Ok(())
}

/// Whom to judge.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Somebody {
    /// An e-mail address, taken for confirmed.
    email: String,
}

/// What the rules say.
#[derive(Debug, Serialize, ToSchema)]
struct Judged {
    /// `approve`, `reject`, `hold`, `wait`, `ignore`.
    verdict: &'static str,
    /// Which rule; `null` where none fits or rules disagree.
    rule: Option<String>,
    /// For people.
    why: String,
}

/// What the rules in place say of an address. Nobody is decided about.
#[utoipa::path(
    post, path = "/api/v1/registrations/rules/try", tag = "registrations", operation_id = "try_registration_rules",
    request_body = Somebody, responses((status = 200, description = "The verdict and its reason", body = Judged))
)]
async fn r#try(
    Extract(state): Extract<State>,
    Body(Somebody { email }): Body<Somebody>,
) -> Result<Json<Judged>, Problem> {
    let Judgement { verdict, rule, why } = judged(&state, &email).await?;
    Ok(Json(Judged {
        verdict: verdict.as_str(),
        rule,
        why,
    }))
}

/// The same for the page.
pub(crate) async fn judged(state: &State, email: &str) -> Result<Judgement, Problem> {
    let (_, rules) = in_place(state).await?;
    let facts = Facts {
        confirmed: true,
        email: email.chars().take(400).collect(),
        ..Facts::default()
    };
    Ok(compile(state, &rules).await?.judge(&facts))
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
