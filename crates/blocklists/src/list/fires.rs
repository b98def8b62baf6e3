//! FIRES: a dataset as a log of changes (or a snapshot of one). The newest change of a domain counts; what is only
//! information, or recommends nothing, is never taken for a block.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
};

use model::Severity;
use serde_json::{Value, json};

use super::{Draft, Field, ListError, Place, Sink, Stance, json};

/// What to ask for.
pub const ACCEPT: &str = "application/ld+json, application/json;q=0.9";

/// A page of a dataset's log.
#[derive(Debug, Default)]
pub struct Feed {
    /// Its changes, as they came.
    pub items: Vec<Value>,
    /// Where the next page is.
    pub next: Option<String>,
}

/// Reads one page of a log.
///
/// # Errors
/// When it is none.
pub fn feed(text: &str) -> Result<Feed, ListError> {
    let value = json::value(text)?;
    let items = ["orderedItems", "items"]
        .iter()
        .find_map(|key| value.get(*key).and_then(Value::as_array));
    let next = value.get("next").or_else(|| value.get("first")).and_then(Value::as_str);
    match items {
        Some(items) => Ok(Feed {
            items: items.clone(),
            next: next.map(str::to_owned),
        }),
        // A collection that holds only a link to its first page.
        None if next.is_some() => Ok(Feed {
            items: Vec::new(),
            next: next.map(str::to_owned),
        }),
        None => Err(ListError::Shape("a collection without items".to_owned())),
    }
}

/// The pages of a log as one text, for the store.
pub fn joined(items: &[Value]) -> String {
    json!({ "@context": "https://fires.fedimod.org/ns", "type": "OrderedCollection", "orderedItems": items })
        .to_string()
}

/// What a change says, whichever of the two spellings it uses.
struct Change<'v> {
    id: &'v str,
    kind: &'v str,
    domain: &'v str,
    value: &'v Value,
    line: u32,
}

impl<'v> Change<'v> {
    fn of(value: &'v Value, line: u32) -> Option<Self> {
        let text = |key: &str| value.get(key).and_then(Value::as_str);
        let entity = value.get("entity");
        let of_entity = |key: &str| entity.and_then(|entity| entity.get(key)).and_then(Value::as_str);
        let entity_kind = text("entityKind").or(of_entity("type")).unwrap_or("domain");
        let kind = text("type")?;
        let domain = text("entityKey").or(of_entity("value")).unwrap_or_default();
        // Accounts are not ours. A tombstone may have lost its entity.
        (entity_kind.eq_ignore_ascii_case("domain") && (!domain.is_empty() || kind.eq_ignore_ascii_case("tombstone")))
            .then_some(Self {
                // The last part of an address is the id itself, a UUID of version 7: it sorts by time.
                id: text("id").unwrap_or_default().rsplit('/').next().unwrap_or_default(),
                kind,
                domain,
                value,
                line,
            })
    }

    fn is(&self, kind: &str) -> bool {
        self.kind.eq_ignore_ascii_case(kind)
    }

    fn text(&self, keys: [&str; 2]) -> &'v str {
        keys.iter()
            .find_map(|key| self.value.get(*key).and_then(Value::as_str))
            .unwrap_or_default()
    }
}

pub(super) fn read(text: &str, sink: &mut Sink<'_, '_>) -> Result<(), ListError> {
    let feed = feed(text)?;
    let mut changes = Vec::new();
    for (line, value) in (1..).zip(&feed.items) {
        match Change::of(value, line) {
            Some(change) => changes.push(change),
            None if value.get("type").is_none() => {
                sink.fault(Place { line, column: 1 }, &value.to_string(), "a change without a type");
            }
            None => {}
        }
    }
    changes.sort_by_key(|change| (change.id, change.line));
    // A tombstone stands in the place of the change it buries.
    let buried: HashMap<&str, ()> = changes
        .iter()
        .filter(|it| it.is("tombstone"))
        .map(|it| (it.id, ()))
        .collect();
    let mut newest: BTreeMap<String, &Change<'_>> = BTreeMap::new();
    for change in changes.iter().filter(|it| !it.domain.is_empty()) {
        if !change.is("tombstone") && buried.contains_key(change.id) && !change.id.is_empty() {
            newest.remove(&change.domain.to_lowercase());
            continue;
        }
        newest.insert(change.domain.to_lowercase(), change);
    }
    for change in newest.values() {
        one(change, sink)?;
    }
    // A dataset in which nothing is recommended any more is empty, not broken.
    Ok(())
}

fn one(change: &Change<'_>, sink: &mut Sink<'_, '_>) -> Result<(), ListError> {
    let at = Place {
        line: change.line,
        column: 1,
    };
    let policy = change
        .text(["recommendedPolicy", "recommended_policy"])
        .to_ascii_lowercase();
    let filters = change
        .value
        .get("recommendedFilters")
        .or_else(|| change.value.get("recommended_filters"));
    let reject_media = filters.and_then(Value::as_array).is_some_and(|filters| {
        filters
            .iter()
            .filter_map(Value::as_str)
            .any(|filter| filter.to_ascii_lowercase().contains("media"))
    });
    let severity = match policy.as_str() {
        "drop" | "reject" => Some(Severity::Suspend),
        "filter" => Some(Severity::Silence),
        _ => None,
    };
    let takes = sink.reading.takes(Field::PublicComment);
    let comment = change.text(["comment", "summary"]);
    let mut draft = Draft {
        severity,
        // Never the list's default: a missing policy recommends nothing.
        clear: !change.is("recommendation") || severity.is_none(),
        public_comment: Cow::Owned(if takes { comment.to_owned() } else { String::new() }),
        ..Draft::default()
    };
    if reject_media && sink.reading.takes(Field::RejectMedia) {
        draft.flags.reject_media = Some(true);
    }
    let before = sink.parsed.rows.len();
    sink.row(at, Cow::Owned(change.domain.to_owned()), draft)?;
    if (change.is("retraction") || change.is("tombstone"))
        && let Some(row) = sink.parsed.rows.get_mut(before)
    {
        row.stance = Stance::Retracted;
    }
    Ok(())
}
