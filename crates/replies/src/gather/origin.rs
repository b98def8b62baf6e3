//! What origins say, and what their refusals mean for us.

use chrono::TimeDelta;
use job::{
    JobContext,
    origins::{self, Trouble},
};
use mastodon::remote::{self, Flavour, Listing, Software, Walk};
use model::Uri;
use store::{hosts, walks};

/// A walk that nobody continued for so long begins anew: what it listed may be gone.
const STALE: TimeDelta = TimeDelta::days(3);

/// The replies that the origin lists, from where the last listing for `server` stopped. What an origin told before it
/// failed is listed; the failure is the host's all the same.
pub(crate) async fn listing(
    cx: &JobContext,
    server: &str,
    software: &Software,
    (uri, page): (&Uri, Option<&Uri>),
) -> Result<Listing, Trouble> {
    let host = uri.host();
    if software.flavour == Flavour::Closed && !cx.net.signs() {
        return Err(Trouble::Closed);
    }
    let now = cx.clock.now();
    let walk = walks::load(&cx.store, server, uri.as_str(), now - STALE).await?;
    let walk = walk.as_deref().and_then(Walk::from_text);
    let resumed = walk.is_some();
    match remote::resume_replies(&cx.net, software, (uri, page), walk).await {
        Ok(listing) => {
            match &listing.cut {
                Some(reason) => match origins::failed(cx, &host, Trouble::Host(reason.clone(), None)).await {
                    Trouble::Run(error) => return Err(Trouble::Run(error)),
                    _ => tracing::debug!(%host, reason, "a listing was cut short"),
                },
                None => hosts::mark_well(&cx.store, host.as_str()).await?,
            }
            match listing.walk.as_ref().and_then(Walk::to_text) {
                Some(text) => walks::save(&cx.store, server, uri.as_str(), &text, now).await?,
                None if resumed => walks::delete(&cx.store, server, uri.as_str()).await?,
                None => {}
            }
            Ok(listing)
        }
        Err(error) => Err(origins::failed(cx, &host, error.into()).await),
    }
}

/// The origin's own `replies_count` of up to 20 statuses; `None` where it has no such call.
pub(super) async fn ask(
    cx: &JobContext,
    software: &Software,
    uris: &[Uri],
) -> Result<Option<Vec<(Uri, u64)>>, Trouble> {
    if software.flavour != Flavour::Mastodon {
        return Ok(None);
    }
    let Some(host) = uris.first().map(Uri::host) else {
        return Ok(None);
    };
    match remote::replies_counts(&cx.net, software, uris).await {
        Ok(statuses) => Ok(statuses.map(|statuses| {
            let told = statuses.into_iter();
            told.filter_map(|status| Some((status.uri?, status.replies_count?)))
                .collect()
        })),
        Err(error) => match origins::failed(cx, &host, error.into()).await {
            // The call is refused; the listing may not be.
            Trouble::Gone | Trouble::Closed | Trouble::Odd(_) => Ok(None),
            trouble => Err(trouble),
        },
    }
}
