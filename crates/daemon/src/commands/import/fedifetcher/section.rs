//! FediFetcher's options in our words: the text of an `egret.toml`, and what has no equivalent.

use model::{Domain, Host};
use net::Secret;
use toml::Value;

use super::{super::Report, options::Options};

/// A config, and the tokens that belong into files of their own.
#[derive(Debug, Default)]
pub(super) struct Section {
    pub(super) text: String,
    /// File name and token.
    pub(super) tokens: Vec<(String, Secret)>,
}

/// Options that only concerned how that program was run.
const NEEDLESS: &[(&str, &str)] = &[
    ("remember-hosts-for-days", "what a host runs is remembered for 30 days"),
    ("state-dir", "everything is kept in the database, see [store]"),
    ("lock-file", "a second process is refused while the first lives"),
    ("lock-hours", "a lock ends with its process, so none gets stale"),
    ("log-format", "see [log] format"),
];

/// Sections in the order they were begun; each key once.
#[derive(Default)]
struct Writer {
    text: String,
}

impl Writer {
    fn section(&mut self, name: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(&format!("[{name}]\n"));
    }

    fn key(&mut self, key: &str, value: impl Into<Value>) {
        self.text.push_str(&format!("{key} = {}\n", value.into()));
    }
}

/// Writes the config that does what the options asked for.
pub(super) fn write(options: &Options, report: &mut Report) -> Section {
    if options.is_empty() {
        report.left(
            "settings",
            "none were found; name a file that holds them with --settings",
        );
        return Section::default();
    }
    let mut out = Writer::default();
    let tokens = servers(options, &mut out, report);
    net(options, &mut out, report);
    replies(options, &mut out, report);
    backfill(options, &mut out, report);
    log(options, &mut out, report);
    for (name, why) in NEEDLESS {
        if options.text(name).is_some() {
            report.left(*name, *why);
        }
    }
    let text = format!(
        "# Made by `egret import fedifetcher`. config/example.toml shows every key with its default.\n\n{}",
        out.text
    );
    Section { text, tokens }
}

fn servers(options: &Options, out: &mut Writer, report: &mut Report) -> Vec<(String, Secret)> {
    let Some(url) = options.text("server").and_then(super::url) else {
        report.left("server", "not told; add [[servers]] by hand, or with `egret init`");
        return Vec::new();
    };
    out.text.push_str(&format!(
        "[[servers]]\nurl = \"{}\"\n",
        url.origin().ascii_serialization()
    ));
    report.took("server", "[[servers]] url");
    let mut tokens = Vec::new();
    for (n, token) in options.tokens.iter().enumerate() {
        let name = if n == 0 {
            "me".to_owned()
        } else {
            format!("me{}", n + 1)
        };
        let file = format!("egret-{name}.token");
        out.text.push_str(&format!(
            "[[servers.logins]]\nname = \"{name}\"\ntoken_file = \"{file}\"\n"
        ));
        report.took("access-token", format!("the login {name:?}, its token in {file}"));
        tokens.push((file, token.clone()));
    }
    if tokens.is_empty() {
        report.left("access-token", "none was found; `egret init` asks for one");
    }
    tokens
}

fn net(options: &Options, out: &mut Writer, report: &mut Report) {
    let timeout = options.number("http-timeout").filter(|seconds| *seconds > 0);
    let (mut blocklist, mut odd) = (Vec::new(), Vec::new());
    for item in options.text("instance-blocklist").unwrap_or_default().split(',') {
        // A host with a port was only ever that port's; here a name counts for all of them, and what is below it.
        match Host::stored(item.trim().to_lowercase()).domain() {
            Some(domain) => blocklist.push(domain),
            None if item.trim().is_empty() => {}
            None => odd.push(item.trim().to_owned()),
        }
    }
    blocklist.sort();
    blocklist.dedup();
    if timeout.is_some() || !blocklist.is_empty() {
        out.section("net");
    }
    if let Some(seconds) = timeout {
        out.key("timeout", format!("{seconds}s"));
        report.took("http-timeout", "[net] timeout; a whole request, its answer included");
    }
    if !blocklist.is_empty() {
        let list: Vec<Value> = blocklist.iter().map(Domain::as_str).map(Value::from).collect();
        out.key("blocklist", list);
        report.took("instance-blocklist", "[net] blocklist, subdomains included");
    }
    for item in odd {
        report.left("instance-blocklist", format!("{item:?} is not the name of a domain"));
    }
}

