//! Layers and messages.

use std::{ffi::OsString, path::Path};

use super::*;

fn load_text(text: &str, environment: &[(&str, &str)]) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    load_in(folder.path(), text, environment)
}

fn load_in(folder: &Path, text: &str, environment: &[(&str, &str)]) -> Result<Config, String> {
    let file = folder.join("egret.toml");
    std::fs::write(&file, text).unwrap();
    load(&Layers {
        file: Some(file),
        environment: environment
            .iter()
            .map(|(name, value)| (OsString::from(name), OsString::from(value)))
            .collect(),
        flags: Vec::new(),
    })
    .map_err(|error| format!("{error:#}"))
}

#[test]
fn the_environment_outweighs_the_file_and_splits_lists() {
    let config = load_text(
        "[run]\ndrain = \"5s\"\n[net]\nattempts = 2\n",
        &[
            ("EGRET__NET__ATTEMPTS", "4"),
            ("EGRET__NET__ALLOW", "127.0.0.0/8, ::1/128"),
            ("EGRET__SERVERS__0__URL", "https://mastodon.example"),
            ("EGRET__SERVERS__0__LOGINS__0__NAME", "me"),
            ("EGRET__SERVERS__0__LOGINS__0__TOKEN", "007"),
        ],
    )
    .unwrap();
    assert_eq!(config.run.drain, Duration::from_secs(5));
    assert_eq!(config.net.attempts, 4);
    assert_eq!(config.net.allow.len(), 2);
    let token = read_token("mastodon.example/me", &config.servers[0].logins[0]).unwrap();
    assert_eq!(secrecy::ExposeSecret::expose_secret(&token.secret), "007");
}

#[test]
fn an_unknown_key_is_named_with_its_file() {
    let error = load_text("[net]\nattempt = 2\n", &[]).unwrap_err();
    assert!(error.contains("egret.toml") && error.contains("attempt"), "{error}");
}

#[test]
fn an_unknown_key_from_the_environment_is_named_as_the_variable() {
    let good = ("EGRET__NET__ATTEMPTS", "4");
    for bad in [
        ("EGRET__NET__ATTEMPT", "hunter22"),
        ("EGRET__REPLIES__HOME__LENGHT", "hunter22"),
        ("EGRET__NETT__ATTEMPTS", "hunter22"),
        ("EGRET__SERVERS__0__URLL", "hunter22"),
    ] {
        for environment in [&[bad][..], &[good, bad], &[bad, ("EGRET__WEB__LISTN", "x")]] {
            let error = load_text("[run]\ndrain = \"5s\"\n", environment).unwrap_err();
            let named = environment.iter().any(|(name, _)| error.contains(name));
            assert!(named && !error.contains(good.0), "{error}");
            assert!(!error.contains("egret.toml"), "nothing is wrong in the file: {error}");
            assert!(!error.contains("hunter22"), "{error}");
        }
    }
    let error = load_text("", &[("EGRET__NET__ATTEMPTS", "hunter22"), ("EGRET__RUN__DRAIN", "5s")]).unwrap_err();
    assert!(
        error.contains("EGRET__NET__ATTEMPTS") && !error.contains("hunter22"),
        "{error}"
    );
    let error = load_text("[net]\nattempt = 2\n", &[good]).unwrap_err();
    assert!(error.contains("egret.toml") && !error.contains("EGRET__"), "{error}");
}

#[test]
fn a_typing_error_does_not_print_the_line() {
    let error = load_text("[[servers]]\nurl = \"https://a.example\"\ntoken = \"hunter22\n", &[]).unwrap_err();
    assert!(error.contains("line 3") && !error.contains("hunter22"), "{error}");
}

#[test]
fn a_token_in_the_wrong_place_does_not_print() {
    let error = load_text("[net]\nattempts = \"hunter22\"\n", &[]).unwrap_err();
    assert!(error.contains("attempts") && !error.contains("hunter22"), "{error}");
}

