//! The merged list for others: CSV, JSON, RapidBlock, FIRES; signed if there is a key.

use std::path::Path;

use chrono::{DateTime, Utc};
use job::{JobContext, JobError};
use model::Severity;
use serde_json::{Map, Value, json};
use store::block_plans::{self, Output as Published};
use tracing::warn;

use crate::{
    Config,
    config::{Form, Output},
    gather::Library,
    guard::Guard,
    list::{FIRES_CONTEXT, severity_word},
    merge::{Entry, Merged, merge},
    signature::{SigningKey, sha256_hex},
};

/// Writes a merged list. The same list is the same text, byte for byte.
pub fn render(form: Form, name: &str, merged: &Merged<'_>, now: DateTime<Utc>) -> String {
    match form {
        Form::Csv => csv(merged),
        Form::Json => json_list(merged),
        Form::Rapidblock => rapidblock(merged, now),
        Form::Fires => fires(name, merged, now),
    }
}

/// Its media type.
pub fn media_type(form: Form) -> &'static str {
    match form {
        Form::Csv => "text/csv; charset=utf-8",
        Form::Json | Form::Rapidblock => "application/json",
        Form::Fires => "application/ld+json",
    }
}

fn csv(merged: &Merged<'_>) -> String {
    let mut text = "#domain,#severity,#reject_media,#reject_reports,#public_comment,#obfuscate\n".to_owned();
    for entry in &merged.entries {
        let flag = |flag: Option<bool>| if flag == Some(true) { "true" } else { "false" };
        let cells = [
            &*entry.domain,
            severity_word(entry.severity),
            flag(entry.flags.reject_media),
            flag(entry.flags.reject_reports),
            &cell(&entry.public_comment),
            flag(entry.flags.obfuscate),
        ];
        text.push_str(&cells.join(","));
        text.push('\n');
    }
    text
}

/// A cell that no spreadsheet takes for a formula.
fn cell(text: &str) -> String {
    let text = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    };
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

fn json_list(merged: &Merged<'_>) -> String {
    let entries: Vec<Value> = merged
        .entries
        .iter()
        .map(|entry| {
            json!({
                "domain": entry.domain, "digest": sha256_hex(entry.domain.as_bytes()),
                "severity": severity_word(entry.severity), "comment": entry.public_comment,
                "reject_media": entry.flags.reject_media.unwrap_or_default(),
                "reject_reports": entry.flags.reject_reports.unwrap_or_default(),
                "sources": sources(merged, entry),
            })
        })
        .collect();
    pretty(&Value::Array(entries))
}

fn sources<'m>(merged: &'m Merged<'_>, entry: &Entry<'_>) -> Vec<&'m str> {
    entry
        .says
        .iter()
        .filter_map(|say| merged.lists.get(say.list as usize).copied())
        .collect()
}

fn rapidblock(merged: &Merged<'_>, now: DateTime<Utc>) -> String {
    // It knows suspensions alone.
    let suspended = merged
        .entries
        .iter()
        .filter(|entry| entry.severity == Severity::Suspend);
    let blocks: Map<String, Value> = suspended
        .map(|entry| {
            let tags = sources(merged, entry);
            (
                entry.domain.to_string(),
                json!({ "isBlocked": true, "reason": entry.public_comment, "tags": tags }),
            )
        })
        .collect();
    pretty(&json!({ "@spec": "https://rapidblock.org/spec/v1/", "publishedAt": now.to_rfc3339(), "blocks": blocks }))
}

fn fires(name: &str, merged: &Merged<'_>, now: DateTime<Utc>) -> String {
    let items: Vec<Value> = merged
        .entries
        .iter()
        .map(|entry| {
            let policy = match entry.severity {
                Severity::Suspend => "drop",
                Severity::Silence => "filter",
                Severity::Noop => "accept",
            };
            let filters: &[&str] = if entry.flags.reject_media == Some(true) {
                &["reject-media"]
            } else {
                &[]
            };
            json!({
                "id": format!("urn:egret:{name}:{}", entry.domain), "type": "Recommendation",
                "entity": { "type": "Domain", "value": entry.domain },
                "entityKind": "domain", "entityKey": entry.domain,
                "recommendedPolicy": policy, "recommendedFilters": filters,
                "comment": entry.public_comment, "sources": sources(merged, entry),
            })
        })
        .collect();
    pretty(&json!({
        "@context": ["https://www.w3.org/ns/activitystreams", FIRES_CONTEXT],
        "type": "OrderedCollection", "summary": name, "updated": now.to_rfc3339(),
        "totalItems": items.len(), "orderedItems": items,
    }))
}

fn pretty(value: &Value) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}

