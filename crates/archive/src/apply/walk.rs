//! A walk through a list of the server, each page saved together with the cursor behind it.

use job::{JobContext, JobError, Login, Summary};
use mastodon::{Shelf, raw_field};
use model::StatusId;
use serde_json::Value;
use store::archive::{Item, NewActivity, Page, Saved};

use super::{audit::AGAIN, gaps::Gaps, keep::keep, stumbles::Stumbles};
use crate::{
    Config,
    gather::{self, Me},
    item::{self, Owner},
    plan::{Brought, Walk},
};

/// What a list is a list of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Own statuses and boosts.
    Post,
    Favourite,
    Bookmark,
    Mention,
    Poll,
    Conversation,
}

impl Kind {
    /// As the store spells it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Post => "post",
            Self::Favourite => "favourite",
            Self::Bookmark => "bookmark",
            Self::Mention => "mention",
            Self::Poll => "poll",
            Self::Conversation => "conversation",
        }
    }

    fn shelf<'m>(self, me: &'m Me) -> Shelf<'m> {
        match self {
            Self::Post => Shelf::Statuses(&me.id),
            Self::Favourite => Shelf::Favourites,
            Self::Bookmark => Shelf::Bookmarks,
            Self::Mention => Shelf::Notifications("mention"),
            Self::Poll => Shelf::Notifications("poll"),
            Self::Conversation => Shelf::Conversations,
        }
    }
}

/// Reads on in a list until there is nothing more.
pub(crate) async fn walk(cx: &JobContext, config: &Config, job: &'static str, kind: Kind) -> Result<Summary, JobError> {
    let login = cx.login()?;
    let me = gather::me(login).await?;
    let owner = Owner {
        server: &login.server,
        acct: &me.acct,
    };
    let mut state = gather::walk(cx, job, &login.name).await?;
    if kind == Kind::Post && store::cursors::load(&cx.store, AGAIN, &login.name).await?.is_some() {
        state = Walk::anew();
        let value = serde_json::to_string(&state).unwrap_or_default();
        store::cursors::save(&cx.store, job, &login.name, &value, cx.clock.now()).await?;
        // Killed before this, the walk begins anew once more, which changes nothing twice.
        store::cursors::delete(&cx.store, AGAIN, &login.name).await?;
    }
    let of = match me.statuses.filter(|_| kind == Kind::Post && !state.whole) {
        // A way back that goes on has less before it than all there is.
        Some(all) => {
            let kept = store::archive::standing(&cx.store, &login.name).await?;
            Some(all.saturating_sub(u64::try_from(kept).unwrap_or(0)))
        }
        None => None,
    };
    cx.progress.begin("statuses", of);
    let (mut saved, mut summary) = (Saved::default(), Summary::default());
    let mut stumbles = Stumbles::default();
    let whole_threads = config.context.whole_threads && kind == Kind::Post;
    let mut gaps = match state.again && kind == Kind::Post {
        true => Some(Gaps::of_walk(cx, login, state.older.is_some()).await?),
        false => None,
    };
    loop {
        cx.check_stop()?;
        let step = state.step();
        let page = gather::page(login, kind.shelf(&me), &step).await?;
        summary.add("pages", 1);
        let now = cx.clock.now();
        let items: Vec<Item> = page
            .items
            .iter()
            .flat_map(|body| kept(owner, kind, body, now))
            .map(|item| Item {
                wants_context: item.wants_context || (whole_threads && item::has_replies(&item.body)),
                ..item
            })
            .collect();
        if let Some(gaps) = &mut gaps {
            gaps.look(cx, login, &items).await?;
        }
        let with_status = items.iter().filter(|item| !is_quote(item)).count();
        summary.add("without_status", page.items.len().saturating_sub(with_status));
        let items = match kind {
            Kind::Conversation => threads(login, owner, items, now, &mut stumbles).await?,
            _ => items,
        };
        cx.progress.advance(page.items.len() as u64);
        // Which of them are new decides whether to go on, and is only known once they are saved. So is saved first the
        // page, with the cursor of one that brought something new, which is right or repeats a page.
        let brought = |new| Brought {
            items: page.items.len(),
            new,
            next: page.next.as_ref().map(|next| next.as_str()),
            prev: page.prev.as_ref().map(|prev| prev.as_str()),
        };
        let (after, _) = state.after(&step, brought(page.items.len()));
        let value = serde_json::to_string(&after).unwrap_or_default();
        let one = keep(
            cx,
            config,
            &Page {
                login: &login.name,
                server: &login.server,
                items: &items,
                cursor: (!after.is_unset()).then_some((job, login.name.as_str(), value.as_str())),
                live: true,
                now,
            },
        )
        .await?;
        saved.add(one);
        let (end, more) = state.after(
            &step,
            brought(usize::try_from(one.activities + one.edited).unwrap_or(1)),
        );
        if end != after {
            let value = serde_json::to_string(&end).unwrap_or_default();
            store::cursors::save(&cx.store, job, &login.name, &value, now).await?;
        }
        state = end;
        if !more {
            break;
        }
    }
    tell(&mut summary, saved);
    if let Some(gaps) = gaps {
        summary.add("gaps", gaps.tell(login));
    }
    Ok(summary)
}

