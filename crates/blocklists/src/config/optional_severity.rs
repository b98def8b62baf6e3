//! The same where there may be none.

use model::Severity;
use serde::{Deserializer, Serializer};

use crate::list;

pub(super) fn serialize<S: Serializer>(severity: &Option<Severity>, serializer: S) -> Result<S::Ok, S::Error> {
    match severity {
        Some(severity) => serializer.serialize_some(list::severity_word(*severity)),
        None => serializer.serialize_none(),
    }
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Severity>, D::Error> {
    super::severity::deserialize(deserializer).map(Some)
}
