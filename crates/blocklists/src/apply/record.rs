//! What is remembered of a change.

use chrono::{DateTime, Utc};
use mastodon::{AdminDomainBlock, DomainBlockFields};
use serde_json::{Value, json};
use store::block_entries::{Change, Entry, State};

use super::Author;
use crate::plan::{Action, Leaves, Operation};

/// Whether a block shows these fields.
pub(super) fn has(block: &AdminDomainBlock, fields: &DomainBlockFields) -> bool {
    let flag = |wanted: Option<bool>, is: bool| wanted.is_none_or(|wanted| wanted == is);
    let text = |wanted: &Option<String>, is: &str| wanted.as_ref().is_none_or(|wanted| wanted.trim() == is.trim());
    // A server without severities has no such flags either.
    let simple = block.severity.is_none();
    fields.severity.is_none_or(|severity| severity == block.is())
        && (simple || flag(fields.reject_media, block.reject_media))
        && (simple || flag(fields.reject_reports, block.reject_reports))
        && flag(fields.obfuscate, block.obfuscate)
        && text(&fields.public_comment, &block.public_comment)
        && text(&fields.private_comment, &block.private_comment)
}

/// The record of a change that was made.
pub(super) fn change(
    id: &str,
    server: &str,
    operation: &Operation,
    after: Option<&AdminDomainBlock>,
    author: &Author,
    now: DateTime<Utc>,
) -> Change {
    Change {
        id: id.to_owned(),
        run: author.run.clone(),
        server: server.to_owned(),
        domain: operation.domain.clone(),
        action: operation.action.word().to_owned(),
        before: value(operation.before.as_ref()),
        after: value(after),
        reason: reason(operation),
        follows: operation
            .ties
            .map(|ties| i64::try_from(ties.follows + ties.followers).unwrap_or(i64::MAX)),
        who: author.who.clone(),
        undone_by: None,
        changed_at: now,
    }
}

/// What we know of the domain after a change; `None`: nothing to remember.
pub(super) fn entry(
    known: Option<&Entry>,
    server: &str,
    operation: &Operation,
    after: Option<&AdminDomainBlock>,
    change: &str,
    now: DateTime<Utc>,
) -> Option<Entry> {
    let state = match operation.leaves {
        Leaves::Ours => State::Ours,
        Leaves::Dismissed => State::Dismissed,
        Leaves::Drifted => State::Drifted,
        Leaves::Nothing => return None,
    };
    // A block that was there before our first touch is what it returns to.
    let before = match (known, &operation.action) {
        (Some(known), _) if known.state == State::Ours => known.before.clone(),
        (_, Action::Update { .. }) => value(operation.before.as_ref()),
        _ => None,
    };
    let known_of = known.filter(|_| operation.cap.is_some());
    let capped_since = operation
        .cap
        .as_ref()
        .map(|_| known_of.and_then(|known| known.capped_since).unwrap_or(now));
    Some(Entry {
        server: server.to_owned(),
        domain: operation.domain.clone(),
        state,
        block_id: after.map(|block| block.id.clone()),
        written: value(after),
        before,
        reason: reason(operation),
        change: Some(change.to_owned()),
        capped_since,
        told_at: known_of.and_then(|known| known.told_at),
        note: None,
        created_at: known.map_or(now, |known| known.created_at),
        changed_at: now,
    })
}

/// A domain that the server does not take.
pub(super) fn refused(
    known: Option<&Entry>,
    server: &str,
    operation: &Operation,
    state: State,
    note: String,
    now: DateTime<Utc>,
) -> Entry {
    Entry {
        server: server.to_owned(),
        domain: operation.domain.clone(),
        state,
        block_id: None,
        written: None,
        before: None,
        reason: reason(operation),
        change: known.and_then(|known| known.change.clone()),
        capped_since: None,
        told_at: None,
        note: Some(note),
        created_at: known.map_or(now, |known| known.created_at),
        changed_at: now,
    }
}

/// Why, for the ledger and for `why`.
pub(super) fn reason(operation: &Operation) -> Value {
    json!({ "rule": operation.rule, "says": operation.says, "cap": operation.cap })
}

pub(super) fn value(block: Option<&AdminDomainBlock>) -> Option<Value> {
    block.and_then(|block| serde_json::to_value(block).ok())
}
