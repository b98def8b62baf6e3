//! The archive in numbers: by kind, month, hour, tag and person.

use axum::extract::State as Extract;
use maud::{Markup, html};
use store::archive::{self, Count};

use super::PAGE;
use crate::{
    State,
    api::archive::logins,
    layout::Sheet,
    parts::{empty, encoded, tile},
    problem::Problem,
    rights::Visitor,
    words,
};

/// Tags and people that are named.
const MOST: u32 = 25;

pub(super) async fn show(Extract(state): Extract<State>, visitor: Visitor) -> Result<Markup, Problem> {
    let logins = logins(&state, &visitor).await?;
    let mut counts = archive::counts(&state.store).await?;
    counts.retain(|count| logins.contains(&count.login));
    let months = by_month(&archive::months(&state.store, &logins).await?);
    let hours = archive::hours(&state.store, &logins).await?;
    let tags = archive::tags(&state.store, &logins, MOST).await?;
    let people = archive::people(&state.store, &logins, MOST).await?;
    let mut checked = Vec::new();
    for login in &logins {
        if let Some(one) = ::archive::checked(&state.store, login).await? {
            checked.push((login, one));
        }
    }
    let all: i64 = counts.iter().map(|count| count.count).sum();
    let body = html! {
        section { div.tiles { (tile(&words::count(all), "things kept"))
            @for count in &counts { (tile(&words::count(count.count), &format!("{} of {}", count.what, count.login))) } } }
        @if !checked.is_empty() { section { h2 { "Compared with the server" } (compared(&checked)) } }
        @if all == 0 { (empty("Nothing yet.", &html! {})) } @else {
            section { h2 { "By month" } (table("Month", &months, |month| {
                let days = days(month);
                Some(format!("/archive?q={}", encoded(&format!("since:{month}-01 until:{month}-{days:02}"))))
            })) }
            section.columns.narrow {
                div { h2 { "Hours (UTC) at which you write" } (table("Hour", &by_hour(&hours), |_| None)) }
                div { h2 { "Tags" }
                    @if tags.is_empty() { (empty("None.", &html! {})) }
                    @else { (table("Tag", &tags.iter().map(|one| (one.what.clone(), one.count)).collect::<Vec<_>>(), |tag| Some(format!("/archive?q={}", encoded(&format!("tag:{tag}")))))) }
                }
                div { h2 { "People" }
                    @if people.is_empty() { (empty("None.", &html! {})) }
                    @else { (table("Person", &people.iter().map(|one| (one.what.clone(), one.count)).collect::<Vec<_>>(), |acct| Some(format!("/archive?q={}", encoded(&format!("from:{acct}")))))) }
                }
            }
            p.quiet { "Hours, tags and people count the newest 100,000 of what you did." }
        }
    };
    Ok(Sheet::of(&PAGE, &visitor, "The archive in numbers")
        .crumb("/archive", "Archive")
        .show(&body))
}

/// What a server counts against what is kept, and where something was missing.
fn compared(checked: &[(&String, ::archive::Checked)]) -> Markup {
    html! {
        div.table { table {
            thead { tr { th scope="col" { "Login" } th.number scope="col" { "Kept" } th.number scope="col" { "Counted there" }
                th.number scope="col" { "Missing" } th scope="col" { "Compared" } } }
            tbody { @for (login, one) in checked { tr {
                td { (login) } td.number { (words::count(one.kept)) } td.number { (words::count(one.told)) }
                td.number { (words::count(one.missing())) } td { (words::when(one.at)) }
            } } }
        } }
        @for (login, one) in checked.iter().filter(|(_, one)| !one.gaps.is_empty()) {
            details {
                summary { "Where statuses of " (login) " were missing, when its list was read anew" }
                ul { @for gap in &one.gaps { li {
                    (words::count(gap.count.try_into().unwrap_or(i64::MAX))) " of " (words::when(gap.from))
                    @if gap.count > 1 { " to " (words::when(gap.until)) }
                    span.quiet { " (" (gap.first_id) @if gap.count > 1 { " to " (gap.last_id) } ")" }
                } } }
            }
        }
    }
}

/// Newest first, all kinds together.
fn by_month(counts: &[Count]) -> Vec<(String, i64)> {
    let mut months: Vec<(String, i64)> = Vec::new();
    for one in counts.iter().rev() {
        match months.last_mut() {
            Some((month, count)) if *month == one.what => *count += one.count,
            _ => months.push((one.what.clone(), one.count)),
        }
    }
    months
}

/// All hours of a day, be they silent.
fn by_hour(counts: &[Count]) -> Vec<(String, i64)> {
    let of = |hour: u32| {
        counts
            .iter()
            .find(|one| one.what == hour.to_string())
            .map_or(0, |one| one.count)
    };
    (0..24).map(|hour| (format!("{hour:02}"), of(hour))).collect()
}

fn days(month: &str) -> u32 {
    let first = format!("{month}-01").parse::<chrono::NaiveDate>();
    let last = first
        .ok()
        .and_then(|first| first.checked_add_months(chrono::Months::new(1))?.pred_opt());
    last.map_or(28, |last| chrono::Datelike::day(&last))
}

fn table(what: &str, rows: &[(String, i64)], link: impl Fn(&str) -> Option<String>) -> Markup {
    let most = rows.iter().map(|(_, count)| *count).max().unwrap_or(0).max(1);
    html! {
        div.table { table.counted {
            thead { tr { th scope="col" { (what) } th.number scope="col" { "Count" } th scope="col" aria-hidden="true" {} } }
            tbody { @for (name, count) in rows { tr {
                td { @match link(name) { Some(path) => { a href=(path) { (name) } } None => { (name) } } }
                td.number { (words::count(*count)) }
                td aria-hidden="true" { meter min="0" max=(most) value=(count) {} }
            } } }
        } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_end_on_their_last_day() {
        assert_eq!(["2026-02", "2028-02", "2026-12", "odd"].map(days), [28, 29, 31, 28]);
    }
}
