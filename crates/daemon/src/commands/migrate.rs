//! `egret migrate`.

use anyhow::Context as _;
use store::{Db, lock::ProcessLock};

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

/// Moves everything from an SQLite file into an empty Postgres. The file stays as it is.
pub(super) async fn move_all(args: &Args, from: &str, to: Option<&str>) -> anyhow::Result<Exit> {
    let config = super::load(args)?;
    let open = async |url: &str| {
        let one = store::Config {
            url: Some(url.to_owned()),
            ..store::Config::default()
        };
        Db::open(&one).await
    };
    let from = open(from).await?;
    let to = match to {
        Some(to) => open(to).await?,
        None => Db::open(&config.store).await?,
    };
    let _alone = ProcessLock::acquire(&from).context("the daemon must not work on it meanwhile")?;
    store::migrate(&from).await?;
    store::migrate(&to).await?;
    let progress = |table: &str, rows: u64| {
        if !args.json && rows > 0 {
            out::line(format!("{table}: {rows} rows"));
        }
    };
    let moved = Box::pin(store::move_all(&from, &to, progress)).await?;
    let rows: u64 = moved.iter().map(|(_, rows)| rows).sum();
    if args.json {
        out::json(&serde_json::json!({ "from": from.describe(), "to": to.describe(), "rows": rows, "tables": moved }))?;
    } else {
        out::line(format!(
            "{rows} rows are in {} now; set [store] url to it. {} is as it was.",
            to.describe(),
            from.describe()
        ));
    }
    from.close().await;
    to.close().await;
    Ok(Exit::Done)
}
