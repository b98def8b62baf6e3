//! The frame of every page.

use maud::{DOCTYPE, Markup, html};

/// What the navigation offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Overview,
    Jobs,
    Replies,
    Effects,
}

const PLACES: [(Place, &str, &str); 4] = [
    (Place::Overview, "/", "Overview"),
    (Place::Jobs, "/jobs", "Jobs"),
    (Place::Replies, "/replies", "Replies"),
    (Place::Effects, "/effects", "Effects"),
];

/// A whole page.
pub(crate) fn page(title: &str, here: Option<Place>, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · Egret" }
                link rel="stylesheet" href="/assets/style.css";
                link rel="icon" type="image/svg+xml" href="/assets/egret.svg";
                script src="/assets/refresh.js" defer {}
            }
            body {
                a.skip href="#main" { "Skip to the page" }
                header {
                    div {
                        a.brand href="/" { img src="/assets/egret.svg" alt="" width="34" height="34"; "Egret" }
                        nav aria-label="Pages" {
                            @for (place, path, name) in PLACES {
                                a href=(path) aria-current=[(here == Some(place)).then_some("page")] { (name) }
                            }
                        }
                    }
                }
                main id="main" { (body) }
                footer { "Egret " (env!("CARGO_PKG_VERSION")) " · times in UTC" }
            }
        }
    }
}