/// A job's section: on with a count, off without.
fn job(
    options: &Options,
    out: &mut Writer,
    report: &mut Report,
    option: &'static str,
    section: &str,
    key: &str,
) -> bool {
    let count = options.number(option).unwrap_or(0);
    out.section(section);
    out.key("enabled", count > 0);
    if count > 0 {
        out.key(key, i64::try_from(count).unwrap_or(i64::MAX));
    }
    if options.text(option).is_some() {
        report.took(option, format!("[{section}] {key}"));
    }
    count > 0
}

fn replies(options: &Options, out: &mut Writer, report: &mut Report) {
    job(options, out, report, "home-timeline-length", "replies.home", "length");
    // They were asked once for a whole pass; here a job is what starts and ends.
    for (option, key) in [("on-start", "on_start"), ("on-done", "on_done"), ("on-fail", "on_fail")] {
        if let Some(address) = options.text(option) {
            if super::url(address).is_some_and(|url| matches!(url.scheme(), "http" | "https")) {
                out.key(key, address);
                report.took(option, format!("[replies.home] {key}; any job can have its own"));
            } else {
                report.left(option, "not an http(s) address");
            }
        }
    }
    job(options, out, report, "max-bookmarks", "replies.bookmarks", "length");
    job(options, out, report, "max-favourites", "replies.favourites", "length");
    let lists = options.is_on("from-lists", false);
    let length = options.number("max-list-length").unwrap_or(100);
    out.section("replies.lists");
    out.key("enabled", lists && length > 0);
    if lists && length > 0 {
        out.key("length", i64::try_from(length).unwrap_or(i64::MAX));
    }
    if options.text("from-lists").is_some() {
        report.took("from-lists", "[replies.lists] and [backfill.lists]");
    }
    if options.text("max-list-length").is_some() {
        report.took("max-list-length", "[replies.lists] length");
    }
    job(
        options,
        out,
        report,
        "reply-interval-in-hours",
        "replies.joined",
        "hours",
    );
}

fn backfill(options: &Options, out: &mut Writer, report: &mut Report) {
    let posts = options.number("max-posts-per-account");
    let remember = options.number("remember-users-for-hours");
    if posts.is_some() || remember.is_some() {
        out.section("backfill");
    }
    if let Some(posts) = posts.filter(|posts| *posts > 0) {
        out.key("posts_per_account", i64::try_from(posts).unwrap_or(i64::MAX));
        report.took("max-posts-per-account", "[backfill] posts_per_account");
    }
    if let Some(hours) = remember.filter(|hours| *hours > 0) {
        out.key("remember", format!("{hours}h"));
        report.took("remember-users-for-hours", "[backfill] remember");
    }
    let user = options.text("user");
    for (option, section) in [
        ("max-followings", "backfill.followings"),
        ("max-followers", "backfill.followers"),
    ] {
        let on = job(options, out, report, option, section, "length");
        if let Some(user) = user.filter(|_| on) {
            out.key("user", user);
        }
    }
    if user.is_some() {
        report.took("user", "[backfill.followings] user and [backfill.followers] user");
    }
    job(
        options,
        out,
        report,
        "max-follow-requests",
        "backfill.follow_requests",
        "length",
    );
    job(
        options,
        out,
        report,
        "from-notifications",
        "backfill.notifications",
        "hours",
    );
    let accounts = options.number("max-list-accounts").unwrap_or(10);
    let lists = options.is_on("from-lists", false);
    out.section("backfill.lists");
    out.key("enabled", lists && accounts > 0);
    if lists && accounts > 0 {
        out.key("length", i64::try_from(accounts).unwrap_or(i64::MAX));
    }
    if options.text("max-list-accounts").is_some() {
        report.took("max-list-accounts", "[backfill.lists] length");
    }
    // On by default, and without a timeline to read without effect.
    let timeline = options.number("home-timeline-length").unwrap_or(0) > 0 || lists;
    out.section("backfill.mentioned");
    out.key("enabled", timeline && options.is_on("backfill-mentioned-users", true));
    if options.text("backfill-mentioned-users").is_some() {
        report.took("backfill-mentioned-users", "[backfill.mentioned] enabled");
    }
    out.section("backfill.contexts");
    out.key("enabled", options.is_on("backfill-with-context", true));
    if options.text("backfill-with-context").is_some() {
        report.took(
            "backfill-with-context",
            "[backfill.contexts] enabled; only posts that have replies are asked about",
        );
    }
}

