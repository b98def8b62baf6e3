//! What strangers write, made fit for a column.
//!
//! Postgres keeps no NUL in a TEXT nor in a JSONB, and a statement that carries one fails whole: one odd version
//! string or error page would stop a job. It becomes the replacement character on both engines.

use std::borrow::Cow;

use serde_json::Value;

/// Addresses longer than this are not stored: a key must fit an index page of Postgres, and no server makes them.
const MAX_URI: usize = 2048;

/// Whether a uri can be a key. A cut or mended one would be another status, so there is no second best.
pub(crate) fn is_key(uri: &str) -> bool {
    uri.len() <= MAX_URI && !uri.contains('\0')
}

/// Without NUL.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    if text.contains('\0') {
        Cow::Owned(text.replace('\0', "\u{fffd}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// Without NUL, where there is one.
pub(crate) fn clean_opt(text: Option<&str>) -> Option<Cow<'_, str>> {
    text.map(clean)
}

/// The text as a part of a pattern behind which `ESCAPE '!'` stands: what it holds is meant as it is written.
pub(crate) fn like(text: &str) -> String {
    clean(text).replace('!', "!!").replace('%', "!%").replace('_', "!_")
}

/// Without NUL in any text or key, and no bare number: SQLite would keep that as a number, which is no JSON to it.
pub(crate) fn clean_json(value: &Value) -> Value {
    match value {
        Value::Number(number) => Value::String(number.to_string()),
        value => clean_value(value),
    }
}

fn clean_value(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(clean(text).into_owned()),
        Value::Array(items) => items.iter().map(clean_value).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| (clean(key).into_owned(), clean_value(value)))
            .collect(),
        plain => plain.clone(),
    }
}
