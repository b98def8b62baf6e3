//! A message dressed for a channel and sent. What is secret (addresses, tokens, passwords) is read when it is needed and
//! shows in no error.

use std::{path::Path, time::Duration};

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use job::{JobContext, Sent, Wish};
use net::{
    Bearer, Body, Request, Secret, Url,
    http::{HeaderMap, HeaderName, HeaderValue, Method},
    mail::{Letter, Server},
};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use sha2::Sha256;
use store::notices::Severity;
use tracing::warn;

use crate::{
    config::{Channel, Kind},
    gather::snapshot::hex,
    plan::message::{Message, word},
};

/// How long a channel may take to answer.
const PATIENCE: Duration = Duration::from_secs(15);

/// Characters of a status, on a server that was not told otherwise.
const LONGEST_STATUS: usize = 500;

/// Characters that each kind takes.
fn most(kind: Kind) -> usize {
    match kind {
        Kind::Discord => 1900,
        Kind::Ntfy => 3500,
        Kind::Mastodon => 450,
        Kind::Slack | Kind::Matrix | Kind::Mail | Kind::Webhook => 30_000,
    }
}

/// Sends a message; an error says what is wrong, and nothing that is secret.
///
/// # Errors
/// One line for people.
pub async fn send(cx: &JobContext, channel: &Channel, message: &Message) -> Result<(), String> {
    let text = message.text(most(channel.kind));
    let now = cx.clock.now();
    match channel.kind {
        Kind::Slack => {
            // All that Slack reads as its own marks.
            let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            hand_over(cx, Parcel::post(address(channel)?, &json!({ "text": text }))).await
        }
        Kind::Discord => {
            let body = json!({ "content": text, "allowed_mentions": { "parse": [] } });
            hand_over(cx, Parcel::post(address(channel)?, &body)).await
        }
        Kind::Ntfy => ntfy(cx, channel, message, &text).await,
        Kind::Matrix => matrix(cx, channel, message, &text).await,
        Kind::Webhook => webhook(cx, channel, message, now).await,
        Kind::Mail => mail(cx, channel, message, &text, now).await,
        Kind::Mastodon => direct(cx, channel, message, &text).await,
    }
}

fn secret(file: &Path) -> Result<Secret, String> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    let text = text.trim();
    if text.is_empty() {
        return Err(format!("{} is empty", file.display()));
    }
    Ok(text.to_owned().into())
}

fn address(channel: &Channel) -> Result<Url, String> {
    if let Some(url) = &channel.url {
        return Ok(url.clone());
    }
    let file = channel.url_file.as_deref().ok_or("no address is set")?;
    let url = secret(file)?.expose_secret().parse::<Url>();
    url.map_err(|_| format!("{} holds no address", file.display()))
}

fn bearer(channel: &Channel, url: &Url) -> Result<Option<Bearer>, String> {
    let Some(file) = &channel.secret_file else {
        return Ok(None);
    };
    Ok(Some(Bearer {
        origin: url.clone(),
        token: secret(file)?,
        login: format!("channel/{}", channel.name),
    }))
}

/// What goes out: where, what, and who we are there.
struct Parcel {
    method: Method,
    url: Url,
    body: String,
    headers: HeaderMap,
    bearer: Option<Bearer>,
}

impl Parcel {
    fn post(url: Url, body: &Value) -> Self {
        Self {
            method: Method::POST,
            url,
            body: body.to_string(),
            headers: HeaderMap::new(),
            bearer: None,
        }
    }
}

async fn hand_over(cx: &JobContext, parcel: Parcel) -> Result<(), String> {
    let Parcel {
        method,
        url,
        body,
        headers,
        bearer,
    } = parcel;
    let host = url.host_str().unwrap_or_default().to_owned();
    let request = Request {
        timeout: Some(PATIENCE),
        max_body: 64 << 10,
        headers,
        body: Body::Json(body.into()),
        ..Request::server(method, url, bearer)
    };
    match cx.net.send(request).await {
        Ok(answer) if (200..300).contains(&answer.http_status) => Ok(()),
        Ok(answer) => Err(format!("{host} answers {}", answer.http_status)),
        // Its address is the secret; the reason alone is none.
        Err(net::Error::Refused { reason, .. }) => Err(format!(
            "refused to ask {host}: {reason}; [net] allow lets in what is not public"
        )),
        Err(error) => Err(error.to_string()),
    }
}

async fn ntfy(cx: &JobContext, channel: &Channel, message: &Message, text: &str) -> Result<(), String> {
    let mut url = address(channel)?;
    let topic = url.path().trim_matches('/').to_owned();
    let topic = topic.rsplit('/').next().unwrap_or_default().to_owned();
    if topic.is_empty() {
        return Err("the address must end in a topic".to_owned());
    }
    let above = url.path().trim_end_matches('/').len() - topic.len();
    let path = url.path()[..above].to_owned();
    url.set_path(&path);
    let priority = match message.severity {
        Severity::Info => 2,
        Severity::Warning => 3,
        Severity::Error => 5,
    };
    // The title is a field of its own.
    let text = text.split_once('\n').map_or(text, |(_, rest)| rest);
    let body = json!({
        "topic": topic, "title": message.title, "message": text, "priority": priority, "tags": [word(message.severity)],
    });
    let bearer = bearer(channel, &url)?;
    hand_over(
        cx,
        Parcel {
            bearer,
            ..Parcel::post(url, &body)
        },
    )
    .await
}

