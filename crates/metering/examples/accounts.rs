//! Measures measuring, for `cargo xtask bench`: prints JSON. A hundred thousand accounts on one server of ours, and ten
//! thousand on five hundred hosts of which some answer late, with errors, with pages, or not at all.

use std::{
    error::Error,
    io,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Json, Router,
    extract::{Request, State},
    http::StatusCode,
    response::{Html, IntoResponse as _, Response},
};
use chrono::{DateTime, TimeDelta};
use futures::future::BoxFuture;
use job::{JobContext, Ledger, Login, Progress};
use mastodon::Client;
use metering::Config;
use model::{Clock, FakeClock};
use net::{Lookup, Net};
use serde_json::{Value, json};
use store::{
    Db,
    metered_accounts::{self, Filter, New},
    metered_points,
};
use tokio_util::sync::CancellationToken;

/// Every name leads here.
struct Loopback;

impl Lookup for Loopback {
    fn lookup(&self, _name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        Box::pin(async { Ok(vec![IpAddr::from([127, 0, 0, 1])]) })
    }
}

/// What a server counts of the questions it gets; `faulty` ones stumble now and then.
#[derive(Debug, Default)]
struct Server {
    requests: AtomicU64,
    faulty: bool,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (one, one_took) = one_server(100_000).await?;
    let chaos = many_servers(500, 20).await?;
    let json = json!({
        "one_requests": one, "one_s": one_took.as_secs_f64(),
        "chaos_missing": chaos.missing, "chaos_doubled": chaos.doubled, "chaos_s": chaos.took.as_secs_f64(),
    });
    #[expect(clippy::print_stdout, reason = "this is what it is for")]
    {
        println!("{json}");
    }
    Ok(())
}

async fn one_server(accounts: usize) -> Result<(u64, Duration), Box<dyn Error>> {
    let server = Arc::new(Server::default());
    let port = serve(Arc::clone(&server)).await?;
    let folder = tempfile::tempdir()?;
    let db = open(&folder).await?;
    let clock = clock();
    let host = format!("127.0.0.1:{port}");
    for id in 0..accounts {
        add(&db, &clock, &host, id).await?;
    }
    let cx = cx(&db, &clock, Some(&host))?;
    let begun = Instant::now();
    run(&cx, "metering.accounts").await?;
    let took = begun.elapsed();
    let points = metered_points::rows(&db).await?;
    assert_eq!(usize::try_from(points)?, accounts, "every account has its point");
    Ok((server.requests.load(Ordering::Relaxed), took))
}

struct Chaos {
    missing: usize,
    doubled: usize,
    took: Duration,
}

/// A slot of a day with retries every five minutes, the clock set forward between them.
async fn many_servers(hosts: usize, each: usize) -> Result<Chaos, Box<dyn Error>> {
    let server = Arc::new(Server {
        faulty: true,
        ..Server::default()
    });
    let port = serve(Arc::clone(&server)).await?;
    let folder = tempfile::tempdir()?;
    let db = open(&folder).await?;
    let clock = clock();
    for n in 0..hosts {
        let host = format!("h{n}.test:{port}");
        for id in 0..each {
            add(&db, &clock, &host, id).await?;
        }
    }
    let cx = cx(&db, &clock, None)?;
    let begun = Instant::now();
    run(&cx, "metering.accounts").await?;
    for _ in 0..200 {
        clock.advance(TimeDelta::minutes(5));
        run(&cx, "metering.retries").await?;
    }
    let took = begun.elapsed();
    let (mut missing, mut doubled) = (0, 0);
    let mut filter = Filter::default();
    loop {
        let page = metered_accounts::list(&db, &filter, 1000).await?;
        let Some(last) = page.last() else { break };
        filter.after = last.id;
        for account in &page {
            let name = account.acct.split('@').next().unwrap_or_default();
            let gone = is_gone(&account.host, name);
            let points = metered_points::count(&db, account.id).await?;
            missing += usize::from(!gone && points == 0);
            doubled += usize::from(points > 1);
        }
    }
    Ok(Chaos { missing, doubled, took })
}

/// Two of the twenty of every fifth host.
fn is_gone(host: &str, name: &str) -> bool {
    matches!(name, "u7" | "u8") && host.split('.').next().is_some_and(|host| host.ends_with(['0', '5']))
}

fn clock() -> FakeClock {
    FakeClock::at(DateTime::from_timestamp(1_772_334_010, 0).unwrap_or_default())
}

