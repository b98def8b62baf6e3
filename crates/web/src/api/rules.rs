//! `/api/v1/moderation/rules`: the rules with what they did; check, test, put in place, take back.

use axum::{
    Json,
    extract::{Path, State as Extract},
};
use chrono::{DateTime, TimeDelta, Utc};
use model::{Clock as _, SystemClock};
use moderation::{BookError, Edit, Page};
use rules::{Ruleset, State as Stands, Subject};
use serde::{Deserialize, Serialize};
use store::{
    rule_hits,
    rulesets::{self, Standing, StoredRuleset},
};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::Body;
use crate::{State, problem::Problem, rights::Visitor};

pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(test))
}

/// Rules judge the people of all servers, and so does what changes or compares them.
pub(super) fn all_routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(put))
        .routes(routes!(versions))
        .routes(routes!(roll_back))
        .routes(routes!(stand))
}

/// A rule, how far it is trusted and how it fares.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Shown {
    /// As it is written.
    #[schema(value_type = Object)]
    pub(crate) rule: serde_json::Value,
    /// `shadow`, `live`, `off`.
    pub(crate) standing: String,
    /// What was said of it in its present text.
    #[schema(value_type = Option<Object>)]
    pub(crate) said: Option<Standing>,
    /// What it matched in 30 days: live and in shadow.
    pub(crate) hits: i64,
    /// Of how many accounts.
    pub(crate) accounts: i64,
    /// Of those, hits on accounts that are spared.
    pub(crate) spared: i64,
    /// The last time.
    pub(crate) last_at: Option<DateTime<Utc>>,
    /// Cases it spoke in that people agreed with, in 180 days.
    pub(crate) confirmed: i64,
    /// And that they did not.
    pub(crate) rejected: i64,
}

/// The rules in place.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Rules {
    /// Counts up with each change; 0 for none.
    pub(crate) version: i64,
    pub(crate) rules: Vec<Shown>,
    /// The pages they stand in: name and TOML.
    #[schema(value_type = Vec<Object>)]
    pub(crate) pages: Vec<Page>,
}

/// The rules in place, with their numbers.
#[utoipa::path(
    get, path = "/api/v1/moderation/rules", tag = "moderation", operation_id = "list_rules",
    responses((status = 200, description = "The rules by file and place", body = Rules))
)]
async fn list(Extract(state): Extract<State>) -> Result<Json<Rules>, Problem> {
    Ok(Json(in_place(&state).await?))
}

/// The rules in place, with their numbers.
pub(crate) async fn in_place(state: &State) -> Result<Rules, Problem> {
    let now = SystemClock.now();
    let (version, pages, ruleset) = compiled(state).await?;
    let digests = moderation::digests(&pages);
    let said = rulesets::standings(&state.store).await?;
    let numbers = rule_hits::numbers(&state.store, now - TimeDelta::days(30)).await?;
    let verdicts = rule_hits::verdicts(&state.store, now - TimeDelta::days(180)).await?;
    let mut shown = Vec::new();
    for (rule, _) in ruleset.rules() {
        let said = said
            .iter()
            .find(|said| said.name == rule.id && digests.get(&rule.id) == Some(&said.digest))
            .cloned();
        let mine = || numbers.iter().filter(|line| line.rule == rule.id);
        let (_, confirmed, rejected) = verdicts
            .iter()
            .find(|(id, ..)| *id == rule.id)
            .cloned()
            .unwrap_or_default();
        shown.push(Shown {
            standing: match (rule.state, &said) {
                (Stands::Off, _) => "off".to_owned(),
                (_, Some(said)) => said.standing.clone(),
                (_, None) => "shadow".to_owned(),
            },
            hits: mine().map(|line| line.hits).sum(),
            accounts: mine().map(|line| line.accounts).sum(),
            spared: mine()
                .filter(|line| matches!(&*line.standing, "exempt" | "immune"))
                .map(|line| line.hits)
                .sum(),
            last_at: mine().map(|line| line.last_at).max(),
            rule: serde_json::to_value(rule).unwrap_or_default(),
            said,
            confirmed,
            rejected,
        });
    }
    Ok(Rules {
        version,
        rules: shown,
        pages,
    })
}

