//! `egret migrate`.

use store::Db;

use crate::{Exit, args::Args, out};

pub(super) async fn run(args: &Args, check: bool) -> anyhow::Result<Exit> {
    let config = super::load(args)?;
    let db = Db::open(&config.store).await?;
    let state = if check {
        store::migrations(&db).await?
    } else {
        store::migrate(&db).await?
    };
    if args.json {
        out::json(&serde_json::json!({
            "database": db.describe(), "applied": state.applied, "pending": state.pending,
        }))?;
    } else {
        let newest = state.applied.last().map_or_else(|| "none".to_owned(), i64::to_string);
        out::line(format!(
            "{}: newest migration {newest}, {} pending",
            db.describe(),
            state.pending.len()
        ));
    }
    db.close().await;
    Ok(if state.pending.is_empty() {
        Exit::Done
    } else {
        Exit::Failed
    })
}
