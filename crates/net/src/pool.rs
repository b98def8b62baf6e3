//! The pool: a request's way from its caller to the wire and back.

use std::{
    collections::{BTreeMap, HashSet},
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use http::{HeaderMap, Method, header};
use model::{Clock, Domain, Host};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use url::Url;

use crate::{
    Body, Config, Error, Identity, Lookup, Request, Response, Stream,
    actor::{Actor, Scheme},
    guard::{Guard, SystemLookup, Target, plain},
    health::Health,
    limit::{Limits, Pass, Sender, Verdict},
    retry::{self, Retry},
    robots::{self, Robots},
    until::Until,
    wire::{self, Sending, Wire},
};

/// Redirects followed for one request.
const HOPS: usize = 5;
/// A robots.txt is not worth a longer wait: without an answer, asking is allowed.
const ROBOTS_TIMEOUT: Duration = Duration::from_secs(10);

/// The pool. Clone it freely.
#[derive(Clone)]
pub struct Net {
    pool: Arc<Pool>,
    lane: &'static str,
    stop: CancellationToken,
    spent: Arc<Mutex<BTreeMap<Host, u64>>>,
    until: Option<Until>,
}

struct Pool {
    config: Config,
    guard: Arc<Guard>,
    wire: Wire,
    limits: Limits,
    health: Health,
    robots: Robots,
    actor: Option<Actor>,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Net").field("lane", &self.lane).finish_non_exhaustive()
    }
}

impl Net {
    /// Builds the client.
    ///
    /// # Errors
    /// When a key of `[net]` holds something unusable (an unreadable CA file, a bad domain in `blocklist`).
    pub fn new(config: &Config, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        Self::with_lookup(config, clock, Arc::new(SystemLookup))
    }

    /// What it was made from.
    pub(crate) fn config(&self) -> &Config {
        &self.pool.config
    }

    /// The same with another way to find the addresses of names. What it finds is judged like any other address.
    ///
    /// # Errors
    /// See [`Net::new`].
    pub fn with_lookup(config: &Config, clock: Arc<dyn Clock>, lookup: Arc<dyn Lookup>) -> Result<Self, Error> {
        let guard = Arc::new(Guard::new(config, lookup)?);
        Ok(Self {
            pool: Arc::new(Pool {
                config: config.clone(),
                wire: Wire::new(config, &guard)?,
                guard,
                limits: Limits::new(config, clock.clone()),
                health: Health::new(clock.clone()),
                robots: Robots::new(clock.clone()),
                actor: Actor::read(&config.actor)?,
                clock,
            }),
            lane: "",
            stop: CancellationToken::new(),
            spent: Arc::default(),
            until: None,
        })
    }

    /// The same pool for one run: its requests queue in the lane `job`, fairly beside other lanes; waiting ends
    /// with [`Error::Stopped`] when `stop` is cancelled; and they are counted apart, see [`Net::spent`].
    #[must_use]
    pub fn for_run(&self, job: &'static str, stop: CancellationToken) -> Self {
        Self {
            pool: self.pool.clone(),
            lane: job,
            stop,
            spent: Arc::default(),
            until: None,
        }
    }

    /// The same until then: afterwards nothing goes out, and asking ends with [`Error::Stopped`]. It is looked at when a
    /// request has its turn, at the last moment before it is sent.
    #[must_use]
    pub fn until(self, until: Until) -> Self {
        Self {
            until: Some(until),
            ..self
        }
    }

    fn in_time(&self) -> Result<(), Error> {
        if self.until.as_ref().is_some_and(Until::is_over) {
            return Err(Error::Stopped);
        }
        Ok(())
    }

    /// Requests that went out through this handle (retries and redirects included), by host.
    pub fn spent(&self) -> BTreeMap<Host, u64> {
        self.spent.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What is left of each login's budgets, for those who watch.
    pub fn budgets(&self) -> Vec<crate::Budget> {
        self.pool.limits.budgets()
    }

    /// The hosts that take mail for `domain`, most wanted first; `None` when nobody could say.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn mail_hosts(&self, domain: &Domain) -> Result<Option<Vec<String>>, Error> {
        let found = self.unless_stopped(self.pool.guard.mail_hosts(domain)).await?;
        if let Err(error) = &found {
            tracing::debug!(%error, "nobody says who takes a domain's mail");
        }
        Ok(found.ok())
    }

