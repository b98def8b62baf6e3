//! Who asks: by a token, by a session, or nobody. Sessions begin, are looked at again, and end here.

use std::time::Duration;

use axum::{
    extract::{ConnectInfo, Request, State as Extract},
    http::{HeaderMap, HeaderValue, header},
    middleware::Next,
    response::Response,
};
use chrono::TimeDelta;
use store::sessions::{self, Session};
use tracing::{error, info, warn};

use crate::{
    State,
    cookies::Cookie,
    limits::Client,
    rights::{self, Grant, Right, Visitor, Why},
    seal::{Key, Purpose},
    signin::Person,
    tokens,
};

/// A session ends this long after it began, however busy.
pub(crate) const LIFE: TimeDelta = TimeDelta::days(7);

/// And this long after it was last used.
pub(crate) const IDLE: TimeDelta = TimeDelta::days(1);

/// How old an answer of the server about somebody's rights may be before it is asked again. Less than the five minutes
/// that are promised, so that what a request sees is younger than that.
const FRESH: TimeDelta = TimeDelta::minutes(4);

/// How long the last answer counts while the server gives none.
const GRACE: TimeDelta = TimeDelta::minutes(15);

/// A server that gave none is asked again after this.
const AGAIN: TimeDelta = TimeDelta::seconds(30);

/// How long a page waits for a server to say what its reader may see, and for the store to say who that is.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// That somebody is there is written down at most this often.
const SEEN: TimeDelta = TimeDelta::minutes(1);

/// Says who asks, to all that comes after.
pub(crate) async fn identify(Extract(state): Extract<State>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<std::net::SocketAddr>>();
    let client = Client::of(
        peer.map(|ConnectInfo(peer)| *peer),
        request.headers(),
        &state.sign_in.config().proxies,
    );
    let path = request.uri().path();
    // What everybody may have costs nobody a look into the store: these answer even when it does not.
    let for_all =
        matches!(path, "/livez" | "/readyz") || path.starts_with("/assets/") || path.starts_with("/webhooks/");
    let visitor = if for_all {
        Visitor::unknown(Why::Stranger)
    } else {
        recognise(&state, request.headers()).await
    };
    request.extensions_mut().insert(client);
    request.extensions_mut().insert(visitor);
    next.run(request).await
}

async fn recognise(state: &State, headers: &HeaderMap) -> Visitor {
    known_by(state, headers).await.among(state.sign_in.configured())
}

async fn known_by(state: &State, headers: &HeaderMap) -> Visitor {
    // Whoever shows a token wants to be known by it alone, good or not.
    if let Some(token) = bearer(headers) {
        return tokens::recognise(&state.store, &token, state.sign_in.clock().now()).await;
    }
    if state.sign_in.config().open_to_everybody {
        return Visitor::new("local", &Right::ALL);
    }
    let Some(key) = key(state, headers) else {
        return Visitor::unknown(Why::Stranger);
    };
    match look_up(state, &key).await {
        Ok(session) => {
            let grants = rights::from_words(&session.rights);
            match session.server {
                Some(_) => Visitor::with_account(session.name, grants, key.form_key()),
                None => Visitor::with_session(session.name, grants, key.form_key()),
            }
        }
        Err(why) => Visitor::unknown(why),
    }
}

fn bearer(headers: &HeaderMap) -> Option<net::Secret> {
    let text = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = text.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim().to_owned().into())
}

fn key(state: &State, headers: &HeaderMap) -> Option<Key> {
    Key::parse(Cookie::Session.read(headers, state.sign_in.is_secure())?)
}

/// The session that a cookie opens, with rights that are no older than promised.
async fn look_up(state: &State, key: &Key) -> Result<Session, Why> {
    let now = state.sign_in.clock().now();
    let session = load(state, key).await?;
    if session.expires_at <= now || session.seen_at + IDLE <= now {
        end(state, &session, key).await;
        return Err(Why::Stranger);
    }
    if now - session.seen_at >= SEEN
        && let Err(error) = sessions::mark_seen(&state.store, &session.id, now).await
    {
        warn!(%error, "cannot write down that somebody is there");
    }
    let Some(server) = session.server.clone() else {
        return Ok(session);
    };
    let session = if now < session.next_check_at {
        session
    } else {
        check_again(state, &server, key).await?
    };
    if now - session.checked_at > GRACE {
        return Err(Why::Silent(server));
    }
    Ok(session)
}

async fn load(state: &State, key: &Key) -> Result<Session, Why> {
    match tokio::time::timeout(PATIENCE, sessions::load(&state.store, &key.id())).await {
        Ok(Ok(session)) => session.ok_or(Why::Stranger),
        Ok(Err(error)) => {
            error!(%error, "cannot look up a session");
            Err(Why::StoreDown)
        }
        Err(_) => {
            error!("the database does not answer: cannot look up a session");
            Err(Why::StoreDown)
        }
    }
}

