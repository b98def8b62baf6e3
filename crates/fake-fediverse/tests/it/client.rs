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

/// One request as it goes out.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ask {
    pub(crate) method: &'static str,
    pub(crate) url: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) form: Option<Vec<(String, String)>>,
}

impl Ask {
    pub(crate) fn new(method: &'static str, url: &str, token: Option<&str>) -> Self {
        let headers = token.map(|token| ("authorization", format!("Bearer {token}")));
        Self {
            method,
            url: url.to_owned(),
            headers: headers.into_iter().collect(),
            form: None,
        }
    }

    pub(crate) fn form(mut self, form: &[(&str, &str)]) -> Self {
        self.form = Some(form.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect());
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub(crate) async fn send(self) -> Answer {
        self.try_send().await.unwrap()
    }

    pub(crate) async fn try_send(self) -> Result<Answer, ureq::Error> {
        tokio::task::spawn_blocking(move || self.send_blocking()).await.unwrap()
    }

    fn send_blocking(self) -> Result<Answer, ureq::Error> {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(Duration::from_secs(10)))
            .user_agent("test")
            .build()
            .into();
        let mut request = ureq::http::Request::builder().method(self.method).uri(&self.url);
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let mut response = match &self.form {
            None => agent.run(request.body(()).unwrap())?,
            Some(form) => {
                let body = form
                    .iter()
                    .map(|(key, value)| format!("{}={}", quoted(key), quoted(value)))
                    .collect::<Vec<_>>()
                    .join("&");
                let request = request.header("content-type", "application/x-www-form-urlencoded");
                agent.run(request.body(body).unwrap())?
            }
        };
        let text = response.body_mut().with_config().limit(64 << 20).read_to_string()?;
        Ok(Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text,
        })
    }
}

pub(crate) async fn try_get(url: &str, token: Option<&str>, accept: &'static str) -> Result<Answer, ureq::Error> {
    Ask::new("GET", url, token).header("accept", accept).try_send().await
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
    Ask::new("POST", url, token).form(form).send().await
}

/// Percent-encodes a query value.
pub(crate) fn quoted(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}
