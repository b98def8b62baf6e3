//! Statuses of which only the address is known: linked to, or named in an imported archive.

use chrono::TimeDelta;
use job::{JobContext, JobError, Summary};
use mastodon::Error;
use model::Uri;
use store::archive::{
    self, Page,
    wanted::{self, Wanted},
};

use super::{keep::keep, walk::tell};
use crate::{
    Config,
    item::{self, Owner},
};

/// Times a server is asked for one; the pause doubles from an hour on.
const TRIES: i64 = 6;

/// Asks for what is wanted. The server fetches what it does not know, so these are few at a time and one after the
/// other.
pub(super) async fn links(
    cx: &JobContext,
    config: &Config,
    owner: Owner<'_>,
    summary: &mut Summary,
) -> Result<(), JobError> {
    let login = cx.login()?;
    let mut kinds = vec!["boost", "favourite", "bookmark"];
    if config.context.links {
        kinds.push("link");
    }
    let now = cx.clock.now();
    for one in wanted::due(&cx.store, &login.name, &kinds, now, config.context.links_per_run).await? {
        cx.check_stop()?;
        // It may have come another way since.
        if let Some(kept) = archive::find(&cx.store, &one.uri).await? {
            let known = Wanted {
                uri: kept.uri,
                ..one.clone()
            };
            wanted::mark(&cx.store, &login.name, &[known], now).await?;
            wanted::mark_tried(&cx.store, &login.name, &one, None).await?;
            continue;
        }
        let found = match Uri::parse(&one.uri) {
            Err(_) => None,
            Ok(uri) => match login.client.raw_resolve(&uri).await {
                Ok(found) => found,
                Err(Error::Scope { .. }) => {
                    // Not granted: all the rest works without.
                    summary.add("links_not_granted", 1);
                    return Ok(());
                }
                // One address that a server stumbles over says nothing of the others.
                Err(
                    Error::NotFound { .. }
                    | Error::Gone { .. }
                    | Error::Forbidden { .. }
                    | Error::Invalid { .. }
                    | Error::NotJson { .. }
                    | Error::ServerDown { .. },
                ) => None,
                Err(error) => return Err(error.into()),
            },
        };
        let items: Vec<_> = found
            .iter()
            .flat_map(|body| item::all_of(owner, body, one.activity(), now))
            .map(|item| archive::Item {
                // Links of links would lead through half of the world.
                links: Vec::new(),
                wants_context: false,
                ..item
            })
            .collect();
        let next = if items.is_empty() {
            summary.add("links_failed", 1);
            let pause = TimeDelta::hours(1 << one.tries.clamp(0, 9));
            (one.tries + 1 < TRIES).then(|| now + pause)
        } else {
            let page = Page {
                login: &login.name,
                server: &login.server,
                items: &items,
                cursor: None,
                live: true,
                now,
            };
            tell(summary, keep(cx, config, &page).await?);
            summary.add("links", 1);
            None
        };
        wanted::mark_tried(&cx.store, &login.name, &one, next).await?;
    }
    Ok(())
}
