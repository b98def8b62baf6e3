//! Other processes on the same database, and who of them looks first at what.
//!
//! Nobody assigns anything: each process says that it is there, and each works out alike, from the names of those there
//! and the name of a login, whose it is. The others give way for a moment. So logins spread evenly, a login's jobs stay
//! with one process, and when it dies the others do not even have to notice.

use std::{
    hash::{Hash as _, Hasher as _},
    sync::PoisonError,
    time::Duration,
};

use job::Scope;
use store::{Db, leases};
use tracing::debug;

use super::{Entry, POLL, Runner};
use crate::{clock, logins::chain};

/// How the names of their leases begin.
pub(crate) const PEER: &str = "process/";

/// A process that said nothing for so long is gone.
const GONE: Duration = Duration::from_secs(15);

/// The others give way for so long: a poll, and a moment to begin.
const MOMENT: Duration = POLL.saturating_add(Duration::from_secs(1));

impl Runner {
    /// Says that this process is there, and looks who else is. An SQLite file has one.
    pub(super) async fn meet_peers(&self) {
        let doors = &self.0.doors;
        if !matches!(doors.store, Db::Postgres(_)) {
            return;
        }
        let now = doors.clock.now();
        let name = format!("{PEER}{}", doors.holder);
        let met = async {
            let asked = clock::Asked::now();
            if let Some(lease) = leases::take(&doors.store, &name, &doors.holder, GONE, now).await? {
                // It ends so long after the moment when it was taken, by the database's clock.
                asked.answered(&doors.store, lease.expires_at - GONE).await;
            }
            leases::list(&doors.store, now).await
        };
        match met.await {
            Ok(leases) => {
                let mut peers: Vec<String> = leases
                    .iter()
                    .filter_map(|lease| lease.name.strip_prefix(PEER).map(str::to_owned))
                    .collect();
                peers.sort();
                metrics::gauge!("egret_processes").set(peers.len() as f64);
                *self.0.peers.lock().unwrap_or_else(PoisonError::into_inner) = peers;
            }
            Err(error) => debug!(error = %chain(&error), "cannot look for other processes"),
        }
    }

    /// Gives the process whose turn it is a moment to begin; `false` when the daemon stops meanwhile.
    pub(super) async fn give_way(&self, entry: &Entry) -> bool {
        let key = match entry.job.scope() {
            Scope::Login | Scope::Server => entry.scope.as_str(),
            Scope::Daemon => entry.job.name(),
        };
        let is_ours = {
            let peers = self.0.peers.lock().unwrap_or_else(PoisonError::into_inner);
            preferred(&peers, key).is_none_or(|peer| peer == self.0.doors.holder)
        };
        if is_ours {
            return true;
        }
        tokio::select! {
            () = tokio::time::sleep(MOMENT) => true,
            () = self.0.stop.cancelled() => false,
        }
    }
}

/// Whose turn it is: the one whose name goes best with the key. When one comes or goes, only what is its own moves.
fn preferred<'a>(peers: &'a [String], key: &str) -> Option<&'a str> {
    let weight = |peer: &&String| {
        let mut hasher = std::hash::DefaultHasher::new();
        (peer.as_str(), key).hash(&mut hasher);
        hasher.finish()
    };
    peers.iter().max_by_key(weight).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn owners(peers: &[String]) -> BTreeMap<String, String> {
        (0..300)
            .map(|n| format!("server-{}.example/me{}", n % 7, n))
            .map(|key| (key.clone(), preferred(peers, &key).unwrap().to_owned()))
            .collect()
    }

    #[test]
    fn logins_spread_evenly_and_only_a_dead_ones_move() {
        let peers: Vec<String> = (0..3).map(|n| format!("0192-{n}")).collect();
        let before = owners(&peers);
        for peer in &peers {
            let count = before.values().filter(|owner| *owner == peer).count();
            assert!((70..=130).contains(&count), "{peer} has {count} of 300");
        }
        let after = owners(&peers[..2]);
        for (key, owner) in &before {
            assert!(*owner == peers[2] || after[key] == *owner, "{key} moved for nothing");
        }
        assert_eq!(preferred(&[], "x"), None);
    }
}
