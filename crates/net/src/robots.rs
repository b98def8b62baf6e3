//! What a host's robots.txt asks of us: fetched once a day for each host, by one asker while the others wait.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

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
/// Lines that are read of a file, those that say something. Nobody writes as many for us.
const MOST_LINES: usize = 5000;
/// Of those, lines that take a compiled pattern: what has a `$` in it does.
const MOST_PATTERNS: usize = 200;
/// What a pattern weighs beside its text.
const PATTERN: usize = 16 << 10;
/// When the files remembered weigh more, all are forgotten and asked for anew: a stranger has as many hosts as he likes,
/// and each may fill a file to the brim.
const MOST_WEIGHT: usize = 8 << 20;

#[derive(Debug)]
pub(crate) struct Robots {
    clock: Arc<dyn Clock>,
    hosts: Mutex<HashMap<Host, Cell>>,
    weight: AtomicUsize,
}

/// Locked by whoever asks for the file.
type Cell = Arc<tokio::sync::Mutex<Option<Known>>>;

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
            weight: AtomicUsize::new(0),
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
                let (rules, fresh, weight) = read(fetch.await).await?;
                self.weigh(weight);
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

    /// Forgets what nobody holds when another file of this weight is too much.
    fn weigh(&self, weight: usize) {
        if self.weight.fetch_add(weight, Ordering::AcqRel) + weight > MOST_WEIGHT {
            self.weight.store(weight, Ordering::Release);
            let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
            hosts.retain(|_, cell| Arc::strong_count(cell) > 1);
        }
    }

    fn cell(&self, host: &Host) -> Cell {
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

/// The rules that an answer stands for, how long they count, and what they weigh. An error is one that says nothing of
/// the file.
async fn read(answer: Result<Response, Error>) -> Result<(Rules, TimeDelta, usize), Error> {
    Ok(match answer {
        Ok(response) => match response.http_status {
            200..=299 => {
                let (text, weight) = bounded(&response.body);
                (parse(text).await, FRESH, weight)
            }
            401 | 403 => (Rules::Forbid, FRESH, 0),
            // A limit is about us now, not about what we may read; a server in trouble likewise.
            429 => (Rules::Allow, FRESH_FAILURE, 0),
            300..=499 => (Rules::Allow, FRESH, 0),
            _ => (Rules::Allow, FRESH_FAILURE, 0),
        },
        Err(error @ (Error::Stopped | Error::Resting { .. } | Error::Blocked(_) | Error::Refused { .. })) => {
            return Err(error);
        }
        Err(_) => (Rules::Allow, FRESH_FAILURE, 0),
    })
}

/// The beginning of a file, without what says nothing to anybody, and what it weighs once it is read.
fn bounded(body: &[u8]) -> (Vec<u8>, usize) {
    let (mut text, mut patterns) = (Vec::new(), 0);
    let says_something = |line: &&[u8]| !line.is_empty() && line[0] != b'#';
    let lines = body
        .split(|byte| matches!(byte, b'\n' | b'\r' | 0))
        .map(<[u8]>::trim_ascii);
    for line in lines.filter(says_something).take(MOST_LINES) {
        patterns += usize::from(line.contains(&b'$'));
        if patterns > MOST_PATTERNS {
            break;
        }
        text.extend_from_slice(line);
        text.push(b'\n');
    }
    let weight = text.len() + patterns * PATTERN;
    (text, weight)
}

/// Parsing compiles patterns, and they are a stranger's: not on the threads that serve others.
async fn parse(body: Vec<u8>) -> Rules {
    match tokio::task::spawn_blocking(move || Robot::new(AGENT, &body)).await {
        Ok(Ok(robot)) => Rules::Read(Arc::new(robot)),
        _ => Rules::Allow,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
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

    #[tokio::test]
    async fn a_file_is_read_to_a_bound_and_what_stands_first_counts() {
        let mut long = "\u{feff}# ours\nUser-agent: Egret\nDisallow: /no$\n".to_owned();
        for n in 0..50_000 {
            long += &format!("# {n}\n\nDisallow: /a{n}$\r\n");
        }
        let (text, weight) = bounded(long.as_bytes());
        assert!(text.len() < 8 << 10 && weight < 4 << 20, "{} {weight}", text.len());
        assert!(!permits(answer(200, &long), "/no").await);
        assert!(permits(answer(200, &long), "/yes").await);
        let plain = "Disallow: /a\n".repeat(40_000);
        assert_eq!(bounded(plain.as_bytes()).0.len(), MOST_LINES * 13);
    }

    #[tokio::test]
    async fn many_heavy_files_are_not_all_kept() {
        let robots = Robots::new(Arc::new(FakeClock::at(DateTime::UNIX_EPOCH)));
        let file = "Disallow: /a$\n".repeat(MOST_PATTERNS);
        let each = bounded(file.as_bytes()).1;
        for n in 0..20 {
            let url: Url = format!("https://n{n}.example/x").parse().unwrap();
            let host = Host::of(&url).unwrap();
            let word = robots.permits(&host, &url, async { answer(200, &file) }).await;
            assert!(word.unwrap().permits);
            let kept = robots.hosts.lock().unwrap().len();
            assert!((1..=MOST_WEIGHT / each + 1).contains(&kept), "{kept}");
        }
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
