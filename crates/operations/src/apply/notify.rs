//! Hands notices to channels: gathered, bounded, tried again.

use chrono::TimeDelta;
use job::{JobContext, JobError, Summary};
use sha2::{Digest as _, Sha256};
use store::{deliveries, notices::Notice};
use tracing::warn;

use super::{dump, send};
use crate::{
    Config,
    config::{Channel, Notify},
    gather::snapshot::{self, hex},
    plan::message::{Message, Week, digest, is_time, pause},
};

/// Notices that are looked at for one message.
const MOST: u32 = 500;

/// Sends what waits to every channel whose time it is.
///
/// # Errors
/// When the store fails; a channel that does not take its message is tried again later.
pub async fn notices(cx: &JobContext, config: &Notify) -> Result<Summary, JobError> {
    let mut summary = Summary::default();
    let now = cx.clock.now();
    let gather = TimeDelta::from_std(config.gather).unwrap_or(TimeDelta::zero());
    for channel in &config.channels {
        cx.check_stop()?;
        let state = deliveries::channel(&cx.store, &channel.name, now).await?;
        let waiting = deliveries::waiting(&cx.store, &channel.name, state.since, MOST).await?;
        let (wanted, others): (Vec<Notice>, Vec<Notice>) = waiting
            .into_iter()
            .partition(|it| channel.wants(&it.feature, &it.kind, it.severity));
        if !others.is_empty() {
            deliveries::sent(&cx.store, &channel.name, &ids(&others), false, now).await?;
        }
        let Some(oldest) = wanted.iter().map(|it| it.created_at).min() else {
            continue;
        };
        let sent = deliveries::messages_since(&cx.store, &channel.name, now - TimeDelta::hours(1)).await?;
        if !is_time(&state, oldest, gather, (sent, config.per_hour), now) {
            summary.add("waiting", wanted.len());
            continue;
        }
        let message = Message::of(id(&channel.name, &ids(&wanted)), &wanted);
        match send::send(cx, channel, &message).await {
            Ok(()) => {
                deliveries::sent(&cx.store, &channel.name, &ids(&wanted), true, now).await?;
                metrics(channel, "sent");
                summary.add("sent", 1);
                summary.add("notices", wanted.len());
            }
            Err(error) => {
                // Not a notice of its own: that would have to go the same way.
                warn!(channel = channel.name, error, "a message did not go; it is tried again");
                deliveries::failed(&cx.store, &channel.name, &error, now + pause(state.failures)).await?;
                metrics(channel, "failed");
                summary.add("failed", 1);
            }
        }
    }
    Ok(summary)
}

fn metrics(channel: &Channel, outcome: &'static str) {
    metrics::counter!("egret_messages_total", "channel" => channel.name.clone(), "outcome" => outcome).increment(1);
}

fn ids(notices: &[Notice]) -> Vec<&str> {
    notices.iter().map(|it| it.id.as_str()).collect()
}

/// The same for the same notices, so that whoever got a message knows it again.
fn id(channel: &str, notices: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in std::iter::once(&channel).chain(notices) {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hex(&hash.finalize()[..16])
}

/// Sends the week to channels that asked for it.
///
/// # Errors
/// When the store fails, or no channel takes it.
pub async fn week(cx: &JobContext, config: &Config) -> Result<Summary, JobError> {
    let mut summary = Summary::default();
    let since = cx.clock.now() - TimeDelta::days(7);
    let folder = config.folder(&cx.store);
    let mut week = Week {
        runs: deliveries::runs(&cx.store, since).await?,
        effects: deliveries::effects(&cx.store, since).await?,
        notices: deliveries::notices(&cx.store, since).await?,
        database: store::size(&cx.store).await?,
        ..Week::default()
    };
    for manifest in snapshot::found(&folder)
        .unwrap_or_default()
        .into_iter()
        .filter_map(|it| it.manifest)
    {
        week.snapshots.entry(manifest.server).or_insert(manifest.made_at);
    }
    for (_, dump) in dump::found(&folder, None) {
        week.dumps.entry(dump.database).or_insert(dump.made_at);
    }
    let mut failed = Vec::new();
    for channel in config.notify.channels.iter().filter(|channel| channel.digest) {
        let message = digest(id(&channel.name, &[&cx.run]), &week);
        match send::send(cx, channel, &message).await {
            Ok(()) => summary.add("sent", 1),
            Err(error) => failed.push(format!("{}: {error}", channel.name)),
        }
    }
    if failed.is_empty() || summary.get("sent") > 0 {
        return Ok(summary);
    }
    Err(JobError::Transient(anyhow::anyhow!(
        "no channel takes the digest: {}",
        failed.join("; ")
    )))
}
