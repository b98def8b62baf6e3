//! What our server knows of a thread, after its own refresh where it has one.

use std::collections::{HashMap, HashSet};

use job::{JobContext, JobError};
use mastodon::{Client, Refresh};
use model::{Status, StatusId, Uri};
use tokio::time::{Duration, Instant};

/// A thread as our server shows it, reduced to what is needed.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// The status whose thread it is.
    pub(crate) root: Option<StatusId>,
    /// Identity to id, ancestors included.
    pub(crate) ids: HashMap<Uri, StatusId>,
    /// The ids, the root's among them.
    pub(crate) seen: HashSet<StatusId>,
    /// Known direct replies of each.
    pub(crate) children: HashMap<StatusId, u64>,
    /// The server's own fetch of replies, if reading set one off.
    pub(crate) refresh: Option<Refresh>,
}

impl Known {
    /// A thread of which our server has the first status only.
    pub(crate) fn nothing_of(root: &StatusId) -> Self {
        Self {
            root: Some(root.clone()),
            seen: HashSet::from([root.clone()]),
            ..Self::default()
        }
    }

    /// The identities.
    pub(crate) fn uris(&self) -> HashSet<Uri> {
        self.ids.keys().cloned().collect()
    }

    /// Direct replies.
    pub(crate) fn direct(&self) -> u64 {
        self.root
            .as_ref()
            .and_then(|root| self.children.get(root).copied())
            .unwrap_or(0)
    }

    /// Our server has shown another one.
    pub(crate) fn add(&mut self, status: &Status) {
        if self.seen.insert(status.id.clone())
            && let Some(parent) = &status.in_reply_to_id
        {
            *self.children.entry(parent.clone()).or_default() += 1;
        }
        if let Some(uri) = status.identity() {
            self.ids.insert(uri.clone(), status.id.clone());
        }
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
        ..Known::nothing_of(status_id)
    };
    for status in answer.context.ancestors.iter().chain(&answer.context.descendants) {
        known.add(status);
    }
    Ok(known)
}

/// Waits until our server's own refresh, begun then, has finished or `patience` is over, asking no more often than it
/// said and ever less often; then reads the thread.
pub(crate) async fn refreshed(
    cx: &JobContext,
    client: &Client,
    status_id: &StatusId,
    refresh: &Refresh,
    (begun, patience): (Instant, Duration),
) -> Result<Known, JobError> {
    let pause = pause(refresh);
    wait(cx, begun + pause).await?;
    for attempt in 1_u32.. {
        match client.async_refresh(&refresh.id).await {
            Ok(Some(state)) if state.status == "running" => {}
            // Through; or no such call, or the token may not ask: the look has to do.
            Ok(_) | Err(mastodon::Error::Scope { .. } | mastodon::Error::Forbidden { .. }) => break,
            Err(error) => return Err(error.into()),
        }
        let next = Instant::now() + pause * attempt;
        if next > begun + patience {
            break;
        }
        wait(cx, next).await?;
    }
    Ok(known(client, status_id).await?)
}

/// What the server wants between two looks.
pub(crate) fn pause(refresh: &Refresh) -> Duration {
    refresh.retry.clamp(Duration::from_secs(1), Duration::from_secs(60))
}

/// Sleeps unless the run is to stop.
pub(crate) async fn wait(cx: &JobContext, until: Instant) -> Result<(), JobError> {
    tokio::select! {
        () = cx.stop.cancelled() => Err(JobError::Stopped),
        () = tokio::time::sleep_until(until) => Ok(()),
    }
}
