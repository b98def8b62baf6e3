//! The actor of our own that signs what we ask: some servers answer nobody else.
//!
//! Two ways of signing are in use: the draft that the fediverse has lived on since 2017 (draft-cavage-12, as Mastodon
//! does it) and the standard that came of it (RFC 9421). Nobody says which one a server takes, so a refused request
//! knocks once more the other way, and what worked is remembered.

use std::{
    collections::HashMap,
    fmt,
    sync::{Mutex, PoisonError},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use model::Host;
use ring::{
    digest::{SHA256, digest},
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use crate::{ActorConfig, Body, Error, guard::plain, wire::Sending};

/// Hosts whose way of signing is remembered; then it is learnt anew.
const MOST_HOSTS: usize = 10_000;

/// `SEQUENCE { rsaEncryption, NULL }`.
const RSA_ENCRYPTION: [u8; 15] = [
    0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
];

/// How a request is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    Cavage,
    Rfc9421,
}

impl Scheme {
    pub(crate) fn other(self) -> Self {
        match self {
            Self::Cavage => Self::Rfc9421,
            Self::Rfc9421 => Self::Cavage,
        }
    }
}

/// What others may know of our actor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// `https://egret.example/actor`.
    pub id: Url,
    /// The name of its key: `https://egret.example/actor#main-key`.
    pub key_id: String,
    /// What comes before the `@`.
    pub name: String,
    /// What comes after it: `egret.example`.
    pub host: String,
    /// Its public key.
    pub public_key_pem: String,
}

impl Identity {
    /// Another address of the same server.
    pub fn address(&self, path: &str) -> Url {
        let mut url = self.id.clone();
        url.set_path(path);
        url
    }
}

/// The identity and its private key.
pub(crate) struct Actor {
    identity: Identity,
    pair: RsaKeyPair,
    random: SystemRandom,
    schemes: Mutex<HashMap<Host, Scheme>>,
}

impl fmt::Debug for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Actor")
            .field("id", &self.identity.id.as_str())
            .finish_non_exhaustive()
    }
}

impl Actor {
    /// Reads the key; `None` where no actor is configured.
    pub(crate) fn read(config: &ActorConfig) -> Result<Option<Self>, Error> {
        const KEY: &str = "actor.key_file";
        let (Some(url), Some(path)) = (&config.url, &config.key_file) else {
            return Ok(None);
        };
        let text = std::fs::read_to_string(path).map_err(|source| Error::File {
            key: KEY,
            path: path.clone(),
            source,
        })?;
        let pair = pair(&SecretString::from(text)).map_err(|reason| Error::Config {
            key: KEY,
            reason: format!("{} {reason}; `egret init --actor` makes one", path.display()),
        })?;
        if readable_by_others(path) {
            tracing::warn!(
                "{}, the key_file of [net.actor], can be read by everybody on this machine; chmod 600 it",
                path.display()
            );
        }
        let mut id = url.clone();
        id.set_path("/actor");
        let host = match (id.host_str(), id.port()) {
            (Some(host), Some(port)) => format!("{host}:{port}"),
            (host, _) => host.unwrap_or_default().to_owned(),
        };
        Ok(Some(Self {
            identity: Identity {
                key_id: format!("{id}#main-key"),
                id,
                name: config.name.clone(),
                host,
                public_key_pem: public_pem(pair.public().as_ref()),
            },
            pair,
            random: SystemRandom::new(),
            schemes: Mutex::default(),
        }))
    }

    pub(crate) fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The way that a host takes, as far as is known.
    pub(crate) fn scheme(&self, host: &Host) -> Scheme {
        let schemes = self.schemes.lock().unwrap_or_else(PoisonError::into_inner);
        schemes.get(host).copied().unwrap_or(Scheme::Cavage)
    }

    /// A host took this one.
    pub(crate) fn learn(&self, host: &Host, scheme: Scheme) {
        let mut schemes = self.schemes.lock().unwrap_or_else(PoisonError::into_inner);
        if schemes.len() >= MOST_HOSTS {
            schemes.clear();
        }
        schemes.insert(host.clone(), scheme);
    }

    /// Adds the headers that prove who asks.
    pub(crate) fn sign(&self, sending: &mut Sending<'_>, scheme: Scheme, now: DateTime<Utc>) -> Result<(), Error> {
        let url = &sending.target.url;
        let method = sending.method.as_str();
        let body: &[u8] = match &sending.body {
            Body::Empty => &[],
            Body::Form(form) => form.as_bytes(),
            Body::Json(json) => json,
        };
        let digest = (!body.is_empty()).then(|| STANDARD.encode(digest(&SHA256, body)));
        let made = match scheme {
            Scheme::Cavage => self.cavage(method, url, digest.as_deref(), now),
            Scheme::Rfc9421 => self.standard(method, url, digest.as_deref(), now),
        };
        let made = made.ok_or_else(|| Error::Refused {
            url: plain(url),
            reason: "its address cannot be signed".into(),
        })?;
        sending.headers.extend(made);
        Ok(())
    }

