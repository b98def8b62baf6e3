//! A registration at one server, and what it is for.

use model::Host;
use net::{Body, Net, Request, Response, Secret, Url, http::Method};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, de::DeserializeOwned};

use super::{
    Error,
    consent::{Consent, Verifier, random},
};

/// Shows the code to the person instead of sending them somewhere.
const OUT_OF_BAND: &str = "urn:ietf:wg:oauth:2.0:oob";

/// Where the person goes once they agreed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Redirect {
    /// Nowhere: the server shows them the code.
    OutOfBand,
    /// To this address of ours, with `code` and `state` in its query.
    To(Url),
}

impl Redirect {
    /// As OAuth spells it, and as it may be stored.
    pub fn as_str(&self) -> &str {
        match self {
            Self::OutOfBand => OUT_OF_BAND,
            Self::To(url) => url.as_str(),
        }
    }

    /// From what [`Redirect::as_str`] gave. `None` for anything that is neither out of band nor a web address.
    pub fn parse(text: &str) -> Option<Self> {
        if text == OUT_OF_BAND {
            return Some(Self::OutOfBand);
        }
        let url = Url::parse(text).ok()?;
        matches!(url.scheme(), "https" | "http").then_some(Self::To(url))
    }
}

/// A registration at one server. Keep it: a server takes five in ten minutes from one address. All its fields are
/// plain, so that it can be stored; the secret does not print.
#[derive(Debug, Clone)]
pub struct App {
    /// The server.
    pub base: Url,
    /// Its public half.
    pub client_id: String,
    /// Its secret half.
    pub client_secret: Secret,
    /// Where people go once they agreed; no other address is accepted.
    pub redirect: Redirect,
}

/// A token, and what it may do.
#[derive(Debug)]
pub struct Granted {
    /// The token.
    pub token: Secret,
    /// What the server says it may do: not always all that was asked for.
    pub scopes: Vec<String>,
}

/// `POST /api/v1/apps`: registers `name` with all the scopes it will ever ask anybody for.
///
/// # Errors
/// When the server cannot be asked, or does not answer as Mastodon does.
pub async fn register(net: &Net, base: &Url, name: &str, redirect: Redirect, scopes: &[&str]) -> Result<App, Error> {
    #[derive(Deserialize)]
    struct Registered {
        client_id: String,
        client_secret: Secret,
    }
    let wanted = scopes.join(" ");
    let form = [
        ("client_name", name),
        ("redirect_uris", redirect.as_str()),
        ("scopes", &wanted),
    ];
    let registered: Registered = post(net, base, "/api/v1/apps", &form, &wanted).await?;
    Ok(App {
        base: base.clone(),
        client_id: registered.client_id,
        client_secret: registered.client_secret,
        redirect,
    })
}

