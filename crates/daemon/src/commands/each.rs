//! A command that asks the daemon for something about each of several ids.

use crate::{Exit, args::Args, out};

/// What happens to a wish that was written down.
pub(super) const CARRIED_OUT: &str =
    "The running daemon carries it out within seconds; with mode = \"observe\" it only rehearses.";

/// Asks for each in turn and tells what came of it, and `then` what happens next; one that fails stops none of the
/// others.
///
/// # Errors
/// When nothing can be written to standard output.
pub(super) async fn ask_each(
    args: &Args,
    ids: &[String],
    then: Option<&str>,
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
    let failed_all = failed == done.len();
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
        if let (Some(then), false) = (then, failed_all) {
            out::line(then);
        }
    }
    Ok(match failed {
        0 => Exit::Done,
        _ if failed_all => Exit::Failed,
        _ => Exit::Part,
    })
}
