//! What a restore would change: a snapshot against what is there now.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use mastodon::AdminList;
use serde::Serialize;
use serde_json::{Map, Value};

/// An end that is this much off is the same end: it is told to servers in seconds from now.
const ABOUT: TimeDelta = TimeDelta::minutes(5);

/// One change.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// In which list.
    #[serde(serialize_with = "named")]
    pub list: AdminList,
    /// Which row: its domain, address or hash.
    pub key: String,
    /// What to do.
    pub action: Action,
    /// As it is now.
    pub before: Option<Value>,
}

fn named<S: serde::Serializer>(list: &AdminList, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(list.name())
}

/// What to do with a row.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Add it.
    Create(Value),
    /// Change it.
    Update {
        /// Its id there.
        id: String,
        /// What to set.
        fields: Value,
    },
    /// Take it out, and add it as it was: the server has no way to change it.
    Replace {
        /// Its id there.
        id: String,
        /// What to add.
        fields: Value,
    },
    /// Take it out.
    Delete {
        /// Its id there.
        id: String,
    },
}

impl Action {
    /// In a word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Create(_) => "create",
            Self::Update { .. } => "update",
            Self::Replace { .. } => "replace",
            Self::Delete { .. } => "delete",
        }
    }
}

/// What makes two rows of a list the same row.
pub fn key(list: AdminList, row: &Value) -> Option<String> {
    let name = match list {
        AdminList::DomainBlocks | AdminList::DomainAllows | AdminList::EmailDomainBlocks => "domain",
        AdminList::IpBlocks => "ip",
        AdminList::CanonicalEmailBlocks => "canonical_email_hash",
    };
    row[name].as_str().filter(|key| !key.is_empty()).map(str::to_owned)
}

/// What can be set of a row, as the server takes it.
fn settable(list: AdminList, row: &Value) -> Map<String, Value> {
    let names: &[&str] = match list {
        AdminList::DomainBlocks => &[
            "severity",
            "reject_media",
            "reject_reports",
            "private_comment",
            "public_comment",
            "obfuscate",
        ],
        AdminList::EmailDomainBlocks => &["allow_with_approval"],
        AdminList::IpBlocks => &["severity", "comment"],
        AdminList::DomainAllows | AdminList::CanonicalEmailBlocks => &[],
    };
    let mut fields = Map::new();
    for name in names {
        // A server that does not know a field does not show it, and nothing and "" are the same comment.
        match &row[*name] {
            Value::Null if name.ends_with("comment") => drop(fields.insert((*name).to_owned(), "".into())),
            Value::Null => {}
            value => drop(fields.insert((*name).to_owned(), value.clone())),
        }
    }
    fields
}

fn ends(row: &Value) -> Option<DateTime<Utc>> {
    row["expires_at"].as_str().and_then(|text| text.parse().ok())
}

fn is_same(list: AdminList, then: &Value, now: &Value) -> bool {
    let (then_fields, now_fields) = (settable(list, then), settable(list, now));
    let alike = then_fields
        .iter()
        .all(|(name, value)| now_fields.get(name).is_none_or(|other| other == value));
    let end = match (ends(then), ends(now)) {
        (Some(then), Some(now)) => (then - now).abs() <= ABOUT,
        (then, now) => then.is_none() == now.is_none(),
    };
    alike && end
}

