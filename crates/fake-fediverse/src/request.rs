//! A request as the handlers see it, and the answer they give.

use bytes::Bytes;
use http::{HeaderMap, Method};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::world::ServerIx;

/// One request to one server.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) server: ServerIx,
    pub(crate) method: Method,
    /// Without a trailing slash.
    pub(crate) path: String,
    /// Query, then form or JSON fields.
    pub(crate) params: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) bearer: Option<String>,
    /// Path and query as they were asked.
    pub(crate) target: String,
    /// The body as it came.
    pub(crate) body: Bytes,
    /// Whose key signed it, where that was looked into and true.
    pub(crate) signer: Option<String>,
}

impl Call {
    pub(crate) fn segments(&self) -> Vec<String> {
        self.path
            .split('/')
            .skip(1)
            .map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned())
            .collect()
    }

    /// Path and parameters, as one would ask again.
    pub(crate) fn address(&self) -> String {
        let query: Vec<_> = self
            .params
            .iter()
            .map(|(key, value)| format!("{}={}", escape(key), escape(value)))
            .collect();
        if query.is_empty() {
            return self.path.clone();
        }
        format!("{}?{}", self.path, query.join("&"))
    }

    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        self.params
            .iter()
            .rev()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// `name[]=a&name[]=b`; a lone `name=a` counts as a list of one, as Rails' `Array(…)` has it.
    pub(crate) fn list(&self, name: &str) -> Vec<&str> {
        let with_brackets = format!("{name}[]");
        self.params
            .iter()
            .filter(|(key, _)| *key == with_brackets || key == name)
            .map(|(_, value)| value.as_str())
            .collect()
    }

    /// Mastodon's idea of a boolean: nearly everything is true.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.param(name)
            .is_some_and(|v| !matches!(v, "" | "0" | "false" | "f" | "F" | "FALSE" | "off" | "OFF"))
    }

    /// `limit`, as Mastodon reads it.
    pub(crate) fn limit(&self, default: usize, most: usize) -> usize {
        match self.param("limit") {
            None => default,
            Some(text) => text
                .parse::<i64>()
                .map_or(0, |n| usize::try_from(n.unsigned_abs()).unwrap_or(most))
                .min(most),
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub(crate) fn wants_activity(&self) -> bool {
        self.header("accept")
            .is_some_and(|accept| accept.contains("activity+json") || accept.contains("ld+json"))
    }
}

/// Reads `a=b&c=d`.
pub(crate) fn pairs(text: &str) -> Vec<(String, String)> {
    url::form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

/// Flattens a JSON body to the same pairs as a form.
pub(crate) fn json_pairs(body: &Value) -> Vec<(String, String)> {
    fn text(value: &Value) -> String {
        value.as_str().map_or_else(|| value.to_string(), str::to_owned)
    }
    let mut out = Vec::new();
    for (key, value) in body.as_object().into_iter().flatten() {
        match value {
            Value::Array(items) => out.extend(items.iter().map(|item| (format!("{key}[]"), text(item)))),
            Value::Object(_) => {
                let below = json_pairs(value).into_iter();
                out.extend(below.map(|(below, value)| (format!("{key}[{below}]"), value)));
            }
            Value::Null => {}
            _ => out.push((key.clone(), text(value))),
        }
    }
    out
}

/// What goes back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) http_status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn json(body: &Value) -> Self {
        Self::typed("application/json; charset=utf-8", body.to_string())
    }

    pub(crate) fn activity(body: &Value) -> Self {
        Self::typed("application/activity+json; charset=utf-8", body.to_string())
    }

    pub(crate) fn typed(content_type: &str, body: String) -> Self {
        Self {
            http_status: 200,
            headers: vec![("content-type", content_type.to_owned())],
            body,
        }
    }

    pub(crate) fn html(body: &str) -> Self {
        Self::typed(
            "text/html; charset=utf-8",
            format!("<!DOCTYPE html>\n<html><body>{body}</body></html>"),
        )
    }

    pub(crate) fn empty(http_status: u16) -> Self {
        Self {
            http_status,
            headers: Vec::new(),
            body: String::new(),
        }
    }

    pub(crate) fn error(http_status: u16, text: &str) -> Self {
        Self::json(&json!({ "error": text })).status(http_status)
    }

    pub(crate) fn redirect(to: String) -> Self {
        Self::empty(302).header("location", to)
    }

    pub(crate) fn status(mut self, http_status: u16) -> Self {
        self.http_status = http_status;
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }
}

/// Escapes a query value the way Rails does in its links.
pub(crate) fn escape(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