/// The version in place, as it is written and ready to judge.
pub(crate) async fn compiled(state: &State) -> Result<(i64, Vec<Page>, Ruleset), Problem> {
    let newest = rulesets::newest(&state.store).await?;
    let version = newest.as_ref().map_or(0, |newest| newest.version);
    let pages = newest.as_ref().map(moderation::pages_of).unwrap_or_default();
    let ruleset = moderation::compile(&state.store, &pages).await.map_err(problem)?;
    Ok((version, pages, ruleset))
}

/// What went wrong with rules, as an answer: 422 with file, line and column of everything.
pub(crate) fn problem(error: BookError) -> Problem {
    match error {
        BookError::Store(error) => error.into(),
        BookError::Problems(problems) => {
            let text: Vec<String> = problems.iter().take(20).map(ToString::to_string).collect();
            Problem::field(422, "text", text.join("\n"))
        }
        BookError::Changed | BookError::Untried(_) => Problem::new(409, "not now").because(error.to_string()),
        BookError::Missing(_) => Problem::not_found("there is no such rule or version"),
        BookError::Folder { .. } => Problem::new(500, "the folder of rules").because(error.to_string()),
    }
}

/// A page of rules.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Written {
    /// Which page of rules; a new one is added.
    name: String,
    /// TOML; `null` takes the page away.
    text: Option<String>,
    /// What changed.
    #[serde(default)]
    note: String,
    /// The version it was made from: somebody else's change in between is not overwritten.
    version: i64,
}

/// What came of it.
#[derive(Debug, Serialize, ToSchema)]
struct Version {
    /// In place now.
    version: i64,
}

/// Puts a page of rules in place, as the next version. New rules, and rules whose text changed, begin in shadow.
#[utoipa::path(
    put, path = "/api/v1/moderation/rules", tag = "moderation", operation_id = "put_rules", request_body = Written,
    responses(
        (status = 200, description = "They are in place", body = Version),
        (status = 409, description = "Somebody else changed them meanwhile", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "They are no good rules: what is wrong where", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn put(
    Extract(state): Extract<State>,
    visitor: Visitor,
    Body(written): Body<Written>,
) -> Result<Json<Version>, Problem> {
    let edit = Edit {
        name: written.name,
        text: written.text,
        note: written.note,
        by: visitor.name.clone(),
        after: written.version,
    };
    Ok(Json(Version {
        version: change(&state, edit).await?,
    }))
}

/// Puts a change in place.
pub(crate) async fn change(state: &State, edit: Edit) -> Result<i64, Problem> {
    let odd = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if edit.name.is_empty() || edit.name.len() > 80 || edit.name.contains(odd) {
        return Err(Problem::field(
            422,
            "name",
            "letters, digits, -, _ and . alone, like spam.toml",
        ));
    }
    moderation::edit(&state.store, edit, SystemClock.now())
        .await
        .map_err(problem)
}

/// All versions.
#[derive(Debug, Serialize, ToSchema)]
struct Versions {
    #[schema(value_type = Vec<Object>)]
    versions: Vec<StoredRuleset>,
}

/// Every version there was, newest first; the first hundred.
#[utoipa::path(
    get, path = "/api/v1/moderation/rules/versions", tag = "moderation", operation_id = "list_rule_versions",
    responses((status = 200, description = "The versions", body = Versions))
)]
async fn versions(Extract(state): Extract<State>) -> Result<Json<Versions>, Problem> {
    let versions = rulesets::list(&state.store, None, 100).await?;
    Ok(Json(Versions { versions }))
}

