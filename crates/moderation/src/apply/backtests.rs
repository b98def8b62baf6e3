//! Rules that somebody wants tried on what was seen.

use job::{JobContext, JobError, Summary};
use serde_json::json;
use store::{
    cases::{self, Line},
    rulesets::{self, Backtest},
};

use crate::{book, jobs::Room, replay};

/// In one run.
const PER_RUN: u32 = 5;

/// One run: what was asked for.
pub(crate) async fn backtests(cx: &JobContext, _room: &Room) -> Result<Summary, JobError> {
    let mut summary = Summary::default();
    for asked in rulesets::backtests_asked(&cx.store, PER_RUN).await? {
        cx.check_stop()?;
        let pages: Vec<book::Page> = serde_json::from_str(&asked.rules).unwrap_or_default();
        let tried = match book::compile(&cx.store, &pages).await {
            Ok(ruleset) => replay(&cx.store, &ruleset, asked.since, cx.clock.now())
                .await
                .map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        let (state, result) = match tried {
            Ok(replay) => ("done", serde_json::to_value(&replay).unwrap_or_default()),
            Err(error) => ("failed", json!({ "error": error })),
        };
        summary.add(state, 1);
        let now = cx.clock.now();
        let line = Line::new(
            None,
            "backtest",
            &asked.by,
            json!({ "backtest": asked.id, "state": state }),
            now,
        );
        let ended = Backtest {
            state: state.to_owned(),
            result: Some(result),
            ended_at: Some(now),
            ..asked
        };
        rulesets::save_backtest(&cx.store, &ended).await?;
        cases::tell(&cx.store, &line).await?;
    }
    Ok(summary)
}
