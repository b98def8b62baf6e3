//! What is left of each login's budgets, for those who watch.

use std::{sync::PoisonError, time::Duration};

use super::Limits;

/// One of a login's budgets at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// `server/login`.
    pub login: String,
    /// Requests with a cursor spend from a budget of their own, and from the other.
    pub paging: bool,
    /// Requests in a window: the server's word, or `[net]`'s until it said one.
    pub limit: u32,
    /// Of these, left.
    pub left: u32,
    /// When the window ends; `None` where none is open.
    pub resets_in: Option<Duration>,
}

impl Limits {
    /// The budgets of the logins that asked something since the start, by name.
    pub(crate) fn budgets(&self) -> Vec<Budget> {
        let mut logins: Vec<_> = {
            let logins = self.logins.lock().unwrap_or_else(PoisonError::into_inner);
            logins
                .iter()
                .map(|(name, login)| (name.clone(), login.clone()))
                .collect()
        };
        logins.sort_by(|a, b| a.0.cmp(&b.0));
        let mut budgets = Vec::new();
        for (name, login) in logins {
            for (paging, gate, ours) in [
                (false, &login.token, self.config.token_per_five_minutes),
                (true, &login.paging, self.config.paging_per_fifteen_minutes),
            ] {
                let (limit, window) = gate.window();
                let limit = limit.unwrap_or(ours);
                budgets.push(Budget {
                    login: name.clone(),
                    paging,
                    limit,
                    left: window.map_or(limit, |(left, _)| left.min(limit)),
                    resets_in: window.map(|(_, until)| until),
                });
            }
        }
        budgets
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use http::{HeaderMap, HeaderValue};
    use model::SystemClock;

    use super::{super::Sender, *};
    use crate::Config;

    #[tokio::test]
    async fn budgets_tell_what_the_server_said_last() {
        let limits = Limits::new(&Config::default(), Arc::new(SystemClock));
        assert!(limits.budgets().is_empty(), "nobody asked anything yet");
        let host = model::Host::stored("a.example");
        let sender = Sender {
            host: &host,
            login: Some("a.example/me"),
            paging: false,
            write: false,
            lane: "",
        };
        drop(limits.enter(sender).await.unwrap());
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("x-ratelimit-limit", "300"),
            ("x-ratelimit-remaining", "120"),
            ("x-ratelimit-reset", "240"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        limits.learn(sender, &headers, false);
        let budgets = limits.budgets();
        assert_eq!(
            (budgets[0].left, budgets[0].limit, budgets[0].paging),
            (120, 300, false)
        );
        assert!(budgets[0].resets_in.is_some_and(|wait| wait > Duration::from_secs(230)));
        assert_eq!(
            (budgets[1].left, budgets[1].paging, budgets[1].resets_in),
            (300, true, None)
        );
    }
}
