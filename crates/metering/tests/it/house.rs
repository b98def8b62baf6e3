//! A database, and servers with accounts whose counts a test sets: one listener, told apart by the name it is asked by.

use std::{
    collections::BTreeMap,
    io,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use axum::{
    Json, Router,
    extract::{Request, State},
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};
use chrono::{DateTime, TimeDelta, Utc};
use futures::future::BoxFuture;
use job::{JobContext, JobError, Ledger, Login, Progress, Summary};
use mastodon::Client;
use metering::{Config, Refusal, Tracked};
use model::{Clock, FakeClock};
use net::{Lookup, Net};
use serde_json::{Value, json};
use store::{Db, metered_accounts::Metered, metered_points::Point};
use tokio_util::sync::CancellationToken;

/// How a host misbehaves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Fault {
    Status(u16),
    Html,
    Silent,
}

/// A host.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    pub(crate) software: &'static str,
    pub(crate) version: &'static str,
    pub(crate) batches: bool,
    pub(crate) fault: Option<Fault>,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            software: "mastodon",
            version: "4.5.0",
            batches: true,
            fault: None,
        }
    }
}

#[derive(Debug, Default)]
struct World {
    servers: BTreeMap<String, Server>,
    /// By host and id: the answer, or the status of a refusal.
    accounts: BTreeMap<(String, String), Result<Value, u16>>,
    /// What is answered elsewhere: by host and path.
    answers: BTreeMap<(String, String), Value>,
    log: Vec<(String, String, String)>,
    port: u16,
}

type Shared = Arc<Mutex<World>>;

struct Loopback;

impl Lookup for Loopback {
    fn lookup(&self, _name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        Box::pin(async { Ok(vec![IpAddr::from([127, 0, 0, 1])]) })
    }
}

pub(crate) struct House {
    world: Shared,
    pub(crate) store: Db,
    pub(crate) clock: FakeClock,
    pub(crate) config: Config,
    pub(crate) stop: CancellationToken,
    /// The host that we hold a token for.
    pub(crate) own: Option<usize>,
    net: Net,
    _folder: tempfile::TempDir,
    serving: tokio::task::JoinHandle<()>,
}