#[test]
fn others_may_not_reach_the_pages_unless_they_can_sign_in() {
    let open = "[web]\nlisten = \"0.0.0.0:8470\"\n";
    let error = load_text(open, &[]).unwrap_err();
    assert!(error.contains("[web]") && error.contains("sign in"), "{error}");
    let error = load_text(&format!("{open}url = \"https://egret.example\"\n"), &[]).unwrap_err();
    assert!(error.contains("[[servers]]"), "{error}");
    let servers = "[[servers]]\nurl = \"https://a.example\"\n";
    load_text(&format!("{open}url = \"https://egret.example\"\n{servers}"), &[]).unwrap();
    let error = load_text(&format!("{open}url = \"http://egret.example\"\n{servers}"), &[]).unwrap_err();
    assert!(error.contains("https"), "{error}");
}

/// Check 40.
#[test]
fn every_way_to_say_no_means_no() {
    let read = |value: &str| {
        let environment = [
            ("EGRET__WEB__OPEN_TO_EVERYBODY", value),
            ("EGRET__REPLIES__HOME__ENABLED", value),
            ("EGRET__REGISTRATIONS__PENDING__ENABLED", value),
            ("EGRET__MODERATION__INBOX__ENABLED", value),
        ];
        load_text("[web]\nopen_to_everybody = true\n", &environment).map(|config| {
            let (registrations, moderation) = (&config.registrations, &config.moderation);
            assert_eq!(registrations.pending.enabled, moderation.inbox.enabled);
            assert_eq!(registrations.pending.enabled, config.replies.home.enabled);
            (config.web.open_to_everybody, config.replies.home.enabled)
        })
    };
    for no in ["false", "False", "FALSE", "0", "no", "No", "off", "", " "] {
        assert_eq!(read(no).unwrap(), (false, false), "{no:?}");
    }
    for yes in ["true", "TRUE", "1", "yes", "on"] {
        assert_eq!(read(yes).unwrap(), (true, true), "{yes:?}");
    }
    for neither in ["2", "nope", "null", "maybe"] {
        let error = read(neither).unwrap_err();
        // The file's name may hold anything.
        let (_, told) = error.split_once("the key").unwrap();
        assert!(told.contains("must be") && !told.contains(neither), "{error}");
    }
}

/// Check 40.
#[test]
fn a_variable_that_nobody_reads_is_told() {
    let error = load_text("", &[("EGRET__WEB__LISTENS", "x")]).unwrap_err();
    assert!(error.contains("listens"), "{error}");
    let error = load_text("", &[("EGRET__WEBB__LISTEN", "x")]).unwrap_err();
    assert!(error.contains("webb"), "{error}");
    let variables = [("EGRET_WEB_LISTEN", "secret"), ("EGRET_CONFIG", ""), ("EGRETTA", "x")];
    let warnings = load_text("", &variables).unwrap().warnings;
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("EGRET_WEB_LISTEN") && warnings[0].contains("EGRET__WEB__LISTEN"));
    assert!(!warnings[0].contains("secret"));
}

/// Check 40.
#[test]
fn secrets_do_not_print() {
    let text = "[store]\nurl = \"postgres://u:hunter22@db.example/egret\"\n[[servers]]\nurl = \"https://a.example\"\n\
                [[servers.logins]]\nname = \"me\"\ntoken = \"hunter22hunter22\"\n";
    let config = load_text(text, &[]).unwrap();
    assert!(!format!("{config:?}").contains("hunter22"));
    // Nor where the effective config is shown.
    let shown = effective(&config);
    let token = shown
        .iter()
        .find(|setting| setting.key.ends_with("logins[0].token"))
        .unwrap();
    assert!(!token.value.contains("hunter22"), "{}", token.value);
    assert!(!format!("{shown:?}").contains("hunter22"));
}

