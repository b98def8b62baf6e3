//! `egret check`: what each job can do with this config, and what is missing.

use serde::Serialize;

use crate::{
    Exit,
    args::Args,
    daemon,
    doors::Doors,
    logins::{self, Standing},
    out, registry,
};

#[derive(Debug, Serialize)]
struct Report {
    config: Option<std::path::PathBuf>,
    database: String,
    servers: Vec<store::servers::Server>,
    logins: Vec<Line>,
    jobs: Vec<Line>,
}

#[derive(Debug, Serialize)]
struct Line {
    name: String,
    scope: String,
    well: bool,
    says: String,
}

pub(super) async fn run(args: &Args) -> anyhow::Result<Exit> {
    let (config, doors): (_, Doors) = super::open(args).await?;
    let settings = daemon::settings(&config, &doors, registry::jobs)?;
    logins::check(&settings.logins, &settings.jobs, &doors).await;
    let of_logins = settings
        .logins
        .iter()
        .map(|login| {
            let (well, says) = match login.standing() {
                Standing::Good { acct, missing } if missing.is_empty() => (true, acct),
                Standing::Good { acct, missing } => (true, format!("{acct}, without the scope {}", missing.join(", "))),
                Standing::Unreachable(reason) | Standing::Bad(reason) => (false, reason),
                Standing::Unknown => (false, "could not be asked".into()),
            };
            Line {
                name: login.name.clone(),
                scope: login.masked.clone(),
                well,
                says,
            }
        })
        .collect();
    let of_jobs = settings
        .entries
        .iter()
        .map(|entry| {
            let hindrance = entry.hindrance();
            Line {
                name: entry.job.name().to_owned(),
                scope: entry.scope.clone(),
                well: hindrance.is_none(),
                says: hindrance.unwrap_or_else(|| entry.job.schedule().to_string()),
            }
        })
        .collect();
    let report = Report {
        config: config.file.clone(),
        database: doors.store.describe(),
        servers: store::servers::list(&doors.store).await?,
        logins: of_logins,
        jobs: of_jobs,
    };
    doors.store.close().await;
    let well = |lines: &[Line]| lines.iter().filter(|line| line.well).count();
    let (good, all) = (
        well(&report.logins) + well(&report.jobs),
        report.logins.len() + report.jobs.len(),
    );
    if args.json {
        out::json(&report)?;
    } else {
        show(&report);
    }
    Ok(match good {
        good if good == all => Exit::Done,
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
    for server in &report.servers {
        out::line(format!("server    {} runs {}", server.host, server.version));
    }
    let rows = |lines: &[Line]| -> Vec<Vec<String>> {
        lines
            .iter()
            .map(|line| {
                vec![
                    line.name.clone(),
                    line.scope.clone(),
                    if line.well { "yes" } else { "no" }.to_owned(),
                    line.says.clone(),
                ]
            })
            .collect()
    };
    out::line("");
    out::table(&["LOGIN", "TOKEN", "WORKS", ""], &rows(&report.logins));
    out::line("");
    out::table(&["JOB", "FOR", "CAN RUN", ""], &rows(&report.jobs));
}
