//! Rules of moderation, in place before the daemon begins.

use chrono::TimeDelta;
use daemon::config::Config;
use model::{Clock as _, SystemClock};
use moderation::Edit;
use store::{Db, rulesets};

/// Puts rules into the database of this config and sets the one with this id live.
pub(crate) async fn put(config: &Config, rules: &str, id: &str) {
    let db = Db::open(&config.store).await.unwrap();
    store::migrate(&db).await.unwrap();
    let edit = Edit {
        name: format!("{id}.toml"),
        text: Some(rules.into()),
        note: String::new(),
        by: "ada".into(),
        after: rulesets::stamp(&db).await.unwrap().0,
    };
    let now = SystemClock.now();
    moderation::edit(&db, edit, now).await.unwrap();
    let next = now + TimeDelta::milliseconds(1);
    moderation::stand(&db, true, id, rules::State::Live, "ada", "seen often enough", next)
        .await
        .unwrap();
    db.close().await;
}
