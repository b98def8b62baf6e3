//! Why there is no answer.

use std::{path::PathBuf, time::Duration};

use model::Host;

/// Why there is no answer. One variant per decision a caller can make.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The guard refuses the address: private, plain http, a port or a scheme that is not the web's. Permanent.
    #[error("refused to ask {url}: {reason}")]
    Refused {
        /// Without query and user info.
        url: String,
        /// What was wrong.
        reason: String,
    },
    /// `[net] blocklist` holds the host. Permanent until the config changes.
    #[error("{0} is on the blocklist")]
    Blocked(Host),
    /// The host's robots.txt asks us to stay away.
    #[error("robots.txt of {0} forbids it")]
    Robots(Host),
    /// The host rests: it failed several times in a row or asked for quiet. Nothing was sent.
    #[error("{host} rests for another {wait:?}")]
    Resting {
        /// Which host.
        host: Host,
        /// How long still.
        wait: Duration,
    },
    /// No answer within the deadline.
    #[error("{host} did not answer within {after:?}")]
    Timeout {
        /// Which host.
        host: Host,
        /// The deadline.
        after: Duration,
    },
    /// Name, connection, TLS or protocol trouble, after the permitted retries.
    #[error("cannot reach {host}: {reason}")]
    Unreachable {
        /// Which host.
        host: Host,
        /// The whole chain of causes.
        reason: String,
    },
    /// The body is larger than the request allows.
    #[error("the answer of {host} is larger than {limit} bytes")]
    TooLarge {
        /// Which host.
        host: Host,
        /// The bound, in bytes.
        limit: usize,
    },
    /// Too many redirects, a loop, or one to somewhere the guard refuses.
    #[error("{host} redirects {reason}")]
    Redirect {
        /// Which host.
        host: Host,
        /// Where it went wrong.
        reason: String,
    },
    /// The run was told to stop while it waited for its turn.
    #[error("stopped while waiting")]
    Stopped,
    /// A key of `[net]` holds something unusable.
    #[error("[net] {key}: {reason}")]
    Config {
        /// The key.
        key: &'static str,
        /// What is wrong and what to do.
        reason: String,
    },
    /// A file named in `[net]` cannot be read.
    #[error("[net] {key}: cannot read {}", path.display())]
    File {
        /// The key.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}
