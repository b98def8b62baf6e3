//! A listener per server, and what happens to each request before a handler sees it: the log, faults, limits.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::connect_info::{ConnectInfo, Connected};
use axum::extract::{Request, State as Shared};
use axum::response::Response;
use axum::serve::{IncomingStream, Listener};
use bytes::Bytes;
use futures::{StreamExt, stream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use crate::faults::Fault;
use crate::request::{Call, Reply, json_pairs, pairs};
use crate::request_log::Logged;
use crate::state::State;
use crate::world::{HOME, Kind, ServerIx};
use crate::{control, mastodon, neighbours, signatures};

/// Serves one server until the fediverse stops.
pub(crate) fn serve(state: Arc<State>, server: ServerIx, listener: TcpListener) {
    let stop = state.stop.clone();
    let app = Router::new().fallback(answer).with_state((Arc::clone(&state), server));
    let listener = Door {
        listener,
        stop: stop.clone(),
    };
    tokio::spawn(async move {
        let serving = axum::serve(listener, app.into_make_service_with_connect_info::<Line>());
        tokio::select! {
            _ = serving => {}
            () = stop.cancelled() => {}
        }
    });
}

async fn answer(
    Shared((state, server)): Shared<(Arc<State>, ServerIx)>,
    ConnectInfo(line): ConnectInfo<Line>,
    request: Request,
) -> Response {
    let Some((mut call, asked_path)) = read(server, request).await else {
        return respond(Reply::empty(400));
    };
    if call.path.starts_with("/__fake") {
        return respond(control::answer(&state, &call));
    }
    let entry = write_down(&state, &call, asked_path);
    if server != HOME && !state.scenario.latency.is_zero() {
        tokio::time::sleep(state.scenario.latency).await;
    }
    let fault = state.faults().strike(&call);
    let stream = mastodon::streaming::Kind::of(&call.path).filter(|_| fault.is_none() && server == HOME);
    if let Some(kind) = stream {
        return match mastodon::streaming::open(&state, &call, kind) {
            Ok(stream) => stream,
            Err(refusal) => {
                entry.answered(&state, refusal.http_status);
                respond(refusal)
            }
        };
    }
    call.signer = signatures::signer(&state, &call).await;
    let mut broken = None;
    let reply = match fault {
        None => handle(&state, &call).await,
        Some(Fault::RateLimited(style)) => style.reply(),
        Some(Fault::Html(status)) => {
            Reply::html("<h1>We're sorry, but something went wrong on our end.</h1>").status(status)
        }
        Some(Fault::Empty(status)) => Reply::empty(status),
        Some(Fault::Slow(time)) => {
            tokio::time::sleep(time).await;
            handle(&state, &call).await
        }
        Some(Fault::Silent) => std::future::pending().await,
        Some(Fault::Close) => {
            line.cut();
            return respond(Reply::empty(500));
        }
        Some(Fault::Truncated) => {
            broken = Some(Fault::Truncated);
            handle(&state, &call).await
        }
        Some(Fault::Endless) => {
            broken = Some(Fault::Endless);
            Reply::typed("application/json; charset=utf-8", String::new())
        }
        Some(Fault::Redirect(status, to)) => Reply::empty(status).header("location", to),
        Some(Fault::Loop) => Reply::redirect(next_lap(&call)),
        Some(Fault::WrongJson) => Reply::json(&serde_json::json!({})),
        Some(Fault::ResolvesNothing) => mastodon::search::nothing(),
    };
    entry.answered(&state, reply.http_status);
    match broken {
        None => respond(reply),
        Some(Fault::Truncated) => half(reply),
        Some(_) => endless(),
    }
}

async fn handle(state: &Arc<State>, call: &Call) -> Reply {
    let standing = {
        let user = mastodon::auth::user_of(state, call);
        let counts = state.scenario.rate_limits && call.method != http::Method::OPTIONS;
        counts.then(|| state.limits().count(call, user)).flatten()
    };
    let kind = state.world().servers[call.server].kind;
    // These two keep none, or tell nothing of it.
    let silent = matches!(kind, Kind::Akkoma | Kind::Mitra | Kind::Other);
    let standing = standing.filter(|_| !silent);
    if let Some(standing) = standing.filter(|standing| standing.refused) {
        let text = match kind {
            Kind::GoToSocial => "rate limit reached",
            _ => "Too many requests",
        };
        return standing.onto(kind, Reply::error(429, text));
    }
    let reply = if call.server == HOME {
        mastodon::answer(state, call).await
    } else {
        neighbours::answer(state, call)
    };
    match standing {
        Some(standing) if call.path.starts_with("/api") => standing.onto(kind, reply),
        _ => reply,
    }
}

/// A redirect loop that changes its address each time, as loops through a parameter do.
fn next_lap(call: &Call) -> String {
    let lap: u32 = call.param("lap").and_then(|lap| lap.parse().ok()).unwrap_or(0);
    format!("{}?lap={}", call.path, (lap + 1) % 7)
}

async fn read(server: ServerIx, request: Request) -> Option<(Call, String)> {
    let (head, body) = request.into_parts();
    let asked_path = head.uri.path().to_owned();
    let target = head
        .uri
        .path_and_query()
        .map_or_else(|| asked_path.clone(), ToString::to_string);
    let mut params = pairs(head.uri.query().unwrap_or_default());
    let body = to_bytes(body, 1 << 20).await.ok()?;
    let content_type = head
        .headers
        .get("content-type")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if content_type.starts_with("application/json") {
        params.extend(json_pairs(&serde_json::from_slice(&body).unwrap_or_default()));
    } else if content_type.starts_with("application/x-www-form-urlencoded") {
        params.extend(pairs(&String::from_utf8_lossy(&body)));
    }
    let bearer = head
        .headers
        .get("authorization")
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "))
        .map(str::to_owned);
    let call = Call {
        server,
        method: head.method,
        path: asked_path.trim_end_matches('/').to_owned(),
        params,
        headers: head.headers,
        bearer,
        target,
        body,
        signer: None,
    };
    Some((call, asked_path))
}

/// Where in the log a request stands, until it is answered.
struct Entry(usize, Instant);

fn write_down(state: &State, call: &Call, path: String) -> Entry {
    let at = Instant::now();
    let mut log = state.log();
    log.push(Logged {
        origin: call.server.checked_sub(1),
        method: call.method.to_string(),
        path,
        query: call.params.clone(),
        bearer: call.bearer.clone(),
        user_agent: call.header("user-agent").map(str::to_owned),
        at,
        http_status: 0,
    });
    Entry(log.len() - 1, at)
}

impl Entry {
    fn answered(&self, state: &State, http_status: u16) {
        // The log may have been cleared meanwhile, so the place alone proves nothing.
        if let Some(logged) = state.log().get_mut(self.0).filter(|logged| logged.at == self.1) {
            logged.http_status = http_status;
        }
    }
}

fn respond(reply: Reply) -> Response {
    let mut response = Response::builder().status(reply.http_status);
    for (name, value) in reply.headers {
        response = response.header(name, value);
    }
    response
        .body(Body::from(reply.body))
        .unwrap_or_else(|_| Response::new(Body::empty()))
}

fn half(reply: Reply) -> Response {
    let whole = reply.body.len().max(2);
    let body = Bytes::from(reply.body);
    let first = body.slice(..body.len() / 2);
    let chunks = stream::iter([Ok(first)]).chain(stream::once(async {
        // The first half must be on its way before the line breaks.
        tokio::time::sleep(Duration::from_millis(5)).await;
        Err(io::Error::from(io::ErrorKind::ConnectionReset))
    }));
    let mut response = Response::builder()
        .status(reply.http_status)
        .header("content-length", whole);
    for (name, value) in reply.headers {
        response = response.header(name, value);
    }
    response
        .body(Body::from_stream(chunks))
        .unwrap_or_else(|_| Response::new(Body::empty()))
}

fn endless() -> Response {
    let chunk = Bytes::from("{\"id\":\"1\",\"content\":\"and so on\"},".repeat(500));
    let chunks = stream::once(async { Bytes::from_static(b"[") })
        .chain(stream::repeat(chunk))
        .map(Ok::<_, Infallible>);
    let mut response = Response::new(Body::from_stream(chunks));
    response.headers_mut().insert(
        "content-type",
        http::HeaderValue::from_static("application/json; charset=utf-8"),
    );
    response
}

/// Accepts connections that can be cut, singly or all at once.
struct Door {
    listener: TcpListener,
    stop: CancellationToken,
}

impl Listener for Door {
    type Io = Connection;
    type Addr = Line;

    async fn accept(&mut self) -> (Connection, Line) {
        let (stream, _) = Listener::accept(&mut self.listener).await;
        // Small answers should not wait for a full packet.
        let _ = stream.set_nodelay(true);
        let line = Line::default();
        let connection = Connection {
            stream,
            line: line.clone(),
            stopped: Box::pin(self.stop.clone().cancelled_owned()),
        };
        (connection, line)
    }

    fn local_addr(&self) -> io::Result<Line> {
        Ok(Line::default())
    }
}

/// A connection's own switch.
#[derive(Debug, Clone, Default)]
struct Line(Arc<AtomicBool>);

impl Line {
    fn cut(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn broken(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Connected<IncomingStream<'_, Door>> for Line {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Self {
        stream.remote_addr().clone()
    }
}

struct Connection {
    stream: TcpStream,
    line: Line,
    stopped: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.stopped.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        if self.line.broken() || self.stopped.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        Pin::new(&mut self.stream).poll_write(cx, buffer)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
