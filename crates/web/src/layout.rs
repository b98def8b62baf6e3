//! The frame of every page: navigation beside it, who is signed in, and the page's own head.

use maud::{DOCTYPE, Markup, html};

use crate::{
    pages::{Group, PAGES, Page},
    rights::Visitor,
    signin,
};

/// A page in its frame.
///
/// ```text
/// Sheet::of(&PAGE, &visitor, "Jobs").lead("What runs, and what came of it.").show(&body)
/// ```
#[derive(Debug)]
pub(crate) struct Sheet<'a> {
    visitor: &'a Visitor,
    here: &'static str,
    title: &'a str,
    lead: Option<Markup>,
    crumb: Option<(&'a str, &'a str)>,
    actions: Option<Markup>,
}

impl<'a> Sheet<'a> {
    /// A page that belongs to `page` in the navigation.
    pub(crate) fn of(page: &Page, visitor: &'a Visitor, title: &'a str) -> Self {
        Self::at(page.path, visitor, title)
    }

    /// One that belongs nowhere.
    pub(crate) fn nowhere(visitor: &'a Visitor, title: &'a str) -> Self {
        Self::at("", visitor, title)
    }

    fn at(here: &'static str, visitor: &'a Visitor, title: &'a str) -> Self {
        Self {
            visitor,
            here,
            title,
            lead: None,
            crumb: None,
            actions: None,
        }
    }

    /// A sentence under the title: what this page is for.
    pub(crate) fn lead(self, words: impl Into<String>) -> Self {
        let words: String = words.into();
        Self {
            lead: Some(html! { (words) }),
            ..self
        }
    }

    /// The way back, above the title.
    pub(crate) fn crumb(self, path: &'a str, name: &'a str) -> Self {
        Self {
            crumb: Some((path, name)),
            ..self
        }
    }

    /// Buttons beside the title.
    pub(crate) fn actions(self, actions: Markup) -> Self {
        Self {
            actions: Some(actions),
            ..self
        }
    }

    /// The whole page.
    pub(crate) fn show(self, body: &Markup) -> Markup {
        let frame = html! {
            a.skip href="#main" { "Skip to the page" }
            div.frame {
                header.side {
                    (brand())
                    nav.nav aria-label="Pages" { (navigation(self.visitor, self.here)) }
                    (who(self.visitor))
                }
                div.page {
                    main id="main" tabindex="-1" {
                        div.head {
                            div {
                                @if let Some((path, name)) = self.crumb { p.crumbs { a href=(path) { "← " (name) } } }
                                h1 { (self.title) }
                                @if let Some(lead) = &self.lead { p.lead { (lead) } }
                            }
                            @if let Some(actions) = &self.actions { div.actions { (actions) } }
                        }
                        (body)
                    }
                    footer {
                        span { "Egret " (env!("CARGO_PKG_VERSION")) }
                        span { "times in " span #zone { "UTC" } }
                        span #stale role="status" hidden { "This page no longer refreshes: Egret does not answer." }
                    }
                }
            }
        };
        whole(self.title, &frame)
    }
}

/// A page for somebody who may not see the others (yet): signing in, an error before anybody is known.
pub(crate) fn alone(title: &str, body: &Markup) -> Markup {
    let frame = html! {
        div.alone {
            (brand())
            main id="main" { h1 { (title) } (body) }
        }
    };
    whole(title, &frame)
}

fn whole(title: &str, body: &Markup) -> Markup {
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
                script src="/assets/keys.js" defer {}
            }
            body { (body) }
        }
    }
}

fn brand() -> Markup {
    html! { a.brand href="/" { img src="/assets/egret.svg" alt="" width="32" height="32"; "Egret" } }
}

/// What this visitor may open; nobody is shown a door that is locked for them.
fn navigation(visitor: &Visitor, here: &str) -> Markup {
    html! {
        @for group in [Group::First, Group::Feature, Group::Last] {
            @let pages: Vec<&Page> = PAGES.iter().filter(|page| page.group == group && page.opens(visitor)).collect();
            @if !pages.is_empty() {
                ul {
                    @for page in pages {
                        li { a href=(page.path) aria-current=[(page.path == here).then_some("page")] {
                            svg viewBox="0 0 20 20" aria-hidden="true" { path d=(page.icon); }
                            (page.name)
                        } }
                    }
                }
            }
        }
    }
}

fn who(visitor: &Visitor) -> Markup {
    html! { div.who { span { b { (visitor.name) } } (signin::sign_out(visitor)) } }
}
