//! Streams: what arrives at home, as it arrives, through server-sent events.
//!
//! There is no replay. Whoever lost the connection reads the gap from the timeline.

use std::time::Duration;

use model::{Host, Status};
use net::{Bearer, Request, Response, Stream, Url, http::Method};
use serde_json::Value;

use crate::{Client, Error, answer, call::Call};

/// No event is longer: no status is.
const LONGEST: usize = 1 << 20;

/// Servers say something every 15 seconds, if only that they live.
const SILENCE: Duration = Duration::from_secs(60);

/// Something that happened.
#[derive(Debug)]
pub enum Event {
    /// A status entered the home timeline.
    Update(Box<Status>),
    /// Anything else.
    Other,
}

/// What a public stream tells of, as the server spells it.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    /// A status was posted or edited.
    Status(Value),
    /// Anything else.
    Other,
}

/// An open user stream. It closes when it is dropped.
#[derive(Debug)]
pub struct UserStream(Open);

/// An open public stream. It closes when it is dropped.
#[derive(Debug)]
pub struct PublicStream(Open);

#[derive(Debug)]
struct Open {
    stream: Stream,
    events: Events,
    host: Host,
}

impl Client {
    /// Opens `GET /api/v1/streaming/user`, at the host that the server names for its streams. Scope `read:statuses`.
    ///
    /// # Errors
    /// As any call; `NotFound` where there is no such stream.
    pub async fn user_stream(&self) -> Result<UserStream, Error> {
        self.stream(&["user"]).await.map(UserStream)
    }

    /// Opens `GET /api/v1/streaming/public`, or `…/public/remote` for what comes from other servers alone. Scope
    /// `read:statuses`.
    ///
    /// # Errors
    /// As any call; `NotFound` where there is no such stream.
    pub async fn public_stream(&self, remote: bool) -> Result<PublicStream, Error> {
        let path: &[&str] = if remote { &["public", "remote"] } else { &["public"] };
        self.stream(path).await.map(PublicStream)
    }

    async fn stream(&self, path: &[&str]) -> Result<Open, Error> {
        let base = self.streaming_base().await?;
        let call = Call::get(&[&["api", "v1", "streaming"], path].concat()).scope("read:statuses");
        let asked = self.asked(&call);
        let Some(url) = call.url(&base) else {
            return Err(asked.not_json("no address for streams"));
        };
        // The server itself sends us there; its people's browsers take their tokens along the same way.
        let bearer = Bearer {
            origin: base,
            ..self.bearer().clone()
        };
        let mut request = Request::server(Method::GET, url.clone(), Some(bearer));
        request.accept = "text/event-stream";
        let stream = self.net().open(request).await?;
        let head = Response {
            http_status: stream.http_status(),
            headers: stream.headers().clone(),
            url,
            body: Default::default(),
        };
        let head = answer::success(head, &asked)?;
        let kind = head.headers.get("content-type").and_then(|kind| kind.to_str().ok());
        if !kind.is_some_and(|kind| kind.starts_with("text/event-stream")) {
            return Err(asked.not_json("an answer that is no stream of events"));
        }
        Ok(Open {
            host: asked.host,
            stream,
            events: Events::default(),
        })
    }

    /// Where streams are: another host as a rule, and never less secure than the server.
    async fn streaming_base(&self) -> Result<Url, Error> {
        let call = Call::get(&["api", "v2", "instance"]).anonymous();
        let value = match self.value(&call).await {
            Ok((value, _)) => value,
            Err(Error::NotFound { .. } | Error::Forbidden { .. } | Error::NoToken { .. } | Error::NotJson { .. }) => {
                return Ok(self.base().clone());
            }
            Err(error) => return Err(error),
        };
        let told = value["configuration"]["urls"]["streaming"].as_str();
        Ok(told
            .and_then(|told| secure(told, self.base()))
            .unwrap_or_else(|| self.base().clone()))
    }
}

/// `wss://host` as `https://host`.
fn secure(told: &str, base: &Url) -> Option<Url> {
    let (scheme, rest) = told.split_once("://")?;
    let scheme = match scheme {
        "wss" | "https" => "https",
        "ws" | "http" => "http",
        _ => return None,
    };
    let mut url = Url::parse(&format!("{scheme}://{rest}")).ok()?;
    url.set_path("/");
    url.set_query(None);
    (url.scheme() == base.scheme() && url.username().is_empty() && url.password().is_none()).then_some(url)
}

impl UserStream {
    /// Waits for the next event.
    ///
    /// # Errors
    /// When the connection ends, breaks or falls silent: it has to be opened anew.
    pub async fn next(&mut self) -> Result<Event, Error> {
        let (name, data) = self.0.next().await?;
        if name != "update" {
            return Ok(Event::Other);
        }
        Ok(self
            .0
            .read(&data)
            .map_or(Event::Other, |status| Event::Update(Box::new(status))))
    }
}

