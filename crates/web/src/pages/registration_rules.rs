//! `/registrations/rules`: the rules and what they did, a tester, and what other rules would have changed.

use axum::{
    Router,
    extract::{Form, State as Extract, rejection::FormRejection},
    response::Redirect,
    routing::{get, post},
};
use maud::{Markup, html};
use model::{Clock as _, SystemClock};
use registrations::{Facts, Replay, Rule, replay};
use serde::Deserialize;
use store::applicants::{self, StoredRule};

use super::registrations::PAGE;
use crate::{
    State,
    api::registration_rules::{beside, compile, in_place},
    layout::Sheet,
    parts::{Tone, badge, button, empty, form, note},
    problem::Problem,
    rights::{Right, Visitor, only_with_all},
    words,
};

pub(super) fn routes() -> Router<State> {
    // Rules judge the people of all servers, and so does what compares them.
    let all = Router::new()
        .route("/registrations/rules", post(add))
        .route("/registrations/rules/delete", post(delete))
        .route("/registrations/rules/replay", post(compare));
    Router::new()
        .route("/registrations/rules", get(show))
        .route("/registrations/rules/try", post(test))
        .merge(only_with_all(Right::Registrations, all))
}

/// What a form on this page carries.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Sent {
    name: String,
    email: String,
    rules: String,
}

type Asked = Result<Form<Sent>, FormRejection>;

fn unreadable(error: FormRejection) -> Problem {
    Problem::new(400, "cannot read the form").because(error.body_text())
}

fn bad_rules(why: String) -> Problem {
    Problem::field(422, "rules", why)
}

