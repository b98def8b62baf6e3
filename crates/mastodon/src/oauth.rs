//! How somebody lends us a token: register, let them agree in a browser, swap their code for it. Out of band,
//! so that it works over ssh and no address of ours is needed.

use model::Host;
use net::{Body, Net, Request, Response, Secret, Url, http::Method};
use serde::{Deserialize, de::DeserializeOwned};

use crate::Error;

/// Shows the code to the person instead of sending them somewhere.
const OUT_OF_BAND: &str = "urn:ietf:wg:oauth:2.0:oob";

/// A registration at one server.
#[derive(Debug, Clone)]
pub struct App {
    base: Url,
    client_id: String,
    client_secret: Secret,
}

#[derive(Deserialize)]
struct Registered {
    client_id: String,
    client_secret: Secret,
}

#[derive(Deserialize)]
struct Granted {
    access_token: Secret,
}

/// `POST /api/v1/apps`.
///
/// # Errors
/// When the server cannot be asked, or does not answer as Mastodon does.
pub async fn register(net: &Net, base: &Url, name: &str, scopes: &[&str]) -> Result<App, Error> {
    let form = [
        ("client_name", name),
        ("redirect_uris", OUT_OF_BAND),
        ("scopes", &scopes.join(" ")),
    ];
    let registered: Registered = post(net, base, "/api/v1/apps", &form).await?;
    Ok(App {
        base: base.clone(),
        client_id: registered.client_id,
        client_secret: registered.client_secret,
    })
}

impl App {
    /// Where the person agrees and gets a code.
    pub fn authorize_url(&self, scopes: &[&str]) -> Url {
        let mut url = at(&self.base, "/oauth/authorize");
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.client_id)
            .append_pair("redirect_uri", OUT_OF_BAND)
            .append_pair("scope", &scopes.join(" "));
        url
    }

    /// `POST /oauth/token`: a token for the code, which works once.
    ///
    /// # Errors
    /// When the server does not take the code.
    pub async fn token(&self, net: &Net, code: &str, scopes: &[&str]) -> Result<Secret, Error> {
        use secrecy::ExposeSecret as _;
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("client_id", &*self.client_id),
            ("client_secret", self.client_secret.expose_secret()),
            ("redirect_uri", OUT_OF_BAND),
            ("scope", &scopes.join(" ")),
        ];
        let granted: Granted = post(net, &self.base, "/oauth/token", &form).await?;
        Ok(granted.access_token)
    }
}

async fn post<T: DeserializeOwned>(net: &Net, base: &Url, path: &str, form: &[(&str, &str)]) -> Result<T, Error> {
    let mut request = Request::server(Method::POST, at(base, path), None);
    request.body = Body::Form(
        url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish(),
    );
    request.max_body = 1 << 20;
    answer(path, &net.send(request).await?)
}

fn answer<T: DeserializeOwned>(path: &str, response: &Response) -> Result<T, Error> {
    let host = || Host::of(&response.url).unwrap_or_else(|_| Host::stored(response.url.authority()));
    match response.http_status {
        200..300 => serde_json::from_slice(&response.body).map_err(|error| Error::NotJson {
            host: host(),
            what: path.to_owned(),
            // Where and which kind, never the text: it may hold the token.
            reason: format!(
                "not what was expected at line {}, column {}",
                error.line(),
                error.column()
            ),
        }),
        429 => Err(Error::RateLimited { host: host() }),
        http_status @ 500.. => Err(Error::ServerDown {
            host: host(),
            http_status,
        }),
        404 => Err(Error::NotFound {
            host: host(),
            what: path.to_owned(),
        }),
        http_status => Err(Error::Forbidden {
            host: host(),
            what: format!("{path} (HTTP {http_status})"),
        }),
    }
}

fn at(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(path);
    url.set_query(None);
    url
}