impl Drop for House {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

impl House {
    /// Nobody lives here yet; it is ten seconds past three.
    pub(crate) async fn build() -> Self {
        let world = Shared::default();
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        world.lock().unwrap().port = listener.local_addr().unwrap().port();
        let app = Router::new().fallback(answer).with_state(Arc::clone(&world));
        let serving = tokio::spawn(async move {
            let _ = axum::serve(listener, app).await;
        });
        let (store, folder) = store::testing::sqlite().await;
        let config = net::Config {
            allow: vec!["127.0.0.0/8".parse().unwrap()],
            attempts: 1,
            robots: false,
            origin_per_minute: 1_000_000,
            timeout: Duration::from_millis(400),
            ..net::Config::default()
        };
        let clock = FakeClock::at(at("2026-03-01T03:00:10Z"));
        Self {
            net: Net::with_lookup(&config, Arc::new(clock.clone()), Arc::new(Loopback)).unwrap(),
            world,
            store,
            clock,
            config: Config::default(),
            stop: CancellationToken::new(),
            own: None,
            _folder: folder,
            serving,
        }
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    /// `h3.test:4711`.
    pub(crate) fn host(&self, n: usize) -> String {
        format!("h{n}.test:{}", self.world().port)
    }

    pub(crate) fn server(&self, n: usize, server: Server) {
        let host = self.host(n);
        self.world().servers.insert(host, server);
    }

    pub(crate) fn fault(&self, n: usize, fault: Option<Fault>) {
        let host = self.host(n);
        self.world().servers.entry(host).or_default().fault = fault;
    }

    /// Sets what a host tells of an account; makes both.
    pub(crate) fn person(&self, n: usize, id: usize, change: impl FnOnce(&mut Value)) {
        let host = self.host(n);
        let mut world = self.world();
        world.servers.entry(host.clone()).or_default();
        let account = world.accounts.entry((host.clone(), id.to_string())).or_insert_with(|| {
            Ok(json!({
                "id": id.to_string(), "username": format!("u{id}"), "acct": format!("u{id}"),
                "display_name": format!("U {id}"), "uri": format!("http://{host}/users/u{id}"),
                "url": format!("http://{host}/@u{id}"), "followers_count": 100 + id, "following_count": 10,
                "statuses_count": 1000, "last_status_at": "2026-02-28",
            }))
        });
        if let Ok(account) = account {
            change(account);
        }
    }

    /// A host answers for an account with this status.
    pub(crate) fn refuse(&self, n: usize, id: usize, http_status: u16) {
        let host = self.host(n);
        self.world().accounts.insert((host, id.to_string()), Err(http_status));
    }

    /// What a host answers at a path.
    pub(crate) fn answer(&self, n: usize, path: &str, answer: Value) {
        let host = self.host(n);
        self.world().servers.entry(host.clone()).or_default();
        self.world().answers.insert((host, path.to_owned()), answer);
    }

    /// An account that was refused is there again.
    pub(crate) fn forget_refusal(&self, n: usize, id: usize) {
        let host = self.host(n);
        self.world().accounts.remove(&(host, id.to_string()));
        self.person(n, id, |_| {});
    }

    /// Requests to a host since the log was cleared: method, path and query.
    pub(crate) fn asked(&self, n: usize) -> Vec<String> {
        let host = self.host(n);
        let world = self.world();
        let asked = world.log.iter().filter(|(to, ..)| *to == host);
        asked.map(|(_, _, path)| path.clone()).collect()
    }

    pub(crate) fn methods(&self) -> Vec<String> {
        self.world().log.iter().map(|(_, method, _)| method.clone()).collect()
    }

    pub(crate) fn clear(&self) {
        self.world().log.clear();
    }

    pub(crate) fn cx(&self) -> JobContext {
        let clock: Arc<dyn Clock> = Arc::new(self.clock.clone());
        let net = self.net.for_run("test", self.stop.clone());
        let login = self.own.map(|n| {
            let host = self.host(n);
            let base = format!("http://{host}/").parse().unwrap();
            Login {
                name: format!("{host}/me"),
                client: Client::new(net.clone(), base, format!("{host}/me"), "token".to_owned().into()),
                server: host,
            }
        });
        JobContext {
            run: "run".into(),
            login: login.clone(),
            logins: login.into_iter().collect(),
            net,
            store: self.store.clone(),
            clock: Arc::clone(&clock),
            stop: self.stop.clone(),
            progress: Progress::default(),
            effects: Ledger::new(self.store.clone(), clock).of("metering"),
        }
    }

    pub(crate) async fn try_run(&self, name: &str) -> Result<Summary, JobError> {
        let jobs = metering::jobs(&self.config);
        let job = jobs.into_iter().find(|job| job.name() == name).unwrap();
        job.run(&self.cx()).await
    }

    pub(crate) async fn run(&self, name: &str) -> Summary {
        self.try_run(name).await.unwrap()
    }

    pub(crate) async fn measure(&self) -> Summary {
        self.run("metering.accounts").await
    }

    pub(crate) fn later(&self, hours: i64) {
        self.clock.advance(TimeDelta::hours(hours));
    }

    pub(crate) async fn try_add(&self, address: &str) -> Result<Tracked, Refusal> {
        metering::add(&self.cx(), &self.config, address, &[], "hand")
            .await
            .unwrap()
    }

    /// Adds accounts of a host without asking it, as an import of known ones would: 1 to `count`.
    pub(crate) async fn track(&self, n: usize, count: usize) -> Vec<i64> {
        let host = self.host(n);
        let mut ids = Vec::new();
        for id in 1..=count {
            self.person(n, id, |_| {});
            let new = store::metered_accounts::New {
                uri: format!("http://{host}/users/u{id}"),
                url: format!("http://{host}/@u{id}"),
                acct: format!("u{id}@{host}"),
                name: format!("U {id}"),
                host: host.clone(),
                remote_id: Some(id.to_string()),
                source: "import".into(),
                groups: Vec::new(),
            };
            let (id, _) = store::metered_accounts::add(&self.store, &new, self.clock.now())
                .await
                .unwrap()
                .unwrap();
            ids.push(id);
        }
        ids
    }

    pub(crate) async fn account(&self, id: i64) -> Metered {
        store::metered_accounts::load(&self.store, id).await.unwrap().unwrap()
    }

    pub(crate) async fn points(&self, id: i64) -> Vec<Point> {
        store::metered_points::range(&self.store, id, 0, i64::MAX, 10_000)
            .await
            .unwrap()
    }

    pub(crate) async fn events(&self, id: i64) -> Vec<String> {
        let far = at("2100-01-01T00:00:00Z");
        let events = store::metered_events::range(&self.store, id, DateTime::UNIX_EPOCH, far, 1000)
            .await
            .unwrap();
        events.into_iter().map(|event| event.kind).collect()
    }
}

async fn answer(State(world): State<Shared>, request: Request) -> Response {
    let host = request.headers()["host"].to_str().unwrap().to_owned();
    let method = request.method().to_string();
    let target = request.uri().path_and_query().unwrap().to_string();
    let path = request.uri().path().to_owned();
    let query: Vec<(String, String)> = url_pairs(request.uri().query().unwrap_or_default());
    let server = {
        let mut world = world.lock().unwrap();
        world.log.push((host.clone(), method, target));
        world.servers.get(&host).cloned()
    };
    let Some(server) = server else {
        return StatusCode::NOT_FOUND.into_response();
    };
    match server.fault {
        Some(Fault::Status(code)) => return (StatusCode::from_u16(code).unwrap(), "trouble").into_response(),
        Some(Fault::Html) => return Html("<h1>Soon back</h1>").into_response(),
        Some(Fault::Silent) => std::future::pending().await,
        None => {}
    }
    let param = |name: &str| {
        query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.clone())
    };
    let world = world.lock().unwrap();
    if let Some(answer) = world.answers.get(&(host.clone(), path.clone())) {
        return Json(answer.clone()).into_response();
    }
    let by_name = |name: &str| {
        let id = name.trim_start_matches('u').to_owned();
        world.accounts.get(&(host.clone(), id)).cloned()
    };
    let told = |account: Option<Result<Value, u16>>| match account {
        Some(Ok(account)) => Json(account).into_response(),
        Some(Err(code)) => StatusCode::from_u16(code).unwrap().into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    };
    let segments: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    match segments.as_slice() {
        [".well-known", "nodeinfo"] => Json(json!({"links": [{
            "rel": "http://nodeinfo.diaspora.software/ns/schema/2.0", "href": format!("http://{host}/nodeinfo/2.0")}]}))
        .into_response(),
        ["nodeinfo", "2.0"] => Json(json!({"version": "2.0", "protocols": ["activitypub"], "metadata": {},
            "software": {"name": server.software, "version": server.version}}))
        .into_response(),
        [".well-known", "webfinger"] => {
            let resource = param("resource").unwrap_or_default();
            let name = resource
                .trim_start_matches("acct:")
                .split('@')
                .next()
                .unwrap_or_default()
                .to_lowercase();
            match by_name(&name) {
                Some(_) => Json(json!({"subject": format!("acct:{name}@{host}"), "links": [
                    {"rel": "self", "type": "application/activity+json", "href": format!("http://{host}/users/{name}")}]}))
                .into_response(),
                None => StatusCode::NOT_FOUND.into_response(),
            }
        }
        ["api", "v1", "accounts"] if server.batches => {
            let ids: Vec<&String> = query
                .iter()
                .filter(|(key, _)| key == "id[]")
                .map(|(_, id)| id)
                .collect();
            if ids.len() > 40 {
                return StatusCode::UNPROCESSABLE_ENTITY.into_response();
            }
            let found = ids
                .into_iter()
                .filter_map(|id| world.accounts.get(&(host.clone(), id.clone()))?.clone().ok());
            Json(found.collect::<Vec<_>>()).into_response()
        }
        ["api", "v1", "accounts", "lookup"] => told(by_name(&param("acct").unwrap_or_default())),
        ["api", "v1", "accounts", id] => told(world.accounts.get(&(host.clone(), (*id).to_owned())).cloned()),
        ["users", name] => match by_name(name) {
            Some(Ok(account)) => Json(json!({
                "id": account["uri"], "type": "Person", "preferredUsername": account["username"],
                "name": account["display_name"], "url": account["url"], "inbox": format!("http://{host}/inbox"),
                "followers": format!("http://{host}/users/{name}/followers"),
                "following": format!("http://{host}/users/{name}/following"),
                "outbox": format!("http://{host}/users/{name}/outbox"),
            }))
            .into_response(),
            other => told(other),
        },
        ["users", name, collection] => match by_name(name) {
            Some(Ok(account)) => {
                let key = match *collection {
                    "followers" => "followers_count",
                    "following" => "following_count",
                    _ => "statuses_count",
                };
                Json(json!({"id": format!("http://{host}{path}"), "type": "OrderedCollection", "totalItems": account[key]}))
                    .into_response()
            }
            other => told(other),
        },
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

fn url_pairs(query: &str) -> Vec<(String, String)> {
    let url: net::Url = format!("http://x/?{query}").parse().unwrap();
    url.query_pairs()
        .map(|(key, value)| (key.into_owned(), value.into_owned()))
        .collect()
}