/// `[[rules]]`, or the same in a whole config.
#[derive(Deserialize)]
struct Written {
    #[serde(default)]
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
struct Whole {
    registrations: Written,
}

fn read(text: &str) -> Result<Vec<Rule>, String> {
    let whole = toml::from_str::<Whole>(text).map(|whole| whole.registrations);
    let written = whole.or_else(|_| toml::from_str::<Written>(text));
    let rules = written.map_err(|error| format!("no rules: {}", error.message()))?.rules;
    if rules.is_empty() {
        return Err("write [[rules]] with name, verdict and conditions".to_owned());
    }
    Ok(rules)
}

async fn show(Extract(state): Extract<State>, visitor: Visitor) -> Result<Markup, Problem> {
    render(&state, &visitor, &html! {}).await
}

async fn render(state: &State, visitor: &Visitor, answer: &Markup) -> Result<Markup, Problem> {
    let (stored, _) = in_place(state).await?;
    let counts = applicants::counts_by_rule(&state.store).await?;
    let lists = applicants::lists(&state.store).await?;
    let count = |name: &str, of: &[applicants::State]| -> i64 {
        let mine = counts
            .iter()
            .filter(|(rule, _, is, _)| rule.as_deref() == Some(name) && of.contains(is));
        mine.map(|(.., count)| count).sum()
    };
    use applicants::State as Is;
    let body = html! {
        (answer)
        section {
            h2 { "In place" }
            @if stored.is_empty() {
                (empty("There are no rules.", &html! { "Everybody waits for a person. Write some below, or in "
                    code { "[[registrations.rules]]" } "." }))
            } @else {
                div.table { table.stack {
                    thead { tr { th scope="col" { "Rule" } th scope="col" { "Says" } th scope="col" { "Conditions" }
                        th.number scope="col" { "Waiting" } th.number scope="col" { "Approved" } th.number scope="col" { "Rejected" }
                        th scope="col" { "Written by" } } }
                    tbody { @for one in &stored {
                        tr data-key=(one.name) {
                            td data-label="Rule" { a href={ "/registrations?rule=" (crate::parts::encoded(&one.name)) } { (one.name) } }
                            td data-label="Says" { (one.rule["verdict"].as_str().unwrap_or("?")) }
                            td.uri data-label="Conditions" { details { summary { "Show" } code { (one.rule) } } }
                            td.number data-label="Waiting" { (count(&one.name, &[Is::Waiting, Is::Hold, Is::Veto, Is::Ready])) }
                            td.number data-label="Approved" { (count(&one.name, &[Is::Approved])) }
                            td.number data-label="Rejected" { (count(&one.name, &[Is::Rejected])) }
                            td data-label="Written by" { div { (one.changed_by) " " span.small.quiet { (words::when(one.changed_at)) }
                                @if one.changed_by != applicants::CONFIG {
                                    (button(visitor, "/registrations/rules/delete", &[("name", &one.name)], "Delete", &format!("Delete the rule {}", one.name)))
                                } } }
                        }
                    } }
                } }
            }
        }
        @if !lists.is_empty() { section {
            h2 { "Lists" }
            ul { @for list in &lists { li { (list.source) ": " (list.names) " names"
                @if let Some(at) = list.fetched_at { ", read " (words::when(at)) }
                @if let Some(trouble) = &list.trouble { " " (badge(Tone::Warn, "trouble")) " " (trouble) } } } }
        } }
        section {
            h2 { "Try an address" }
            (form(visitor, "/registrations/rules/try", &[], &html! {
                label { "E-mail address " input type="text" name="email" required autocomplete="off"; } " " button { "Judge" }
            }))
        }
        section {
            h2 { "Write rules" }
            (form(visitor, "/registrations/rules", &[], &html! {
                label { "Rules, as in the config file"
                    textarea name="rules" rows="9" spellcheck="false" required placeholder="[[rules]]\nname = \"government\"\nverdict = \"approve\"\ndomains = [\".gov\"]" {} }
                p { button formaction="/registrations/rules/replay" { "What would have changed?" } " " button { "Put in place" } }
            }))
        }
    };
    Ok(Sheet::of(&PAGE, visitor, "Rules")
        .crumb("/registrations", "Registrations")
        .lead("The closest name wins; rules that disagree leave it to a person. Rules of the config file are changed there.")
        .show(&body))
}

async fn test(Extract(state): Extract<State>, visitor: Visitor, form: Asked) -> Result<Markup, Problem> {
    let Form(Sent { email, .. }) = form.map_err(unreadable)?;
    let (_, rules) = in_place(&state).await?;
    let facts = Facts {
        confirmed: true,
        email: email.chars().take(400).collect(),
        ..Facts::default()
    };
    let judged = compile(&state, &rules).await?.judge(&facts);
    let answer = note(
        Tone::Live,
        &html! { b { (facts.email) } ": " (judged.verdict.as_str()) ". " (judged.why) "." },
        None,
    );
    render(&state, &visitor, &answer).await
}

async fn compare(Extract(state): Extract<State>, visitor: Visitor, form: Asked) -> Result<Markup, Problem> {
    let Form(sent) = form.map_err(unreadable)?;
    let new = read(&sent.rules).map_err(bad_rules)?;
    let (_, rules) = in_place(&state).await?;
    let replay = replay(&state.store, &compile(&state, &beside(rules, new)).await?).await?;
    render(&state, &visitor, &changes(&replay)).await
}

fn changes(replay: &Replay) -> Markup {
    html! {
        section {
            h2 { "What would have changed" }
            p { "With these rules beside the others, of " (replay.judged) " applicants whose facts are still known "
                (replay.same) " would be judged alike and " (replay.changed) " otherwise." }
            @if !replay.changes.is_empty() {
                div.table { table.stack {
                    thead { tr { th scope="col" { "Name" } th scope="col" { "Was" } th scope="col" { "Would be" } th scope="col" { "Why" } } }
                    tbody { @for one in replay.changes.iter().take(200) {
                        tr {
                            td data-label="Name" { (one.username) }
                            td data-label="Was" { (one.was) }
                            td data-label="Would be" { (one.would_be.as_str()) }
                            td data-label="Why" { (one.why) }
                        }
                    } }
                } }
            }
        }
    }
}

async fn add(Extract(state): Extract<State>, visitor: Visitor, form: Asked) -> Result<Redirect, Problem> {
    let Form(sent) = form.map_err(unreadable)?;
    let new = read(&sent.rules).map_err(bad_rules)?;
    let (stored, rules) = in_place(&state).await?;
    compile(&state, &beside(rules, new.clone())).await?;
    // All of them are looked at before any is in place: whoever reads of a wrong one takes none to be.
    for rule in &new {
        if rule.domain_lists.iter().any(|list| !list.starts_with("https://")) {
            // Whoever may write rules here need not be allowed to read this machine's files.
            return Err(bad_rules(
                "domain_lists: only https:// addresses here; files go into the config".to_owned(),
            ));
        }
        let is_it = |one: &StoredRule| one.name == rule.name && one.changed_by == applicants::CONFIG;
        if stored.iter().any(is_it) {
            return Err(bad_rules(in_the_config(&rule.name)));
        }
    }
    for rule in new {
        let stored = StoredRule {
            name: rule.name.clone(),
            rule: serde_json::to_value(&rule).unwrap_or_default(),
            changed_by: visitor.name.clone(),
            changed_at: SystemClock.now(),
        };
        if !applicants::save_rule(&state.store, &stored).await? {
            return Err(bad_rules(in_the_config(&rule.name)));
        }
    }
    state.board.nudge();
    Ok(Redirect::to("/registrations/rules"))
}

fn in_the_config(rule: &str) -> String {
    format!("{rule:?} stands in the config file; change it there")
}

async fn delete(Extract(state): Extract<State>, form: Asked) -> Result<Redirect, Problem> {
    let Form(sent) = form.map_err(unreadable)?;
    if !applicants::delete_rule(&state.store, &sent.name).await? {
        return Err(Problem::not_found(
            "there is no such rule, or it stands in the config file",
        ));
    }
    Ok(Redirect::to("/registrations/rules"))
}
