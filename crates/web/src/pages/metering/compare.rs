//! Accounts side by side, and the report.

use axum::extract::{Query, State as Extract};
use maud::{Markup, html};
use metering::chart::Metric;

use super::{PAGE, PERIODS, periods, picture};
use crate::{
    State,
    api::metering::{self as api, Period},
    layout::Sheet,
    parts::encoded,
    problem::Problem,
    rights::Visitor,
    words,
};

/// The accounts or the group of a query, as a query.
fn who(period: &Period) -> String {
    match (&period.accounts, &period.group) {
        (Some(ids), _) if !ids.is_empty() => format!("accounts={}", encoded(ids)),
        (_, group) => format!("group={}", encoded(group.as_deref().unwrap_or_default())),
    }
}

pub(super) async fn compare(
    Extract(state): Extract<State>,
    visitor: Visitor,
    Query(period): Query<Period>,
) -> Result<Markup, Problem> {
    let accounts = api::named(&state, &period, false).await?;
    let since = period.since.clone().unwrap_or_else(|| "month".to_owned());
    let who = who(&period);
    let query = if since.is_empty() {
        format!("&width=900&height=420&{who}")
    } else {
        format!("&width=900&height=420&since={}&{who}", encoded(&since))
    };
    let body = html! {
        (periods(&format!("/metering/compare?{who}&"), &since, &PERIODS))
        @for metric in Metric::ALL {
            section {
                h2 { (words::title(metric.as_str())) }
                (picture(&format!("/api/v1/metering/graphs/{}", metric.as_str()), &query,
                    &format!("{} of {} accounts over time", metric.as_str(), accounts.len())))
            }
        }
        ul { @for account in &accounts { li { a href={ "/metering/accounts/" (account.id) } { (account.acct) } } } }
    };
    Ok(Sheet::of(&PAGE, &visitor, "Comparison")
        .crumb("/metering", "Metering")
        .show(&body))
}

pub(super) async fn report(
    Extract(state): Extract<State>,
    visitor: Visitor,
    Query(period): Query<Period>,
) -> Result<Markup, Problem> {
    let (report, zone) = api::report_of(&state, &period).await?;
    let since = period.since.clone().unwrap_or_else(|| "24h".to_owned());
    let same = |format: &str| {
        let (since, who) = (encoded(&since), who(&period));
        format!("/api/v1/metering/report?format={format}&since={since}&{who}")
    };
    let body = html! {
        (periods(&format!("/metering/report?{}&", who(&period)), &since, &[("24h", "24 hours"), ("7d", "7 days"), ("month", "30 days"), ("year", "a year")]))
        pre { (report.text(zone, false)) }
        p { "The same as " a href=(same("html")) { "HTML" } " · "
            a href=(same("text")) { "text" } " · "
            a href=(same("json")) { "JSON" } }
    };
    Ok(Sheet::of(&PAGE, &visitor, "Report")
        .crumb("/metering", "Metering")
        .lead("What changed, as a text to paste.")
        .show(&body))
}
