//! `egret effects`: the ledger.

use anyhow::bail;

use crate::{
    Exit,
    args::{Args, EffectsAction},
    out,
};

pub(super) async fn run(args: &Args, action: &EffectsAction) -> anyhow::Result<Exit> {
    let (_, doors) = super::open(args).await?;
    match action {
        EffectsAction::List { feature, limit } => {
            let effects = store::effects::list(&doors.store, feature.as_deref(), None, None, *limit).await?;
            if args.json {
                out::json(&effects)?;
            } else if effects.is_empty() {
                out::line("Nothing was written on anybody's server, and nothing waits to be.");
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
        }
        EffectsAction::Show { id } => {
            let Some(effect) = store::effects::load(&doors.store, id).await? else {
                bail!("there is no effect {id}; `egret effects list` shows those there are");
            };
            if args.json {
                out::json(&effect)?;
            } else {
                show(&effect);
            }
        }
    }
    doors.store.close().await;
    Ok(Exit::Done)
}

/// What there is to know of one effect: why it was planned and what came of it.
fn show(effect: &store::effects::Effect) {
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
