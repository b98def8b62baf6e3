//! Telling somebody, once: a notice in the store, and a line in the log when it is new.

use model::Clock;
use store::{
    Db,
    notices::{self, Notice, Severity},
};
use tracing::{error, info, warn};
use uuid::Uuid;

/// What to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News<'a> {
    /// Whose it is: `blocklists`, …
    pub feature: &'a str,
    /// One word for what happened: `quota`, `token`, `rest`, …
    pub kind: &'static str,
    /// Which login, job, …; empty for the whole feature.
    pub about: &'a str,
    /// How much it matters.
    pub severity: Severity,
    /// One sentence: what happened, and what to do. No tokens, no addresses.
    pub text: &'a str,
}

/// Keeps a notice and logs it, unless the same feature, kind and subject had one today. However often something
/// happens, people hear of it once a day. True when it is new.
///
/// It never fails: work does not stop because nobody can be told, and the log line goes out all the same.
pub async fn tell(db: &Db, clock: &dyn Clock, news: News<'_>) -> bool {
    let notice = Notice {
        id: Uuid::now_v7().to_string(),
        feature: news.feature.to_owned(),
        kind: news.kind.to_owned(),
        about: news.about.to_owned(),
        severity: news.severity,
        text: news.text.to_owned(),
        created_at: clock.now(),
        seen_at: None,
        delivered_at: None,
    };
    match notices::insert(db, &notice).await {
        Ok(false) => return false,
        Ok(true) => {}
        Err(error) => warn!(%error, "cannot keep a notice; it is only in this log"),
    }
    let News {
        feature,
        kind,
        about,
        severity,
        text,
    } = news;
    metrics::counter!("egret_notices_total", "feature" => feature.to_owned(), "kind" => kind).increment(1);
    match severity {
        Severity::Info => info!(feature, kind, about, "{text}"),
        Severity::Warning => warn!(feature, kind, about, "{text}"),
        Severity::Error => error!(feature, kind, about, "{text}"),
    }
    true
}
