//! Each family against answers written by hand from what its servers send.

mod contexts;
mod posts;
mod recognition;

use std::{
    net::Ipv4Addr,
    sync::{Arc, LazyLock, Mutex},
};

use axum::{Router, body::Bytes, http, response::Response};
use model::{Host, SystemClock, Uri};
use net::{Config, Net};
use serde_json::{Value, json};

use super::{Flavour, Profile, Shape, Software, detect, list_posts, list_replies, read, resume_replies};

/// Stands for an answer of a server in trouble.
static BUSY: LazyLock<Value> = LazyLock::new(|| json!({ "busy": 503 }));

/// Answers by `METHOD path?query`, the longest beginning that fits. `{base}` in an answer is the server's own address.
pub(super) struct Origin {
    base: String,
    asked: Arc<Mutex<Vec<String>>>,
    net: Net,
}

impl Origin {
    pub(super) async fn start(answers: &[(&str, Value)]) -> Self {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let answers: Arc<Vec<(String, String)>> = Arc::new(
            answers
                .iter()
                .map(|(of, answer)| {
                    let text = match answer {
                        Value::String(text) => text.clone(),
                        json => json.to_string(),
                    };
                    ((*of).to_owned(), text.replace("{base}", &base))
                })
                .collect(),
        );
        let log = asked.clone();
        let app = Router::new().fallback(move |method: http::Method, uri: http::Uri, body: Bytes| async move {
            // A question by POST counts with what it asks.
            let question = format!("{method} {uri} {}", String::from_utf8_lossy(&body));
            log.lock().unwrap().push(question.clone());
            let found = answers
                .iter()
                .filter(|(of, _)| of.split(' ').all(|part| question.contains(part)))
                .max_by_key(|(of, _)| of.len());
            match found {
                Some((_, text)) if *text == BUSY.to_string() => {
                    Response::builder().status(503).body(axum::body::Body::empty()).unwrap()
                }
                Some((_, text)) => Response::builder()
                    .header("content-type", "application/activity+json")
                    .body(axum::body::Body::from(text.clone()))
                    .unwrap(),
                None => Response::builder().status(404).body(axum::body::Body::empty()).unwrap(),
            }
        });
        tokio::spawn(async move { axum::serve(listener, app).await });
        let config = Config {
            allow: vec!["127.0.0.0/8".parse().unwrap()],
            origin_per_minute: 100_000,
            robots: false,
            attempts: 1,
            ..Config::default()
        };
        Self {
            base,
            asked,
            net: Net::new(&config, Arc::new(SystemClock)).unwrap(),
        }
    }

    fn software(&self, name: &str, version: &str) -> Software {
        Software {
            api_host: Host::stored(self.base.trim_start_matches("http://")),
            name: name.to_owned(),
            version: version.to_owned(),
            flavour: Flavour::of(name, version),
        }
    }

    fn uri(&self, path: &str) -> Uri {
        Uri::parse(&format!("{}{path}", self.base)).unwrap()
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// Replies as paths (or whole, if from elsewhere), each with its parent, and how they were read.
    async fn replies(&self, software: &Software, path: &str) -> (Vec<(String, Option<String>)>, &'static str) {
        let listing = list_replies(&self.net, software, &self.uri(path)).await.unwrap();
        let plain = |uri: &Uri| uri.as_str().trim_start_matches(&self.base).to_owned();
        let mut replies: Vec<_> = listing
            .replies
            .iter()
            .map(|reply| (plain(&reply.uri), reply.in_reply_to.as_ref().map(plain)))
            .collect();
        replies.sort();
        (replies, listing.source)
    }

    /// Every page's posts as paths, pinned ones with a star, and the number of pages.
    async fn posts(&self, software: &Software, path: &str, name: &str) -> (Vec<String>, usize) {
        let profile = Profile {
            uri: self.uri(path),
            username: name.to_owned(),
        };
        let (mut posts, mut pages, mut after) = (Vec::new(), 0, None);
        loop {
            let page = list_posts(&self.net, software, &profile, after.as_deref())
                .await
                .unwrap();
            pages += 1;
            posts.extend(page.posts.iter().map(|post| {
                let star = if post.pinned { "*" } else { "" };
                format!("{star}{}", post.uri.as_str().trim_start_matches(&self.base))
            }));
            after = page.next;
            if after.is_none() || pages > 9 {
                return (posts, pages);
            }
        }
    }
}

fn reply(uri: &str, parent: &str) -> (String, Option<String>) {
    (uri.to_owned(), Some(parent.to_owned()))
}
