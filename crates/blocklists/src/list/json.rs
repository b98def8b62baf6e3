//! JSON arrays: the admin's list, the public one, `GoToSocial`'s export.

use std::borrow::Cow;

use serde_json::Value;

use super::{Draft, Field, ListError, Place, Sink, hidden_digest, severity};

pub(super) fn read(text: &str, sink: &mut Sink<'_, '_>) -> Result<(), ListError> {
    let Value::Array(items) = value(text)? else {
        return Err(ListError::Shape("JSON that is no list".to_owned()));
    };
    for (line, item) in (1..).zip(items) {
        let at = Place { line, column: 1 };
        match item {
            Value::String(domain) => sink.row(at, Cow::Owned(domain), Draft::default())?,
            Value::Object(item) => {
                let text = |key: &str| item.get(key).and_then(Value::as_str).unwrap_or_default();
                let severity = match item.get("severity") {
                    None | Some(Value::Null) => None,
                    Some(Value::String(word)) if word.is_empty() => None,
                    Some(Value::String(word)) => match severity(word.trim()) {
                        Some(severity) => Some(severity),
                        None => {
                            sink.fault(at, word, "not a severity; noop, silence (limit) or suspend");
                            continue;
                        }
                    },
                    Some(other) => {
                        sink.fault(at, &other.to_string(), "a severity that is no text");
                        continue;
                    }
                };
                let mut draft = Draft {
                    severity,
                    digest: hidden_digest(text("digest")),
                    ..Draft::default()
                };
                let flag = |field: Field, key: &str| {
                    item.get(key)
                        .and_then(Value::as_bool)
                        .filter(|_| sink.reading.takes(field))
                };
                draft.flags.reject_media = flag(Field::RejectMedia, "reject_media");
                draft.flags.reject_reports = flag(Field::RejectReports, "reject_reports");
                draft.flags.obfuscate = flag(Field::Obfuscate, "obfuscate");
                let public = if item.contains_key("public_comment") {
                    "public_comment"
                } else {
                    "comment"
                };
                if sink.reading.takes(Field::PublicComment) {
                    draft.public_comment = Cow::Owned(text(public).to_owned());
                }
                if sink.reading.takes(Field::PrivateComment) {
                    draft.private_comment = Cow::Owned(text("private_comment").to_owned());
                }
                let domain = text("domain").to_owned();
                sink.row(at, Cow::Owned(domain), draft)?;
            }
            other => sink.fault(at, &other.to_string(), "neither a domain nor an entry"),
        }
    }
    Ok(())
}

/// The most memory that a JSON text may take once it is read. A list of a hundred thousand rows takes a quarter of it;
/// made to be large, one of 32 MiB would take three gigabytes.
pub(crate) const MOST_MEMORY: usize = 512 << 20;

/// About what a text takes as [`Value`]s, whose smallest object is hundreds of bytes. Signs within texts count too:
/// better too much than too little.
pub(crate) fn memory(text: &str) -> usize {
    let (mut objects, mut values) = (0_usize, 0_usize);
    for byte in text.bytes() {
        objects += usize::from(byte == b'{');
        values += usize::from(matches!(byte, b',' | b'['));
    }
    text.len() + objects * 700 + values * 64
}

/// A text as JSON; one that ends too early is told apart.
pub(super) fn value(text: &str) -> Result<Value, ListError> {
    if memory(text) > MOST_MEMORY {
        return Err(ListError::Shape("more values than any list has".to_owned()));
    }
    serde_json::from_str(text).map_err(|error| {
        if error.is_eof() {
            ListError::Truncated("the JSON ends too early".to_owned())
        } else {
            ListError::Shape(format!(
                "no JSON from line {}, column {} on",
                error.line(),
                error.column()
            ))
        }
    })
}
