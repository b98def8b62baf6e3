//! Rules of moderation, in place before the daemon begins.

use chrono::TimeDelta;
use daemon::config::Config;
use model::{Clock as _, SystemClock};
use moderation::Edit;
use store::{Db, rulesets};

/// What spam looks like in stories and pictures.
const CASINO: &str = r#"
[[rules]]
id = "casino"
name = "Casino spam"
weight = 1.0
category = "spam"
when = { keywords = ["casino"], in = ["content", "bio"] }
"#;

/// Puts a live rule into the database of this config: whoever writes of a casino is to be reported.
pub(crate) async fn put(config: &Config) {
    let db = Db::open(&config.store).await.unwrap();
    store::migrate(&db).await.unwrap();
    let edit = Edit {
        name: "casino.toml".into(),
        text: Some(CASINO.into()),
        note: String::new(),
        by: "ada".into(),
        after: rulesets::stamp(&db).await.unwrap().0,
    };
    let now = SystemClock.now();
    moderation::edit(&db, edit, now).await.unwrap();
    let next = now + TimeDelta::milliseconds(1);
    moderation::stand(
        &db,
        true,
        "casino",
        rules::State::Live,
        "ada",
        "seen often enough",
        next,
    )
    .await
    .unwrap();
    db.close().await;
}
