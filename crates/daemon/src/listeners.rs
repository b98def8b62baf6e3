//! Who listens: one stream per login that `[replies.live]` means, held by one process at a time.

use std::{sync::Arc, time::Duration};

use job::{JobContext, JobError, Progress};
use net::Net;
use store::leases::{self, Lease};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{info, warn};

use crate::{
    config::Config,
    doors::Doors,
    logins::{self, Login, Standing, chain},
    runner::Settings,
};

/// How long a lease outlives a silent owner.
const LEASE: Duration = Duration::from_secs(60);

/// Listeners under way. They end when told, or when this is dropped.
#[derive(Debug)]
pub(crate) struct Listeners {
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Drop for Listeners {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Listeners {
    /// Nobody listens.
    pub(crate) fn none() -> Self {
        Self {
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        }
    }

    /// Starts one for each login.
    pub(crate) fn start(config: &Config, doors: &Doors, settings: &Settings) -> Self {
        let this = Self::none();
        let live = config.replies.live.section();
        if live.enabled {
            for login in settings.logins.iter().filter(|login| login.is_meant(&live.logins)) {
                let (doors, net, login, stop) = (doors.clone(), settings.net.clone(), login.clone(), this.stop.clone());
                this.tasks
                    .spawn(async move { listen(&doors, &net, &login, &stop).await });
            }
        }
        this.tasks.close();
        this
    }

    /// Ends them, within `patience`.
    pub(crate) async fn end(&self, patience: Duration) {
        self.stop.cancel();
        let _ = tokio::time::timeout(patience, self.tasks.wait()).await;
    }
}

/// Listens for one login whenever no other process does.
async fn listen(doors: &Doors, net: &Net, login: &Arc<Login>, stop: &CancellationToken) {
    let name = format!("replies.live/stream/{}", login.name);
    while !stop.is_cancelled() {
        if matches!(login.standing(), Standing::Bad(_)) {
            return;
        }
        match leases::take(&doors.store, &name, &doors.holder, LEASE, doors.clock.now()).await {
            Ok(Some(lease)) => {
                let goes_on = held(doors, net, login, stop, &lease).await;
                if let Err(error) = leases::release(&doors.store, &lease).await {
                    warn!(login = login.name, error = %chain(&error), "cannot give back the lease of a stream");
                }
                if !goes_on {
                    return;
                }
            }
            Ok(None) => {}
            Err(error) => warn!(login = login.name, error = %chain(&error), "cannot take the lease of a stream"),
        }
        let _ = stop.run_until_cancelled(tokio::time::sleep(LEASE / 2)).await;
    }
}

/// Listens while the lease is ours; true when it may be tried again.
async fn held(doors: &Doors, net: &Net, login: &Arc<Login>, stop: &CancellationToken, lease: &Lease) -> bool {
    let ending = stop.child_token();
    let net = net.for_run("replies.live", ending.clone());
    let Some(ready) = login.ready(&net) else { return false };
    let cx = JobContext {
        run: uuid::Uuid::now_v7().to_string(),
        logins: vec![ready.clone()],
        login: Some(ready),
        net,
        store: doors.store.clone(),
        clock: doors.clock.clone(),
        stop: ending.clone(),
        progress: Progress::default(),
        effects: doors.ledger.of("replies"),
    };
    info!(login = login.name, "listens to the stream of {}", login.name);
    let listening = replies::listen(&cx, &doors.board);
    let Some(ended) = job::while_held(&doors.store, &*doors.clock, lease, LEASE, listening).await else {
        return true;
    };
    match ended {
        Err(JobError::Permanent(error)) => {
            let refused = error.downcast_ref::<mastodon::Error>().and_then(logins::bad);
            match refused {
                Some(reason) => login.mark_bad(doors, &reason).await,
                None => warn!(login = login.name, "does not listen for {}: {error:#}", login.name),
            }
            false
        }
        _ => !stop.is_cancelled(),
    }
}
