//! RapidBlock's JSON. Its table is a plain list.

use std::borrow::Cow;

use model::Severity;
use serde_json::Value;

use super::{Draft, Field, ListError, Place, Sink, json};

/// What `@spec` must say.
const SPEC: &str = "https://rapidblock.org/spec/v1";

pub(super) fn read(text: &str, sink: &mut Sink<'_, '_>) -> Result<(), ListError> {
    let value = json::value(text)?;
    match value.get("@spec").and_then(Value::as_str) {
        Some(spec) if spec.trim_end_matches('/') == SPEC => {}
        spec => {
            let spec: String = spec.unwrap_or("nothing").chars().take(80).collect();
            return Err(ListError::Shape(format!("its @spec says {spec}, not {SPEC}/")));
        }
    }
    let Some(blocks) = value.get("blocks").and_then(Value::as_object) else {
        return Err(ListError::Shape("no `blocks` in it".to_owned()));
    };
    for (line, (domain, entry)) in (1..).zip(blocks) {
        let at = Place { line, column: 1 };
        let Some(blocked) = entry.get("isBlocked").and_then(Value::as_bool) else {
            sink.fault(at, domain, "no `isBlocked`");
            continue;
        };
        let reason = entry.get("reason").and_then(Value::as_str).unwrap_or_default();
        let takes = sink.reading.takes(Field::PublicComment);
        let draft = Draft {
            severity: Some(Severity::Suspend),
            // "Not blocked" is no block of severity noop.
            clear: !blocked,
            public_comment: Cow::Owned(if takes { reason.to_owned() } else { String::new() }),
            ..Draft::default()
        };
        sink.row(at, Cow::Owned(domain.clone()), draft)?;
    }
    Ok(())
}
