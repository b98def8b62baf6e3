//! How a server can misbehave.

use std::time::Duration;

/// One way to misbehave.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// 429, with the reset told in some style.
    RateLimited(RateLimitStyle),
    /// This status with an HTML body.
    Html(u16),
    /// This status with an empty body.
    Empty(u16),
    /// Answers after this long.
    Slow(Duration),
    /// Takes the request and never answers.
    Silent,
    /// Closes the connection without an answer.
    Close,
    /// Sends half of a body and closes.
    Truncated,
    /// Sends a body without end.
    Endless,
    /// Redirects to this address.
    Redirect(u16, String),
    /// Redirects in a loop.
    Loop,
    /// 200 with JSON that is not what was asked (`{}`).
    WrongJson,
    /// On search with resolve: 200 with three empty lists, the fetch having failed.
    ResolvesNothing,
}

/// How a 429 tells when to come back.
#[derive(Debug, Clone, PartialEq)]
pub enum RateLimitStyle {
    /// `X-RateLimit-Reset` in ISO 8601 with six digits, this far from now (may be negative).
    Iso(i64),
    /// `X-RateLimit-Reset` in epoch seconds.
    Epoch(i64),
    /// `X-RateLimit-Reset` in seconds from now.
    Delta(i64),
    /// Only `Retry-After`, in seconds.
    RetryAfter(i64),
    /// Nothing.
    Nothing,
}