async fn open(folder: &tempfile::TempDir) -> Result<Db, store::Error> {
    let db = Db::open(&store::Config {
        url: Some(format!("sqlite://{}", folder.path().join("bench.db").display())),
        ..store::Config::default()
    })
    .await?;
    store::migrate(&db).await?;
    Ok(db)
}

async fn add(db: &Db, clock: &FakeClock, host: &str, id: usize) -> Result<(), store::Error> {
    let new = New {
        uri: format!("http://{host}/users/u{id}"),
        url: String::new(),
        acct: format!("u{id}@{host}"),
        name: String::new(),
        host: host.to_owned(),
        remote_id: Some(id.to_string()),
        source: "import".to_owned(),
        groups: Vec::new(),
    };
    metered_accounts::add(db, &new, clock.now()).await.map(drop)
}

fn cx(db: &Db, clock: &FakeClock, own: Option<&str>) -> Result<JobContext, Box<dyn Error>> {
    let config = net::Config {
        allow: vec!["127.0.0.0/8".parse()?],
        attempts: 1,
        robots: false,
        timeout: Duration::from_millis(500),
        origin_per_minute: 1_000_000,
        token_per_five_minutes: 1_000_000,
        ..net::Config::default()
    };
    let clock: Arc<dyn Clock> = Arc::new(clock.clone());
    let stop = CancellationToken::new();
    let net = Net::with_lookup(&config, Arc::clone(&clock), Arc::new(Loopback))?.for_run("bench", stop.clone());
    let mut logins = Vec::new();
    if let Some(host) = own {
        let client = Client::new(
            net.clone(),
            format!("http://{host}/").parse()?,
            "bench/me",
            "token".to_owned().into(),
        );
        logins.push(Login {
            name: "bench/me".to_owned(),
            server: host.to_owned(),
            client,
        });
    }
    Ok(JobContext {
        run: "bench".to_owned(),
        login: None,
        logins,
        net,
        store: db.clone(),
        clock: Arc::clone(&clock),
        stop,
        progress: Progress::default(),
        effects: Ledger::new(db.clone(), clock).of("metering"),
    })
}

async fn run(cx: &JobContext, name: &str) -> Result<(), Box<dyn Error>> {
    let job = metering::jobs(&Config::default())
        .into_iter()
        .find(|job| job.name() == name);
    job.ok_or("no such job")?.run(cx).await?;
    Ok(())
}

async fn serve(server: Arc<Server>) -> io::Result<u16> {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    let port = listener.local_addr()?.port();
    let app = Router::new().fallback(answer).with_state(server);
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(port)
}

async fn answer(State(server): State<Arc<Server>>, request: Request) -> Response {
    let asked = server.requests.fetch_add(1, Ordering::Relaxed);
    let host = request
        .headers()
        .get("host")
        .and_then(|host| host.to_str().ok())
        .unwrap_or_default()
        .to_owned();
    if server.faulty {
        // Of a hundred questions ten are never answered, five with an error, one with a page.
        match (asked * 7919) % 100 {
            0..10 => std::future::pending().await,
            10..15 => return StatusCode::BAD_GATEWAY.into_response(),
            15 => return Html("<h1>Soon back</h1>").into_response(),
            _ => {}
        }
    }
    let path = request.uri().path();
    let account = |id: &str| {
        json!({"id": id, "username": format!("u{id}"), "uri": format!("http://{host}/users/u{id}"),
            "followers_count": 10, "following_count": 20, "statuses_count": 30})
    };
    match path {
        "/.well-known/nodeinfo" => Json(
            json!({"links": [{"rel": "http://nodeinfo.diaspora.software/ns/schema/2.0",
            "href": format!("http://{host}/nodeinfo/2.0")}]}),
        )
        .into_response(),
        "/nodeinfo/2.0" => Json(json!({"version": "2.0", "protocols": ["activitypub"], "metadata": {},
            "software": {"name": "mastodon", "version": "4.5.0"}}))
        .into_response(),
        "/api/v1/accounts" => {
            let query = request.uri().query().unwrap_or_default();
            let ids = query
                .split('&')
                .filter_map(|pair| pair.split_once('='))
                .map(|(_, id)| id);
            let found = ids.filter(|id| !(server.faulty && is_gone(&host, &format!("u{id}"))));
            Json(found.map(account).collect::<Value>()).into_response()
        }
        path => match path.strip_prefix("/api/v1/accounts/") {
            Some(id) if !is_gone(&host, &format!("u{id}")) => Json(account(id)).into_response(),
            _ => StatusCode::GONE.into_response(),
        },
    }
}
