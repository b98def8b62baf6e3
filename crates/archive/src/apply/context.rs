//! What kept statuses reply to, and the threads around them.

use job::{JobContext, JobError, Summary};
use model::StatusId;
use store::archive::{
    self, Item, NewActivity, Page, Saved,
    recheck::{self, Why},
};

use super::{keep::keep, links::links, stumbles::Stumbles, walk::tell};
use crate::{
    Config, gather,
    item::{self, Owner},
};

/// Asks for the parents of statuses that have some. One request brings a whole chain; of a long one as much is kept as
/// a run may, and the rest is up to the next run, which begins at the last one kept.
pub(crate) async fn context(cx: &JobContext, all: &Config) -> Result<Summary, JobError> {
    let config = &all.context;
    let login = cx.login()?;
    let me = gather::me(login).await?;
    let owner = Owner {
        server: &login.server,
        acct: &me.acct,
    };
    let (mut summary, mut saved) = (Summary::default(), Saved::default());
    let due = recheck::due(&cx.store, &login.name, &login.server, Why::Context, config.per_run).await?;
    cx.progress.begin("threads", u64::try_from(due.len()).ok());
    let mut stumbles = Stumbles::default();
    for one in due {
        cx.check_stop()?;
        let around = login.client.raw_context(&StatusId::new(one.server_id.clone())).await;
        let Some(around) = stumbles.over(around)? else {
            // It stays due.
            summary.add("failed", 1);
            cx.progress.advance(1);
            continue;
        };
        let now = cx.clock.now();
        let (above, below) = around.unwrap_or_default();
        let activity = |kind: &str| NewActivity {
            kind: kind.to_owned(),
            ..NewActivity::default()
        };
        // The nearest first: they stand at the end.
        let near = &above[above.len().saturating_sub(config.depth)..];
        let of = |bodies: &[String], kind| -> Vec<Item> {
            let items = bodies
                .iter()
                .flat_map(|body| item::all_of(owner, body, activity(kind), now));
            items
                .map(|item| Item {
                    wants_context: false,
                    links: Vec::new(),
                    ..item
                })
                .collect()
        };
        let mut items = of(near, "parent");
        let cut = (near.len() < above.len())
            .then(|| Some(item::of_status(owner, near.first()?, activity("parent"), now)?.uri))
            .flatten();
        if config.whole_threads {
            items.extend(of(&below, "thread"));
        }
        let page = Page {
            login: &login.name,
            server: &login.server,
            items: &items,
            cursor: None,
            live: true,
            now,
        };
        saved.add(keep(cx, all, &page).await?);
        summary.add("parents", near.len());
        if let Some(uri) = cut {
            let rest: Vec<i64> = archive::by_uris(&cx.store, &[uri])
                .await?
                .iter()
                .map(|kept| kept.id)
                .collect();
            recheck::want_context(&cx.store, &rest).await?;
            summary.add("later", 1);
        }
        recheck::mark_context(&cx.store, &[one.id]).await?;
        cx.progress.advance(1);
    }
    tell(&mut summary, saved);
    links(cx, all, owner, &mut summary).await?;
    Ok(summary)
}
