//! Pictures, sounds and videos of what is kept, newest first.

use std::collections::HashMap;

use axum::extract::State as Extract;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::Value;
use store::archive::{
    self,
    files::{self, Shown},
};

use super::PAGE;
use crate::{
    State,
    api::{archive::logins, paging},
    layout::Sheet,
    parts::{empty, pager, unfilled},
    problem::Problem,
    rights::Visitor,
};

/// Files on one page.
const MOST: u32 = 60;

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Params {
    before: Option<String>,
}

pub(super) async fn show(
    Extract(state): Extract<State>,
    visitor: Visitor,
    query: axum::extract::RawQuery,
) -> Result<Markup, Problem> {
    let params: Params = unfilled(query.0.as_deref())?;
    let before = paging::before(params.before.as_deref(), |text| text.parse().ok())?;
    let logins = logins(&state, &visitor).await?;
    let mut found = files::gallery(&state.store, &logins, before, MOST).await?;
    let next = (found.len() == MOST as usize).then(|| cut(&mut found)).flatten();
    let mut ids: Vec<i64> = found.iter().map(|one| one.status).collect();
    ids.dedup();
    let statuses: HashMap<i64, (String, Value)> = archive::list(&state.store, &ids)
        .await?
        .into_iter()
        .map(|kept| {
            let label = format!("{}, {}", kept.author, kept.created_at.format("%Y-%m-%d"));
            (kept.id, (label, serde_json::from_str(&kept.body).unwrap_or_default()))
        })
        .collect();
    let body = html! {
        @if found.is_empty() {
            (empty("No files yet.", &html! { "What statuses show is fetched by " code { "archive.media" } "." }))
        } @else {
            div.gallery { @for one in &found {
                @let (label, status) = &statuses.get(&one.status).cloned().unwrap_or_default();
                @let description = description(status, &one.url);
                @let path = format!("/archive/files/{}", one.blob);
                a href={ "/archive/statuses/" (one.status) } title=(label) {
                    @if status["sensitive"].as_bool() == Some(true) { span.folded { "Sensitive" } }
                    @else if one.kind.starts_with("image/") { img src=(path) alt=(description) loading="lazy"; }
                    @else if one.kind.starts_with("video/") { span.folded { "Video" br; (description) } }
                    @else { span.folded { "Sound" br; (description) } }
                }
            } }
        }
        (pager(&[("before", params.before.as_deref())], next.as_deref()))
    };
    Ok(Sheet::of(&PAGE, &visitor, "Media")
        .crumb("/archive", "Archive")
        .lead("Pictures, sounds and videos of what is kept, newest first.")
        .show(&body))
}

/// Cuts a full page where a status ends, since the next one begins behind a status, and gives which. Of one that fills a
/// page by itself the rest is not shown here.
fn cut(found: &mut Vec<Shown>) -> Option<String> {
    let last = found.last()?.status;
    if found.first()?.status != last {
        found.retain(|one| one.status != last);
    }
    found.last().map(|one| one.status.to_string())
}

fn description(status: &Value, url: &str) -> String {
    let media = status["media_attachments"].as_array();
    let of = |medium: &&Value| medium["url"].as_str() == Some(url) || medium["remote_url"].as_str() == Some(url);
    let found = media.into_iter().flatten().find(of);
    found
        .and_then(|medium| medium["description"].as_str())
        .unwrap_or_default()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_ends_where_a_status_ends() {
        let page = |statuses: &[i64]| -> Vec<Shown> {
            let shown = |status: &i64| Shown {
                status: *status,
                url: String::new(),
                blob: String::new(),
                kind: String::new(),
            };
            statuses.iter().map(shown).collect()
        };
        for (statuses, left, next) in [
            (&[9, 9, 8, 7, 7][..], 3, "8"),
            (&[9, 8, 7], 2, "8"),
            (&[9, 9, 9], 3, "9"),
        ] {
            let mut found = page(statuses);
            assert_eq!((cut(&mut found).as_deref(), found.len()), (Some(next), left));
        }
    }
}
