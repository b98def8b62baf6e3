//! An answer that goes on: a stream of events, read as it comes.

use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use tokio_util::sync::CancellationToken;

use crate::{Error, guard::Target, wire};

/// An open answer. The connection closes when it is dropped.
#[derive(Debug)]
pub struct Stream {
    answer: reqwest::Response,
    target: Target,
    stop: CancellationToken,
}

impl Stream {
    pub(crate) fn new(answer: reqwest::Response, target: Target, stop: CancellationToken) -> Self {
        Self { answer, target, stop }
    }

    /// HTTP status code.
    pub fn http_status(&self) -> u16 {
        self.answer.status().as_u16()
    }

    /// Headers.
    pub fn headers(&self) -> &HeaderMap {
        self.answer.headers()
    }

    /// The next bytes, in whatever pieces they come; `None` at the end.
    ///
    /// # Errors
    /// `Timeout` when nothing comes for so long, `Unreachable` when the connection breaks, `Stopped`.
    pub async fn next(&mut self, patience: Duration) -> Result<Option<Bytes>, Error> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => Err(Error::Stopped),
            next = tokio::time::timeout(patience, self.answer.chunk()) => match next {
                Ok(Ok(bytes)) => Ok(bytes),
                Ok(Err(error)) => Err(wire::trouble(error, &self.target)),
                Err(_) => Err(Error::Timeout { host: self.target.host.clone(), after: patience }),
            },
        }
    }
}
