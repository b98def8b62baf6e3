//! A status as a line of JSON, a row of a table, or a paragraph of Markdown.

use serde_json::Value;
use store::archive::{self, Activity, Kept};

use crate::Found;

pub(super) fn jsonl(
    kept: &Kept,
    activities: &[&Activity],
    versions: &[archive::Version],
) -> serde_json::Result<String> {
    let versions: Vec<Value> = versions
        .iter()
        .map(|version| {
            serde_json::json!({ "version_at": version.version_at,
                "body": serde_json::from_str::<Value>(&version.body).unwrap_or_default() })
        })
        .collect();
    serde_json::to_string(&serde_json::json!({
        "uri": kept.uri, "author": kept.author, "created_at": kept.created_at, "gone_at": kept.gone_at,
        "server": kept.server, "activities": activities, "versions": versions,
        "status": serde_json::from_str::<Value>(&kept.body).unwrap_or_default(),
    }))
}

pub(super) const CSV: &str = "created_at,author,kinds,visibility,language,url,content_warning,text,media";

pub(super) fn csv(found: &Found) -> String {
    let kinds: Vec<&str> = found.activities.iter().map(|activity| activity.kind.as_str()).collect();
    let media: Vec<&str> = found.media.iter().map(|medium| medium.url.as_str()).collect();
    [
        found.created_at.to_rfc3339(),
        found.author.clone(),
        kinds.join(" "),
        found.visibility.clone(),
        found.language.clone().unwrap_or_default(),
        found.url.clone().unwrap_or_else(|| found.uri.clone()),
        found.spoiler.clone(),
        found.text.clone(),
        media.join(" "),
    ]
    .iter()
    .map(|cell| cell_of(cell))
    .collect::<Vec<_>>()
    .join(",")
}

/// A cell; one that a spreadsheet would take for a formula is made a text.
pub(super) fn cell_of(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = text.replace('"', "\"\"");
    format!("\"{}{text}\"", if formula { "'" } else { "" })
}

pub(super) fn markdown(found: &Found) -> String {
    let mut out = format!(
        "\n## {} · {}\n\n<{}>\n\n",
        found.created_at.format("%Y-%m-%d %H:%M"),
        plain_line(&found.author),
        found.url.as_deref().unwrap_or(&found.uri).replace(['>', '<', '\n'], "")
    );
    if !found.spoiler.is_empty() {
        out += &format!("**{}**\n\n", plain_line(&found.spoiler));
    }
    for line in found.text.lines() {
        out += &format!("{}\n\n", plain_line(line));
    }
    for medium in &found.media {
        out += &format!(
            "- {}: <{}>\n",
            plain_line(&medium.description),
            medium.url.replace(['>', '<', '\n'], "")
        );
    }
    out
}

/// One line in which nothing is markup.
fn plain_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '!' | '|' => {
                out.push('\\');
                out.push(c);
            }
            '\n' | '\r' => out.push(' '),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_and_no_text_is_markup() {
        assert_eq!(cell_of("=cmd|x"), "\"'=cmd|x\"");
        assert_eq!(cell_of("a \"b\", c"), "\"a \"\"b\"\", c\"");
        assert_eq!(plain_line("<script>*x*\n# y"), "\\<script\\>\\*x\\* \\# y");
    }
}
