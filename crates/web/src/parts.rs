//! What pages are put together from, so that all of them look alike: badges, notes, empty states, buttons, pagers.

use maud::{Markup, html};
use serde::de::DeserializeOwned;

use crate::{api::Query, csrf, problem::Problem, rights::Visitor};

/// How loud something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// It goes on.
    Live,
    /// It went well.
    Good,
    /// Somebody may want to look.
    Warn,
    /// Somebody has to act.
    Bad,
    /// Said by the way.
    Plain,
}

impl Tone {
    fn class(self) -> &'static str {
        match self {
            Self::Live => "",
            Self::Good => "good",
            Self::Warn => "warn",
            Self::Bad => "bad",
            Self::Plain => "plain",
        }
    }
}

/// One word about a state.
pub(crate) fn badge(tone: Tone, word: &str) -> Markup {
    html! { span class={ "badge " (tone.class()) } { (word) } }
}

/// A line across the page that wants to be read; `action` is a button or link beside it.
pub(crate) fn note(tone: Tone, words: &Markup, action: Option<&Markup>) -> Markup {
    html! {
        div class={ "note " (tone.class()) } role=[(tone == Tone::Bad).then_some("alert")] {
            div { (words) }
            @if let Some(action) = action { div.actions { (action) } }
        }
    }
}

/// Where there is nothing: says so, and what would put something there.
pub(crate) fn empty(what: &str, why: &Markup) -> Markup {
    html! { div.empty { b { (what) } " " (why) } }
}

/// A number and what it counts.
pub(crate) fn tile(number: &str, words: &str) -> Markup {
    html! { div.tile { b { (number) } span { (words) } } }
}

/// The head of a part of a page, and the way to all of what it shows a few of.
pub(crate) fn section_head(title: &str, path: &str, alone: bool) -> Markup {
    html! { div.section-head { h2 { (title) } @if !alone { a.small href=(path) { "All" } } } }
}

/// A query as a form sends it: what was left empty is sent too, and is no filter.
///
/// # Errors
/// Names the field that is wrong.
pub(crate) fn unfilled<T: DeserializeOwned>(query: Option<&str>) -> Result<T, Problem> {
    let kept: Vec<&str> = query
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.ends_with('='))
        .collect();
    let uri = format!("/?{}", kept.join("&"));
    let uri = uri.parse().map_err(|_| Problem::new(400, "cannot read the query"))?;
    match axum::extract::Query::<T>::try_from_uri(&uri) {
        Ok(axum::extract::Query(params)) => Ok(params),
        Err(refused) => Err(Query::<T>::refused(&refused.body_text())),
    }
}

/// A form of one button. `fields` go along unseen; `label` is for those who cannot see what the button stands beside.
pub(crate) fn button(visitor: &Visitor, path: &str, fields: &[(&str, &str)], words: &str, label: &str) -> Markup {
    form(
        visitor,
        path,
        fields,
        &html! { button aria-label=[(words != label).then_some(label)] { (words) } },
    )
}

/// A form that changes something: posts `fields` and whatever `inside` asks for to `path`.
pub(crate) fn form(visitor: &Visitor, path: &str, fields: &[(&str, &str)], inside: &Markup) -> Markup {
    html! {
        form method="post" action=(path) {
            (csrf::field(visitor))
            @for (name, value) in fields { input type="hidden" name=(name) value=(value); }
            (inside)
        }
    }
}

/// The way to older entries, and back to the newest.
pub(crate) fn pager(query: &[(&str, Option<&str>)], next: Option<&str>) -> Markup {
    let kept = |before: Option<&str>| {
        let mut text = String::from("?");
        for (name, value) in query
            .iter()
            .copied()
            .filter(|(name, _)| *name != "before")
            .chain([("before", before)])
        {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                if text.len() > 1 {
                    text.push('&');
                }
                text.push_str(name);
                text.push('=');
                text.push_str(&encoded(value));
            }
        }
        text
    };
    let is_first = query.iter().all(|(name, value)| *name != "before" || value.is_none());
    html! {
        @if next.is_some() || !is_first {
            nav.pager aria-label="More" {
                @if !is_first { a.button href=(kept(None)) { "Newest" } }
                @if let Some(next) = next { a.button href=(kept(Some(next))) rel="next" { "Older" } }
            }
        }
    }
}

/// A value inside of a query.
pub(crate) fn encoded(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => text.push(char::from(byte)),
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

/// A link to somebody else's page. Only web addresses become links.
pub(crate) fn away(uri: &str) -> Markup {
    let shown = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    html! {
        @if uri.starts_with("https://") || uri.starts_with("http://") {
            a href=(uri) rel="noreferrer noopener" { (shown) }
        } @else { (uri) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pager_keeps_the_filters_and_escapes_them() {
        let page = pager(&[("job", Some("a&b")), ("before", Some("7"))], Some("3 4")).into_string();
        assert!(page.contains(r#"href="?job=a%26b""#), "{page}");
        assert!(page.contains(r#"href="?job=a%26b&amp;before=3%204""#), "{page}");
        assert_eq!(pager(&[("job", Some("x")), ("before", None)], None).into_string(), "");
    }

    #[test]
    fn loudness_is_a_class() {
        assert!(badge(Tone::Bad, "x").into_string().contains(r#"class="badge bad""#));
        assert!(
            note(Tone::Warn, &html! {}, None)
                .into_string()
                .contains(r#"class="note warn""#)
        );
    }

    #[test]
    fn only_web_addresses_become_links() {
        assert!(!away("javascript:alert(1)").into_string().contains("href"));
        assert!(away("https://a.example/1").into_string().contains("href"));
    }
}
