//! A plain client: what came back, unread.

use std::time::Duration;

use serde_json::Value;

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: ureq::http::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The address a `Link` gives for `rel`.
    pub(crate) fn link(&self, rel: &str) -> Option<String> {
        self.header("link")?
            .split(", ")
            .find(|part| part.ends_with(&format!("rel=\"{rel}\"")))
            .map(|part| part[1..part.find('>').unwrap()].to_owned())
    }

    pub(crate) fn uris(&self) -> Vec<String> {
        uris(&self.json())
    }
}

pub(crate) fn uris(list: &Value) -> Vec<String> {
    let all = list.as_array().unwrap().iter();
    all.map(|status| status["uri"].as_str().unwrap().to_owned()).collect()
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_global(Some(Duration::from_secs(10)))
        .user_agent("test")
        .build()
        .into()
}

fn send(
    url: String,
    token: Option<String>,
    accept: &'static str,
    form: Option<Vec<(String, String)>>,
) -> Result<Answer, ureq::Error> {
    let agent = agent();
    let mut response = match form {
        None => {
            let mut request = agent.get(&url).header("accept", accept);
            if let Some(token) = token {
                request = request.header("authorization", format!("Bearer {token}"));
            }
            request.call()?
        }
        Some(form) => {
            let mut request = agent.post(&url);
            if let Some(token) = token {
                request = request.header("authorization", format!("Bearer {token}"));
            }
            request.send_form(form)?
        }
    };
    let text = response.body_mut().with_config().limit(64 << 20).read_to_string()?;
    Ok(Answer {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        text,
    })
}

pub(crate) async fn try_get(url: &str, token: Option<&str>, accept: &'static str) -> Result<Answer, ureq::Error> {
    let (url, token) = (url.to_owned(), token.map(str::to_owned));
    tokio::task::spawn_blocking(move || send(url, token, accept, None))
        .await
        .unwrap()
}

pub(crate) async fn get(url: &str, token: Option<&str>) -> Answer {
    try_get(url, token, "application/json").await.unwrap()
}

pub(crate) async fn activity(url: &str) -> Answer {
    try_get(url, None, "application/activity+json").await.unwrap()
}

pub(crate) async fn page(url: &str) -> Answer {
    try_get(url, None, "text/html").await.unwrap()
}

pub(crate) async fn post(url: &str, token: Option<&str>, form: &[(&str, &str)]) -> Answer {
    let (url, token) = (url.to_owned(), token.map(str::to_owned));
    let form = form.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    tokio::task::spawn_blocking(move || send(url, token, "application/json", Some(form)))
        .await
        .unwrap()
        .unwrap()
}

/// Percent-encodes a query value.
pub(crate) fn quoted(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}
