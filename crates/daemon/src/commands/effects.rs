//! `egret effects`: the ledger, and the panic stop.

use anyhow::{Context as _, bail};
use store::effects::{self, Filter, State};

use super::each::ask_each;
use crate::{
    Exit,
    args::{Args, EffectsAction},
    out,
};

pub(super) async fn run(args: &Args, action: &EffectsAction) -> anyhow::Result<Exit> {
    let (_, doors) = super::open(args).await?;
    let exit = match action {
        EffectsAction::List {
            feature,
            state,
            server,
            limit,
        } => {
            let filter = Filter {
                feature: feature.clone(),
                state: state.as_deref().map(named).transpose()?,
                server: server.clone(),
                ..Filter::default()
            };
            let is_part = filter != Filter::default();
            let effects = effects::search(&doors.store, &filter, *limit).await?;
            if args.json {
                out::json(&effects)?;
            } else if effects.is_empty() {
                out::line(if is_part {
                    "There are no such effects."
                } else {
                    "Nothing was written on anybody's server, and nothing waits to be."
                });
            } else {
                let rows: Vec<Vec<String>> = effects
                    .iter()
                    .map(|effect| {
                        vec![
                            effect.id.clone(),
                            effect.planned_at.format("%Y-%m-%d %H:%M:%S").to_string(),
                            format!("{:?}", effect.state).to_lowercase(),
                            effect.server.clone(),
                            effect.kind.clone(),
                            effect.key.clone(),
                        ]
                    })
                    .collect();
                out::table(&["ID", "PLANNED (UTC)", "STATE", "SERVER", "KIND", "KEY"], &rows);
            }
            if let Some((who, at)) = effects::panic_stop(&doors.store).await?
                && !args.json
            {
                out::line(format!(
                    "The panic stop holds everything since {} UTC ({who}); `egret effects resume` lifts it.",
                    at.format("%Y-%m-%d %H:%M:%S")
                ));
            }
            Exit::Done
        }
        EffectsAction::Show { id } => {
            let Some(effect) = effects::load(&doors.store, id).await? else {
                bail!("there is no effect {id}; `egret effects list` shows those there are");
            };
            if args.json {
                out::json(&effect)?;
            } else {
                show(&effect);
            }
            Exit::Done
        }
        EffectsAction::Hold { ids } => {
            ask_each(args, ids, None, async |id| {
                waited(doors.ledger.hold(id, OPERATOR).await?, id)?;
                Ok(format!("{id} waits until somebody releases it"))
            })
            .await?
        }
        EffectsAction::Release { ids } => {
            ask_each(args, ids, None, async |id| {
                waited(doors.ledger.release(id, OPERATOR).await?, id)?;
                Ok(format!("{id} is sent by the next run of its feature"))
            })
            .await?
        }
        EffectsAction::Stop => {
            effects::set_panic_stop(&doors.store, Some(OPERATOR), doors.clock.now()).await?;
            said(
                args,
                "Nothing goes out any more; `egret effects resume` lifts the panic stop.",
            )?
        }
        EffectsAction::Resume => {
            effects::set_panic_stop(&doors.store, None, doors.clock.now()).await?;
            said(
                args,
                "The panic stop is lifted: what it held goes on with the next runs.",
            )?
        }
    };
    doors.store.close().await;
    Ok(exit)
}

/// Who did it, in the record: whoever may run commands here.
const OPERATOR: &str = "operator";

fn said(args: &Args, done: &str) -> anyhow::Result<Exit> {
    if args.json {
        out::json(&serde_json::json!({ "done": done }))?;
    } else {
        out::line(done);
    }
    Ok(Exit::Done)
}

fn waited(did: bool, id: &str) -> anyhow::Result<()> {
    if !did {
        bail!("{id} does not wait; `egret effects list --state held` shows those that do");
    }
    Ok(())
}

fn named(state: &str) -> anyhow::Result<State> {
    const ALL: [State; 6] = [
        State::Rehearsed,
        State::Held,
        State::Intended,
        State::Done,
        State::Failed,
        State::Undone,
    ];
    let word = |state: &State| format!("{state:?}").to_lowercase();
    ALL.into_iter().find(|one| word(one) == state).with_context(|| {
        format!(
            "there is no state {state:?}; there are: {}",
            ALL.map(|one| word(&one)).join(", ")
        )
    })
}

/// What there is to know of one effect: why it was planned and what came of it.
fn show(effect: &effects::Effect) {
    let time = |at: &chrono::DateTime<chrono::Utc>| at.format("%Y-%m-%d %H:%M:%S UTC").to_string();
    let rows = [
        ("id", effect.id.clone()),
        ("feature", effect.feature.clone()),
        ("server", effect.server.clone()),
        ("kind", effect.kind.clone()),
        ("about", effect.key.clone()),
        ("state", format!("{:?}", effect.state).to_lowercase()),
        ("planned", time(&effect.planned_at)),
        ("last change", time(&effect.changed_at)),
        ("note", effect.note.clone().unwrap_or_else(|| "-".into())),
        ("sends", effect.intent.to_string()),
        ("because", effect.reason.to_string()),
        (
            "answer",
            effect.result.as_ref().map_or_else(|| "-".into(), ToString::to_string),
        ),
    ];
    let rows: Vec<Vec<String>> = rows
        .into_iter()
        .map(|(what, value)| vec![what.to_owned(), value])
        .collect();
    out::table(&["WHAT", ""], &rows);
}
