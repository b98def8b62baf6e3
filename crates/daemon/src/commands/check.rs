//! `egret check`: what each job can do with this config, and what is missing.

use model::SystemClock;
use serde::Serialize;

use crate::{
    Exit,
    args::Args,
    clock, daemon,
    doors::Doors,
    logins::{self, Login, Standing},
    out, registry,
    runner::Entry,
};

#[derive(Debug, Serialize)]
struct Report {
    config: Option<std::path::PathBuf>,
    database: String,
    /// What is wrong with this machine's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    clock: Option<String>,
    servers: Vec<store::servers::Server>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<OfActor>,
    logins: Vec<OfLogin>,
    jobs: Vec<OfJob>,
}

/// The actor of `[net.actor]`, as others find it. It is told, and no part of the exit code: it answers only while the
/// daemon runs.
#[derive(Debug, Serialize)]
struct OfActor {
    acct: String,
    address: String,
    well: bool,
    says: String,
}

impl OfActor {
    /// Asks for the actor's document the way that other servers do.
    async fn of(net: &net::Net, actor: &net::Identity) -> Self {
        let asked = net::Request::origin(actor.id.clone(), "application/activity+json");
        let problem = match net.send(asked).await {
            Ok(answer) if answer.http_status == 200 => {
                let shown: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
                (shown["publicKey"]["publicKeyPem"] != actor.public_key_pem.as_str())
                    .then(|| "shows another key, or none: the address leads to something else".to_owned())
            }
            Ok(answer) => Some(format!(
                "answers {}: is the daemon running, and does the address lead to [web] listen?",
                answer.http_status
            )),
            Err(error) => Some(error.to_string()),
        };
        Self {
            acct: format!("{}@{}", actor.name, actor.host),
            address: actor.id.to_string(),
            well: problem.is_none(),
            says: problem.unwrap_or_else(|| "shows its key".to_owned()),
        }
    }
}

#[derive(Debug, Serialize)]
struct OfLogin {
    name: String,
    token: String,
    well: bool,
    acct: Option<String>,
    role: Option<String>,
    /// Mastodon's names.
    permissions: Vec<String>,
    /// Of those that any job wants.
    missing_scopes: Vec<&'static str>,
    says: String,
}

#[derive(Debug, Serialize)]
struct OfJob {
    name: String,
    scope: String,
    well: bool,
    needs_scopes: &'static [&'static str],
    missing_scopes: Vec<&'static str>,
    missing_permissions: Vec<&'static str>,
    says: String,
}

impl OfLogin {
    fn of(login: &Login) -> Self {
        let mut line = Self {
            name: login.name.clone(),
            token: login.masked.clone(),
            well: false,
            acct: None,
            role: None,
            permissions: Vec::new(),
            missing_scopes: Vec::new(),
            says: String::new(),
        };
        match login.standing() {
            Standing::Good { acct, role, missing } => {
                line.well = missing.is_empty();
                line.says = match missing.as_slice() {
                    [] => acct.clone(),
                    missing => format!("{acct}, without the scope {}", missing.join(", ")),
                };
                line.permissions = role.iter().flat_map(model::Role::permission_names).collect();
                line.role = role.map(|role| role.name);
                line.acct = Some(acct);
                line.missing_scopes = missing;
            }
            Standing::Unreachable(reason) | Standing::Bad(reason) => line.says = reason,
            Standing::Unknown => line.says = "could not be asked".into(),
        }
        line
    }
}

impl OfJob {
    fn of(entry: &Entry) -> Self {
        let (job, hindrance) = (&*entry.job, entry.hindrance());
        // Where any login suffices nothing is missing.
        let lacking: Vec<_> = entry.logins.iter().filter(|_| hindrance.is_some()).collect();
        Self {
            name: job.name().to_owned(),
            scope: entry.scope.clone(),
            well: hindrance.is_none(),
            needs_scopes: job.scopes(),
            missing_scopes: lacking
                .first()
                .map(|login| login.scopes_lacked(job))
                .unwrap_or_default(),
            missing_permissions: lacking
                .first()
                .map(|login| login.permissions_lacked(job))
                .unwrap_or_default(),
            says: hindrance.unwrap_or_else(|| job.schedule().to_string()),
        }
    }
}

