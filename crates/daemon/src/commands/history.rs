//! What happened to a case or an applicant, as commands tell it.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;

use crate::{Exit, out};

/// Lines read at a time.
const PAGE: u32 = 500;

/// When, what, by whom, and more of it.
pub(super) fn table<'l>(lines: impl IntoIterator<Item = (DateTime<Utc>, &'l str, &'l str, &'l Value)>) {
    let rows: Vec<Vec<String>> = lines
        .into_iter()
        .map(|(at, kind, by, detail)| {
            vec![
                at.format("%Y-%m-%d %H:%M:%S").to_string(),
                kind.to_owned(),
                by.to_owned(),
                detail.to_string(),
            ]
        })
        .collect();
    out::table(&["WHEN (UTC)", "WHAT", "BY", "DETAIL"], &rows);
}

/// Every line there is, oldest first, one JSON object a line; `page` gives so many after an id.
///
/// # Errors
/// When the store cannot be read.
pub(super) async fn audit<L: Serialize>(
    page: impl AsyncFn(&str, u32) -> Result<Vec<L>, store::Error>,
    id: impl Fn(&L) -> &str,
) -> anyhow::Result<Exit> {
    let mut after = String::new();
    loop {
        let lines = page(&after, PAGE).await?;
        let Some(last) = lines.last() else {
            return Ok(Exit::Done);
        };
        id(last).clone_into(&mut after);
        for line in &lines {
            out::line(serde_json::to_string(line)?);
        }
    }
}
