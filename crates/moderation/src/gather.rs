//! Facts: what a server showed, made into what rules look at and what is kept.

use chrono::{DateTime, TimeDelta, Utc};
use job::{JobContext, JobError};
use rules::{AccountFacts, MediaFacts, MentionFacts, StatusFacts, Subject};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use store::seen::{self, SeenAccount, SeenStatus};

/// What an account wrote lately and is looked at beside what is new.
const CONTEXT: u32 = 20;

/// How far back.
const LATELY: TimeDelta = TimeDelta::days(7);

/// Somebody with what they wrote, as a server showed it just now.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    pub(crate) account: AccountFacts,
    pub(crate) statuses: Vec<StatusFacts>,
}

impl Shown {
    /// From a status with its author; `None` for what cannot be read and for boosts, which say nothing of their own.
    pub(crate) fn of_status(status: &Value) -> Option<Self> {
        let mut subject = Subject::from_status(status)?;
        subject.statuses.retain(|status| !status.is_reblog);
        Some(Self {
            account: subject.account,
            statuses: subject.statuses,
        })
    }

    /// From an account, public or as moderators see it.
    pub(crate) fn of_account(account: &Value) -> Option<Self> {
        Some(Self {
            account: AccountFacts::from_json(account)?,
            statuses: Vec::new(),
        })
    }

    /// Adds statuses of this account.
    pub(crate) fn with(mut self, statuses: &[Value]) -> Self {
        let read = statuses.iter().filter_map(StatusFacts::from_json);
        self.statuses.extend(read.filter(|status| !status.is_reblog));
        self
    }
}

/// A hash of all that rules look at in a profile. Counts and dates change all the time and are no other profile.
pub(crate) fn profile_digest(account: &AccountFacts) -> String {
    let AccountFacts {
        username,
        display_name,
        bio,
        fields,
        domain,
        url,
        bot,
        has_avatar,
        ..
    } = account;
    digest(&serde_json::json!([
        username,
        display_name,
        bio,
        fields,
        domain,
        url,
        bot,
        has_avatar
    ]))
}

/// A hash of all that rules look at in a status: what it says, and not what somebody found out about it since.
pub(crate) fn status_digest(status: &StatusFacts) -> String {
    let media = status.media.iter().map(|media| MediaFacts {
        hashes: Vec::new(),
        file: None,
        preview: None,
        unreadable: false,
        ..media.clone()
    });
    let mentions = status.mentions.iter().map(|mention| MentionFacts {
        knows_author: None,
        ..mention.clone()
    });
    let plain = StatusFacts {
        media: media.collect(),
        mentions: mentions.collect(),
        // When it was edited is no change of what it says.
        edited_at: None,
        created_at: None,
        context: false,
        ..status.clone()
    };
    digest(&serde_json::to_value(&plain).unwrap_or_default())
}

fn digest(value: &Value) -> String {
    Sha256::digest(value.to_string().as_bytes())
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The row that is kept of an account which was just judged by this version of the rules.
pub(crate) fn account_row(
    server: &str,
    account: &AccountFacts,
    digest: String,
    ruleset: i64,
    now: DateTime<Utc>,
) -> SeenAccount {
    SeenAccount {
        server: server.to_owned(),
        account_id: account.id.clone(),
        acct: account.acct(),
        domain: account.domain.clone().unwrap_or_default(),
        facts: serde_json::to_value(account).unwrap_or_default(),
        digest,
        ruleset,
        first_at: now,
        seen_at: now,
        judged_at: Some(now),
        looked_at: None,
    }
}

/// The row that is kept of a status: only of one that everybody may read.
pub(crate) fn status_row(
    server: &str,
    account: &AccountFacts,
    status: &StatusFacts,
    by: &str,
    now: DateTime<Utc>,
) -> Option<SeenStatus> {
    if !status.visibility.is_open() {
        return None;
    }
    let words = rules::Fingerprint::of(status);
    Some(SeenStatus {
        server: server.to_owned(),
        status_id: status.id.clone(),
        account_id: account.id.clone(),
        facts: serde_json::to_value(status).unwrap_or_default(),
        digest: status_digest(status),
        text_hash: words.map(|words| format!("{:016x}", words.exact)).unwrap_or_default(),
        // Whoever says that it is of tomorrow, or of last year, counts as of today.
        created_at: status.created_at.map_or(now, |at| at.min(now)),
        edited_at: status.edited_at,
        seen_at: now,
        seen_by: by.to_owned(),
    })
}

/// What is known of it, for looking at beside what is new.
pub(crate) async fn context(
    cx: &JobContext,
    server: &str,
    account_id: &str,
    except: &[String],
) -> Result<Vec<StatusFacts>, JobError> {
    let since = cx.clock.now() - LATELY;
    let rows = seen::statuses_of(&cx.store, server, account_id, since, CONTEXT).await?;
    Ok(rows
        .into_iter()
        .filter(|row| !except.contains(&row.status_id))
        .filter_map(|row| serde_json::from_value::<StatusFacts>(row.facts).ok())
        .map(|status| StatusFacts {
            context: true,
            ..status
        })
        .collect())
}
