//! A command that asks the daemon for something about each of several ids.

use crate::{Exit, args::Args, out};

/// Asks for each in turn and tells what came of it; one that fails stops none of the others.
///
/// # Errors
/// When nothing can be written to standard output.
pub(super) async fn ask_each(
    args: &Args,
    ids: &[String],
    mut ask: impl AsyncFnMut(&str) -> anyhow::Result<String>,
) -> anyhow::Result<Exit> {
    let (mut done, mut failed) = (Vec::new(), 0);
    for id in ids {
        done.push((
            id,
            ask(id).await.unwrap_or_else(|error| {
                failed += 1;
                format!("{error:#}")
            }),
        ));
    }
    if args.json {
        let done: Vec<_> = done
            .iter()
            .map(|(id, said)| serde_json::json!({ "id": id, "said": said }))
            .collect();
        out::json(&done)?;
    } else {
        for (_, said) in &done {
            out::line(said);
        }
        if failed < done.len() {
            out::line("The running daemon carries it out within seconds; with mode = \"observe\" it only rehearses.");
        }
    }
    Ok(match failed {
        0 => Exit::Done,
        all if all == done.len() => Exit::Failed,
        _ => Exit::Part,
    })
}
