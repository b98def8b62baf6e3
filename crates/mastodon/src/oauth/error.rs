//! What can go wrong on the way to a token.

use model::Host;

/// Why there is no token. One variant per decision a caller can make.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The code was used, is older than ten minutes, or was made for somebody else: ask the person again.
    #[error("{host} does not take the code")]
    Code {
        /// Which server.
        host: Host,
    },
    /// The server does not know this registration (any more): register again.
    #[error("{host} does not know this registration of Egret")]
    App {
        /// Which server.
        host: Host,
    },
    /// A scope that the server does not have, or that the registration did not name.
    #[error("{host} does not give the scopes {scopes:?}")]
    Scope {
        /// Which server.
        host: Host,
        /// What was asked for.
        scopes: String,
    },
    /// Anything else, as for every other call.
    #[error(transparent)]
    Server(#[from] crate::Error),
}

impl From<net::Error> for Error {
    fn from(error: net::Error) -> Self {
        Self::Server(error.into())
    }
}
