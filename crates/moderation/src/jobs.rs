//! One struct per job.

use std::sync::Arc;

use job::{Job, Mode, job};

use crate::{
    Config,
    apply::{self, House},
};

/// What all jobs of the feature share.
pub(crate) struct Room {
    pub(crate) config: Config,
    pub(crate) house: House,
}

impl Room {
    /// A token that may only look can still observe.
    fn scopes(&self, observing: &'static [&'static str], acting: &'static [&'static str]) -> &'static [&'static str] {
        match self.config.mode {
            Mode::Observe => observing,
            Mode::Act => acting,
        }
    }
}

const ACTING: &[&str] = &[
    "read:accounts",
    "read:statuses",
    "write:reports",
    "admin:read:accounts",
    "admin:read:reports",
];

job!(
    /// What servers push.
    Inbox, "moderation.inbox", Server, with.scopes(&["admin:read:accounts"], ACTING),
    |cx, with: Room| Box::pin(apply::inbox(cx, with)).await
);
job!(
    /// Accounts that a server knows.
    Accounts, "moderation.accounts", Server, with.scopes(&["admin:read:accounts", "read:statuses"], ACTING),
    |cx, with: Room| Box::pin(apply::accounts(cx, with)).await
);
job!(
    /// The public timeline.
    Stream, "moderation.stream", Server, with.scopes(&["read:statuses", "admin:read:accounts"], ACTING),
    |cx, with: Room| Box::pin(apply::stream(cx, with)).await
);
job!(
    /// Files, for rules that ask for their hashes.
    Media, "moderation.media", Server, with.scopes(&["admin:read:accounts"], ACTING),
    |cx, with: Room| Box::pin(apply::media(cx, with)).await
);
job!(
    /// Cases.
    Cases, "moderation.cases", Server, with.scopes(&["admin:read:accounts", "admin:read:reports"], ACTING),
    |cx, with: Room| Box::pin(apply::cases(cx, with)).await
);
job!(
    /// Rules on the past.
    Backtests, "moderation.backtests", Daemon, &[],
    |cx, with: Room| apply::backtests(cx, with).await
);
job!(
    /// What is old, and rules that people disagree with.
    Tidy, "moderation.tidy", Daemon, &[],
    |cx, with: Room| apply::tidy(cx, with).await
);

/// The feature's jobs; none while nobody wants it.
pub fn jobs(config: &Config) -> Vec<Arc<dyn Job>> {
    if !config.inbox.enabled {
        return Vec::new();
    }
    let room = &Arc::new(Room {
        config: config.clone(),
        house: House::default(),
    });
    let mut jobs = vec![
        Inbox::job(room, config.inbox.section()),
        Accounts::job(room, config.accounts.section()),
        Stream::job(room, config.stream.section()),
        Media::job(room, config.media.section()),
        Cases::job(room, config.cases.section()),
        Backtests::job(room, config.backtests.section()),
        Tidy::job(room, config.tidy.section()),
    ];
    jobs.retain(|job| job.section().enabled);
    jobs
}
