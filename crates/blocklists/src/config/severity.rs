//! A severity in the config: unlike a server's, an unknown word is an error and not a suspension.

use model::Severity;
use serde::{Deserialize, Deserializer, Serializer, de};

use crate::list;

pub(super) fn serialize<S: Serializer>(severity: &Severity, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(list::severity_word(*severity))
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Severity, D::Error> {
    let text = String::deserialize(deserializer)?;
    list::severity(&text)
        .ok_or_else(|| de::Error::custom(format!("{text:?} is no severity; write noop, silence or suspend")))
}
