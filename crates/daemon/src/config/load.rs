//! Layers, later wins: built-in defaults, the file, the environment, flags.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, anyhow, bail};
use config::ConfigError;

use super::{
    Config, effective,
    environment::{self, Environment, Kinds},
    resolve_path,
};

/// Where the layers come from.
#[derive(Debug, Clone, Default)]
pub struct Layers {
    /// `--config`.
    pub file: Option<PathBuf>,
    /// The environment.
    pub environment: Vec<(OsString, OsString)>,
    /// Flags, as keys and values.
    pub flags: Vec<(&'static str, String)>,
}

impl Layers {
    /// This process's environment, and nothing else yet.
    pub fn of_process() -> Self {
        Self {
            environment: std::env::vars_os().collect(),
            ..Self::default()
        }
    }

    fn variable(&self, name: &str) -> Option<&OsString> {
        self.environment
            .iter()
            .find(|(key, value)| key == name && !value.is_empty())
            .map(|(_, value)| value)
    }

    /// The file to read: named, or the first of the usual places that exists.
    pub(crate) fn find(&self) -> anyhow::Result<Option<PathBuf>> {
        if let Some(file) = &self.file {
            return Ok(Some(file.clone()));
        }
        if let Some(file) = self.variable("EGRET_CONFIG") {
            return Ok(Some(file.into()));
        }
        let home = self.variable("XDG_CONFIG_HOME").map(PathBuf::from).or_else(|| {
            let home = self.variable("HOME")?;
            Some(Path::new(home).join(".config"))
        });
        let mut places = vec![PathBuf::from("egret.toml")];
        places.extend(home.map(|home| home.join("egret/egret.toml")));
        places.push("/etc/egret/egret.toml".into());
        for place in places {
            // A file that is there and cannot be looked at is an error, not a reason to go on with defaults.
            match place.try_exists() {
                Ok(true) => return Ok(Some(place)),
                Ok(false) => {}
                Err(error) => bail!("cannot look at {}: {error}; mend its permissions", place.display()),
            }
        }
        Ok(None)
    }
}

/// Loads and validates the config.
///
/// # Errors
/// One message that names the file (or variable), the key and what to do, and never holds a value of the file's.
pub fn load(layers: &Layers) -> anyhow::Result<Config> {
    let file = layers.find()?;
    if let Some(file) = &file {
        let text = std::fs::read_to_string(file).map_err(|error| {
            anyhow!(
                "cannot read the config {}: {error}; mend its name (--config, $EGRET_CONFIG) or its permissions",
                file.display()
            )
        })?;
        check_syntax(file, &text)?;
    }
    let named = || {
        file.as_ref()
            .map_or_else(|| "the config".to_owned(), |file| file.display().to_string())
    };
    let environment = Environment::new(layers.environment.clone(), kinds());
    let mut config = build(file.as_deref(), environment.clone(), layers).map_err(|error| {
        let text = plain(&error);
        match guilty(&text, &environment, |rest| build(file.as_deref(), rest, layers)) {
            Some(variable) if text.contains(&variable) => anyhow!("{text}"),
            Some(variable) => {
                anyhow!("the environment variable {variable}: {text}; mend its name or value, or unset it")
            }
            None => anyhow!("{}: {text}", named()),
        }
    })?;

    let folder = file
        .as_deref()
        .and_then(Path::parent)
        .map(Path::to_path_buf)
        .unwrap_or_default();
    let credentials = layers.variable("CREDENTIALS_DIRECTORY").map(PathBuf::from);
    let paths = config
        .servers
        .iter_mut()
        .flat_map(|server| &mut server.logins)
        .filter_map(|login| login.token_file.as_mut())
        .chain(config.store.url_file.as_mut())
        .chain(config.net.extra_ca_file.as_mut())
        .chain(config.net.actor.key_file.as_mut())
        .chain(config.registrations.mail.password_file.as_mut())
        .chain(config.moderation.rules.as_mut())
        .chain(config.operations.paths())
        .chain(
            config
                .blocklists
                .sources
                .iter_mut()
                .filter_map(|source| source.file.as_mut()),
        )
        .chain(
            config
                .blocklists
                .outputs
                .iter_mut()
                .flat_map(|output| [&mut output.file, &mut output.key_file])
                .flatten(),
        );
    let resolve = |path: &Path| {
        resolve_path(path, &folder, credentials.as_deref()).map_err(|error| anyhow!("{}: {error}", named()))
    };
    for path in paths {
        *path = resolve(path)?;
    }
    for path in config
        .servers
        .iter_mut()
        .flat_map(|server| &mut server.webhook_secret_files)
    {
        *path = resolve(path)?;
    }
    for list in config
        .registrations
        .rules
        .iter_mut()
        .flat_map(|rule| &mut rule.domain_lists)
    {
        if !list.contains("://") {
            *list = resolve(Path::new(list.as_str()))?.display().to_string();
        }
    }
    config.validate().with_context(named)?;
    config.file = file;
    config.warnings = environment::strays(&layers.environment);
    config.warnings.extend(config.strangers());
    Ok(config)
}

fn build(file: Option<&Path>, environment: Environment, layers: &Layers) -> Result<Config, ConfigError> {
    let mut builder = config::Config::builder();
    if let Some(file) = file {
        builder = builder.add_source(config::File::from(file).format(config::FileFormat::Toml));
    }
    builder = builder.add_source(environment);
    for (key, value) in &layers.flags {
        builder = builder.set_override(*key, value.as_str())?;
    }
    let built = builder.build()?;
    let origins = effective::origins(&built.cache);
    let config = read(built)?;
    Ok(Config { origins, ..config })
}

/// What reading all sections at once may take. Unoptimised it is more than a thread of the runtime has, and a reload
/// happens on one.
const STACK: usize = 16 * 1024 * 1024;

fn read(built: config::Config) -> Result<Config, ConfigError> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("config".into()).stack_size(STACK);
        let reader = thread.spawn_scoped(scope, || built.try_deserialize::<Config>());
        let reader = reader.map_err(|error| ConfigError::Foreign(Box::new(error)))?;
        reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// The variable without which the error would not be. The config crate tells where a bad value comes from, but not
/// where an unknown key does, and the file is the wrong place to look for it.
fn guilty(
    error: &str,
    environment: &Environment,
    build: impl Fn(Environment) -> Result<Config, ConfigError>,
) -> Option<String> {
    let names = environment.names();
    let without = |name: &str| build(environment.without(name));
    let mended = names.iter().find(|name| without(name).is_ok());
    // With several errors at once: the one that holds the key that the message names first.
    let field = error.split('`').nth(1);
    let named = || {
        names
            .iter()
            .find(|name| name.split("__").any(|part| Some(part.to_lowercase().as_str()) == field))
    };
    mended.or_else(named).cloned()
}

/// Reads the text once for its syntax alone: the config crate's own message quotes the offending line, which may hold
/// a secret.
fn check_syntax(file: &Path, text: &str) -> anyhow::Result<()> {
    let Err(error) = toml::from_str::<toml::Table>(text) else {
        return Ok(());
    };
    let place = error.span().map_or_else(String::new, |span| {
        let before = text.get(..span.start).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |rest| rest.chars().count()) + 1;
        format!(", line {line}, column {column}")
    });
    bail!("{}{place}: not valid TOML: {}", file.display(), error.message())
}