/// Asks the server what its person may now. Whoever lost something is signed out; a server that does not answer is
/// asked again soon.
async fn check_again(state: &State, server: &str, key: &Key) -> Result<Session, Why> {
    // One question for all that a page asks us at once.
    let _turn = state.sign_in.turn(&key.id()).await;
    let mut session = load(state, key).await?;
    let now = state.sign_in.clock().now();
    if now < session.next_check_at {
        return Ok(session);
    }
    let token = session
        .sealed
        .as_deref()
        .and_then(|sealed| key.open(Purpose::Token, sealed));
    let (Some(server), Some(token)) = (state.sign_in.server(server), token) else {
        // The server is not in the config any more, or a hand changed the row.
        end(state, &session, key).await;
        return Err(Why::Stranger);
    };
    let asked = state.sign_in.person(&state.store, &server, &session.name, token);
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(Ok(Person { grants, .. })) => {
            let lost = rights::from_words(&session.rights)
                .iter()
                .any(|old| !grants.iter().any(|new| new.includes(old)));
            if lost {
                info!(
                    name = session.name,
                    "{} may do less than before and is signed out", session.name
                );
                end(state, &session, key).await;
                return Err(Why::Stranger);
            }
            session.rights = rights::to_words(&grants);
            session.checked_at = now;
            let (id, words) = (&session.id, &session.rights);
            if let Err(error) = sessions::mark_checked(&state.store, id, words, now, now + FRESH).await {
                warn!(%error, "cannot write down what somebody may");
            }
            Ok(session)
        }
        Ok(Err(refused)) if refused.is_final() => {
            info!(
                name = session.name,
                "{}'s server no longer vouches for them: signed out", session.name
            );
            end(state, &session, key).await;
            Err(Why::Stranger)
        }
        unanswered => {
            let reason = unanswered.map_or_else(
                |_| "no answer in time".to_owned(),
                |answer| answer.err().map_or_else(String::new, |error| error.to_string()),
            );
            warn!(
                server = server.host,
                reason, "cannot ask {} what {} may", server.host, session.name
            );
            if let Err(error) = sessions::mark_unchecked(&state.store, &session.id, now + AGAIN).await {
                warn!(%error, "cannot write down when to ask again");
            }
            Ok(session)
        }
    }
}

/// Begins a session and ends the one that this browser had: whoever planted that has nothing of this one. Gives the
/// cookie.
pub(crate) async fn begin(
    state: &State,
    headers: &HeaderMap,
    name: &str,
    server: Option<&str>,
    grants: &[Grant],
    token: Option<&net::Secret>,
) -> Result<Option<HeaderValue>, store::Error> {
    use secrecy::ExposeSecret as _;
    let now = state.sign_in.clock().now();
    let new = Key::random();
    let session = Session {
        id: new.id(),
        name: name.to_owned(),
        server: server.map(str::to_owned),
        rights: rights::to_words(grants),
        sealed: token.and_then(|token| new.seal(Purpose::Token, token.expose_secret())),
        created_at: now,
        seen_at: now,
        checked_at: now,
        next_check_at: now + FRESH,
        expires_at: now + LIFE,
    };
    sessions::insert(&state.store, &session).await?;
    if let Some(old) = key(state, headers) {
        end_by(state, &old).await;
    }
    Ok(Cookie::Session.set(&new.text(), LIFE.num_seconds(), state.sign_in.is_secure()))
}

/// Ends the session of this browser, if it has one.
pub(crate) async fn end_of_browser(state: &State, headers: &HeaderMap) {
    if let Some(key) = key(state, headers) {
        end_by(state, &key).await;
    }
}

async fn end_by(state: &State, key: &Key) {
    if let Ok(session) = load(state, key).await {
        end(state, &session, key).await;
    }
}

/// Ends a session here, and with the last one of a person their token at the server: the server gives the same token
/// to all of a person's sign-ins, so an earlier end would end the others too.
async fn end(state: &State, session: &Session, key: &Key) {
    let now = state.sign_in.clock().now();
    let others = match sessions::delete(&state.store, session, now).await {
        Ok(others) => others,
        Err(error) => {
            error!(%error, "cannot end a session");
            return;
        }
    };
    let token = session
        .sealed
        .as_deref()
        .and_then(|sealed| key.open(Purpose::Token, sealed));
    if let (Some(server), Some(token), 0) = (&session.server, token, others) {
        let revoked = state.sign_in.revoke(&state.store, server, &token);
        if !matches!(tokio::time::timeout(PATIENCE, revoked).await, Ok(true)) {
            warn!(
                server,
                "{server} did not say that it revoked the token of {}", session.name
            );
        }
    }
}

/// Forgets sessions and sign-ins that nobody can use any more; the daemon calls it now and then.
///
/// # Errors
/// When the store fails.
pub async fn tidy(store: &store::Db, clock: &dyn model::Clock) -> Result<(), store::Error> {
    let now = clock.now();
    sessions::delete_ended(store, now, now - IDLE).await?;
    store::sign_ins::delete_expired(store, now).await
}
