//! `egret import fedifetcher`: its state folder into the database, its options into a config.
//!
//! `options.rs` reads settings from any of the ways in which versions 1 to 8 took them, `section.rs` writes them in
//! our words, `state.rs` reads the state folder and takes it over.

mod options;
mod section;
mod state;

use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use model::Host;
use net::Url;
use secrecy::ExposeSecret as _;

use super::Report;
use crate::{
    Exit,
    args::{Args, FedifetcherOptions},
    commands::init,
    out,
};
use options::Options;

/// Reads what is there, writes the config, fills the database.
pub(super) async fn run(args: &Args, given: &FedifetcherOptions) -> anyhow::Result<Exit> {
    let places = Places::of(given)?;
    let mut options = Options::default();
    for file in &places.settings {
        let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        options.read(&text).with_context(|| format!("in {}", file.display()))?;
    }
    if given.environment {
        options.read_environment(std::env::vars());
    }
    let mut report = Report::default();
    let section = section::write(&options, &mut report);
    let wrote = match &given.to {
        Some(file) => Some(write(file, &section, &mut report)?),
        None => None,
    };

    let (config, doors) = crate::commands::open(args).await?;
    let server = match (&given.server, options.text("server")) {
        (Some(server), _) => Some(host(server.as_str())?),
        (None, Some(server)) => Some(host(server)?),
        (None, None) => match config.servers.as_slice() {
            [one] => Some(one.host()),
            _ => None,
        },
    };
    match (&places.state, server) {
        (Some(folder), Some(server)) => {
            let remember = options
                .number("remember-users-for-hours")
                .unwrap_or(options::REMEMBER_USERS);
            let state = state::State::read(folder)?;
            state::take_over(&doors, &server, &state, remember, &mut report).await?;
        }
        (Some(folder), None) => bail!(
            "{} says nothing of the server it is about; name it with --server https://your.server",
            folder.display()
        ),
        (None, _) => report.left("state", "no state folder was found; name it, or the folder above it"),
    }
    doors.store.close().await;

    if args.json {
        out::json(&serde_json::json!({ "config": section.text, "wrote": wrote, "lines": report.lines }))?;
    } else {
        if given.to.is_none() {
            out::line(&section.text);
        }
        out::error_line(report.table());
    }
    Ok(Exit::Done)
}

/// Where things are.
#[derive(Debug, Default, PartialEq)]
struct Places {
    settings: Vec<PathBuf>,
    state: Option<PathBuf>,
}

impl Places {
    /// `PATH` is the state folder, a folder that holds it (or settings), or a file of settings.
    fn of(given: &FedifetcherOptions) -> anyhow::Result<Self> {
        let mut places = Self {
            settings: given.settings.clone(),
            state: None,
        };
        let Some(path) = &given.path else {
            if places.settings.is_empty() && !given.environment {
                bail!("name the state folder of FediFetcher, or a file with its settings");
            }
            return Ok(places);
        };
        if path.is_file() {
            places.settings.push(path.clone());
            let folder = path.parent().unwrap_or_else(|| Path::new("."));
            places.state = [folder.join("artifacts"), folder.to_path_buf()]
                .into_iter()
                .find(|folder| state::is_state(folder));
        } else if path.is_dir() {
            places.state = [path.clone(), path.join("artifacts"), path.join("data")]
                .into_iter()
                .find(|folder| state::is_state(folder));
            for name in ["config.json", "FediFetcher.config.json", ".env", "FediFetcher.sh"] {
                let file = path.join(name);
                if file.is_file() {
                    places.settings.push(file);
                }
            }
            if places.state.is_none() && places.settings.is_empty() {
                bail!("{} holds neither state nor settings of FediFetcher", path.display());
            }
        } else {
            bail!("{} is not there", path.display());
        }
        Ok(places)
    }
}

/// Writes the config and, beside it, a file per token. What is there with another content is never overwritten.
fn write(file: &Path, section: &section::Section, report: &mut Report) -> anyhow::Result<String> {
    let folder = file.parent().unwrap_or_else(|| Path::new(""));
    for (name, token) in &section.tokens {
        let path = folder.join(name);
        match std::fs::read_to_string(&path) {
            Ok(there) if there.trim() == token.expose_secret() => report.took(name, "the token file is there already"),
            Ok(_) => bail!(
                "{} is there with another token, and is not overwritten; move it away first",
                path.display()
            ),
            Err(_) => {
                init::write_private(&path, token.expose_secret())?;
                report.took(name, "a token, readable by you alone");
            }
        }
    }
    match std::fs::read_to_string(file) {
        Ok(there) if there == section.text => {
            report.took("config", format!("{} says so already", file.display()));
            Ok("unchanged".to_owned())
        }
        Ok(_) => bail!(
            "{} is there already, and import does not overwrite it; name a new file with --to, and compare",
            file.display()
        ),
        // What is there and cannot be read is not overwritten either.
        Err(_) => {
            std::fs::File::create_new(file)
                .and_then(|mut new| new.write_all(section.text.as_bytes()))
                .with_context(|| format!("cannot write {}", file.display()))?;
            report.took("config", format!("written to {}", file.display()));
            Ok("written".to_owned())
        }
    }
}

/// The server as the store names it, from what people write: `mstdn.example`, `https://mstdn.example/`.
fn host(text: &str) -> anyhow::Result<String> {
    let url = url(text).with_context(|| format!("{text:?} is not the name of a server"))?;
    Ok(Host::of(&url)?.to_string())
}

/// The address of a server from what people write.
fn url(text: &str) -> Option<Url> {
    let text = text.trim();
    let whole = if text.contains("://") {
        text.to_owned()
    } else {
        format!("https://{text}")
    };
    Url::parse(&whole).ok().filter(Url::has_host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_in_any_spelling() {
        for text in ["mstdn.example", "https://mstdn.example/", " MSTDN.example "] {
            assert_eq!(host(text).unwrap(), "mstdn.example", "{text}");
        }
        assert!(host("").is_err());
    }
}
