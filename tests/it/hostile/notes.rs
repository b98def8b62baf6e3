//! What servers push, once the signature was right: a compromised server signs too.

use chrono::{DateTime, Utc};
use mastodon::AdminReport;
use rules::{NoCounters, Ruleset, Subject};
use serde_json::Value;

pub(super) fn read(data: &[u8]) {
    let Some(note) = web::Note::read(data) else { return };
    if let Some(id) = &note.object_id {
        assert!(!id.is_empty() && id.len() <= 256, "{id}");
    }
    let Ok(body) = serde_json::from_str::<Value>(note.text) else {
        return;
    };
    let object = &body["object"];
    let now = DateTime::<Utc>::UNIX_EPOCH;
    for subject in [Subject::from_status(object), Subject::from_account(object)]
        .into_iter()
        .flatten()
    {
        let verdict = Ruleset::empty().judge(&subject, &NoCounters, now);
        assert!(verdict.contributions.is_empty(), "there are no rules");
    }
    if let Some(report) = AdminReport::read(object) {
        let _ = Subject::from_account(&report.target);
    }
}