/// The changes that make a list as the snapshot has it. What came since stays, unless `exact`.
pub fn list(list: AdminList, then: &[Value], now: &[Value], exact: bool, at: DateTime<Utc>) -> Vec<Step> {
    let live: BTreeMap<String, &Value> = now.iter().filter_map(|row| Some((key(list, row)?, row))).collect();
    let mut wanted: BTreeMap<String, &Value> = BTreeMap::new();
    for row in then {
        // A block that has run out since is not put back.
        if let Some(key) = key(list, row)
            && ends(row).is_none_or(|end| end > at)
        {
            wanted.insert(key, row);
        }
    }
    let mut steps = Vec::new();
    for (key, row) in &wanted {
        let there = live.get(key).copied();
        if there.is_some_and(|there| is_same(list, row, there)) {
            continue;
        }
        let mut fields = settable(list, row);
        if let Some(end) = ends(row) {
            fields.insert("expires_in".to_owned(), (end - at).num_seconds().into());
        }
        let id = there.and_then(|there| there["id"].as_str()).map(str::to_owned);
        let action = match (id, list) {
            (Some(id), AdminList::DomainBlocks | AdminList::IpBlocks) => Action::Update {
                id,
                fields: Value::Object(fields),
            },
            (id, _) => {
                for name in ["domain", "ip", "canonical_email_hash"] {
                    if let Some(value) = row.get(name) {
                        fields.insert(name.to_owned(), value.clone());
                    }
                }
                // A comment that was never written is not written empty.
                fields.retain(|name, value| !(name.ends_with("comment") && value == ""));
                let fields = Value::Object(fields);
                match id {
                    Some(id) => Action::Replace { id, fields },
                    None => Action::Create(fields),
                }
            }
        };
        steps.push(Step {
            list,
            key: key.clone(),
            action,
            before: there.cloned(),
        });
    }
    if exact {
        for (key, row) in live.iter().filter(|(key, _)| !wanted.contains_key(*key)) {
            if let Some(id) = row["id"].as_str() {
                steps.push(Step {
                    list,
                    key: key.clone(),
                    action: Action::Delete { id: id.to_owned() },
                    before: Some((*row).clone()),
                });
            }
        }
    }
    // What is lifted goes first; of domains the deeper ones come first, since a softer block below a harder one is
    // refused once the harder one is there.
    let depth = |step: &Step| std::cmp::Reverse(step.key.matches('.').count());
    steps.sort_by_cached_key(|step| {
        let is_delete = matches!(step.action, Action::Delete { .. });
        (!is_delete, depth(step), step.key.clone())
    });
    steps
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    fn block(domain: &str, severity: &str) -> Value {
        json!({ "id": "7", "domain": domain, "severity": severity, "private_comment": null, "obfuscate": false })
    }

    #[test]
    fn what_is_as_it_was_needs_nothing() {
        let rows = [block("a.example", "suspend"), block("b.example", "silence")];
        assert!(list(AdminList::DomainBlocks, &rows, &rows, true, at()).is_empty());
        let mut other = rows.clone();
        other[0]["private_comment"] = "".into();
        assert!(list(AdminList::DomainBlocks, &rows, &other, true, at()).is_empty());
    }

    #[test]
    fn deeper_domains_come_first_and_newcomers_stay() {
        let then = [block("a.example", "suspend"), block("x.a.example", "silence")];
        let steps = list(
            AdminList::DomainBlocks,
            &then,
            &[block("new.example", "noop")],
            false,
            at(),
        );
        let keys: Vec<&str> = steps.iter().map(|step| step.key.as_str()).collect();
        assert_eq!(keys, ["x.a.example", "a.example"]);
        let exact = list(
            AdminList::DomainBlocks,
            &then,
            &[block("new.example", "noop")],
            true,
            at(),
        );
        assert_eq!(exact.first().map(|step| step.action.word()), Some("delete"));
    }

    #[test]
    fn a_changed_row_is_changed_back_as_the_list_allows() {
        let now = [block("a.example", "silence")];
        let steps = list(
            AdminList::DomainBlocks,
            &[block("a.example", "suspend")],
            &now,
            false,
            at(),
        );
        assert_eq!(steps[0].action.word(), "update");
        let mail = |allow: bool| [json!({ "id": "1", "domain": "m.example", "allow_with_approval": allow })];
        let steps = list(AdminList::EmailDomainBlocks, &mail(true), &mail(false), false, at());
        assert_eq!(steps[0].action.word(), "replace");
    }

    #[test]
    fn a_block_of_an_address_keeps_its_end() {
        let row = |end: &str| json!({ "id": "1", "ip": "192.0.2.0/24", "severity": "no_access", "comment": "", "expires_at": end });
        let then = [row("2027-02-01T00:00:00.000Z")];
        let steps = list(AdminList::IpBlocks, &then, &[], false, at());
        let Action::Create(fields) = &steps[0].action else {
            panic!("{steps:?}")
        };
        let end = "2027-02-01T00:00:00Z".parse::<DateTime<Utc>>().unwrap();
        assert_eq!(fields["expires_in"], (end - at()).num_seconds());
        assert!(
            list(
                AdminList::IpBlocks,
                &then,
                &[row("2027-02-01T00:00:02.000Z")],
                false,
                at()
            )
            .is_empty()
        );
        assert!(
            list(AdminList::IpBlocks, &[row("2020-01-01T00:00:00Z")], &[], false, at()).is_empty(),
            "ran out"
        );
    }
}
