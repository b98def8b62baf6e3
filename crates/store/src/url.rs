//! From `[store]` to the database that is meant.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use sqlx::postgres::PgConnectOptions;

use crate::{Config, Error};

/// Which database is meant.
#[derive(Debug)]
pub(crate) enum Target {
    Postgres(Box<PgConnectOptions>),
    Sqlite(PathBuf),
}

impl Target {
    pub(crate) fn of(config: &Config) -> Result<Self, Error> {
        match (&config.url, &config.url_file) {
            (Some(_), Some(_)) => Err(Error::Config {
                key: "url and url_file",
                reason: "both are set; keep one of them".to_owned(),
            }),
            (Some(url), None) => Self::parse("url", url.trim()),
            (None, Some(file)) => {
                let text = std::fs::read_to_string(file).map_err(|error| Error::Config {
                    key: "url_file",
                    reason: format!("cannot read {}: {error}", file.display()),
                })?;
                Self::parse("url_file", text.trim())
            }
            (None, None) => Ok(Self::Sqlite(state_folder()?.join("egret.db"))),
        }
    }

    /// The text may hold a password, so no message repeats it.
    fn parse(key: &'static str, url: &str) -> Result<Self, Error> {
        let error = |reason: &str| Error::Config {
            key,
            reason: reason.to_owned(),
        };
        if let Some(rest) = url.strip_prefix("sqlite:") {
            let rest = rest.strip_prefix("//").unwrap_or(rest);
            // Written in many examples elsewhere, and what we do anyway.
            let path = rest.strip_suffix("?mode=rwc").unwrap_or(rest);
            return match path {
                "" => Err(error("names no file; write sqlite:///path/egret.db")),
                ":memory:" => Err(error(
                    "a database in memory is lost at once; write sqlite:///path/egret.db",
                )),
                path if path.contains('?') => Err(error("takes no parameters for SQLite")),
                path => Ok(Self::Sqlite(PathBuf::from(path))),
            };
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return url
                .parse()
                .map(|options| Self::Postgres(Box::new(options)))
                .map_err(|_| error("is not a Postgres address; characters such as @ : / # in a password are written %40 %3A %2F %23"));
        }
        Err(error("must begin with sqlite:// or postgres://"))
    }
}

/// Where the daemon keeps its files unless told otherwise: `$STATE_DIRECTORY` (systemd), else
/// `$XDG_STATE_HOME/egret`, else `~/.local/state/egret`.
///
/// # Errors
/// When the environment names none of them.
pub fn state_folder() -> Result<PathBuf, Error> {
    state_folder_from(|name| std::env::var_os(name)).ok_or_else(|| Error::Config {
        key: "url",
        reason: "is not set, and neither is $STATE_DIRECTORY, $XDG_STATE_HOME or $HOME".to_owned(),
    })
}

fn state_folder_from(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let folder = |name| variable(name).filter(|value| !value.is_empty());
    if let Some(list) = folder("STATE_DIRECTORY") {
        // systemd lists several folders with colons; ours is the first.
        return std::env::split_paths(&list).next();
    }
    folder("XDG_STATE_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| folder("HOME").map(|home| Path::new(&home).join(".local/state")))
        .map(|path| path.join("egret"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(pairs: &[(&str, &str)]) -> Option<PathBuf> {
        state_folder_from(|name| pairs.iter().find(|pair| pair.0 == name).map(|pair| pair.1.into()))
    }

    #[test]
    fn the_state_folder_is_systemds_then_xdgs_then_homes() {
        let home = ("HOME", "/home/a");
        assert_eq!(
            from(&[("STATE_DIRECTORY", "/s/a:/s/b"), home]).unwrap(),
            Path::new("/s/a")
        );
        assert_eq!(from(&[("XDG_STATE_HOME", "/x"), home]).unwrap(), Path::new("/x/egret"));
        assert_eq!(
            from(&[("XDG_STATE_HOME", "relative"), home]).unwrap(),
            Path::new("/home/a/.local/state/egret")
        );
        assert_eq!(from(&[("HOME", "")]), None);
    }

    #[test]
    fn urls_that_name_a_file() {
        for (url, path) in [
            ("sqlite:///var/lib/egret/egret.db", "/var/lib/egret/egret.db"),
            ("sqlite:/var/lib/egret.db", "/var/lib/egret.db"),
            ("sqlite://egret.db?mode=rwc", "egret.db"),
            ("sqlite:egret.db", "egret.db"),
        ] {
            let Target::Sqlite(found) = Target::parse("url", url).unwrap() else {
                panic!("{url} is SQLite");
            };
            assert_eq!(found, Path::new(path));
        }
    }

    #[test]
    fn an_unusable_url_is_never_repeated() {
        for url in [
            "mysql://u:geheim@h/d",
            "postgres://u:geheim@h:port/d",
            "sqlite:",
            "sqlite::memory:",
            "",
        ] {
            let message = Target::parse("url", url).unwrap_err().to_string();
            assert!(message.starts_with("[store] url: "), "{message}");
            assert!(!message.contains("geheim"), "{message}");
        }
    }

    #[test]
    fn the_url_comes_from_one_place() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("url");
        std::fs::write(&file, "  postgres://u:geheim@db.example/egret\n").unwrap();
        let mut config = Config {
            url_file: Some(file),
            ..Config::default()
        };
        assert!(matches!(Target::of(&config).unwrap(), Target::Postgres(_)));
        config.url = Some("sqlite://a.db".to_owned());
        let message = Target::of(&config).unwrap_err().to_string();
        assert_eq!(message, "[store] url and url_file: both are set; keep one of them");
        config.url = None;
        config.url_file = Some(folder.path().join("none"));
        let message = Target::of(&config).unwrap_err().to_string();
        assert!(message.contains("url_file") && message.contains("none"), "{message}");
    }
}
