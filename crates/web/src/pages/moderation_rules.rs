//! `/moderation/rules`: the rules and how they fare, a tester, an editor; `/moderation/backtests`: rules on the past.

use axum::{
    Router,
    extract::{Form, Path, State as Extract, rejection::FormRejection},
    response::Redirect,
    routing::{get, post},
};
use maud::{Markup, html};
use moderation::{Edit, Page};
use rules::{Backtested, Explanation, State as Stands};
use serde::Deserialize;
use store::rulesets;

use super::moderation::{PAGE, ways};
use crate::{
    State,
    api::{
        backtests::ask_backtest,
        rules::{Shown, change, in_place, judge, problem, trust_it},
    },
    layout::Sheet,
    parts::{Tone, badge, button, empty, form, note},
    problem::Problem,
    rights::{Right, Visitor, only_with_all},
    words,
};

pub(super) fn routes() -> Router<State> {
    // Rules judge the people of all servers.
    let all = Router::new()
        .route("/moderation/rules", post(put))
        .route("/moderation/rules/stand", post(stand))
        .route("/moderation/rules/rollback", post(roll_back))
        .route("/moderation/backtests", get(tests).post(try_them))
        .route("/moderation/backtests/{id}", get(one_test));
    Router::new()
        .route("/moderation/rules", get(show))
        .route("/moderation/rules/test", post(test))
        .merge(only_with_all(Right::Moderation, all))
}

/// What a form on these pages carries.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Sent {
    id: String,
    standing: String,
    why: String,
    name: String,
    text: String,
    note: String,
    subject: String,
    version: i64,
    days: u32,
}

type Asked = Result<Form<Sent>, FormRejection>;

fn read(form: Asked) -> Result<Sent, Problem> {
    let Form(sent) = form.map_err(|error| Problem::new(400, "cannot read the form").because(error.body_text()))?;
    Ok(sent)
}

async fn show(Extract(state): Extract<State>, visitor: Visitor) -> Result<Markup, Problem> {
    render(&state, &visitor, &html! {}, "").await
}

async fn render(state: &State, visitor: &Visitor, answer: &Markup, subject: &str) -> Result<Markup, Problem> {
    let rules = in_place(state).await?;
    let versions = rulesets::list(&state.store, None, 20).await?;
    let body = html! {
        (answer)
        section {
            h2 { "In place" @if rules.version > 0 { " (version " (rules.version) ")" } }
            @if rules.rules.is_empty() {
                (empty("There are no rules.", &html! { "Write some below, or put files into the folder that "
                    code { "[moderation] rules" } " names." }))
            } @else { (table(visitor, &rules.rules)) }
        }
        section {
            h2 { "Try a status or an account" }
            (form(visitor, "/moderation/rules/test", &[], &html! {
                label { "JSON of Mastodon's API: a Status, an Account, an Admin::Account"
                    textarea name="subject" rows="6" spellcheck="false" required placeholder="{\"id\": \"1\", \"visibility\": \"public\", \"content\": \"<p>…</p>\", \"account\": {…}}" { (subject) } }
                p { button { "Judge" } }
            }))
        }
        section {
            h2 { "Write rules" }
            @for page in rules.pages.iter().chain([&Page { name: "new.toml".to_owned(), text: String::new() }]) {
                details open[rules.pages.is_empty()] {
                    summary { @if page.text.is_empty() { "A new page" } @else { (page.name) } }
                    (form(visitor, "/moderation/rules", &[("version", &rules.version.to_string())], &html! {
                        label { "Name " input type="text" name="name" value=(page.name) required pattern="[A-Za-z0-9._\\-]+"; }
                        label { "Rules, TOML"
                            textarea name="text" rows="14" spellcheck="false" placeholder="[[rules]]\nid = \"casino\"\nname = \"Casino spam\"\nwhen = { keywords = [\"casino\"], in = [\"content\", \"bio\"] }" { (page.text) } }
                        label { "What changed " input type="text" name="note" maxlength="200" autocomplete="off"; }
                        p { button formaction="/moderation/backtests" { "Try on what was seen" } " " button { "Put in place" } }
                    }))
                }
            }
            p.small.quiet { "New rules, and rules whose text changed, begin in shadow: they are counted and lead to nothing." }
        }
        @if !versions.is_empty() { section {
            h2 { "Versions" }
            div.table { table.stack {
                thead { tr { th.number scope="col" { "Version" } th scope="col" { "When" } th scope="col" { "By" } th scope="col" { "What changed" }
                    th scope="col" { span.unseen { "Actions" } } } }
                tbody { @for one in &versions {
                    tr data-key=(one.version) {
                        td.number data-label="Version" { (one.version) }
                        td data-label="When" { (words::when(one.at)) }
                        td data-label="By" { (one.by) }
                        td data-label="What changed" { (one.note) }
                        td data-label="Actions" { @if one.version != rules.version {
                            (button(visitor, "/moderation/rules/rollback", &[("version", &one.version.to_string())], "Back to this",
                                &format!("Back to version {}", one.version))) } @else { "in place" } }
                    }
                } }
            } }
        } }
    };
    Ok(Sheet::of(&PAGE, visitor, "Rules")
        .crumb("/moderation", "Moderation")
        .lead("What is looked for, how far each rule is trusted, and how it fares.")
        .actions(ways())
        .show(&body))
}

