//! Tokens come from files (or, for those who must, from the environment) and never print.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use secrecy::ExposeSecret as _;

use super::{Config, Login};

/// A token as read.
#[derive(Debug, Clone)]
pub struct Token {
    /// The token.
    pub secret: net::Secret,
    /// The first and last two characters at most: what may be shown.
    pub masked: String,
    /// What is odd about where it lies, for a warning.
    pub warning: Option<String>,
}

/// Reads the token of a login named `server/login`.
///
/// # Errors
/// One line that names the file and the login.
pub fn read_token(name: &str, login: &Login) -> anyhow::Result<Token> {
    let Some(file) = &login.token_file else {
        let secret = login
            .token
            .clone()
            .with_context(|| format!("the login {name} has no token"))?;
        if secret.expose_secret().trim().is_empty() {
            bail!("the token of the login {name} is empty; set token_file to a file that holds it");
        }
        return Ok(Token {
            masked: mask(secret.expose_secret().trim()),
            secret: secret.expose_secret().trim().to_owned().into(),
            warning: None,
        });
    };
    let text = std::fs::read_to_string(file).map_err(|error| {
        let what_to_do = match error.kind() {
            std::io::ErrorKind::NotFound => "put the token there, or mend token_file",
            std::io::ErrorKind::PermissionDenied => "let the user that egret runs as read it",
            _ => "it must be a text file that holds the token alone",
        };
        anyhow::anyhow!(
            "cannot read {}, the token_file of the login {name}: {error}; {what_to_do}",
            file.display()
        )
    })?;
    let token = text.trim();
    if token.is_empty() {
        bail!(
            "{}, the token_file of the login {name}, is empty; put the token into it",
            file.display()
        );
    }
    if token.contains(char::is_whitespace) || token.contains(char::is_control) {
        bail!(
            "{}, the token_file of the login {name}, holds more than a token; leave the token alone in it",
            file.display()
        );
    }
    Ok(Token {
        masked: mask(token),
        secret: token.to_owned().into(),
        warning: readable_by_all(file).then(|| {
            format!(
                "{}, the token_file of the login {name}, can be read by everybody on this machine; chmod 600 it",
                file.display()
            )
        }),
    })
}

/// A webhook's secret shorter than this was not made by a server.
const SHORTEST_SECRET: usize = 16;

/// Reads the secrets of every server's webhooks, by host.
///
/// # Errors
/// One line that names the file.
pub fn read_webhook_secrets(config: &Config) -> anyhow::Result<BTreeMap<String, Vec<net::Secret>>> {
    let mut all = BTreeMap::new();
    for server in &config.servers {
        let mut secrets = Vec::new();
        for file in &server.webhook_secret_files {
            let text = std::fs::read_to_string(file).with_context(|| {
                format!(
                    "cannot read {}, a webhook_secret_file of {}",
                    file.display(),
                    server.host()
                )
            })?;
            let secret = text.trim();
            if secret.len() < SHORTEST_SECRET {
                bail!(
                    "{}, a webhook_secret_file of {}, holds less than {SHORTEST_SECRET} characters; copy the secret that \
                     Mastodon shows in Administration, Webhooks",
                    file.display(),
                    server.host()
                );
            }
            secrets.push(secret.to_owned().into());
        }
        if secrets.is_empty() && config.moderation.inbox.enabled {
            tracing::warn!(
                server = server.host(),
                "[moderation.inbox] is enabled, and nothing can be pushed: `webhook_secret_files` of this server names no \
                 secret, so its webhooks are answered with 503"
            );
        }
        all.insert(server.host(), secrets);
    }
    Ok(all)
}

/// The first and last two characters, if enough stays hidden.
fn mask(token: &str) -> String {
    let characters: Vec<char> = token.chars().collect();
    if characters.len() < 12 {
        return "…".into();
    }
    let ends = |part: &[char]| part.iter().collect::<String>();
    format!(
        "{}…{}",
        ends(&characters[..2]),
        ends(&characters[characters.len() - 2..])
    )
}

#[cfg(unix)]
fn readable_by_all(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(file).is_ok_and(|meta| meta.permissions().mode() & 0o004 != 0)
}

#[cfg(not(unix))]
fn readable_by_all(_file: &Path) -> bool {
    false
}

/// A path of the config: `$CREDENTIALS_DIRECTORY/name` means what systemd handed over, and a relative path starts at
/// the folder of the config file.
///
/// # Errors
/// When systemd handed nothing over.
pub fn resolve_path(path: &Path, folder: &Path, credentials: Option<&Path>) -> anyhow::Result<PathBuf> {
    if let Ok(rest) = path.strip_prefix("$CREDENTIALS_DIRECTORY") {
        let credentials = credentials.with_context(|| {
            format!(
                "{} needs $CREDENTIALS_DIRECTORY, which systemd sets for a unit with LoadCredential=",
                path.display()
            )
        })?;
        return Ok(credentials.join(rest));
    }
    Ok(folder.join(path))
}
