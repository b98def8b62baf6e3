//! Servers that answer only who signs: the signature is verified for true, with the key that the signer's own server
//! shows.

use std::collections::HashMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use ring::digest::{SHA256, digest};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::clock;
use crate::request::Call;
use crate::scenario::Software;
use crate::state::State;
use crate::world::ServerIx;

/// Signatures older than this, or from the future, are refused.
const SKEW: TimeDelta = TimeDelta::hours(1);

/// Which signatures a server takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signatures {
    /// draft-cavage-http-signatures-12.
    Cavage,
    /// RFC 9421.
    Rfc9421,
}

/// Who wants signatures, and the keys met so far.
#[derive(Debug, Default)]
pub(crate) struct Signing {
    pub(crate) wanted: HashMap<ServerIx, Signatures>,
    keys: HashMap<String, Vec<u8>>,
}

impl Signing {
    pub(crate) fn wants(&self, server: ServerIx, software: Software) -> Option<Signatures> {
        let always = (software == Software::GoToSocial).then_some(Signatures::Cavage);
        self.wanted.get(&server).copied().or(always)
    }
}

/// Whose key signed a request, on servers that look.
pub(crate) async fn signer(state: &State, call: &Call) -> Option<String> {
    let wanted = state.signatures().wants(call.server, state.software(call.server))?;
    call.header("signature")?;
    let claim = match wanted {
        Signatures::Cavage => cavage(call),
        Signatures::Rfc9421 => standard(call, &state.world().servers[call.server].base),
    }?;
    let key = key(state, &claim.key_id).await?;
    let verified = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key)
        .verify(claim.text.as_bytes(), &STANDARD.decode(claim.signature).ok()?);
    verified.is_ok().then_some(claim.key_id)
}

/// What was signed, by whom.
struct Claim {
    key_id: String,
    text: String,
    signature: String,
}

fn is_fresh(at: DateTime<Utc>) -> bool {
    (clock::now() - at).abs() < SKEW
}

fn cavage(call: &Call) -> Option<Claim> {
    let parts: HashMap<&str, &str> = call
        .header("signature")?
        .split(',')
        .filter_map(|part| {
            let (name, value) = part.split_once('=')?;
            Some((name.trim(), value.trim().trim_matches('"')))
        })
        .collect();
    let covered: Vec<&str> = parts.get("headers")?.split(' ').collect();
    let has_body = !call.body.is_empty();
    let needed = ["(request-target)", "host", "date"]
        .iter()
        .all(|name| covered.contains(name));
    if !needed || (has_body && !covered.contains(&"digest")) {
        return None;
    }
    let date = DateTime::parse_from_rfc2822(call.header("date")?).ok()?;
    if !is_fresh(date.to_utc()) {
        return None;
    }
    if has_body && call.header("digest")? != format!("SHA-256={}", STANDARD.encode(digest(&SHA256, &call.body))) {
        return None;
    }
    let lines: Option<Vec<String>> = covered
        .iter()
        .map(|name| {
            Some(match *name {
                "(request-target)" => {
                    format!(
                        "(request-target): {} {}",
                        call.method.as_str().to_lowercase(),
                        call.target
                    )
                }
                name => format!("{name}: {}", call.header(name)?),
            })
        })
        .collect();
    Some(Claim {
        key_id: (*parts.get("keyId")?).to_owned(),
        text: lines?.join("\n"),
        signature: (*parts.get("signature")?).to_owned(),
    })
}

fn standard(call: &Call, base: &str) -> Option<Claim> {
    let params = call.header("signature-input")?.strip_prefix("sig1=")?;
    let signature = call.header("signature")?.strip_prefix("sig1=:")?.strip_suffix(':')?;
    let (covered, rest) = params.strip_prefix('(')?.split_once(')')?;
    let covered: Vec<&str> = covered.split(' ').map(|name| name.trim_matches('"')).collect();
    let needed = ["@method", "@target-uri"].iter().all(|name| covered.contains(name));
    if !needed || (!call.body.is_empty() && !covered.contains(&"content-digest")) {
        return None;
    }
    let param = |wanted: &str| {
        rest.split(';').find_map(|part| {
            let (name, value) = part.split_once('=')?;
            (name == wanted).then(|| value.trim_matches('"').to_owned())
        })
    };
    let created = DateTime::from_timestamp(param("created")?.parse().ok()?, 0)?;
    if !is_fresh(created) {
        return None;
    }
    let mut text = String::new();
    for name in covered {
        let value = match name {
            "@method" => call.method.to_string(),
            "@target-uri" => format!("{base}{}", call.target),
            "content-digest" => {
                let right = format!("sha-256=:{}:", STANDARD.encode(digest(&SHA256, &call.body)));
                call.header(name).filter(|told| *told == right)?.to_owned()
            }
            name => call.header(name)?.to_owned(),
        };
        text.push_str(&format!("\"{name}\": {value}\n"));
    }
    text.push_str(&format!("\"@signature-params\": {params}"));
    Some(Claim {
        key_id: param("keyid")?,
        text,
        signature: signature.to_owned(),
    })
}

/// The key of this name, from the server that the name leads to, asked once.
async fn key(state: &State, key_id: &str) -> Option<Vec<u8>> {
    if let Some(key) = state.signatures().keys.get(key_id) {
        return Some(key.clone());
    }
    let document = document(key_id).await?;
    let named = &document["publicKey"];
    if named["id"] != key_id || named["owner"] != document["id"] || document["inbox"].as_str().is_none() {
        return None;
    }
    let pem = named["publicKeyPem"].as_str()?;
    let inside: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let der = STANDARD.decode(inside).ok()?;
    let key = unwrap(&der)?.to_vec();
    state.signatures().keys.insert(key_id.to_owned(), key.clone());
    Some(key)
}

/// The document at an address.
async fn document(address: &str) -> Option<Value> {
    let url = url::Url::parse(address).ok()?;
    let (host, port) = (url.host_str()?, url.port_or_known_default()?);
    // 1.0, so that the answer comes in one piece and ends with the connection.
    let request = format!(
        "GET {} HTTP/1.0\r\nHost: {host}:{port}\r\nAccept: application/activity+json\r\n\r\n",
        url.path()
    );
    let connection = timeout(Duration::from_secs(5), TcpStream::connect((host, port))).await;
    let mut connection = connection.ok()?.ok()?;
    connection.write_all(request.as_bytes()).await.ok()?;
    let mut answer = Vec::new();
    timeout(Duration::from_secs(5), connection.read_to_end(&mut answer))
        .await
        .ok()?
        .ok()?;
    let answer = String::from_utf8_lossy(&answer);
    let (_, body) = answer.split_once("\r\n\r\n")?;
    serde_json::from_str(body).ok()
}

/// The key in a `SubjectPublicKeyInfo`.
fn unwrap(der: &[u8]) -> Option<&[u8]> {
    let (outer, _) = value(der)?;
    let (_, bits) = value(outer)?;
    let (key, _) = value(bits)?;
    key.strip_prefix(&[0])
}

/// The content of the first DER value, and what comes after it.
fn value(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let first = usize::from(*der.get(1)?);
    let (length, at) = match first {
        0..=0x7f => (first, 2),
        _ => {
            let bytes = der.get(2..2 + (first & 0x7f))?;
            let length = bytes.iter().fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte));
            (length, 2 + bytes.len())
        }
    };
    Some((der.get(at..at + length)?, der.get(at + length..)?))
}
