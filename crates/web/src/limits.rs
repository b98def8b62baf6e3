//! Where a request comes from, and how often somebody may try to sign in from there.

use std::{
    convert::Infallible,
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    num::NonZeroU32,
    time::Duration,
};

use axum::{
    extract::{FromRequestParts, Request, State as Extract},
    http::{HeaderMap, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use ipnet::IpNet;

use crate::{State, guard, problem::Problem};

/// Tries at once.
const BURST: NonZeroU32 = NonZeroU32::new(20).unwrap();

/// And then one in this time.
const EVERY: Duration = Duration::from_secs(6);

/// From this many addresses on, those whose tries are all theirs again are forgotten.
const MANY: usize = 4096;

/// More than this many within a few minutes are an attack: nobody new may try until it ebbs.
const TOO_MANY: usize = 65_536;

/// Where a request comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Client {
    /// The browser's address, as far as the proxies that we trust tell.
    pub(crate) address: IpAddr,
    /// From this machine, and through nobody else.
    pub(crate) is_local: bool,
}

/// Nobody's address: less than loopback may.
const UNKNOWN: Client = Client {
    address: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
    is_local: false,
};

impl Client {
    /// `X-Forwarded-For` is read from its end, and only as far as each address that added to it is one of `proxies`.
    pub(crate) fn of(peer: Option<SocketAddr>, headers: &HeaderMap, proxies: &[IpNet]) -> Self {
        let Some(peer) = peer.map(|peer| peer.ip().to_canonical()) else {
            return UNKNOWN;
        };
        let trusted = |address: &IpAddr| proxies.iter().any(|net| net.contains(address));
        let forwarded: Vec<&str> = headers
            .get_all("x-forwarded-for")
            .iter()
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(','))
            .map(str::trim)
            .collect();
        let mut address = peer;
        for hop in forwarded.iter().rev() {
            match parse(hop) {
                Some(before) if trusted(&address) => address = before,
                _ => break,
            }
        }
        let passed_on = ["x-forwarded-for", "x-forwarded-host", "x-real-ip", "forwarded", "via"];
        Self {
            address,
            is_local: peer.is_loopback()
                && guard::is_called_local(headers)
                && !passed_on.iter().any(|name| headers.contains_key(*name)),
        }
    }

    /// One household or machine: an IPv6 address is one of 2^64 that its owner can take.
    pub(crate) fn key(self) -> IpAddr {
        match self.address {
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
            address => address,
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        Ok(parts.extensions.get::<Self>().copied().unwrap_or(UNKNOWN))
    }
}

/// An address as proxies write it: `192.0.2.1`, `192.0.2.1:443`, `[2001:db8::1]:443`, `2001:db8::1`.
fn parse(text: &str) -> Option<IpAddr> {
    let address = text
        .parse()
        .or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()))
        .or_else(|_| text.trim_matches(['[', ']']).parse());
    address.ok().map(|address: IpAddr| address.to_canonical())
}

/// How often each address tried to sign in.
pub(crate) struct Tries(DefaultKeyedRateLimiter<IpAddr>);

impl Default for Tries {
    fn default() -> Self {
        let quota =
            Quota::with_period(EVERY).map_or_else(|| Quota::per_minute(BURST), |quota| quota.allow_burst(BURST));
        Self(RateLimiter::keyed(quota))
    }
}

impl fmt::Debug for Tries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tries({})", self.0.len())
    }
}

impl Tries {
    fn allows(&self, client: Client) -> bool {
        if self.0.len() > MANY {
            self.0.retain_recent();
        }
        self.0.len() < TOO_MANY && self.0.check_key(&client.key()).is_ok()
    }
}

/// Lets a try pass, or asks for patience.
pub(crate) async fn few_tries(
    Extract(state): Extract<State>,
    client: Client,
    request: Request,
    next: Next,
) -> Response {
    if state.sign_in.tries().allows(client) {
        return next.run(request).await;
    }
    Problem::new(429, "too many tries")
        .because("wait a minute, then sign in again")
        .with(header::RETRY_AFTER, EVERY.as_secs())
        .into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, head: &[(&'static str, &str)]) -> Client {
        let mut headers = HeaderMap::new();
        for (name, value) in head {
            headers.append(*name, value.parse().unwrap());
        }
        let proxies = ["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
        Client::of(Some(peer.parse().unwrap()), &headers, &proxies)
    }

    fn address(peer: &str, forwarded: &[&str]) -> String {
        let head: Vec<_> = forwarded.iter().map(|line| ("x-forwarded-for", *line)).collect();
        client(peer, &head).address.to_string()
    }

    #[test]
    fn only_proxies_that_we_trust_are_believed() {
        assert_eq!(address("192.0.2.7:1", &["198.51.100.1"]), "192.0.2.7");
        assert_eq!(address("10.0.0.1:1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(address("10.0.0.1:1", &["6.6.6.6, 198.51.100.1"]), "198.51.100.1");
        assert_eq!(
            address("10.0.0.1:1", &["6.6.6.6, 198.51.100.1", "10.0.0.2"]),
            "198.51.100.1"
        );
        assert_eq!(address("10.0.0.1:1", &["198.51.100.1, unknown"]), "10.0.0.1");
        assert_eq!(address("[::1]:1", &["[2001:db8::1]:443"]), "2001:db8::1");
        assert_eq!(address("[::ffff:10.0.0.1]:1", &["198.51.100.1:99"]), "198.51.100.1");
        assert_eq!(Client::of(None, &HeaderMap::new(), &[]), UNKNOWN);
    }

    #[test]
    fn local_is_who_calls_this_machine_by_its_own_name_and_directly() {
        assert!(client("127.0.0.1:1", &[("host", "localhost:8470")]).is_local);
        assert!(client("[::1]:1", &[("host", "[::1]:8470")]).is_local);
        assert!(!client("127.0.0.1:1", &[("host", "egret.example")]).is_local);
        assert!(!client("127.0.0.1:1", &[("host", "localhost"), ("x-forwarded-for", "::1")]).is_local);
        assert!(!client("192.0.2.7:1", &[("host", "localhost")]).is_local);
    }

    #[test]
    fn tries_run_out_for_one_network_at_a_time() {
        let tries = Tries::default();
        let at = |text: &str| Client {
            address: text.parse().unwrap(),
            is_local: false,
        };
        for _ in 0..BURST.get() {
            assert!(tries.allows(at("2001:db8::1")));
        }
        assert!(!tries.allows(at("2001:db8::2")), "the same network");
        assert!(tries.allows(at("2001:db8:0:1::1")) && tries.allows(at("192.0.2.1")));
    }
}
