//! The dashboard, rendered here, one file per page.
//!
//! To add a page: a file beside this one with a [`Page`], and a line in [`PAGES`]. The navigation, the right it needs
//! and its routes follow from these. What it looks like is in [`crate::parts`] and [`crate::layout::Sheet`].

mod archive;
pub(crate) mod backfill;
pub(crate) mod blocklists;
mod budgets;
pub(crate) mod effects;
pub(crate) mod jobs;
pub(crate) mod metering;
pub(crate) mod moderation;
mod moderation_numbers;
mod moderation_rules;
pub(crate) mod overview;
mod registration_rules;
pub(crate) mod registrations;
pub(crate) mod replies;
mod runs;
pub(crate) mod settings;

use axum::Router;

use crate::{
    State,
    rights::{Right, Visitor, only_with},
    turns::Turns,
};

/// A page of the dashboard, with all that hangs below it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Page {
    /// Where it is.
    pub(crate) path: &'static str,
    /// What the navigation calls it.
    pub(crate) name: &'static str,
    /// A line drawing of 20 × 20, as the `d` of an SVG path.
    pub(crate) icon: &'static str,
    /// Where in the navigation.
    pub(crate) group: Group,
    /// Who may see it. A route that needs more says so itself, with [`only_with`].
    pub(crate) right: Right,
    /// Whom of those it is for, where not all.
    pub(crate) only: Option<fn(&Visitor) -> bool>,
    /// Its routes, the one at `path` among them.
    pub(crate) routes: fn() -> Router<State>,
}

impl Page {
    /// Whether the navigation shows it to them.
    pub(crate) fn opens(&self, visitor: &Visitor) -> bool {
        visitor.may(self.right) && self.only.is_none_or(|only| only(visitor))
    }
}

/// The parts of the navigation, top to bottom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    /// How all of it fares.
    First,
    /// One for each feature.
    Feature,
    /// What goes out, and what is set.
    Last,
}

/// Every page, in the navigation's order.
pub(crate) const PAGES: &[Page] = &[
    overview::PAGE,
    jobs::PAGE,
    replies::PAGE,
    backfill::PAGE,
    archive::PAGE,
    moderation::PAGE,
    registrations::PAGE,
    blocklists::PAGE,
    metering::PAGE,
    effects::PAGE,
    settings::PAGE,
];

/// The routes of all pages, each for those who may see it.
pub(crate) fn router(turns: &Turns) -> Router<State> {
    PAGES.iter().fold(Router::new(), |app, page| {
        app.merge(only_with(page.right, turns.line((page.routes)())))
    })
}
