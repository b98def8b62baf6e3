//! What a host's robots.txt asks of us: fetched once a day for each host, by one asker while the others wait.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use model::{Clock, Host};
use texting_robots::Robot;
use url::Url;

use crate::{Error, Response};

/// The name that robots.txt files know us by.
const AGENT: &str = "egret";
/// What is read of a file, as the search engines do.
pub(crate) const MAX_BODY: usize = 512 << 10;
const FRESH: TimeDelta = TimeDelta::hours(24);
const FRESH_FAILURE: TimeDelta = TimeDelta::hours(1);
/// From this many hosts on the stale ones are forgotten.
const MANY: usize = 1024;

#[derive(Debug)]
pub(crate) struct Robots {
    clock: Arc<dyn Clock>,
    hosts: Mutex<HashMap<Host, Arc<tokio::sync::Mutex<Option<Known>>>>>,
}

#[derive(Debug, Clone)]
struct Known {
    rules: Rules,
    until: DateTime<Utc>,
}

#[derive(Debug, Clone)]
enum Rules {
    Allow,
    Forbid,
    Read(Arc<Robot>),
}

/// What a file says of one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Word {
    /// Whether it may be asked for.
    pub(crate) permits: bool,
    /// `Crawl-delay`: the least time between two requests to the host.
    pub(crate) delay: Duration,
}

impl Word {
    fn permit() -> Self {
        Self {
            permits: true,
            delay: Duration::ZERO,
        }
    }
}

/// A host that wants more than this between two requests gets this: what waits must end.
const LONGEST_DELAY: Duration = Duration::from_secs(60);

fn delay(seconds: Option<f32>) -> Duration {
    let seconds = seconds.filter(|seconds| *seconds > 0.0).unwrap_or_default();
    Duration::try_from_secs_f32(seconds)
        .unwrap_or(LONGEST_DELAY)
        .min(LONGEST_DELAY)
}

impl Robots {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            hosts: Mutex::default(),
        }
    }

    /// What a host's file says of `url`; `fetch` gets the file if it is not known.
    pub(crate) async fn permits(
        &self,
        host: &Host,
        url: &Url,
        fetch: impl Future<Output = Result<Response, Error>>,
    ) -> Result<Word, Error> {
        let cell = self.cell(host);
        let mut known = cell.lock().await;
        let now = self.clock.now();
        let rules = match known.as_ref().filter(|known| known.until > now) {
            Some(known) => known.rules.clone(),
            None => {
                let (rules, fresh) = read(fetch.await).await?;
                *known = Some(Known {
                    rules: rules.clone(),
                    until: now + fresh,
                });
                rules
            }
        };
        drop(known);
        Ok(match rules {
            Rules::Allow => Word::permit(),
            Rules::Forbid => Word {
                permits: false,
                ..Word::permit()
            },
            Rules::Read(robot) => Word {
                permits: robot.allowed(url.as_str()),
                delay: delay(robot.delay),
            },
        })
    }

    fn cell(&self, host: &Host) -> Arc<tokio::sync::Mutex<Option<Known>>> {
        let now = self.clock.now();
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if hosts.len() >= MANY && !hosts.contains_key(host) {
            hosts.retain(|_, cell| {
                Arc::strong_count(cell) > 1
                    || cell
                        .try_lock()
                        .is_ok_and(|known| known.as_ref().is_some_and(|known| known.until > now))
            });
        }
        hosts.entry(host.clone()).or_default().clone()
    }
}

/// The rules that an answer stands for, and how long they count. An error is one that says nothing of the file.
async fn read(answer: Result<Response, Error>) -> Result<(Rules, TimeDelta), Error> {
    Ok(match answer {
        Ok(response) => match response.http_status {
            200..=299 => (parse(response.body).await, FRESH),
            401 | 403 => (Rules::Forbid, FRESH),
            // A limit is about us now, not about what we may read; a server in trouble likewise.
            429 => (Rules::Allow, FRESH_FAILURE),
            300..=499 => (Rules::Allow, FRESH),
            _ => (Rules::Allow, FRESH_FAILURE),
        },
        Err(error @ (Error::Stopped | Error::Resting { .. } | Error::Blocked(_) | Error::Refused { .. })) => {
            return Err(error);
        }
        Err(_) => (Rules::Allow, FRESH_FAILURE),
    })
}

