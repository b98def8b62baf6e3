//! A server's own account of itself.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::lenient;

/// What `/api/v2/instance` (or `/api/v1/instance`) says.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Instance {
    /// The account domain, what comes after the `@`; v1 calls it `uri`.
    #[serde(default, alias = "uri", deserialize_with = "lenient::or_default")]
    pub domain: String,
    /// Name for people.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub title: String,
    /// `4.6.4`, `4.5.3+glitch`, `4.0.0 (compatible; Mitra 5.9.2)`, `0.20.0-rc1+git…`.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub version: String,
    /// `api_versions.mastodon`, since 4.3. Decide by this before [`Instance::version`].
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub api_versions: ApiVersions,
}

/// API levels by vendor.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ApiVersions {
    /// 2 = 4.3, 6 = 4.4, 7 = 4.5, 10 = 4.6.0.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub mastodon: Option<u32>,
}

/// What nodeinfo 2.x says.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct NodeInfo {
    /// Which program, lower-cased by [`NodeInfo::software_name`].
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub software: Software,
    /// `activitypub` and others.
    #[serde(default, deserialize_with = "lenient::list")]
    pub protocols: Vec<String>,
    /// Free-form; `[]` on PHP software.
    #[serde(default)]
    pub metadata: Value,
}

/// The program a server runs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Software {
    /// In whatever case its authors like.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub name: String,
    /// Free-form.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub version: String,
}

impl NodeInfo {
    /// The program's name in lower case; empty when not told.
    pub fn software_name(&self) -> String {
        self.software.name.trim().to_lowercase()
    }
}