impl PublicStream {
    /// Waits for the next event.
    ///
    /// # Errors
    /// When the connection ends, breaks or falls silent: it has to be opened anew.
    pub async fn next(&mut self) -> Result<Heard, Error> {
        let (name, data) = self.0.next().await?;
        if !matches!(name.as_str(), "update" | "status.update") {
            return Ok(Heard::Other);
        }
        Ok(self.0.read(&data).map_or(Heard::Other, Heard::Status))
    }
}

impl Open {
    async fn next(&mut self) -> Result<(String, String), Error> {
        loop {
            if let Some(event) = self.events.next() {
                return Ok(event);
            }
            let broken = |reason: &str| {
                Error::Net(net::Error::Unreachable {
                    host: self.host.clone(),
                    reason: reason.to_owned(),
                })
            };
            match self.stream.next(SILENCE).await? {
                Some(bytes) if self.events.feed(&bytes) => {}
                Some(_) => return Err(broken("its stream holds an event without end")),
                None => return Err(broken("its stream ended")),
            }
        }
    }

    fn read<T: serde::de::DeserializeOwned>(&self, data: &str) -> Option<T> {
        serde_json::from_str(data)
            .inspect_err(|error| tracing::debug!(host = %self.host, %error, "an event that cannot be read"))
            .ok()
    }
}

/// Server-sent events in whatever pieces they come: a character may be cut in two.
#[derive(Debug, Default)]
struct Events {
    bytes: Vec<u8>,
    name: String,
    data: String,
}

impl Events {
    /// False when there is more than any event could be.
    fn feed(&mut self, bytes: &[u8]) -> bool {
        self.bytes.extend_from_slice(bytes);
        self.bytes.len() + self.data.len() <= LONGEST
    }

    /// The next whole event: its name and its data.
    fn next(&mut self) -> Option<(String, String)> {
        let mut read = 0;
        let mut whole = None;
        while let Some(end) = self.bytes[read..].iter().position(|byte| *byte == b'\n') {
            let line = String::from_utf8_lossy(&self.bytes[read..read + end]).into_owned();
            read += end + 1;
            let line = line.strip_suffix('\r').unwrap_or(&line);
            if line.is_empty() {
                let (name, data) = (std::mem::take(&mut self.name), std::mem::take(&mut self.data));
                if !data.is_empty() {
                    whole = Some((name, data));
                    break;
                }
                continue;
            }
            // What begins with a colon is a heartbeat.
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "event" => value.clone_into(&mut self.name),
                "data" => {
                    if !self.data.is_empty() {
                        self.data.push('\n');
                    }
                    self.data.push_str(value);
                }
                _ => {}
            }
        }
        self.bytes.drain(..read);
        whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_whole_out_of_any_pieces() {
        let text = ":)\n:thump\n\nevent: update\ndata: {\"content\":\"grüße 🐘\"}\n\n:thump\nevent: delete\r\ndata: 12\r\n\r\ndata: a\ndata: b\n\nevent: filters_changed\n\n";
        for size in [1, 2, 3, 7, 1000] {
            let mut events = Events::default();
            let mut found = Vec::new();
            for piece in text.as_bytes().chunks(size) {
                assert!(events.feed(piece));
                found.extend(std::iter::from_fn(|| events.next()));
            }
            let expected = [("update", "{\"content\":\"grüße 🐘\"}"), ("delete", "12"), ("", "a\nb")];
            let expected: Vec<_> = expected
                .iter()
                .map(|(n, d)| ((*n).to_owned(), (*d).to_owned()))
                .collect();
            assert_eq!(found, expected, "{size}");
        }
    }

    #[test]
    fn an_event_without_end_is_not_kept() {
        let mut events = Events::default();
        assert!(!(0..300).all(|_| events.feed(&[b'x'; 8192]) && events.next().is_none()));
    }

    #[test]
    fn streams_are_no_less_secure_than_their_server() {
        let https = Url::parse("https://a.example").unwrap();
        let http = Url::parse("http://127.0.0.1:1").unwrap();
        assert_eq!(
            secure("wss://s.a.example/x", &https).unwrap().as_str(),
            "https://s.a.example/"
        );
        assert_eq!(
            secure("ws://127.0.0.1:2", &http).unwrap().as_str(),
            "http://127.0.0.1:2/"
        );
        for told in [
            "ws://s.a.example",
            "wss://u:p@s.a.example",
            "ftp://a.example",
            "",
            "nonsense",
        ] {
            assert_eq!(secure(told, &https), None, "{told}");
        }
    }
}
