//! What a server pushes, as far as the door has to understand it.

use serde::Deserialize;

/// Ids, and names of servers in a log, are short.
pub(super) const NAME: usize = 256;

/// What all notes share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note<'a> {
    /// `report.created` and the like.
    pub event: String,
    /// What it is about; `None` where that cannot be told.
    pub object_id: Option<String>,
    /// All of it.
    pub text: &'a str,
}

impl<'a> Note<'a> {
    /// Reads the bytes of a request; `None` where they are no event at all.
    pub fn read(body: &'a [u8]) -> Option<Self> {
        let text = std::str::from_utf8(body).ok()?;
        let raw: Raw = serde_json::from_str(text).ok()?;
        let object_id = raw.object.and_then(|object| id(&object.id));
        Some(Self {
            event: raw.event,
            object_id,
            text,
        })
    }
}

#[derive(Deserialize)]
struct Raw {
    event: String,
    object: Option<Object>,
}

#[derive(Deserialize)]
struct Object {
    #[serde(default)]
    id: serde_json::Value,
}

fn id(id: &serde_json::Value) -> Option<String> {
    let id = match id {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Number(number) => number.to_string(),
        _ => return None,
    };
    (!id.is_empty() && id.len() <= NAME).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_texts_or_numbers_and_short() {
        let long = "9".repeat(NAME + 1);
        for (object, id) in [
            (r#"{"id": "12"}"#, Some("12")),
            (r#"{"id": 12, "more": []}"#, Some("12")),
            (r#"{"id": ""}"#, None),
            (r#"{"id": null}"#, None),
            ("{}", None),
            ("null", None),
            (&format!(r#"{{"id": "{long}"}}"#), None),
        ] {
            let body = format!(r#"{{"event": "account.created", "object": {object}}}"#);
            let note = Note::read(body.as_bytes()).unwrap();
            assert_eq!(note.object_id.as_deref(), id, "{object}");
            assert_eq!((note.event.as_str(), note.text), ("account.created", body.as_str()));
        }
        for body in [&b"{}"[..], b"[]", b"\xff", b"", br#"{"event": 1}"#] {
            assert_eq!(Note::read(body), None);
        }
    }
}
