//! Tokens for scripts: `egret_<id>_<secret>`. The id finds the row, the secret's hash is compared, and whoever reads
//! the table can use neither.

use chrono::{DateTime, TimeDelta, Utc};
use ring::hmac;
use secrecy::ExposeSecret as _;
use store::{
    Db,
    api_tokens::{self, ApiToken},
};

use crate::{
    rights::{self, Grant, Visitor, Why},
    seal::Key,
    session::PATIENCE,
};

const PREFIX: &str = "egret_";

/// Not a secret: it keeps these hashes apart from all others.
const LABEL: &[u8] = b"egret api token";

/// A use is written down at most this often.
const USED: TimeDelta = TimeDelta::minutes(1);

/// A new token. Nobody can show it again.
#[derive(Debug)]
pub struct Created {
    /// What scripts send.
    pub token: net::Secret,
    /// What we keep.
    pub row: ApiToken,
}

/// Why there is no new token.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not a right.
    #[error(
        "there is no scope {0:?}; there are: view, moderation, registrations, federation, admin; each also for one server, \
         as in moderation@mastodon.example, and view for one login, as in view@mastodon.example/me"
    )]
    Scope(String),
    /// It can do nothing.
    #[error("a token without a scope can do nothing; add --scope view, or what it needs")]
    NoScope,
    /// Not a name.
    #[error("a token's name is one line of 1 to 60 characters, so that it can be told from others")]
    Name,
    /// Another token has the name.
    #[error("there is a token named {0:?} already; revoke it first, or choose another name")]
    Taken(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// Makes a token with these scopes: rights, as words, each with `@server` or, to see one login's own, `@server/login`.
///
/// # Errors
/// When a scope is none, the name is taken, or the store fails.
pub async fn create(
    db: &Db,
    name: &str,
    scopes: &[String],
    now: DateTime<Utc>,
    expires_at: Option<DateTime<Utc>>,
) -> Result<Created, Error> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 60 || name.contains(char::is_control) {
        return Err(Error::Name);
    }
    let mut granted = scopes
        .iter()
        .map(|word| Grant::parse(word).ok_or_else(|| Error::Scope(word.clone())))
        .collect::<Result<Vec<_>, _>>()?;
    granted.sort_unstable();
    granted.dedup();
    if granted.is_empty() {
        return Err(Error::NoScope);
    }
    let key = Key::random();
    let id = uuid::Uuid::new_v4().simple().to_string()[..12].to_owned();
    let row = ApiToken {
        hash: hash(&key.text()),
        id: id.clone(),
        name: name.to_owned(),
        rights: rights::to_words(&granted),
        created_at: now,
        expires_at,
        last_used_at: None,
        revoked_at: None,
    };
    if !api_tokens::insert(db, &row).await? {
        return Err(Error::Taken(name.to_owned()));
    }
    let token = format!("{PREFIX}{id}_{}", key.text()).into();
    Ok(Created { token, row })
}

/// Who shows this token.
pub(crate) async fn recognise(db: &Db, token: &net::Secret, now: DateTime<Utc>) -> Visitor {
    let halves = token
        .expose_secret()
        .strip_prefix(PREFIX)
        .and_then(|rest| rest.split_once('_'));
    let Some((id, secret)) = halves.filter(|(id, secret)| id.len() <= 32 && secret.len() <= 64) else {
        return Visitor::unknown(Why::BadToken);
    };
    let row = match tokio::time::timeout(PATIENCE, api_tokens::load(db, id)).await {
        Ok(Ok(row)) => row,
        Ok(Err(error)) => {
            tracing::error!(%error, "cannot look up an API token");
            return Visitor::unknown(Why::StoreDown);
        }
        Err(_) => {
            tracing::error!("the database does not answer: cannot look up an API token");
            return Visitor::unknown(Why::StoreDown);
        }
    };
    let Some(row) = row.filter(|row| is_the_secret(secret, &row.hash)) else {
        return Visitor::unknown(Why::BadToken);
    };
    if row.revoked_at.is_some() || row.expires_at.is_some_and(|end| end <= now) {
        return Visitor::unknown(Why::BadToken);
    }
    if row.last_used_at.is_none_or(|used| now - used >= USED)
        && let Err(error) = api_tokens::mark_used(db, &row.id, now).await
    {
        // Whoever may ask still may.
        tracing::warn!(%error, token = row.name, "cannot write down that a token was used");
    }
    Visitor::with_token(&row.name, rights::from_words(&row.rights))
}

fn hash(secret: &str) -> String {
    base64::Engine::encode(
        &base64::engine::general_purpose::URL_SAFE_NO_PAD,
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, LABEL), secret.as_bytes()),
    )
}

/// Compares hashes, in the same time wherever they differ.
fn is_the_secret(secret: &str, hash: &str) -> bool {
    let tag = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, hash);
    let key = hmac::Key::new(hmac::HMAC_SHA256, LABEL);
    tag.is_ok_and(|tag| hmac::verify(&key, secret.as_bytes(), &tag).is_ok())
}