/// What was saved, in the words of the feature's page.
pub(super) fn tell(summary: &mut Summary, saved: Saved) {
    summary.add("new", saved.new);
    summary.add("edited", saved.edited);
    summary.add("activities", saved.activities);
    summary.add("known", saved.known);
}

fn is_quote(item: &Item) -> bool {
    item.activities.iter().all(|activity| activity.kind == "quote")
}

/// An item of a list as rows: its status and what that quotes; nothing where its status is gone.
fn kept(owner: Owner<'_>, kind: Kind, body: &str, now: chrono::DateTime<chrono::Utc>) -> Vec<Item> {
    one(owner, kind, body, now).unwrap_or_default()
}

fn one(owner: Owner<'_>, kind: Kind, body: &str, now: chrono::DateTime<chrono::Utc>) -> Option<Vec<Item>> {
    let text = |name| raw_field(body, name).and_then(|text| serde_json::from_str::<Value>(text).ok());
    let mut activity = NewActivity {
        kind: kind.as_str().to_owned(),
        ..NewActivity::default()
    };
    let status = match kind {
        Kind::Post | Kind::Favourite | Kind::Bookmark => body,
        Kind::Mention | Kind::Poll => {
            activity.at = text("created_at").as_ref().and_then(item::time);
            activity.activity_id = text("id").as_ref().and_then(item::id);
            raw_field(body, "status")?
        }
        Kind::Conversation => {
            activity.activity_id = text("id").as_ref().and_then(item::id);
            raw_field(body, "last_status")?
        }
    };
    let mut items = item::all_of(owner, status, activity, now);
    for item in &mut items {
        // Own statuses are done when they are written.
        if let Some(activity) = item.activities.first_mut().filter(|activity| activity.kind == "post") {
            activity.at = Some(item.created_at);
        }
    }
    Some(items)
}

/// The messages around the last one of each conversation.
async fn threads(
    login: &Login,
    owner: Owner<'_>,
    last: Vec<Item>,
    now: chrono::DateTime<chrono::Utc>,
    stumbles: &mut Stumbles,
) -> Result<Vec<Item>, JobError> {
    let mut all = Vec::new();
    for mut item in last {
        if is_quote(&item) {
            all.push(item);
            continue;
        }
        let id = StatusId::new(item.server_id.clone());
        let activity = item.activities.first().cloned().unwrap_or_default();
        match stumbles.over(login.client.raw_context(&id).await)? {
            Some(Some((above, below))) => {
                let around = above.iter().chain(&below);
                all.extend(around.flat_map(|body| item::all_of(owner, body, activity.clone(), now)));
            }
            Some(None) => {}
            // What it answers is asked for with all other parents.
            None => item.wants_context = true,
        }
        all.push(item);
    }
    Ok(all)
}
