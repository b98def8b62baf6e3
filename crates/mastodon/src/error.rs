//! What a server's answer means for the caller.

use model::Host;

/// Why a call did not give what was asked. One variant per decision a caller can make.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The call needs a token and none was sent, or the server hides this from strangers (401 without a token).
    #[error("{host} asks for a token")]
    NoToken {
        /// Which server.
        host: Host,
    },
    /// The token is revoked, expired or unknown, or its owner is disabled.
    #[error("{host} refuses the token of {login}")]
    Revoked {
        /// Which server.
        host: Host,
        /// Which login.
        login: String,
    },
    /// The token lacks a scope.
    #[error("the token of {login} lacks the scope `{scope}`")]
    Scope {
        /// Which login.
        login: String,
        /// Scope that the call needs.
        scope: &'static str,
    },
    /// The role of the token's owner lacks a permission, or the object is not for them.
    #[error("{host} does not allow it: {what}")]
    Forbidden {
        /// Which server.
        host: Host,
        /// What was asked.
        what: String,
    },
    /// 404.
    #[error("{host} does not know {what}")]
    NotFound {
        /// Which server.
        host: Host,
        /// What was asked.
        what: String,
    },
    /// 410, or a tombstone.
    #[error("{what} is gone from {host}")]
    Gone {
        /// Which server.
        host: Host,
        /// What was asked.
        what: String,
    },
    /// 422 to a writing call: the server understood and does not take it. Nothing happened.
    #[error("{host} does not take what was sent to {what}")]
    Invalid {
        /// Which server.
        host: Host,
        /// What was asked.
        what: String,
    },
    /// 429 (or a server's own spelling of it) although the budget was kept, after retries.
    #[error("{host} asks to slow down")]
    RateLimited {
        /// Which server.
        host: Host,
    },
    /// 5xx after retries.
    #[error("{host} has trouble (HTTP {http_status})")]
    ServerDown {
        /// Which server.
        host: Host,
        /// The code.
        http_status: u16,
    },
    /// An answer that is not what this API speaks: HTML, truncated JSON, another status.
    #[error("{host} answered {what} with something that is not it: {reason}")]
    NotJson {
        /// Which server.
        host: Host,
        /// What was asked.
        what: String,
        /// What came.
        reason: String,
    },
    /// No answer at all.
    #[error(transparent)]
    Net(#[from] net::Error),
}

impl Error {
    /// Whether it says something about the host now, and nothing about what was asked.
    pub(crate) fn is_of_host(&self) -> bool {
        match self {
            // One address that leads astray or holds too much; the others may not.
            Self::Net(net::Error::Redirect { .. } | net::Error::TooLarge { .. }) => false,
            Self::Net(_) | Self::RateLimited { .. } | Self::ServerDown { .. } => true,
            _ => false,
        }
    }
}