    /// Whether `[net] blocklist` refuses a host.
    pub fn is_blocked(&self, host: &Host) -> bool {
        self.pool.guard.is_blocked(host)
    }

    /// Our actor, where `[net.actor]` names one.
    pub fn identity(&self) -> Option<&Identity> {
        self.pool.actor.as_ref().map(Actor::identity)
    }

    /// Whether requests can be signed.
    pub fn signs(&self) -> bool {
        self.pool.actor.is_some()
    }

    /// How long a host is still left alone because it failed several times in a row.
    pub fn rests(&self, host: &Host) -> Option<Duration> {
        self.pool.health.rests(host)
    }

    /// Sends a request once its turn and budget have come, follows redirects within the guard, and retries where
    /// the request says that it is safe. An answer with any status, 429 and 5xx included once retries are used
    /// up, is an `Ok`.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn send(&self, request: Request) -> Result<Response, Error> {
        self.follow(self.first(request).await?).await
    }

    /// Opens an answer without end, such as a stream of events: once, without redirects or retries. It spends like any
    /// request, but holds no place among those in flight. An answer that is no success is an `Ok` here too.
    ///
    /// # Errors
    /// See [`Error`]; the request's time limit is for the head of the answer.
    pub async fn open(&self, request: Request) -> Result<Stream, Error> {
        let hop = self.first(request).await?;
        let sender = hop.sender(self.lane);
        let pass = self.turn(sender).await?;
        self.in_time()?;
        self.count(&hop.target.host);
        let answer = self
            .unless_stopped(self.pool.wire.open(&hop.sending(&self.pool.config)))
            .await??;
        let stream = Stream::new(answer, hop.target.clone(), self.stop.clone());
        let refused = stream.http_status() == 429;
        self.pool.limits.learn(sender, stream.headers(), refused);
        drop(pass);
        Ok(stream)
    }

    /// Checks where a request goes, and that its token may go there.
    async fn first(&self, request: Request) -> Result<Hop, Error> {
        let target = self.pool.guard.check(&request.url).await?;
        if let Some(bearer) = &request.bearer
            && (target.url.origin() != bearer.origin.origin() || request.url.origin() != bearer.origin.origin())
        {
            let reason = "the token belongs to another origin".into();
            return Err(Error::Refused {
                url: plain(&request.url),
                reason,
            });
        }
        Ok(Hop::first(request, target))
    }

    fn count(&self, host: &Host) {
        *self
            .spent
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(host.clone())
            .or_default() += 1;
    }

    /// Sends, and goes where the answers lead.
    async fn follow(&self, mut hop: Hop) -> Result<Response, Error> {
        let mut seen = HashSet::from([hop.target.url.clone()]);
        loop {
            if hop.request.robots && hop.request.bearer.is_none() && self.pool.config.robots {
                self.obey_robots(&hop.target).await?;
            }
            let response = self.repeat(&hop).await?;
            let Some(location) = location(&response) else {
                return Ok(response);
            };
            let from = hop.target.host.clone();
            let astray = |reason: String| Error::Redirect {
                host: from.clone(),
                reason,
            };
            let url = location.map_err(|()| astray("to something that is no URL".into()))?;
            if seen.len() > HOPS {
                return Err(astray(format!("more than {HOPS} times")));
            }
            let target = self.pool.guard.check(&url).await;
            let target = target.map_err(|error| astray(format!("to where we do not go: {error}")))?;
            if !seen.insert(target.url.clone()) {
                return Err(astray("in a loop".into()));
            }
            hop = hop.next(response.http_status, target).map_err(astray)?;
        }
    }

    /// Sends one hop until it is answered or the attempts are used up.
    async fn repeat(&self, hop: &Hop) -> Result<Response, Error> {
        let mut retry = Retry::new(self.pool.config.attempts, hop.request.repeatable);
        // A write goes over a connection of its own from the start: it has no second attempt to find out that
        // a kept one had been closed.
        let mut fresh = !hop.request.repeatable;
        let signer = self.pool.actor.as_ref().filter(|_| hop.request.is_signed());
        let mut scheme = signer.map(|actor| actor.scheme(&hop.target.host));
        let mut knocked = false;
        loop {
            let (answer, verdict) = self.attempt(hop, fresh, scheme).await?;
            if let (Some(actor), Some(used), Ok(response)) = (signer, scheme, &answer) {
                let refused = response.http_status == 401;
                // Each host takes one way of signing or the other, and no document says which.
                if refused && !knocked && hop.request.repeatable {
                    knocked = true;
                    scheme = Some(used.other());
                    continue;
                }
                if knocked && !refused {
                    actor.learn(&hop.target.host, used);
                }
            }
            let again = match &answer {
                Ok(_) if verdict == Verdict::MuchLater => false,
                Ok(response) => matches!(verdict, Verdict::Later(_)) || retry::passes(response.http_status),
                Err(Error::Unreachable { .. }) => true,
                Err(_) => false,
            };
            let pause = if again { retry.next() } else { None };
            let Some(pause) = pause else {
                if let Err(error) = &answer {
                    self.count_failure(hop, error);
                }
                return answer;
            };
            tracing::debug!(outcome = wire::outcome(&answer), ?verdict, "asks again");
            // After a refusal the limits know the wait.
            if verdict == Verdict::Served {
                self.unless_stopped(tokio::time::sleep(pause)).await?;
            }
            fresh = true;
        }
    }

    /// Waits for the turn, sends once, and learns from the answer. The outer error means that nothing was sent.
    async fn attempt(
        &self,
        hop: &Hop,
        fresh: bool,
        scheme: Option<Scheme>,
    ) -> Result<(Result<Response, Error>, Verdict), Error> {
        let Hop { request, target, .. } = hop;
        let host = &target.host;
        let sender = hop.sender(self.lane);
        self.awake(hop)?;
        let pass = self.turn(sender).await?;
        // Those before us may have found the host dead.
        self.awake(hop)?;
        self.in_time()?;
        self.count(host);
        let mut sending = hop.sending(&self.pool.config);
        // At the last moment: a signature says when it was made.
        if let (Some(actor), Some(scheme)) = (&self.pool.actor, scheme) {
            actor.sign(&mut sending, scheme, self.pool.clock.now())?;
        }

        let begin = Instant::now();
        let span = tracing::debug_span!("request", method = %request.method, %host, path = target.url.path());
        let answer = self.pool.wire.exchange(&sending, fresh).instrument(span).await;
        let outcome = wire::outcome(&answer);
        // By host only where the operator named it: others are as many as there are servers in the world.
        let named = sender.login.map_or_else(|| "others".to_owned(), |_| host.to_string());
        metrics::counter!("egret_http_requests_total", "host" => named, "outcome" => outcome).increment(1);
        metrics::histogram!("egret_http_request_seconds").record(begin.elapsed());

        // The limits learn before the place is given up, so that nobody slips out in between.
        let mut verdict = Verdict::Served;
        if let Ok(response) = &answer {
            verdict = self
                .pool
                .limits
                .learn(sender, &response.headers, is_refusal(response, &sender));
            if response.http_status == 503
                && let Some(asked) = self.pool.limits.quiet(sender, &response.headers)
            {
                verdict = asked;
            }
            self.pool.health.succeeded(host);
        }
        drop(pass);
        Ok((answer, verdict))
    }

    /// Waits for the turn and the budget, unless the host asked for more quiet than is worth waiting for.
    async fn turn(&self, sender: Sender<'_>) -> Result<Pass, Error> {
        let pass = self.unless_stopped(self.pool.limits.enter(sender)).await?;
        pass.map_err(|wait| Error::Resting {
            host: sender.host.clone(),
            wait,
        })
    }

    /// Refuses what is for a resting host. Our own server never rests: its jobs have their own patience.
    fn awake(&self, hop: &Hop) -> Result<(), Error> {
        let host = &hop.target.host;
        match self.pool.health.rests(host) {
            Some(wait) if hop.request.bearer.is_none() => Err(Error::Resting {
                host: host.clone(),
                wait,
            }),
            _ => Ok(()),
        }
    }

    fn count_failure(&self, hop: &Hop, error: &Error) {
        let host = &hop.target.host;
        if hop.request.bearer.is_none()
            && matches!(error, Error::Timeout { .. } | Error::Unreachable { .. })
            && let Some(rest) = self.pool.health.failed(host)
        {
            tracing::debug!(%host, rest_s = rest.as_secs(), "{host} does not answer and is left alone");
        }
    }

    async fn obey_robots(&self, target: &Target) -> Result<(), Error> {
        let fetch = async {
            let mut url = target.url.clone();
            url.set_path("/robots.txt");
            url.set_query(None);
            let mut request = Request::origin(url.clone(), "text/plain, */*;q=0.1");
            request.robots = false;
            request.repeatable = false;
            request.max_body = robots::MAX_BODY;
            request.timeout = Some(self.pool.config.timeout.min(ROBOTS_TIMEOUT));
            let hop = Hop {
                request,
                target: Target { url, ..target.clone() },
                cut: true,
            };
            // Boxed: following leads here again, for the types if not for the requests.
            Box::pin(self.follow(hop)).await
        };
        let word = self
            .unless_stopped(self.pool.robots.permits(&target.host, &target.url, fetch))
            .await??;
        self.pool.limits.space(&target.host, word.delay);
        if word.permits {
            Ok(())
        } else {
            Err(Error::Robots(target.host.clone()))
        }
    }

    async fn unless_stopped<T>(&self, wait: impl Future<Output = T>) -> Result<T, Error> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => Err(Error::Stopped),
            done = wait => Ok(done),
        }
    }
}

