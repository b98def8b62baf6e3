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
            out::json(&effect)?;
        }
    }
    doors.store.close().await;
    Ok(Exit::Done)
}
