//! One account: a page at its origin, compared with home, what is missing wanted, the cursor saved; and on.

use chrono::TimeDelta;
use job::{
    JobError,
    origins::{self, Trouble},
};
use mastodon::remote::{self, Posts, Profile, Software};
use model::{Account, Uri};
use store::{
    backfills::{self, Backfill},
    threads, wanted,
};

use super::Pass;
use crate::{gather::Known, plan};

/// Home lists 40 posts a page; a few pages more, since it may have posts that the origin no longer shows.
const HOME_PAGE: usize = 40;
const SPARE_PAGES: usize = 3;
/// More pages of one account are not asked for in one run, however little each of them holds.
const MOST_PAGES: usize = 300;

/// Reads an account from where its row says.
pub(super) async fn read(pass: &Pass<'_>, account: &Account, mut row: Backfill) -> Result<(), JobError> {
    let cx = pass.cx;
    let Some(profile) = profile(account) else {
        return trouble(pass, row, "no address", TimeDelta::days(7)).await;
    };
    let host = profile.uri.host();
    if host == pass.client.host() {
        pass.count("local", 1);
        return Ok(());
    }
    if pass.refused.has(cx, pass.client, &host).await? {
        pass.count("blocked", 1);
        return trouble(pass, row, "blocked", TimeDelta::days(1)).await;
    }
    pass.count("accounts", 1);
    let software = match origins::software(cx, &profile.uri).await {
        Ok(software) => software,
        Err(met) => return failed(pass, row, met).await,
    };
    let mut home = Known::default();
    for _ in 0..MOST_PAGES {
        cx.check_stop()?;
        let page = match list(pass, &software, &profile, row.cursor.as_deref()).await {
            Ok(page) => page,
            Err(met) => return failed(pass, row, met).await,
        };
        let room = pass
            .config
            .posts_per_account
            .saturating_sub(usize::try_from(row.listed).unwrap_or(0));
        let posts = &page.posts[..page.posts.len().min(room)];
        let pages = room.div_ceil(HOME_PAGE) + SPARE_PAGES;
        let known = home
            .of(cx, pass.client, &pass.server, &account.id, posts, pages)
            .await?;
        let missing = plan::missing(posts, known, room);
        let now = cx.clock.now();
        let rows = plan::wanted(&pass.server, &missing, pass.config.order, row.wanted, pass.hold(), now);
        // What is wanted comes before the cursor: a crash in between writes the same rows once more, which does nothing.
        let new = wanted::insert(&cx.store, &rows).await?;
        if pass.config.contexts.enabled {
            threads::insert_pending(&cx.store, &pass.server, &plan::answered(&missing, now), now).await?;
        }
        pass.count("listed", posts.len());
        pass.count("at_home", posts.len() - missing.len());
        pass.count("wanted", new);
        row.listed += i64::try_from(posts.len()).unwrap_or(0);
        row.wanted += i64::try_from(missing.len()).unwrap_or(0);
        (row.failures, row.trouble) = (0, None);
        row.cursor = page.next;
        let whole = row.cursor.is_none() || row.listed >= i64::try_from(pass.config.posts_per_account).unwrap_or(0);
        if whole {
            row.cursor = None;
            row.started_at = None;
            row.finished_at = Some(now);
            row.next_at = (!pass.for_ever).then(|| now + pass.remember());
            backfills::save(&cx.store, &row).await?;
            pass.count("finished", 1);
            return Ok(());
        }
        row.next_at = Some(now);
        backfills::save(&cx.store, &row).await?;
    }
    Ok(())
}

async fn list(pass: &Pass<'_>, software: &Software, profile: &Profile, after: Option<&str>) -> Result<Posts, Trouble> {
    let answer = remote::list_posts(&pass.cx.net, software, profile, after).await;
    // A token it wants, or a post it no longer has, is not the host's ill health.
    origins::answered(pass.cx, &profile.uri.host(), answer).await
}

/// Where an account lives. `acct` may name another domain than the one that serves it, so it is not asked.
fn profile(account: &Account) -> Option<Profile> {
    let uri: &Uri = account.uri.as_ref().or(account.url.as_ref())?;
    let username = match account.username.as_str() {
        "" => account.acct.split('@').next().unwrap_or_default(),
        name => name,
    };
    Some(Profile {
        uri: uri.clone(),
        username: username.to_owned(),
    })
}

/// Remembers why an account could not be read, and when to try again.
async fn failed(pass: &Pass<'_>, mut row: Backfill, met: Trouble) -> Result<(), JobError> {
    let again = plan::rest(row.failures);
    // Where the list went on there is nothing, or nothing that can be read: the server may run other software by now.
    // From there it would never go on.
    if matches!(met, Trouble::Gone | Trouble::Odd(_)) {
        row.cursor = None;
    }
    let (name, reason, rest) = match met {
        Trouble::Run(error) => return Err(error),
        Trouble::Gone => ("gone", "gone", pass.remember()),
        Trouble::Closed => ("closed", origins::closed(pass.cx), TimeDelta::days(7)),
        Trouble::Robots => ("robots", "robots.txt", TimeDelta::days(1)),
        Trouble::Blocked => ("blocked", "blocked", TimeDelta::days(1)),
        Trouble::Host(_, rest) => ("resting", "its server rests", rest.unwrap_or(again)),
        Trouble::Odd(reason) => {
            tracing::debug!(acct = row.acct, reason, "an account's posts could not be read");
            ("unreadable", "unreadable", again.max(TimeDelta::hours(6)))
        }
    };
    pass.count(name, 1);
    trouble(pass, row, reason, rest).await
}

/// What was read so far is kept.
async fn trouble(pass: &Pass<'_>, mut row: Backfill, reason: &str, rest: TimeDelta) -> Result<(), JobError> {
    let now = pass.cx.clock.now();
    row.failures = row.failures.saturating_add(1);
    row.trouble = Some(reason.to_owned());
    row.next_at = Some(now + rest);
    backfills::save(&pass.cx.store, &row).await?;
    Ok(())
}
