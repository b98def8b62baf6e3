//! What the tests share.

use chrono::{DateTime, Utc};
use rules::{NoCounters, Problem, Ruleset, Sets, Source, StatusFacts, Subject, Verdict};

/// Noon of some day.
pub(crate) fn noon() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).unwrap()
}

/// Rules from TOML.
pub(crate) fn ruleset(toml: &str) -> Ruleset {
    match compile(toml) {
        Ok(ruleset) => ruleset,
        Err(problems) => panic!("{}", problems.iter().map(|p| format!("{p}\n")).collect::<String>()),
    }
}

pub(crate) fn compile(toml: &str) -> Result<Ruleset, Vec<Problem>> {
    Ruleset::compile(&[Source::new("test.toml", toml)], &Sets::default())
}

/// One live rule with this condition.
pub(crate) fn when(condition: &str) -> Ruleset {
    ruleset(&format!(
        "[[rules]]\nid = \"r\"\nstate = \"live\"\nwhen = {condition}\n"
    ))
}

/// A public status by somebody of another server.
pub(crate) fn status(html: &str) -> Subject {
    let mut subject = Subject::default();
    subject.account.id = "7".into();
    subject.account.username = "eve".into();
    subject.account.domain = Some("elsewhere.example".into());
    subject.statuses.push(StatusFacts {
        id: "1".into(),
        content: html.into(),
        visibility: model::Visibility::Public,
        created_at: Some(noon()),
        ..StatusFacts::default()
    });
    subject
}

pub(crate) fn judge(ruleset: &Ruleset, subject: &Subject) -> Verdict {
    ruleset.judge(subject, &NoCounters, noon())
}

/// Whether the one rule hits.
pub(crate) fn hits(ruleset: &Ruleset, subject: &Subject) -> bool {
    !judge(ruleset, subject).contributions.is_empty()
}