async fn matrix(cx: &JobContext, channel: &Channel, message: &Message, text: &str) -> Result<(), String> {
    let mut url = address(channel)?;
    let room = channel.to.first().ok_or("no room is set")?;
    url.path_segments_mut()
        .map_err(|()| "the address is no server's")?
        .pop_if_empty()
        .extend([
            "_matrix",
            "client",
            "v3",
            "rooms",
            room,
            "send",
            "m.room.message",
            &message.id,
        ]);
    let body = json!({ "msgtype": "m.text", "body": text, "m.mentions": {} });
    let bearer = bearer(channel, &url)?;
    hand_over(
        cx,
        Parcel {
            method: Method::PUT,
            bearer,
            ..Parcel::post(url, &body)
        },
    )
    .await
}

/// What is signed is the time, a dot and the body, so that neither can be another's.
///
/// # Errors
/// Never: any key will do.
pub fn signature(key: &[u8], timestamp: i64, body: &str) -> Result<String, String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(|error| error.to_string())?;
    mac.update(format!("{timestamp}.{body}").as_bytes());
    Ok(format!("sha256={}", hex(mac.finalize().into_bytes().as_slice())))
}

async fn webhook(cx: &JobContext, channel: &Channel, message: &Message, now: DateTime<Utc>) -> Result<(), String> {
    let key = secret(channel.secret_file.as_deref().ok_or("no secret_file is set")?)?;
    let body = json!({
        "id": message.id, "title": message.title, "severity": word(message.severity), "lines": message.lines,
    });
    let mut parcel = Parcel::post(address(channel)?, &body);
    let signed = signature(key.expose_secret().as_bytes(), now.timestamp(), &parcel.body)?;
    for (name, value) in [
        ("x-egret-signature", signed),
        ("x-egret-timestamp", now.timestamp().to_string()),
    ] {
        let value = HeaderValue::from_str(&value).map_err(|error| error.to_string())?;
        parcel.headers.insert(HeaderName::from_static(name), value);
    }
    hand_over(cx, parcel).await
}

async fn mail(
    cx: &JobContext,
    channel: &Channel,
    message: &Message,
    text: &str,
    now: DateTime<Utc>,
) -> Result<(), String> {
    let mailer = cx.net.mailer(Server {
        host: channel.host.clone(),
        port: channel.port,
        tls: channel.tls,
        username: channel.username.clone(),
        password: channel.secret_file.as_deref().map(secret).transpose()?,
        from: channel.from.clone(),
        timeout: PATIENCE,
    })?;
    let mut failed = Vec::new();
    for (nth, to) in channel.to.iter().enumerate() {
        let letter = Letter {
            id: format!("{}-{nth}", message.id),
            to: to.clone(),
            subject: message.title.clone(),
            text: text.to_owned(),
        };
        if let Err(error) = mailer.send(&letter, now).await {
            failed.push((nth, error.to_string()));
        }
    }
    let Some((_, first)) = failed.first() else {
        return Ok(());
    };
    if failed.len() == channel.to.len() {
        return Err(first.clone());
    }
    // Somebody has it. Tried again, it would come to them with every try for as long as another's box is full.
    for (nth, error) in &failed {
        warn!(
            channel = channel.name,
            "the letter to number {} of its addresses did not go: {error}",
            nth + 1
        );
    }
    Ok(())
}

/// A direct message is a write on a server like any other: recorded, and only sent in mode `act`.
async fn direct(cx: &JobContext, channel: &Channel, message: &Message, text: &str) -> Result<(), String> {
    let named = |name: &str| name == channel.login || name.ends_with(&format!("/{}", channel.login));
    let login = cx.logins.iter().find(|login| named(&login.name));
    let login = login.ok_or_else(|| format!("there is no login {:?} that works", channel.login))?;
    // Nobody but those in `to` is mentioned, whatever a notice quotes.
    let text = text.replace('@', "@\u{200b}");
    let to: Vec<String> = channel
        .to
        .iter()
        .map(|it| format!("@{}", it.trim_start_matches('@')))
        .collect();
    // Names and marks add to what the text was cut to.
    let status: String = format!("{} {text}", to.join(" "))
        .chars()
        .take(LONGEST_STATUS)
        .collect();
    let wish = Wish {
        kind: "status.direct",
        server: login.server.clone(),
        key: message.id.clone(),
        intent: json!({ "status": status, "visibility": "direct" }),
        reason: json!({ "channel": channel.name }),
    };
    let sent = cx
        .effects
        .carry_out(wish, async |permit| {
            login.client.post_direct(&status, &message.id, permit).await
        })
        .await;
    match sent {
        Ok(Sent::Done(_) | Sent::Known) => Ok(()),
        Ok(Sent::Rehearsed) => Err("only rehearsed: [operations] mode is \"observe\"".to_owned()),
        Ok(Sent::Held(why)) => Err(format!("waits: {why}")),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_of_the_time_and_the_body() {
        let of = |time, body| signature(b"key", time, body).unwrap();
        assert!(of(1, "{}").starts_with("sha256=") && of(1, "{}").len() == 7 + 64);
        assert_ne!(of(1, "{}"), of(2, "{}"));
        assert_ne!(of(1, "{}"), of(1, "{ }"));
    }
}