/// A request on its way.
struct Hop {
    request: Request,
    target: Target,
    /// A larger body is cut instead of refused.
    cut: bool,
}

impl Hop {
    fn first(request: Request, target: Target) -> Self {
        Self {
            request,
            target,
            cut: false,
        }
    }

    /// The request that a redirect asks for.
    fn next(self, http_status: u16, target: Target) -> Result<Self, String> {
        let Self {
            mut request,
            target: from,
            cut,
        } = self;
        let reads = matches!(request.method, Method::GET | Method::HEAD);
        let leaves = from.url.origin() != target.url.origin();
        match http_status {
            _ if reads => {}
            303 => {
                request.method = Method::GET;
                request.body = Body::Empty;
                request.headers.remove(header::CONTENT_TYPE);
            }
            307 | 308 if !leaves => {}
            // Browsers would make it a GET and lose what it carries, or show it to a stranger.
            _ => return Err(format!("a {} to {}", request.method, plain(&target.url))),
        }
        if leaves {
            request.bearer = None;
            request.headers = HeaderMap::new();
        }
        Ok(Self { request, target, cut })
    }

    fn sender(&self, lane: &'static str) -> Sender<'_> {
        let request = &self.request;
        Sender {
            host: &self.target.host,
            login: request.bearer.as_ref().map(|bearer| bearer.login.as_str()),
            paging: request.paging,
            write: !matches!(request.method, Method::GET | Method::HEAD),
            lane,
        }
    }

    fn sending(&self, config: &Config) -> Sending<'_> {
        let Self { request, target, cut } = self;
        Sending {
            method: request.method.clone(),
            target: target.clone(),
            token: request.bearer.as_ref().map(|bearer| &bearer.token),
            accept: request.accept,
            headers: request.headers.clone(),
            body: request.body.clone(),
            max_body: request.max_body,
            cut: *cut,
            timeout: request.timeout.unwrap_or(config.timeout),
        }
    }
}

/// Where an answer sends us, if it does.
fn location(response: &Response) -> Option<Result<Url, ()>> {
    if !matches!(response.http_status, 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = response.headers.get(header::LOCATION)?;
    let url = std::str::from_utf8(location.as_bytes())
        .ok()
        .and_then(|text| response.url.join(text).ok());
    Some(url.ok_or(()))
}

/// Whether an answer says "too much". Lemmy says it with a 400.
fn is_refusal(response: &Response, sender: &Sender<'_>) -> bool {
    let lemmy = || {
        sender.login.is_none()
            && response.http_status == 400
            && response.body.len() < 1024
            && String::from_utf8_lossy(&response.body).contains("rate_limit_error")
    };
    response.http_status == 429 || lemmy()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_may_be_sent_from_any_task() {
        fn is_send<T: Send>(_: impl Fn(Net, Request) -> T) {}
        is_send(|net: Net, request| async move { net.send(request).await });
    }
}
