//! How many replies an origin counts, and what its refusal to tell means for us.

use job::{
    JobContext,
    origins::{self, Trouble},
};
use mastodon::remote::{self, Flavour, Software};
use model::Uri;

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
