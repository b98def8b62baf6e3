//! The database goes away for a while, and comes back.

use std::{env, path::PathBuf, sync::Arc, time::Duration};

use axum::{body::Body, http::Request};
use job::Ledger;
use model::SystemClock;
use store::{Config, Db, testing::on_each_url};
use tokio::{
    io::{AsyncRead, AsyncWrite, copy_bidirectional},
    net::{TcpListener, TcpStream, UnixStream},
    task::{JoinHandle, JoinSet},
};
use web::tokens;

use crate::{
    house::House,
    webhooks::{BODY, SECRET, post, signed, wants},
};

/// Where the real database is.
#[derive(Clone)]
enum Far {
    Socket(PathBuf),
    Port(String, u16),
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

impl Far {
    fn of(url: &url::Url) -> Self {
        match url.query_pairs().find(|(name, _)| name == "host") {
            Some((_, folder)) => Self::Socket(PathBuf::from(&*folder).join(".s.PGSQL.5432")),
            None => Self::Port(url.host_str().unwrap().to_owned(), url.port().unwrap_or(5432)),
        }
    }

    async fn reach(&self) -> std::io::Result<Box<dyn Stream>> {
        Ok(match self {
            Self::Socket(path) => Box::new(UnixStream::connect(path).await?),
            Self::Port(host, port) => Box::new(TcpStream::connect((host.as_str(), *port)).await?),
        })
    }
}

/// Passes connections on for as long as it lives; they end with it, and its port refuses.
async fn pass_on(port: u16, far: Far) -> (u16, JoinHandle<()>) {
    let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let passing = tokio::spawn(async move {
        let mut all = JoinSet::new();
        while let Ok((mut near, _)) = listener.accept().await {
            let far = far.clone();
            all.spawn(async move {
                if let Ok(mut far) = far.reach().await {
                    let _ = copy_bidirectional(&mut near, &mut far).await;
                }
            });
        }
    });
    (port, passing)
}

/// Check 36: 503 with which dependency, `/livez` 200, webhooks answer 503 so that they are sent again; and all of it
/// recovers by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_comes_back_is_used_again_without_a_restart() {
    if env::var_os("TEST_DATABASE_URL").is_none() {
        eprintln!("skipped: no Postgres; a file does not go away");
    }
    on_each_url(async |url| {
        if url.starts_with("postgres") {
            outage(&url).await;
        }
    })
    .await;
}

async fn outage(url: &str) {
    let mut near: url::Url = url.parse().unwrap();
    let far = Far::of(&near);
    let (port, passing) = pass_on(0, far.clone()).await;
    let kept: Vec<(String, String)> = near
        .query_pairs()
        .into_owned()
        .filter(|(name, _)| name != "host")
        .collect();
    near.query_pairs_mut().clear().extend_pairs(kept);
    near.set_host(Some("127.0.0.1")).unwrap();
    near.set_port(Some(port)).unwrap();
    // `+` is a space to forms and none to Postgres.
    let near = near.as_str().replace('+', "%20");
    let config = Config {
        url: Some(near),
        ..Config::default()
    };
    let db = Db::open(&config).await.unwrap();
    store::migrate(&db).await.unwrap();
    let mut house = House::empty().await;
    house.state.ledger = Ledger::new(db.clone(), Arc::new(SystemClock));
    house.state.store = db.clone();
    wants(&house);
    let made = tokens::create(&db, "x", &["view".to_owned()], model::Clock::now(&SystemClock), None).await;
    let token = secrecy::ExposeSecret::expose_secret(&made.unwrap().token).to_owned();
    let api = async || {
        let request = Request::get("/api/v1/jobs").header("authorization", format!("Bearer {token}"));
        house.ask(request.body(Body::empty()).unwrap()).await.status().as_u16()
    };
    let push = async || {
        post(&house, "home.example:3000", Some(&signed(SECRET, BODY)), BODY)
            .await
            .as_u16()
    };
    assert_eq!((house.get("/readyz").await.0, api().await), (200, 200));

    passing.abort();
    let _ = passing.await;
    let (alive, ready, health, asked, pushed) = tokio::join!(
        house.get("/livez"),
        house.get("/readyz"),
        house.get("/healthz"),
        api(),
        push()
    );
    assert_eq!(alive.0, 200);
    assert_eq!(ready.0, 503);
    assert_eq!(health.0, 503);
    assert!(health.1.contains("\"store\":\"unreadable\"") && health.1.contains("\"panic_stop\":\"unreadable\""));
    assert_eq!((asked, pushed), (503, 503));

    let (_, passing) = pass_on(port, far).await;
    let mut tries = 0;
    while house.get("/readyz").await.0 != 200 {
        tries += 1;
        assert!(tries < 50, "it does not come back");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!((api().await, house.get("/").await.0), (200, 200));
    assert_eq!(push().await, 202, "sent again, and taken");
    assert!(house.get("/healthz").await.1.contains("\"status\":\"ok\""));
    db.close().await;
    passing.abort();
}