impl App {
    /// The question to one person: the address to send them to, and what to keep until they are back.
    pub fn ask(&self, scopes: &[&str]) -> Consent {
        let (state, verifier) = (random(), Verifier::random());
        let mut url = at(&self.base, "/oauth/authorize");
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.client_id)
            .append_pair("redirect_uri", self.redirect.as_str())
            .append_pair("scope", &scopes.join(" "))
            .append_pair("state", &state)
            .append_pair("code_challenge", &verifier.challenge())
            .append_pair("code_challenge_method", "S256");
        Consent {
            url,
            state: state.into(),
            verifier,
        }
    }

    /// `POST /oauth/token`: a token for the code, which works once. `scopes` are those that were asked for.
    ///
    /// # Errors
    /// [`Error::Code`] when the server does not take the code, [`Error::App`] when it forgot us.
    pub async fn token(&self, net: &Net, code: &str, verifier: &Verifier, scopes: &[&str]) -> Result<Granted, Error> {
        #[derive(Deserialize)]
        struct Answer {
            access_token: Secret,
            #[serde(default)]
            scope: Option<String>,
        }
        let wanted = scopes.join(" ");
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("client_id", &*self.client_id),
            ("client_secret", self.client_secret.expose_secret()),
            ("redirect_uri", self.redirect.as_str()),
            ("code_verifier", verifier.secret().expose_secret()),
            ("scope", &wanted),
        ];
        let answer: Answer = post(net, &self.base, "/oauth/token", &form, &wanted).await?;
        let given = answer.scope.unwrap_or(wanted);
        Ok(Granted {
            token: answer.access_token,
            scopes: given.split_whitespace().map(str::to_owned).collect(),
        })
    }

    /// `POST /oauth/token` for the registration itself: whether the server still knows it. It shows a person whom we
    /// send there an error of its own when it does not, and we would never hear of it. `scope` is one of the
    /// registration's.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub async fn is_known(&self, net: &Net, scope: &str) -> Result<bool, Error> {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", &*self.client_id),
            ("client_secret", self.client_secret.expose_secret()),
            ("redirect_uri", self.redirect.as_str()),
            ("scope", scope),
        ];
        let path = "/oauth/token";
        match refusal(path, &send(net, &self.base, path, &form).await?, scope) {
            Some(Error::App { .. }) => Ok(false),
            Some(Error::Server(error @ (crate::Error::RateLimited { .. } | crate::Error::ServerDown { .. }))) => {
                Err(error.into())
            }
            // Whatever else it minds (a grant that it does not have), it knows who asks.
            _ => Ok(true),
        }
    }

    /// `POST /oauth/revoke`: the token is of no use to anybody from now on. A server gives the same token again to
    /// the same app, person and scopes, so this ends all uses of it.
    ///
    /// # Errors
    /// When the server cannot be asked. A token that it does not know is none.
    pub async fn revoke(&self, net: &Net, token: &Secret) -> Result<(), Error> {
        let form = [
            ("client_id", &*self.client_id),
            ("client_secret", self.client_secret.expose_secret()),
            ("token", token.expose_secret()),
        ];
        let path = "/oauth/revoke";
        refusal(path, &send(net, &self.base, path, &form).await?, "").map_or(Ok(()), Err)
    }
}

async fn send(net: &Net, base: &Url, path: &str, form: &[(&str, &str)]) -> Result<Response, Error> {
    let mut request = Request::server(Method::POST, at(base, path), None);
    request.body = Body::Form(
        url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish(),
    );
    request.max_body = 1 << 20;
    Ok(net.send(request).await?)
}

async fn post<T: DeserializeOwned>(
    net: &Net,
    base: &Url,
    path: &str,
    form: &[(&str, &str)],
    scopes: &str,
) -> Result<T, Error> {
    let response = send(net, base, path, form).await?;
    if let Some(refusal) = refusal(path, &response, scopes) {
        return Err(refusal);
    }
    serde_json::from_slice(&response.body).map_err(|error| {
        Error::Server(crate::Error::NotJson {
            host: host(&response),
            what: path.to_owned(),
            // Where and which kind, never the text: it may hold the token.
            reason: format!(
                "not what was expected at line {}, column {}",
                error.line(),
                error.column()
            ),
        })
    })
}

/// Why an answer is no success, if it is none. OAuth's `error` is a word of the standard, not a text for people, so
/// it can be trusted to mean the same everywhere.
fn refusal(path: &str, response: &Response, scopes: &str) -> Option<Error> {
    #[derive(Deserialize)]
    struct Word {
        error: String,
    }
    let host = host(response);
    let word = serde_json::from_slice::<Word>(&response.body).map(|word| word.error);
    Some(match (response.http_status, word.as_deref().unwrap_or_default()) {
        (200..300, _) => return None,
        (400..500, "invalid_grant") => Error::Code { host },
        (400..500, "invalid_client" | "unauthorized_client") => Error::App { host },
        (400..500, "invalid_scope") => Error::Scope {
            host,
            scopes: scopes.to_owned(),
        },
        (429, _) => crate::Error::RateLimited { host }.into(),
        (http_status @ 500.., _) => crate::Error::ServerDown { host, http_status }.into(),
        (404, _) => crate::Error::NotFound {
            host,
            what: path.to_owned(),
        }
        .into(),
        (http_status, _) => crate::Error::Forbidden {
            host,
            what: format!("{path} (HTTP {http_status})"),
        }
        .into(),
    })
}

fn host(response: &Response) -> Host {
    Host::of(&response.url).unwrap_or_else(|_| Host::stored(response.url.authority()))
}

fn at(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(path);
    url.set_query(None);
    url
}

#[cfg(test)]
mod tests;
