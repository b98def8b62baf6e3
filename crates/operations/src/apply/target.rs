//! Where `pg_dump` and its like find a database.

use std::{fs, io::Write as _, path::Path};

use anyhow::Context as _;
use net::Url;

use crate::process::Program;

/// An address without its password, and the password file that holds it.
pub(super) struct Target {
    pub(super) url: String,
    passwords: tempfile::NamedTempFile,
}

impl Target {
    pub(super) fn read(file: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        // The text may hold a password, so no message repeats it.
        let url: Url = text
            .trim()
            .parse()
            .ok()
            .filter(|url: &Url| matches!(url.scheme(), "postgres" | "postgresql"))
            .with_context(|| format!("{} must hold postgres://…, and nothing else", file.display()))?;
        Self::new(url)
    }

    fn new(mut url: Url) -> anyhow::Result<Self> {
        let mut password = url.password().map(percent_decoded).unwrap_or_default();
        let _ = url.set_password(None);
        let (secret, rest): (Vec<_>, Vec<_>) = url
            .query_pairs()
            .map(|(key, value)| (key.into_owned(), value.into_owned()))
            .partition(|(key, _)| key == "password");
        if let Some((_, value)) = secret.into_iter().next() {
            password = value;
        }
        match rest.is_empty() {
            true => url.set_query(None),
            // libpq reads %20 and not +.
            false => {
                let encoded = url
                    .query_pairs_mut()
                    .clear()
                    .extend_pairs(rest)
                    .finish()
                    .query()
                    .map(str::to_owned);
                url.set_query(encoded.map(|query| query.replace('+', "%20")).as_deref());
            }
        }
        // tempfile makes it for this user's eyes alone, as libpq demands.
        let mut passwords = tempfile::NamedTempFile::new().context("no file for the password can be made")?;
        let escaped = password.replace('\\', "\\\\").replace(':', "\\:");
        writeln!(passwords, "*:*:*:*:{escaped}").context("no file for the password can be written")?;
        Ok(Self {
            url: url.into(),
            passwords,
        })
    }

    /// The same server, another database.
    pub(super) fn database(&self, name: &str) -> anyhow::Result<String> {
        let mut url: Url = self.url.parse().context("an address that cannot be read")?;
        url.set_path(name);
        Ok(url.into())
    }

    pub(super) fn program(&self, argv: &[String], more: &[&str]) -> Program {
        let mut argv = argv.to_vec();
        argv.extend(more.iter().map(|&it| it.to_owned()));
        Program {
            argv,
            secrets: vec![
                ("PGPASSFILE", self.passwords.path().as_os_str().to_owned()),
                ("PGCONNECT_TIMEOUT", "30".into()),
            ],
            ..Program::default()
        }
    }
}

fn percent_decoded(text: &str) -> String {
    // A form's spelling, but for the plus sign, which is itself in a password.
    let query = format!("p={}", text.replace('+', "%2B"));
    let mut url: Url = Url::parse("x://x").unwrap_or_else(|_| unreachable!("a fixed address"));
    url.set_query(Some(&query));
    url.query_pairs()
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_argument_holds_a_password() {
        for url in [
            "postgres://egret:p%40ss+w:rd@db.example:5433/mastodon?sslmode=require",
            "postgres://egret@localhost/mastodon?host=%2Frun%2Fpg&password=p%40ss%2Bw:rd",
        ] {
            let target = Target::new(url.parse().unwrap()).unwrap();
            assert!(
                !target.url.contains("rd") && !target.url.contains("ss%40"),
                "{}",
                target.url
            );
            let file = fs::read_to_string(target.passwords.path()).unwrap();
            assert_eq!(file, "*:*:*:*:p@ss+w\\:rd\n", "{url}");
            assert!(target.database("other").unwrap().contains("/other"));
        }
    }
}