/// What went wrong, without values: type errors quote them, and a value in the wrong place may be a token.
fn plain(error: &ConfigError) -> String {
    match error {
        ConfigError::Type {
            origin, expected, key, ..
        } => {
            let key = key.as_deref().map_or_else(String::new, |key| format!(" {key}"));
            let origin = origin
                .as_deref()
                .map_or_else(String::new, |origin| format!(" (in {origin})"));
            format!("the key{key} must be {expected}{origin}")
        }
        ConfigError::At { error, key, origin } => {
            let inner = plain(error);
            let key = key.as_deref().filter(|key| !inner.contains(&format!("key {key}")));
            let key = key.map_or_else(String::new, |key| format!(" (key {key})"));
            match origin.as_deref().filter(|origin| origin.contains("environment")) {
                Some(origin) => format!("{inner}{key}, from {origin}"),
                None => format!("{inner}{key}"),
            }
        }
        ConfigError::Message(message) => message.clone(),
        ConfigError::FileParse { .. } => "not valid TOML".into(),
        other => other.to_string(),
    }
}

/// What kind of value each key has, read off the defaults so that no section has to say it twice.
fn kinds() -> Kinds {
    let mut found = Kinds::default();
    if let Ok(toml::Value::Table(sections)) = toml::Value::try_from(Config::default()) {
        for (name, section) in &sections {
            walk(name, section, &mut found);
        }
    }
    found
}

fn walk(path: &str, value: &toml::Value, found: &mut Kinds) {
    match value {
        toml::Value::Array(_) => {
            found.lists.insert(path.to_owned());
        }
        toml::Value::Boolean(_) => {
            found.booleans.insert(path.to_owned());
        }
        toml::Value::Table(table) => {
            for (key, value) in table {
                walk(&format!("{path}.{key}"), value, found);
            }
        }
        _ => {}
    }
}