/// The merged list of a policy, for nobody's server in particular.
///
/// # Errors
/// When the store fails or there is no such policy.
pub async fn merged_text(
    store: &store::Db,
    config: &Config,
    policy: &str,
    form: Form,
    name: &str,
    now: DateTime<Utc>,
) -> Result<Option<String>, store::Error> {
    let Some(policy) = config.policies.iter().find(|it| it.name == policy) else {
        return Ok(None);
    };
    let library = Library::load(store, config, policy).await?;
    let shelf = library.open(None);
    let force: Vec<String> = policy
        .force
        .iter()
        .filter_map(|text| crate::config::domain(text))
        .collect();
    let guard = Guard::new([], force.iter().map(String::as_str), policy.reserved);
    let merged = merge(&shelf.voters(), &policy.merging(), &guard, &[]);
    let is_partial = !merged.unread_bounds.is_empty() || (merged.entries.is_empty() && !merged.unread.is_empty());
    if is_partial || merged.is_held(&policy.merging()) {
        return Ok(None);
    }
    Ok(Some(render(form, name, &merged, now)))
}

/// Publishes every output of the config. One that cannot be made keeps its last text.
///
/// # Errors
/// When the store fails.
pub async fn publish(cx: &JobContext, config: &Config) -> Result<(), JobError> {
    for output in &config.outputs {
        let before = block_plans::output(&cx.store, &output.name).await?;
        let (policy, form, name) = (&output.policy, output.format, &output.name);
        // A text that carries its time is made anew only when something else in it changes.
        let mut made_at = before.as_ref().map_or(cx.clock.now(), |before| before.made_at);
        let text = merged_text(&cx.store, config, policy, form, name, made_at).await?;
        let Some(mut text) = text else { continue };
        if before.as_ref().is_some_and(|before| before.body != text) {
            made_at = cx.clock.now();
            text = merged_text(&cx.store, config, policy, form, name, made_at)
                .await?
                .unwrap_or(text);
        }
        if let Err(error) = one(cx, output, text, made_at, before).await {
            warn!(output = output.name, "cannot publish {}: {error:#}", output.name);
        }
    }
    Ok(())
}

async fn one(
    cx: &JobContext,
    output: &Output,
    body: String,
    made_at: DateTime<Utc>,
    before: Option<Published>,
) -> anyhow::Result<()> {
    let signature = match &output.key_file {
        Some(path) => {
            let key = tokio::fs::read_to_string(path).await?;
            Some(SigningKey::read(&key)?.sign(body.as_bytes()))
        }
        None => None,
    };
    if let Some(path) = &output.file {
        write(path, &body).await?;
        if let Some(signature) = &signature {
            let mut place = path.as_os_str().to_owned();
            place.push(".sig");
            write(Path::new(&place), &format!("{signature}\n")).await?;
        }
    }
    let published = Published {
        name: output.name.clone(),
        kind: media_type(output.format).to_owned(),
        body,
        signature,
        made_at,
    };
    // The same text under another key is published anew.
    if before.as_ref() != Some(&published) {
        block_plans::publish(&cx.store, &published).await?;
    }
    Ok(())
}

/// Whole or not at all: beside it first, then in its place.
async fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".partial");
    tokio::fs::write(&beside, text).await?;
    tokio::fs::rename(&beside, path).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        list::{Format, Reading, parse},
        merge::{Merging, Role, Voter},
    };

    #[test]
    fn what_is_written_reads_as_what_was_merged() {
        let text = "domain,severity,reject_media,public_comment\na.social,suspend,true,\"spam, \"\"hate\"\"\"\nb.social,silence,,=1+1\n";
        let parsed = parse(text, &Reading::default()).unwrap();
        let voter = Voter {
            name: "a",
            weight: 1,
            role: Role::Block,
            rows: &parsed.rows,
            leaving: &[],
            is_read: true,
        };
        let merged = merge(&[voter], &Merging::default(), &Guard::default(), &[]);
        let now = "2026-03-01T12:00:00Z".parse().unwrap();
        for (form, format, rows) in [
            (Form::Csv, Format::Csv, 2),
            (Form::Json, Format::Json, 2),
            (Form::Rapidblock, Format::Rapidblock, 1),
            (Form::Fires, Format::Fires, 2),
        ] {
            let text = render(form, "merged", &merged, now);
            assert_eq!(text, render(form, "merged", &merged, now));
            let read = parse(&text, &Reading::default()).unwrap();
            assert_eq!((read.format, read.rows.len(), read.bad), (format, rows, 0), "{text}");
            assert_eq!(read.rows[0].stance, parsed.rows[0].stance, "{form:?}");
            assert_eq!(read.rows[0].public_comment, "spam, \"hate\"", "{form:?}");
        }
        assert!(
            render(Form::Csv, "merged", &merged, now).contains("'=1+1"),
            "no formula"
        );
    }
}