pub(super) async fn run(args: &Args) -> anyhow::Result<Exit> {
    let (config, doors): (_, Doors) = super::open(args).await?;
    let settings = daemon::settings(&config, &doors, registry::jobs)?;
    logins::check(&settings.logins, &settings.jobs, &doors).await;
    let actor = match settings.net.identity() {
        Some(actor) => Some(OfActor::of(&settings.net, actor).await),
        None => None,
    };
    let report = Report {
        actor,
        config: config.file.clone(),
        database: doors.store.describe(),
        clock: Some(SystemClock.added())
            .filter(|added| !added.is_zero())
            .map(clock::said),
        // Of those that the database knows, which may have left the config.
        servers: store::servers::list(&doors.store)
            .await?
            .into_iter()
            .filter(|server| {
                settings
                    .logins
                    .iter()
                    .any(|login| login.name.split('/').next() == Some(server.host.as_str()))
            })
            .collect(),
        logins: settings.logins.iter().map(|login| OfLogin::of(login)).collect(),
        jobs: settings.entries.iter().map(|entry| OfJob::of(entry)).collect(),
    };
    doors.store.close().await;
    if args.json {
        out::json(&report)?;
    } else {
        show(&report);
    }
    // Jobs of the daemon's own need no server: they say nothing about those that do.
    let of_jobs = report.jobs.iter().filter(|line| !line.scope.is_empty());
    let well: Vec<bool> = report
        .logins
        .iter()
        .map(|line| line.well)
        .chain(of_jobs.map(|line| line.well))
        .collect();
    Ok(match well.iter().filter(|well| **well).count() {
        good if good == well.len() => Exit::Done,
        0 => Exit::Failed,
        _ => Exit::Part,
    })
}

fn show(report: &Report) {
    match &report.config {
        Some(file) => out::line(format!("config    {}", file.display())),
        None => out::line("config    none found: defaults and the environment"),
    }
    out::line(format!("database  {}", report.database));
    if let Some(clock) = &report.clock {
        out::line(format!("clock     {clock}"));
    }
    for server in &report.servers {
        out::line(format!("server    {} runs {}", server.host, server.version));
    }
    if let Some(actor) = &report.actor {
        out::line(format!("actor     {} at {} {}", actor.acct, actor.address, actor.says));
    }
    let yes = |well: bool| if well { "yes" } else { "no" }.to_owned();
    let logins: Vec<Vec<String>> = report
        .logins
        .iter()
        .map(|line| {
            vec![
                line.name.clone(),
                line.token.clone(),
                works(line),
                role(line),
                line.says.clone(),
            ]
        })
        .collect();
    out::line("");
    if logins.is_empty() {
        out::line("There is no login in [[servers]] yet: `egret init https://your.server` makes one.");
        return;
    }
    out::table(&["LOGIN", "TOKEN", "WORKS", "ROLE", ""], &logins);
    for line in report.logins.iter().filter(|line| !line.permissions.is_empty()) {
        out::line(format!("{} may: {}", line.name, may(&line.permissions)));
    }
    let jobs: Vec<Vec<String>> = report
        .jobs
        .iter()
        .map(|line| vec![line.name.clone(), line.scope.clone(), yes(line.well), line.says.clone()])
        .collect();
    out::line("");
    out::table(&["JOB", "FOR", "CAN RUN", ""], &jobs);
}

/// Whether a token is taken, and has all that any job wants.
fn works(line: &OfLogin) -> String {
    match (line.well, &line.acct) {
        (true, _) => "yes",
        (false, Some(_)) => "in part",
        (false, None) => "no",
    }
    .to_owned()
}

/// What a role is called; the one of everybody has no name.
fn role(line: &OfLogin) -> String {
    match line.role.as_deref() {
        None => "-".into(),
        Some("") => "everybody's".into(),
        Some(name) => name.to_owned(),
    }
}

fn may(permissions: &[String]) -> String {
    if permissions.iter().any(|name| name == "administrator") {
        return "everything (administrator)".into();
    }
    permissions.join(", ")
}
