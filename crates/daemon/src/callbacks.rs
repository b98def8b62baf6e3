//! `on_start`, `on_done` and `on_fail`: addresses that are asked when a pass begins and ends, as healthchecks.io and
//! FediFetcher know them. Their failure is a line in the log and never a pass's failure.

use std::time::Duration;

use net::{Net, Request, Url, http::Method};
use tracing::warn;

/// How long an address may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// The addresses of one job.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Callbacks {
    /// Asked when a pass begins.
    pub on_start: Option<Url>,
    /// Asked when it ended well, or stopped in good order.
    pub on_done: Option<Url>,
    /// Asked when it did not.
    pub on_fail: Option<Url>,
}

/// How a pass ended.
#[derive(Debug, Clone)]
pub struct Ended {
    /// Whether `on_done` hears of it, or `on_fail`.
    pub well: bool,
    /// How long it took.
    pub took: Duration,
    /// What to say.
    pub message: String,
}

impl Callbacks {
    /// Whether there is nobody to tell.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The pass with this id (a UUID, the same in all of its calls) has begun.
    pub async fn started(&self, net: &Net, rid: &str) {
        if let Some(url) = &self.on_start {
            call(net, with_query(url, &[("rid", rid)])).await;
        }
    }

    /// It has ended: exactly one address hears of it.
    pub async fn ended(&self, net: &Net, rid: &str, ended: &Ended) {
        let url = if ended.well { &self.on_done } else { &self.on_fail };
        if let Some(url) = url {
            let ping = ended.took.as_millis().to_string();
            call(
                net,
                with_query(url, &[("rid", rid), ("ping", &ping), ("msg", &ended.message)]),
            )
            .await;
        }
    }
}

async fn call(net: &Net, url: Url) {
    let request = Request {
        timeout: Some(PATIENCE),
        max_body: 64 << 10,
        ..Request::server(Method::GET, url, None)
    };
    let host = request.url.host_str().unwrap_or_default().to_owned();
    match net.send(request).await {
        Ok(answer) if answer.http_status < 400 => {}
        Ok(answer) => warn!(host, http_status = answer.http_status, "a callback was refused"),
        Err(error) => warn!(host, %error, "a callback failed"),
    }
}

/// The address with these keys, in place of any of the same name; other parts of its query stay.
fn with_query(url: &Url, pairs: &[(&str, &str)]) -> Url {
    let kept: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(key, _)| !pairs.iter().any(|(name, _)| name == key))
        .map(|(key, value)| (key.into_owned(), value.into_owned()))
        .collect();
    let mut url = url.clone();
    url.query_pairs_mut().clear().extend_pairs(kept).extend_pairs(pairs);
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_query_and_replaces_keys_of_the_same_name() {
        let url: Url = "https://hc.example/ping/1?create=1&rid=old&msg=a".parse().unwrap();
        let url = with_query(&url, &[("rid", "new"), ("ping", "12"), ("msg", "a b&c")]);
        assert_eq!(
            url.as_str(),
            "https://hc.example/ping/1?create=1&rid=new&ping=12&msg=a+b%26c"
        );
    }
}