/// Puts the rules of an older version in place again, as the next version.
#[utoipa::path(
    post, path = "/api/v1/moderation/rules/versions/{version}", tag = "moderation", operation_id = "roll_rules_back",
    params(("version" = i64, Path, description = "Which")),
    responses(
        (status = 200, description = "They are in place", body = Version),
        (status = 404, description = "There is no such version", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn roll_back(
    Extract(state): Extract<State>,
    visitor: Visitor,
    Path(version): Path<i64>,
) -> Result<Json<Version>, Problem> {
    let version = moderation::rollback(&state.store, version, &visitor.name, SystemClock.now())
        .await
        .map_err(problem)?;
    Ok(Json(Version { version }))
}

/// How far a rule is to be trusted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Trust {
    /// `shadow`, `live`, `off`.
    standing: String,
    /// Why. A rule that was not tried on what was seen goes live only with a reason, which is kept.
    #[serde(default)]
    why: String,
}

/// Says how far a rule is trusted, in its present text.
#[utoipa::path(
    post, path = "/api/v1/moderation/rules/{id}/standing", tag = "moderation", operation_id = "stand_rule", request_body = Trust,
    params(("id" = String, Path, description = "The rule's")),
    responses(
        (status = 200, description = "It is so", body = Object),
        (status = 404, description = "There is no such rule", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It was not tried on what was seen", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn stand(
    Extract(state): Extract<State>,
    visitor: Visitor,
    Path(id): Path<String>,
    Body(trust): Body<Trust>,
) -> Result<Json<Standing>, Problem> {
    let wish = Stands::parse(&trust.standing).ok_or_else(|| Problem::field(422, "standing", "shadow, live or off"))?;
    Ok(Json(trust_it(&state, &visitor, &id, wish, &trust.why).await?))
}

/// Says how far a rule is trusted.
pub(crate) async fn trust_it(
    state: &State,
    visitor: &Visitor,
    id: &str,
    wish: Stands,
    why: &str,
) -> Result<Standing, Problem> {
    // Whoever switched the gate off in the config still finds it here: a reason costs a line.
    moderation::stand(&state.store, true, id, wish, &visitor.name, why, SystemClock.now())
        .await
        .map_err(problem)
}

/// Something to judge.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Tried {
    /// A Status, an Account or an Admin::Account of Mastodon's API.
    #[schema(value_type = Object)]
    subject: serde_json::Value,
    /// Rules to judge by, TOML; default: those in place.
    #[serde(default)]
    rules: Option<String>,
}

/// Judges a status or an account, and says of each condition of each rule whether it holds. Nothing is kept.
#[utoipa::path(
    post, path = "/api/v1/moderation/rules/test", tag = "moderation", operation_id = "test_rules", request_body = Tried,
    responses(
        (status = 200, description = "The verdict, with what each rule adds and why; in `rules` each rule with its conditions", body = Object),
        (status = 422, description = "That is nothing to judge, or no rules", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn test(Extract(state): Extract<State>, Body(tried): Body<Tried>) -> Result<Json<moderation::Tried>, Problem> {
    Ok(Json(judge(&state, &tried.subject, tried.rules.as_deref()).await?))
}

/// Judges by the rules in place, or by these.
pub(crate) async fn judge(
    state: &State,
    subject: &serde_json::Value,
    rules: Option<&str>,
) -> Result<moderation::Tried, Problem> {
    let read = Subject::from_status(subject).or_else(|| Subject::from_account(subject));
    let subject = read.ok_or_else(|| {
        Problem::field(
            422,
            "subject",
            "is no Status, Account or Admin::Account of Mastodon's API",
        )
    })?;
    let ruleset = match rules.filter(|text| !text.trim().is_empty()) {
        None => compiled(state).await?.2,
        Some(text) => {
            let page = Page {
                name: "given.toml".to_owned(),
                text: text.to_owned(),
            };
            moderation::compile(&state.store, &[page]).await.map_err(problem)?
        }
    };
    Ok(moderation::try_out(&ruleset, &subject, SystemClock.now()))
}
