//! FIRES: a dataset as a log of changes (or a snapshot of one). The newest change of a domain counts; what is only
//! information, or recommends nothing, is never taken for a block.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap, HashSet},
};

use model::Severity;
use serde_json::{Value, json};

use super::{Draft, Field, ListError, Place, Sink, Stance, json};

/// What to ask for.
pub const ACCEPT: &str = "application/ld+json, application/json;q=0.9";

/// Where the words of a dataset are defined.
pub const CONTEXT: &str = "https://fires.fedimod.org/context/fires.jsonld";

/// A page of a dataset's log, its snapshot, or the dataset that tells where those are.
#[derive(Debug, Default)]
pub struct Feed {
    /// Its changes, as they came.
    pub items: Vec<Value>,
    /// Where the next page is; of a dataset, where its snapshot is.
    pub next: Option<String>,
    /// Of a snapshot: where the changes are that it does not hold yet.
    pub changes: Option<String>,
}

impl Feed {
    /// Whether there is more to it than this text.
    pub fn leads_on(&self) -> bool {
        self.next.is_some() || self.changes.is_some()
    }

    /// The newest change's id: the last part of its address, a UUID of version 7, which sorts by time.
    pub fn newest(&self) -> Option<&str> {
        self.items.iter().filter_map(id).max().filter(|id| !id.is_empty())
    }
}

/// The last part of a change's address.
fn id(change: &Value) -> Option<&str> {
    change.get("id")?.as_str()?.rsplit('/').next()
}

/// Reads one page of a log.
///
/// # Errors
/// When it is none.
pub fn feed(text: &str) -> Result<Feed, ListError> {
    let mut value = json::value(text)?;
    let link = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let next = ["/next", "/first", "/endpoints/snapshot", "/endpoints/changes"];
    let (next, changes) = (next.into_iter().find_map(link), link("/changes"));
    let items = ["orderedItems", "items"]
        .into_iter()
        .find_map(|key| match value.get_mut(key).map(Value::take) {
            Some(Value::Array(items)) => Some(items),
            _ => None,
        });
    match items {
        None if next.is_none() => Err(ListError::Shape("a collection without items".to_owned())),
        // A collection may hold only a link to its first page.
        items => Ok(Feed {
            items: items.unwrap_or_default(),
            next,
            changes,
        }),
    }
}

/// A log, and changes that came since, as one text for the store: of each entity the newest change alone. Of what a
/// tombstone buries only the name is kept, so that it can be told what is taken back.
pub fn joined(before: Vec<Value>, since: Vec<Value>) -> String {
    let mut newest: BTreeMap<(String, String), Value> = BTreeMap::new();
    // Which entity a change is about, for tombstones that do not say: there may be as many as there are changes.
    let mut by_id: HashMap<String, (String, String)> = HashMap::new();
    for change in before.into_iter().chain(since) {
        let Some(kind) = change.get("type").and_then(Value::as_str).map(str::to_ascii_lowercase) else {
            continue;
        };
        let entity = entity(&change);
        if kind != "tombstone" {
            let known = entity.as_ref().and_then(|entity| newest.get(entity));
            // A snapshot begins with the newest, a log ends with it.
            if let Some(entity) = entity
                && known.is_none_or(|known| id(known) <= id(&change))
            {
                if let Some(id) = id(&change) {
                    by_id.insert(id.to_owned(), entity.clone());
                }
                newest.insert(entity, change);
            }
            continue;
        }
        let of_change = || {
            let entity = by_id.get(id(&change)?)?;
            (newest.get(entity).and_then(id) == id(&change)).then(|| entity.clone())
        };
        let buried = entity.or_else(of_change);
        if let Some((kind, key)) = buried {
            let tombstone =
                json!({ "id": change.get("id"), "type": "Tombstone", "entityKind": kind, "entityKey": key });
            newest.insert((kind, key), tombstone);
        }
    }
    let items: Vec<Value> = newest.into_values().collect();
    json!({ "@context": CONTEXT, "type": "OrderedCollection", "orderedItems": items }).to_string()
}

/// What a change is about, folded for comparing.
fn entity(change: &Value) -> Option<(String, String)> {
    let text = |pointer: &str| change.pointer(pointer).and_then(Value::as_str).map(str::to_lowercase);
    let kind = text("/entityKind")
        .or_else(|| text("/entity/type"))
        .unwrap_or_else(|| "domain".to_owned());
    Some((kind, text("/entityKey").or_else(|| text("/entity/value"))?))
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
                id: id(value).unwrap_or_default(),
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
    let buried: HashSet<&str> = changes.iter().filter(|it| it.is("tombstone")).map(|it| it.id).collect();
    let mut newest: BTreeMap<String, &Change<'_>> = BTreeMap::new();
    for change in changes.iter().filter(|it| !it.domain.is_empty()) {
        if !change.is("tombstone") && buried.contains(change.id) && !change.id.is_empty() {
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
