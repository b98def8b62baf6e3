//! Servers that do as told and remember what they were asked.

use std::{
    io,
    net::{IpAddr, Ipv4Addr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Body, http, response::Response};
use futures::future::BoxFuture;
use model::SystemClock;
use net::{Config, Lookup, Net, Request, Url};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: http::Method,
    pub(crate) path: String,
    pub(crate) headers: http::HeaderMap,
}

pub(crate) struct Server {
    pub(crate) port: u16,
    pub(crate) log: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    /// Answers the n-th request (from 0) with `answer`.
    pub(crate) async fn start(answer: impl Fn(&Seen, usize) -> Response + Clone + Send + Sync + 'static) -> Self {
        let log: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let kept = log.clone();
        let app = Router::new().fallback(move |request: axum::extract::Request| async move {
            let seen = Seen {
                method: request.method().clone(),
                path: request.uri().to_string(),
                headers: request.headers().clone(),
            };
            let count = {
                let mut kept = kept.lock().unwrap();
                kept.push(seen.clone());
                kept.len() - 1
            };
            answer(&seen, count)
        });
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { port, log }
    }

    pub(crate) fn url(&self, path: &str) -> Url {
        format!("http://127.0.0.1:{}{path}", self.port).parse().unwrap()
    }

    pub(crate) fn named(&self, name: &str, path: &str) -> Url {
        format!("http://{name}:{}{path}", self.port).parse().unwrap()
    }

    pub(crate) fn paths(&self) -> Vec<String> {
        self.log.lock().unwrap().iter().map(|seen| seen.path.clone()).collect()
    }
}

/// Writes what it is told for the n-th connection and closes it. `None`: keeps it open and silent.
pub(crate) async fn raw(answer: impl Fn(usize) -> Option<Vec<u8>> + Send + 'static) -> (Url, Arc<AtomicUsize>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}/x", listener.local_addr().unwrap()).parse().unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    tokio::spawn(async move {
        let mut silent = Vec::new();
        while let Ok((mut socket, _)) = listener.accept().await {
            let n = counted.fetch_add(1, Ordering::SeqCst);
            let mut buffer = [0; 4096];
            let _ = socket.read(&mut buffer).await;
            match answer(n) {
                Some(bytes) => drop(socket.write_all(&bytes).await),
                None => silent.push(socket),
            }
        }
    });
    (url, count)
}

pub(crate) fn answer(status: u16, body: impl Into<Body>) -> Response {
    Response::builder().status(status).body(body.into()).unwrap()
}

pub(crate) fn with(status: u16, headers: &[(&str, &str)]) -> Response {
    headers
        .iter()
        .fold(Response::builder().status(status), |builder, (name, value)| {
            builder.header(*name, *value)
        })
        .body(Body::empty())
        .unwrap()
}

pub(crate) fn config() -> Config {
    Config {
        allow: vec!["127.0.0.0/8".parse().unwrap()],
        robots: false,
        origin_per_minute: 6000,
        timeout: Duration::from_secs(10),
        ..Config::default()
    }
}

pub(crate) fn pool(config: &Config) -> Net {
    Net::with_lookup(config, Arc::new(SystemClock), Arc::new(Home(Arc::default()))).unwrap()
}

pub(crate) fn get(url: Url) -> Request {
    Request::origin(url, "application/json")
}

/// Every name is at home, except those that begin with `inward`.
pub(crate) struct Home(pub(crate) Arc<AtomicUsize>);

impl Lookup for Home {
    fn lookup(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        self.0.fetch_add(1, Ordering::SeqCst);
        let ip: IpAddr = if name.starts_with("inward") {
            [10, 0, 0, 1].into()
        } else {
            [127, 0, 0, 1].into()
        };
        Box::pin(async move { Ok(vec![ip]) })
    }
}
