//! One thread now, whatever its pace: `egret replies fetch URL`.

use std::time::Duration;

use job::{JobContext, JobError};
use model::Uri;
use serde::Serialize;
use store::wanted::{self, State};

use crate::{
    Config,
    apply::{Batch, Pass, prove, visit},
    gather::{self, Found},
};

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Report {
    /// The status, as home calls it.
    pub uri: String,
    /// Replies its origin lists.
    pub listed: usize,
    /// Of those, known at home before.
    pub known_before: usize,
    /// Of those, missing at home before.
    pub missing: usize,
    /// Times home was asked to fetch one.
    pub resolved: i64,
    /// Missing ones that home has now.
    pub arrived: usize,
    /// Missing ones that it has not, and why.
    pub failed: Vec<(String, String)>,
    /// What the origin runs.
    pub software: Option<String>,
    /// How the list was read.
    pub source: Option<String>,
    /// The list is not whole; another fetch goes on where this one stopped.
    pub partial: bool,
    /// Why the origin did not tell the rest.
    pub cut: Option<String>,
    /// Why there is no list: `gone`, `needs a signed fetch` (or, where we sign, `shows us nothing`), `robots`, `blocked`,
    /// `resting`, `unreadable`.
    pub trouble: Option<String>,
    /// Requests to home.
    pub home_requests: u64,
    /// Requests to everybody else.
    pub origin_requests: u64,
}

/// Fetches the replies of one status now, within the bounds of `[replies]`.
///
/// # Errors
/// When home cannot be asked or does not find the status.
pub async fn fetch(cx: &JobContext, config: &Config, uri: &Uri) -> Result<Report, JobError> {
    let pass = Pass::by_hand(cx, config)?;
    let status =
        pass.client.resolve(uri).await?.ok_or_else(|| {
            JobError::Transient(anyhow::anyhow!("{} cannot find a status at {uri}", pass.client.host()))
        })?;
    let mut found = Found::new(pass.client.host());
    found.take(&status, cx.clock.now());
    let Some(candidate) = found.candidates.pop() else {
        return Err(JobError::Permanent(anyhow::anyhow!(
            "{uri} is not a public status of another server, so there is no origin to ask"
        )));
    };
    let earlier = store::threads::load(&cx.store, &pass.server, &[candidate.uri.to_string()])
        .await?
        .pop();
    let at_origin = earlier
        .as_ref()
        .and_then(|thread| thread.origin_replies?.try_into().ok());
    let visited = visit(&pass, &candidate, earlier, at_origin).await?;
    prove(&pass).await?;
    // Ancestors come along in home's background: a little patience, then they are asked for themselves.
    let mut rows = wanted::load(&cx.store, &pass.server, &visited.missing).await?;
    for _ in 0..5 {
        if !rows.iter().any(|row| row.state == State::Wanted && row.tries == 0) {
            break;
        }
        tokio::select! {
            () = cx.stop.cancelled() => return Err(JobError::Stopped),
            () = tokio::time::sleep(Duration::from_secs(2)) => {}
        }
        let known = gather::known(pass.client, &candidate.status_id).await?;
        let early = chrono::TimeDelta::minutes(1);
        let looked_at = Batch::of_thread(&pass, &candidate.status_id, known, early)
            .drain()
            .await?;
        prove(&pass).await?;
        rows = wanted::load(&cx.store, &pass.server, &visited.missing).await?;
        if looked_at == 0 {
            break;
        }
    }
    let home = pass.client.host();
    let (at_home, elsewhere): (Vec<_>, Vec<_>) = cx.net.spent().into_iter().partition(|(host, _)| *host == home);
    let open = |row: &&wanted::Wanted| row.state != State::Done;
    Ok(Report {
        uri: candidate.uri.to_string(),
        listed: visited.listing.as_ref().map_or(0, |listing| listing.replies.len()),
        known_before: visited.known_before,
        missing: visited.missing.len(),
        resolved: pass.summary().get("resolves"),
        arrived: rows.iter().filter(|row| row.state == State::Done).count(),
        failed: rows
            .iter()
            .filter(open)
            .map(|row| {
                (
                    row.uri.clone(),
                    row.reason.clone().unwrap_or_else(|| "not tried yet".to_owned()),
                )
            })
            .collect(),
        software: visited
            .software
            .map(|software| format!("{} {}", software.name, software.version)),
        partial: visited.listing.as_ref().is_some_and(|listing| listing.partial),
        cut: visited.listing.as_ref().and_then(|listing| listing.cut.clone()),
        source: visited.listing.map(|listing| listing.source.to_owned()),
        trouble: visited.trouble,
        home_requests: at_home.iter().map(|(_, count)| count).sum(),
        origin_requests: elsewhere.iter().map(|(_, count)| count).sum(),
    })
}
