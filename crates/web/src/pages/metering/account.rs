//! An account: how it grew, and what happened to it.

use axum::extract::{Path, Query, State as Extract};
use chrono::DateTime;
use maud::{Markup, html};
use metering::chart::Metric;
use model::{Clock as _, SystemClock};
use store::{metered_events, metered_points};

use super::{PAGE, PERIODS, Shown, periods, picture};
use crate::{
    State,
    api::metering::{self as api, Account},
    layout::Sheet,
    parts::{Tone, away, button, empty, encoded, form as post_form, note, tile},
    problem::Problem,
    rights::{Right, Visitor},
    words,
};

pub(super) async fn show(
    Extract(state): Extract<State>,
    visitor: Visitor,
    Path(id): Path<i64>,
    Query(shown): Query<Shown>,
) -> Result<Markup, Problem> {
    let row = api::one(&state, id).await?;
    let events = metered_events::range(&state.store, id, DateTime::UNIX_EPOCH, SystemClock.now(), 1000).await?;
    let measured = metered_points::count(&state.store, id).await?;
    let account = api::told(&state, vec![row]).await?.remove(0);
    let since = shown.since.unwrap_or_else(|| "month".to_owned());
    let query = if since.is_empty() {
        "&width=900&height=360".to_owned()
    } else {
        format!("&width=900&height=360&since={}", encoded(&since))
    };
    let body = html! {
        section {
            div.tiles {
                (tile(&count(account.followers), "followers"))
                (tile(&count(account.following), "accounts followed"))
                (tile(&count(account.statuses), "statuses"))
                (tile(&words::count(measured), "times measured"))
            }
        }
        @if let Some(to) = &account.moved_to { (note(Tone::Warn, &html! { "Moved to " (away(to)) }, None)) }
        @if let Some(trouble) = &account.trouble { (note(Tone::Warn, &html! { "Not measured: " (trouble) }, None)) }
        (periods(&format!("/metering/accounts/{id}?"), &since, &PERIODS))
        @for metric in Metric::ALL {
            section {
                h2 { (words::title(metric.as_str())) }
                (picture(&format!("/api/v1/metering/accounts/{id}/graphs/{}", metric.as_str()), &query,
                    &format!("{} of {} over time", metric.as_str(), account.acct)))
            }
        }
        section {
            h2 { "What happened" }
            @if events.is_empty() { (empty("Nothing yet.", &html! { "Renames, moves, suspensions and spikes show here." })) }
            @else {
                div.table { table.stack {
                    thead { tr { th scope="col" { "When" } th scope="col" { "What" } th scope="col" { "Was" } th scope="col" { "Became" } } }
                    tbody { @for event in events.iter().rev() { tr {
                        td data-label="When" { (words::when(event.at)) }
                        td data-label="What" { (event.kind) }
                        td data-label="Was" { (event.was.as_deref().unwrap_or_default()) }
                        td data-label="Became" { (event.became.as_deref().unwrap_or_default()) }
                    } } }
                } }
            }
        }
        section {
            h2 { "Data" }
            p { a href={ "/api/v1/metering/accounts/" (id) "/data?format=csv" } { "CSV" } " · "
                a href={ "/api/v1/metering/accounts/" (id) "/data" } { "JSON" } " · "
                a href={ "/api/v1/metering/accounts/" (id) "/graphs/common?format=png&scale=2" } { "PNG" } " · "
                a href={ "/api/v1/metering/accounts/" (id) "/graphs/common" } { "SVG" } }
        }
        @if visitor.may_at(Right::Admin, "") { section { h2 { "Change" } (changes(&visitor, &account)) } }
    };
    Ok(Sheet::of(&PAGE, &visitor, &account.acct)
        .crumb("/metering", "Metering")
        .lead(account.name.clone())
        .show(&body))
}

fn count(count: Option<i32>) -> String {
    count.map_or_else(|| "–".to_owned(), |count| words::count(count.into()))
}

fn changes(visitor: &Visitor, account: &Account) -> Markup {
    let path = |action: &str| format!("/metering/accounts/{}/{action}", account.id);
    let groups = html! {
        div.actions {
            label { span.unseen { "Group" } input type="text" name="group" placeholder="group" required maxlength="100"; }
            button { "Put into the group" }
        }
    };
    html! {
        div.actions {
            (button(visitor, &path("measure"), &[], "Measure now", "Measure now"))
            (button(visitor, &path("remove"), &[("purge", "")], "Stop measuring", "Stop measuring"))
        }
        div.actions {
            (post_form(visitor, &path("groups"), &[], &groups))
            @for group in &account.groups {
                (button(visitor, &path("groups"), &[("group", group), ("leave", "yes")], &format!("Take out of {group}"), &format!("Take out of {group}")))
            }
        }
        details {
            summary { "Forget all that was measured" }
            p { "The account, its points and its events are erased. This cannot be taken back." }
            (button(visitor, &path("remove"), &[("purge", "yes")], "Forget all of it", "Forget all of it"))
        }
    }
}
