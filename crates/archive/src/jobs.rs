//! One struct per job, tying gather, plan and apply together.

use std::sync::Arc;

use job::{Job, job};

use crate::{
    Config,
    apply::{self, Kind},
};

/// Polls read again in one run.
const POLLS: u32 = 200;

job!(
    /// Own statuses and boosts.
    Statuses, "archive.statuses", Login, &["read:accounts", "read:statuses"],
    |cx, config: Config| apply::walk(cx, config, "archive.statuses", Kind::Post).await
);
job!(
    /// Favourites.
    Favourites, "archive.favourites", Login, &["read:accounts", "read:favourites"],
    |cx, config: Config| apply::walk(cx, config, "archive.favourites", Kind::Favourite).await
);
job!(
    /// Bookmarks.
    Bookmarks, "archive.bookmarks", Login, &["read:accounts", "read:bookmarks"],
    |cx, config: Config| apply::walk(cx, config, "archive.bookmarks", Kind::Bookmark).await
);
job!(
    /// Statuses that mention the login.
    Mentions, "archive.mentions", Login, &["read:accounts", "read:notifications"],
    |cx, config: Config| apply::walk(cx, config, "archive.mentions", Kind::Mention).await
);
job!(
    /// Polls voted in, and results of polls that ended.
    Polls, "archive.polls", Login, &["read:accounts", "read:notifications", "read:statuses"],
    |cx, config: Config| {
        let mut summary = apply::walk(cx, config, "archive.polls", Kind::Poll).await?;
        for (counter, count) in apply::polls(cx, config, POLLS).await?.counters() {
            if counter == "polls" {
                summary.add("polls", count);
            }
        }
        Ok(summary)
    }
);
job!(
    /// Direct messages.
    Conversations, "archive.conversations", Login, &["read:accounts", "read:statuses"],
    |cx, config: Config| apply::walk(cx, config, "archive.conversations", Kind::Conversation).await
);
job!(
    /// What kept statuses reply to.
    Context, "archive.context", Login, &["read:accounts", "read:statuses"],
    |cx, config: Config| apply::context(cx, config).await
);
job!(
    /// Followers, mutes, filters and the like.
    Lists, "archive.lists", Login, &["read:accounts"],
    |cx, config: Config| apply::lists(cx).await
);
job!(
    /// Files that statuses show.
    Media, "archive.media", Daemon, &[],
    |cx, config: Config| apply::media(cx, config).await
);
job!(
    /// Edits, deletions, what was taken back.
    Recheck, "archive.recheck", Login, &["read:accounts", "read:statuses"],
    |cx, config: Config| apply::recheck(cx, config).await
);
job!(
    /// Compares counts with the server.
    Audit, "archive.audit", Login, &["read:accounts"],
    |cx, config: Config| apply::audit(cx).await
);

/// The feature's jobs, those switched off left out.
pub fn jobs(config: &Config) -> Vec<Arc<dyn Job>> {
    let config = &Arc::new(config.clone());
    let mut jobs = vec![
        Statuses::job(config, config.statuses.section()),
        Favourites::job(config, config.favourites.section()),
        Bookmarks::job(config, config.bookmarks.section()),
        Mentions::job(config, config.mentions.section()),
        Polls::job(config, config.polls.section()),
        Conversations::job(config, config.conversations.section()),
        Context::job(config, config.context.section()),
        Lists::job(config, config.lists.section()),
        Media::job(config, config.media.section()),
        Recheck::job(config, config.recheck.section()),
        Audit::job(config, config.audit.section()),
    ];
    jobs.retain(|job| job.section().enabled);
    jobs
}
