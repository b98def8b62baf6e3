//! Budgets of requests as bars: what each login may still ask before its server says no.

use maud::{Markup, html};

use crate::{
    api::servers::{Budget, Login},
    parts::empty,
};

/// One bar for each budget of each login.
pub(super) fn card(logins: &[Login]) -> Markup {
    if logins.iter().all(|login| login.budgets.is_empty()) {
        return empty(
            "No login has asked anything yet.",
            &html! { "Its budgets show here once it did." },
        );
    }
    html! {
        div.card.padded {
            @for login in logins { @for budget in &login.budgets { (bar(&login.login, budget)) } }
        }
    }
}

fn bar(login: &str, budget: &Budget) -> Markup {
    let spent = budget.limit.saturating_sub(budget.left);
    let what = if budget.kind == "paging" {
        "requests with a cursor"
    } else {
        "requests"
    };
    html! {
        div.budget data-key={ (login) " " (budget.kind) } {
            div {
                span.anywhere { (login) " " span.quiet { (what) } }
                span.nowrap { (spent) " of " (budget.limit) " spent" }
            }
            // Bars are full when little is left: `high` turns them to a warning.
            meter value=(spent) min="0" max=(budget.limit) low=(budget.limit * 3 / 4) high=(budget.limit * 19 / 20) optimum="0"
                aria-label={ (login) ": " (what) " spent" } {}
            @if let Some(seconds) = budget.resets_in_seconds { span.small.quiet { "full again in " (seconds) " s" } }
        }
    }
}