    /// draft-cavage-http-signatures-12, with the headers that Mastodon signs.
    fn cavage(&self, method: &str, url: &Url, digest: Option<&str>, now: DateTime<Utc>) -> Option<HeaderMap> {
        let date = now.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let mut text = format!(
            "(request-target): {} {}\nhost: {}\ndate: {date}",
            method.to_ascii_lowercase(),
            path_and_query(url),
            authority(url)?,
        );
        let mut covered = "(request-target) host date".to_owned();
        let mut headers = HeaderMap::new();
        headers.insert(header::DATE, HeaderValue::try_from(date).ok()?);
        if let Some(digest) = digest {
            let digest = format!("SHA-256={digest}");
            text.push_str(&format!("\ndigest: {digest}"));
            covered.push_str(" digest");
            headers.insert(HeaderName::from_static("digest"), HeaderValue::try_from(digest).ok()?);
        }
        let value = format!(
            "keyId=\"{}\",algorithm=\"rsa-sha256\",headers=\"{covered}\",signature=\"{}\"",
            self.identity.key_id,
            self.signature(&text)?
        );
        headers.insert(HeaderName::from_static("signature"), HeaderValue::try_from(value).ok()?);
        Some(headers)
    }

    /// RFC 9421, with the components that Mastodon asks for.
    fn standard(&self, method: &str, url: &Url, digest: Option<&str>, now: DateTime<Utc>) -> Option<HeaderMap> {
        let mut target = url.clone();
        target.set_fragment(None);
        let mut text = format!("\"@method\": {method}\n\"@target-uri\": {target}\n");
        let mut covered = "\"@method\" \"@target-uri\"".to_owned();
        let mut headers = HeaderMap::new();
        if let Some(digest) = digest {
            let digest = format!("sha-256=:{digest}:");
            text.push_str(&format!("\"content-digest\": {digest}\n"));
            covered.push_str(" \"content-digest\"");
            headers.insert(
                HeaderName::from_static("content-digest"),
                HeaderValue::try_from(digest).ok()?,
            );
        }
        let params = format!(
            "({covered});created={};keyid=\"{}\";alg=\"rsa-v1_5-sha256\"",
            now.timestamp(),
            self.identity.key_id
        );
        text.push_str(&format!("\"@signature-params\": {params}"));
        let signature = format!("sig1=:{}:", self.signature(&text)?);
        headers.insert(
            HeaderName::from_static("signature-input"),
            HeaderValue::try_from(format!("sig1={params}")).ok()?,
        );
        headers.insert(
            HeaderName::from_static("signature"),
            HeaderValue::try_from(signature).ok()?,
        );
        Some(headers)
    }

    fn signature(&self, text: &str) -> Option<String> {
        let mut signature = vec![0; self.pair.public().modulus_len()];
        let signed = self
            .pair
            .sign(&RSA_PKCS1_SHA256, &self.random, text.as_bytes(), &mut signature);
        signed.ok().map(|()| STANDARD.encode(signature))
    }
}

/// As the request line has it.
fn path_and_query(url: &Url) -> String {
    match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    }
}

/// As the `Host` header has it.
fn authority(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    Some(match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}

/// Reads a key in PKCS #8, as PEM.
fn pair(pem: &SecretString) -> Result<RsaKeyPair, String> {
    let text = pem.expose_secret();
    let inside = text
        .split_once("-----BEGIN PRIVATE KEY-----")
        .and_then(|(_, rest)| rest.split_once("-----END PRIVATE KEY-----"))
        .map(|(inside, _)| inside.split_whitespace().collect::<String>())
        .ok_or("holds no private key (PKCS #8, in PEM)")?;
    let der = STANDARD
        .decode(inside)
        .map_err(|_| "holds a private key that is not base64")?;
    RsaKeyPair::from_pkcs8(&der).map_err(|error| format!("holds no RSA key of 2048 bits or more ({error})"))
}

/// A public key (PKCS #1) as everybody expects it: `SubjectPublicKeyInfo`, in PEM.
fn public_pem(key: &[u8]) -> String {
    let mut bits = vec![0];
    bits.extend_from_slice(key);
    let mut inner = RSA_ENCRYPTION.to_vec();
    inner.extend(tagged(0x03, &bits));
    let encoded = STANDARD.encode(tagged(0x30, &inner));
    let mut pem = String::from("-----BEGIN PUBLIC KEY-----\n");
    for line in encoded.as_bytes().chunks(64) {
        pem.push_str(&String::from_utf8_lossy(line));
        pem.push('\n');
    }
    pem.push_str("-----END PUBLIC KEY-----\n");
    pem
}

/// A DER value: tag, length, content.
fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let length: Vec<u8> = length.into_iter().skip_while(|byte| *byte == 0).collect();
    let mut out = vec![tag];
    if content.len() > 0x7f {
        out.push(0x80 | u8::try_from(length.len()).unwrap_or(0x7f));
        out.extend(length);
    } else {
        out.push(length.first().copied().unwrap_or(0));
    }
    out.extend_from_slice(content);
    out
}

#[cfg(unix)]
fn readable_by_others(path: &std::path::Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o004 != 0)
}

#[cfg(not(unix))]
fn readable_by_others(_path: &std::path::Path) -> bool {
    false
}