/// Parsing compiles a pattern for each line, and the lines are a stranger's: not on the threads that serve others.
async fn parse(body: Bytes) -> Rules {
    match tokio::task::spawn_blocking(move || Robot::new(AGENT, &body)).await {
        Ok(Ok(robot)) => Rules::Read(Arc::new(robot)),
        _ => Rules::Allow,
    }
}

#[cfg(test)]
mod tests {
    use model::FakeClock;

    use super::*;

    fn answer(http_status: u16, body: &str) -> Result<Response, Error> {
        let url = "https://a.example/robots.txt".parse().unwrap();
        Ok(Response {
            http_status,
            headers: Default::default(),
            url,
            body: Bytes::copy_from_slice(body.as_bytes()),
        })
    }

    async fn permits(answer: Result<Response, Error>, path: &str) -> bool {
        let robots = Robots::new(Arc::new(FakeClock::at(DateTime::UNIX_EPOCH)));
        let url = Url::parse("https://a.example").unwrap().join(path).unwrap();
        robots
            .permits(&Host::of(&url).unwrap(), &url, async { answer })
            .await
            .unwrap()
            .permits
    }

    #[tokio::test]
    async fn the_file_is_obeyed_and_its_absence_allows() {
        let mastodon = "User-agent: *\nDisallow: /media_proxy/\nDisallow: /api/v1/instance/domain_blocks\n";
        assert!(permits(answer(200, mastodon), "/api/v1/statuses/1/context").await);
        assert!(!permits(answer(200, mastodon), "/api/v1/instance/domain_blocks").await);
        assert!(!permits(answer(200, "User-agent: Egret\nDisallow: /\n"), "/api/v1/statuses/1").await);
        assert!(permits(answer(200, "User-agent: other\nDisallow: /\n"), "/x").await);
        assert!(permits(answer(200, "<!doctype html><p>Disallow: /"), "/x").await);
        for (status, allows) in [
            (401, false),
            (403, false),
            (404, true),
            (410, true),
            (429, true),
            (500, true),
        ] {
            assert_eq!(
                permits(answer(status, "User-agent: *\nDisallow: /"), "/x").await,
                allows,
                "{status}"
            );
        }
        let host = Host::stored("a.example");
        assert!(
            permits(
                Err(Error::Timeout {
                    host,
                    after: Default::default()
                }),
                "/x"
            )
            .await
        );
    }

    #[test]
    fn a_delay_is_kept_within_reason() {
        for (asked, kept) in [
            (None, 0.0),
            (Some(0.5), 0.5),
            (Some(10.0), 10.0),
            (Some(86400.0), 60.0),
            (Some(f32::INFINITY), 60.0),
            (Some(f32::NAN), 0.0),
            (Some(-1.0), 0.0),
        ] {
            assert_eq!(delay(asked), Duration::from_secs_f32(kept), "{asked:?}");
        }
    }

    #[tokio::test]
    async fn a_file_counts_for_a_day_and_a_failure_for_an_hour() {
        let clock = FakeClock::at(DateTime::UNIX_EPOCH);
        let robots = Robots::new(Arc::new(clock.clone()));
        let url: Url = "https://a.example/x".parse().unwrap();
        let host = Host::of(&url).unwrap();
        let ask = async |status| {
            robots
                .permits(&host, &url, async move { answer(status, "") })
                .await
                .unwrap()
                .permits
        };
        assert!(ask(503).await);
        clock.advance(TimeDelta::minutes(59));
        assert!(ask(403).await, "remembered");
        clock.advance(TimeDelta::minutes(1));
        assert!(!ask(403).await);
        clock.advance(TimeDelta::hours(23));
        assert!(!ask(200).await, "remembered");
        clock.advance(TimeDelta::hours(1));
        assert!(ask(200).await);
    }
}