#[test]
fn an_unreadable_or_empty_token_file_is_named_with_its_login() {
    let folder = tempfile::tempdir().unwrap();
    let text = "[[servers]]\nurl = \"https://a.example\"\n[[servers.logins]]\nname = \"me\"\ntoken_file = \"t\"\n";
    let config = load_in(folder.path(), text, &[]).unwrap();
    let read = || read_token("a.example/me", &config.servers[0].logins[0]).map_err(|error| format!("{error:#}"));
    let error = read().unwrap_err();
    assert!(
        error.contains("a.example/me") && error.contains(&*folder.path().join("t").to_string_lossy()),
        "{error}"
    );
    std::fs::write(folder.path().join("t"), "\n").unwrap();
    assert!(read().unwrap_err().contains("is empty"));
    std::fs::write(folder.path().join("t"), "abcdefghijklmnop\n").unwrap();
    let token = read().unwrap();
    assert_eq!(token.masked, "ab…op");
    assert!(!format!("{config:?} {token:?}").contains("abcdefgh"));
}

#[test]
fn systemd_hands_over_credentials() {
    let folder = Path::new("/etc/egret");
    let path = resolve_path(
        Path::new("$CREDENTIALS_DIRECTORY/token"),
        folder,
        Some(Path::new("/run/c")),
    )
    .unwrap();
    assert_eq!(path, Path::new("/run/c/token"));
    assert_eq!(
        resolve_path(Path::new("t"), folder, None).unwrap(),
        Path::new("/etc/egret/t")
    );
    assert!(resolve_path(Path::new("$CREDENTIALS_DIRECTORY/token"), folder, None).is_err());
}

#[test]
fn the_example_holds_the_defaults_and_every_key() {
    let text = include_str!("../../../../config/example.toml");
    let config = load_text(text, &[]).unwrap();
    let default = Config::default();
    assert_eq!(config.net, default.net);
    assert_eq!(config.web, default.web);
    assert_eq!(config.run, default.run);
    assert_eq!(config.log, default.log);
    assert_eq!(config.replies, default.replies);
    assert_eq!(config.backfill, default.backfill);
    assert_eq!(config.archive, default.archive);
    assert_eq!(*config.moderation, *default.moderation);
    assert_eq!(config.registrations, default.registrations);
    assert_eq!(config.blocklists, default.blocklists);
    assert_eq!(config.metering, default.metering);
    assert_eq!(config.operations, default.operations);
    let shown: toml::Table = toml::from_str(text).unwrap();
    for (name, section) in [
        ("net", toml::Value::try_from(&default.net).unwrap()),
        ("web", toml::Value::try_from(&default.web).unwrap()),
        ("run", toml::Value::try_from(&default.run).unwrap()),
        ("log", toml::Value::try_from(&default.log).unwrap()),
        ("replies", toml::Value::try_from(&default.replies).unwrap()),
        ("backfill", toml::Value::try_from(&default.backfill).unwrap()),
        ("archive", toml::Value::try_from(&default.archive).unwrap()),
        ("moderation", toml::Value::try_from(&*default.moderation).unwrap()),
        ("registrations", toml::Value::try_from(&default.registrations).unwrap()),
        ("blocklists", toml::Value::try_from(&default.blocklists).unwrap()),
        ("metering", toml::Value::try_from(&default.metering).unwrap()),
        ("operations", toml::Value::try_from(&default.operations).unwrap()),
    ] {
        covers(
            name,
            &section,
            shown.get(name).unwrap_or(&toml::Value::Table(Default::default())),
        );
    }
}

/// Every key of `section` is in `shown`.
fn covers(path: &str, section: &toml::Value, shown: &toml::Value) {
    for (key, value) in section.as_table().into_iter().flatten() {
        let path = format!("{path}.{key}");
        let there = shown
            .get(key)
            .unwrap_or_else(|| panic!("config/example.toml does not show {path}"));
        covers(&path, value, there);
    }
}

/// A misspelt server would silently go by another policy.
#[test]
fn a_policy_for_nobody_is_told() {
    let text = "[[servers]]\nurl = \"https://a.example:8443\"\n[[blocklists.policies]]\nname = \"strict\"\n\
                servers = [\"a.example:8443\", \"b.exmaple\"]\n";
    let warnings = load_text(text, &[]).unwrap().warnings;
    assert!(
        matches!(warnings.as_slice(), [one] if one.contains("strict") && one.contains("b.exmaple")),
        "{warnings:?}"
    );
}
