//! What our server knows of a thread, after its own refresh where it has one.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use job::{JobContext, JobError};
use mastodon::{Client, Refresh};
use model::{StatusId, Uri};

/// A thread as our server shows it, reduced to what is needed.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// Identity to id, ancestors included.
    pub(crate) ids: HashMap<Uri, StatusId>,
    /// Direct replies.
    pub(crate) direct: usize,
    /// The server's own fetch of replies, if reading set one off.
    pub(crate) refresh: Option<Refresh>,
}

impl Known {
    /// The identities.
    pub(crate) fn uris(&self) -> HashSet<Uri> {
        self.ids.keys().cloned().collect()
    }

    /// What is known of these, for the store.
    pub(crate) fn arrived<'a>(&self, uris: impl IntoIterator<Item = &'a str>) -> Vec<(String, Option<String>)> {
        uris.into_iter()
            .filter_map(|text| {
                let id = self.ids.get(&Uri::parse(text).ok()?)?;
                Some((text.to_owned(), Some(id.to_string())))
            })
            .collect()
    }
}

/// Reads a thread on our server.
pub(crate) async fn known(client: &Client, status_id: &StatusId) -> Result<Known, mastodon::Error> {
    let answer = client.context(status_id).await?;
    let mut known = Known {
        refresh: answer.refresh,
        ..Known::default()
    };
    for status in answer.context.ancestors.into_iter().chain(answer.context.descendants) {
        known.direct += usize::from(status.in_reply_to_id.as_ref() == Some(status_id));
        if let Some(uri) = status.uri.or(status.url) {
            known.ids.insert(uri, status.id);
        }
    }
    Ok(known)
}

/// Waits for our server's own refresh and reads the thread again: at once if all that is missing may have come,
/// which saves the question, else after the server says that it is finished. A refresh that hangs is left after ten
/// questions.
pub(crate) async fn refreshed(
    cx: &JobContext,
    client: &Client,
    status_id: &StatusId,
    refresh: &Refresh,
    complete: impl Fn(&Known) -> bool,
) -> Result<Known, JobError> {
    let pause = refresh.retry.clamp(Duration::from_secs(1), Duration::from_secs(60));
    wait(cx, pause).await?;
    let mut latest = known(client, status_id).await?;
    if complete(&latest) {
        return Ok(latest);
    }
    for attempt in 0..10_u32 {
        match client.async_refresh(&refresh.id).await {
            Ok(Some(state)) if state.status == "running" => wait(cx, pause * (attempt + 1)).await?,
            Ok(Some(_)) => {
                latest = known(client, status_id).await?;
                break;
            }
            // No such call, or the token may not ask: what the second look showed has to do.
            Ok(None) | Err(mastodon::Error::Scope { .. } | mastodon::Error::Forbidden { .. }) => break,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(latest)
}

/// Sleeps unless the run is to stop.
async fn wait(cx: &JobContext, pause: Duration) -> Result<(), JobError> {
    tokio::select! {
        () = cx.stop.cancelled() => Err(JobError::Stopped),
        () = tokio::time::sleep(pause) => Ok(()),
    }
}