fn log(options: &Options, out: &mut Writer, report: &mut Report) {
    let Some(level) = options.text("log-level") else { return };
    let ours = match level.to_ascii_uppercase().as_str() {
        "DEBUG" => "debug",
        "INFO" => "info",
        "WARNING" | "WARN" => "warn",
        "ERROR" | "CRITICAL" | "FATAL" => "error",
        _ => {
            report.left("log-level", "no level that is known here");
            return;
        }
    };
    out.section("log");
    out.key("level", ours);
    report.took("log-level", "[log] level");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Layers, load};

    fn written(settings: &str) -> (Section, Report) {
        let mut options = Options::default();
        options.read(settings).unwrap();
        let mut report = Report::default();
        (write(&options, &mut report), report)
    }

    fn config(section: &Section) -> Config {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("egret.toml");
        std::fs::write(&file, &section.text).unwrap();
        load(&Layers {
            file: Some(file),
            ..Layers::default()
        })
        .unwrap_or_else(|error| panic!("{error:#}\n{}", section.text))
    }

    #[test]
    fn every_option_is_taken_over_or_named() {
        let mut settings: serde_json::Map<String, serde_json::Value> = super::super::options::NAMES
            .iter()
            .map(|name| ((*name).to_owned(), 7.into()))
            .collect();
        for (name, value) in [
            ("server", "https://Mstdn.example/"),
            ("access-token", "TOKEN-123"),
            ("user", "alice"),
            ("instance-blocklist", "bad.example:8443, Bad.example,not a host,"),
            ("on-start", "https://hc.example/start?x=1"),
            ("on-done", "https://hc.example/done"),
            ("on-fail", "https://hc.example/fail"),
            ("log-level", "WARNING"),
        ] {
            settings.insert(name.to_owned(), value.into());
        }
        let (section, report) = written(&serde_json::to_string(&settings).unwrap());
        for name in super::super::options::NAMES {
            assert!(report.lines.iter().any(|line| line.what == *name), "{name}: {report:?}");
        }
        let config = config(&section);
        assert_eq!(config.servers[0].url.as_str(), "https://mstdn.example/");
        assert_eq!(config.servers[0].logins.len(), 1);
        assert!(!section.text.contains("TOKEN-123"), "a token goes into its own file");
        assert_eq!(config.net.blocklist, ["bad.example"]);
        assert_eq!(config.net.timeout.as_secs(), 7);
        assert_eq!((config.replies.home.enabled, config.replies.home.length), (true, 7));
        assert_eq!((config.replies.joined.enabled, config.replies.joined.hours), (true, 7));
        assert_eq!((config.replies.lists.enabled, config.replies.lists.length), (true, 7));
        assert!(config.replies.home.on_done.is_some());
        assert_eq!(config.backfill.posts_per_account, 7);
        assert_eq!(config.backfill.remember.as_secs(), 7 * 3600);
        assert_eq!(
            (config.backfill.followings.enabled, config.backfill.followings.length),
            (true, 7)
        );
        assert_eq!(config.backfill.followers.user, "alice");
        assert_eq!(config.backfill.notifications.hours, 7);
        assert!(config.backfill.mentioned.enabled && config.backfill.contexts.enabled);
        assert_eq!(config.log.level, "warn");
    }

    #[test]
    fn what_was_off_stays_off() {
        let (section, _) = written(r#"{"server": "mstdn.example", "access-token": "TOKEN-123", "max-followings": 80}"#);
        let config = config(&section);
        let replies = &config.replies;
        assert!(!replies.home.enabled && !replies.bookmarks.enabled && !replies.favourites.enabled);
        assert!(!replies.lists.enabled && !replies.joined.enabled);
        let backfill = &config.backfill;
        assert!(backfill.followings.enabled && !backfill.followers.enabled && !backfill.lists.enabled);
        assert!(!backfill.mentioned.enabled, "there is no timeline to read");
    }
}
