//! The identity of a status or an account across servers.

use std::fmt;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::Host;

/// An ActivityPub id: an absolute `http` or `https` URL with the host normalised (case, IDN), query and fragment
/// included. Spaces and letters outside ASCII are percent-encoded, as URLs want them; what is encoded already stays.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Uri(String);

/// Why a text is no [`Uri`].
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not an http(s) address")]
pub struct UriError(String);

impl Uri {
    /// Reads an address and normalises its host.
    ///
    /// # Errors
    /// When it is relative, not http(s), names no host, or carries a user name or password.
    pub fn parse(text: &str) -> Result<Self, UriError> {
        let error = || UriError(text.to_owned());
        let mut url = Url::parse(text.trim()).map_err(|_| error())?;
        if !matches!(url.scheme(), "http" | "https") || !url.username().is_empty() || url.password().is_some() {
            return Err(error());
        }
        if let Some(name) = url
            .host_str()
            .filter(|name| name.ends_with('.'))
            .map(|name| name.trim_end_matches('.').to_owned())
        {
            url.set_host(Some(&name)).map_err(|_| error())?;
        }
        Host::of(&url).map_err(|_| error())?;
        Ok(Self(url.into()))
    }

    /// The normalised text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As a URL.
    #[expect(clippy::missing_panics_doc, reason = "the text was made by `Url` and parses again")]
    pub fn url(&self) -> Url {
        Url::parse(&self.0).expect("a Uri is a URL")
    }

    /// The server that made it.
    #[expect(clippy::missing_panics_doc, reason = "`parse` checked the host")]
    pub fn host(&self) -> Host {
        Host::of(&self.url()).expect("a Uri has a host")
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Uri {
    type Error = UriError;

    fn try_from(text: String) -> Result<Self, UriError> {
        Self::parse(&text)
    }
}

impl From<Uri> for String {
    fn from(uri: Uri) -> Self {
        uri.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idn_and_case_make_one_key() {
        let plain = Uri::parse("https://xn--mnchen-3ya.example/@a/1").unwrap();
        for text in ["https://MÜNCHEN.example./@a/1", "https://MÜNCHEN.example.../@a/1"] {
            let uri = Uri::parse(text).unwrap();
            assert_eq!(uri, plain);
            assert_eq!(
                Uri::parse(uri.as_str()).as_ref(),
                Ok(&plain),
                "what was read is read the same"
            );
        }
    }

    #[test]
    fn query_and_fragment_stay() {
        for text in [
            "https://a.example/?p=1&x=2",
            "https://a.example/x#frag",
            "https://a.example/a+b",
        ] {
            assert_eq!(Uri::parse(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn what_is_no_web_address_is_refused() {
        for text in [
            "",
            "/x",
            "ftp://a.example/",
            "mailto:a@a.example",
            "https://u:p@a.example/",
            "https://.../",
            "at://did:plc:x/y",
        ] {
            assert!(Uri::parse(text).is_err(), "{text}");
        }
    }
}