fn table(visitor: &Visitor, rules: &[Shown]) -> Markup {
    let text = |rule: &Shown, key: &str| {
        rule.rule
            .get(key)
            .and_then(serde_json::Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    html! {
        div.table { table.stack {
            thead { tr { th scope="col" { "Rule" } th scope="col" { "Stands" } th.number scope="col" { "Hits, 30 days" }
                th.number scope="col" { "Accounts" } th.number scope="col" { "Right" } th.number scope="col" { "Wrong" }
                th scope="col" { "Change" } } }
            tbody { @for rule in rules {
                @let id = text(rule, "id");
                tr id=(id) data-key=(id) {
                    td data-label="Rule" { div { a href={ "/moderation?rule=" (id) } { (text(rule, "name")) }
                        span.sub { (id) " · " (text(rule, "action")) " · weight " (rule.rule["weight"]) } } }
                    td data-label="Stands" { div { (stands(&rule.standing))
                        @if let Some(said) = &rule.said { span.sub { (said.by) ", " (words::when(said.at)) ": " (said.why) } } } }
                    td.number data-label="Hits, 30 days" { (rule.hits) @if rule.spared > 0 { span.sub { (rule.spared) " spared" } } }
                    td.number data-label="Accounts" { (rule.accounts) }
                    td.number data-label="Right" { (rule.confirmed) }
                    td.number data-label="Wrong" { (rule.rejected) }
                    td data-label="Change" {
                        (form(visitor, "/moderation/rules/stand", &[("id", &id)], &html! {
                            input type="text" name="why" maxlength="200" placeholder="why" aria-label={ "Why, for " (id) } autocomplete="off"; " "
                            @for other in ["live", "shadow", "off"] { @if other != rule.standing {
                                button name="standing" value=(other) { (other) } " "
                            } }
                        }))
                    }
                }
            } }
        } }
    }
}

fn stands(standing: &str) -> Markup {
    match standing {
        "live" => badge(Tone::Good, "live"),
        "off" => badge(Tone::Plain, "off"),
        _ => badge(Tone::Live, "shadow"),
    }
}

async fn test(Extract(state): Extract<State>, visitor: Visitor, form: Asked) -> Result<Markup, Problem> {
    let sent = read(form)?;
    let subject = serde_json::from_str(&sent.subject)
        .map_err(|error| Problem::field(422, "subject", format!("no JSON: {error}")))?;
    let tried = judge(&state, &subject, None).await?;
    let verdict = &tried.verdict;
    let hits = verdict.contributions.len();
    let answer = html! {
        (note(
            if hits == 0 { Tone::Good } else { Tone::Live },
            &html! {
                @if hits == 0 { b { "No rule hits." } }
                @else { b { "Live rules add " (verdict.score) ", with those in shadow " (verdict.shadow_score) "." } }
                @if let Some(why) = &verdict.exempt { p { "The account is spared: " (why) "." } }
            },
            None,
        ))
        (taken_apart(&tried.rules))
    };
    render(&state, &visitor, &answer, &sent.subject).await
}

/// Each rule with its conditions, as many as anybody reads.
fn taken_apart(rules: &[Explanation]) -> Markup {
    const MOST: usize = 200;
    html! {
        @if !rules.is_empty() { section {
            h2 { "Rule by rule" }
            @for rule in rules.iter().take(MOST) {
                details open[rule.hit() || rules.len() == 1] {
                    summary { (rule.rule) " " (moderation::outcome(rule)) }
                    ul { @for (depth, holds, says) in moderation::conditions(rule) {
                        li { @for _ in 0..depth { "· " } b { (holds.as_str()) } ": " (says) }
                    } }
                }
            }
            @if rules.len() > MOST { p.small.quiet { (rules.len() - MOST) " more do not stand here; the API has them all." } }
        } }
    }
}

async fn put(Extract(state): Extract<State>, visitor: Visitor, form: Asked) -> Result<Redirect, Problem> {
    let sent = read(form)?;
    let edit = Edit {
        name: sent.name,
        text: (!sent.text.trim().is_empty()).then(|| sent.text.replace("\r\n", "\n")),
        note: sent.note,
        by: visitor.name.clone(),
        after: sent.version,
    };
    change(&state, edit).await?;
    Ok(Redirect::to("/moderation/rules"))
}

async fn stand(Extract(state): Extract<State>, visitor: Visitor, form: Asked) -> Result<Redirect, Problem> {
    let sent = read(form)?;
    let wish = Stands::parse(&sent.standing).ok_or_else(|| Problem::field(400, "standing", "shadow, live or off"))?;
    trust_it(&state, &visitor, &sent.id, wish, &sent.why).await?;
    Ok(Redirect::to("/moderation/rules"))
}

async fn roll_back(Extract(state): Extract<State>, visitor: Visitor, form: Asked) -> Result<Redirect, Problem> {
    let sent = read(form)?;
    let now = model::Clock::now(&model::SystemClock);
    moderation::rollback(&state.store, sent.version, &visitor.name, now)
        .await
        .map_err(problem)?;
    Ok(Redirect::to("/moderation/rules"))
}

async fn tests(Extract(state): Extract<State>, visitor: Visitor) -> Result<Markup, Problem> {
    let tests = rulesets::backtests(&state.store, 50).await?;
    let body = html! {
        section {
            (form(&visitor, "/moderation/backtests", &[], &html! {
                label { "Days back " input type="number" name="days" min="1" max="365" value="7"; } " "
                button { "Try the rules in place" }
            }))
        }
        div #backtests data-refresh {
            @if tests.is_empty() { (empty("Nothing was tried yet.", &html! { "A rule goes live once it was tried on what was seen." })) }
            @else { div.table { table.stack {
                thead { tr { th scope="col" { "Asked" } th scope="col" { "By" } th scope="col" { "State" } th.number scope="col" { "Rules" }
                    th.number scope="col" { "Statuses" } th.number scope="col" { "Hits" } } }
                tbody { @for test in &tests {
                    @let replay = test.result.clone().and_then(|result| serde_json::from_value::<Backtested>(result).ok());
                    tr data-key=(test.id) {
                        td data-label="Asked" { a href={ "/moderation/backtests/" (test.id) } { (words::when(test.at)) } }
                        td data-label="By" { (test.by) }
                        td data-label="State" { (test.state) }
                        td.number data-label="Rules" { (test.digests.as_object().map_or(0, serde_json::Map::len)) }
                        td.number data-label="Statuses" { @if let Some(replay) = &replay { (replay.statuses) } }
                        td.number data-label="Hits" { @if let Some(replay) = &replay { (replay.rules.iter().map(|rule| rule.hits).sum::<u64>()) } }
                    }
                } }
            } } }
        }
    };
    Ok(Sheet::of(&PAGE, &visitor, "Backtests")
        .crumb("/moderation", "Moderation")
        .lead("What rules would have done to what was seen. Nothing is sent.")
        .actions(ways())
        .show(&body))
}

async fn try_them(Extract(state): Extract<State>, visitor: Visitor, form: Asked) -> Result<Redirect, Problem> {
    let sent = read(form)?;
    let page = (!sent.text.trim().is_empty()).then(|| Page {
        name: sent.name,
        text: sent.text.replace("\r\n", "\n"),
    });
    let id = ask_backtest(&state, &visitor, page, if sent.days == 0 { 7 } else { sent.days }).await?;
    Ok(Redirect::to(&format!("/moderation/backtests/{id}")))
}

async fn one_test(Extract(state): Extract<State>, visitor: Visitor, Path(id): Path<String>) -> Result<Markup, Problem> {
    let test = rulesets::backtest(&state.store, &id).await?;
    let test = test.ok_or_else(|| Problem::not_found("there is no such try"))?;
    let replay = test
        .result
        .clone()
        .and_then(|result| serde_json::from_value::<Backtested>(result).ok());
    let body = html! {
        div #backtest data-refresh {
            @match (&replay, test.state.as_str()) {
                (Some(replay), "done") => {
                    p { (replay.statuses) " statuses of " (replay.accounts) " accounts"
                        @if let (Some(from), Some(to)) = (replay.from, replay.to) { ", seen from " (words::when(from)) " to " (words::when(to)) } "." }
                    div.table { table.stack {
                        thead { tr { th scope="col" { "Rule" } th.number scope="col" { "Hits" } th.number scope="col" { "Accounts" }
                            th.number scope="col" { "Spared" } th.number scope="col" { "Known cases" } th.number scope="col" { "Hits a day" } th scope="col" { "Samples" } } }
                        tbody { @for rule in &replay.rules {
                            tr data-key=(rule.rule) {
                                td data-label="Rule" { (rule.rule) }
                                td.number data-label="Hits" { (rule.hits) }
                                td.number data-label="Accounts" { (rule.accounts) }
                                td.number data-label="Spared" { (rule.exempt) }
                                td.number data-label="Known cases" { (rule.acted_on) }
                                td.number data-label="Hits a day" { (format!("{:.1}", rule.per_day)) }
                                td data-label="Samples" { @if !rule.samples.is_empty() { details { summary { (rule.samples.len()) }
                                    ul { @for sample in &rule.samples { li { b { (sample.acct) } " "
                                        @for piece in &sample.evidence { (piece.to_string()) "; " } } } } } } }
                            }
                        } }
                    } }
                }
                (_, "failed") => { (note(Tone::Bad, &html! { "It failed: " (test.result.as_ref().map(ToString::to_string).unwrap_or_default()) }, None)) }
                _ => { p { "It is tried within a minute." } }
            }
        }
    };
    Ok(Sheet::of(&PAGE, &visitor, "A backtest")
        .crumb("/moderation/backtests", "Backtests")
        .lead(format!("Asked by {}.", test.by))
        .show(&body))
}
