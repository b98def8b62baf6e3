//! `egret blocks`: what every action stands on; the actions, a file for each noun.

mod domains;
mod lists;
mod plans;
mod undo;

use std::time::Duration;

use anyhow::{Context as _, bail};
use blocklists::{
    apply::{Author, Done},
    undo::Filter,
};
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use job::{JobContext, Progress};
use store::leases;
use tokio_util::sync::CancellationToken;

use crate::{
    Exit,
    args::{Args, BlocksAction},
    config::Config,
    daemon,
    doors::Doors,
    out, registry,
    runner::Settings,
};

/// The job whose place a command takes while it changes a server.
const JOB: &str = "blocklists.domain_blocks";

/// How long that place stays taken after a command died.
const PLACE: Duration = Duration::from_secs(300);

pub(super) async fn run(args: &Args, action: &BlocksAction) -> anyhow::Result<Exit> {
    let (config, doors) = super::open(args).await?;
    let desk = Desk {
        args,
        config: &config,
        doors: &doors,
    };
    let exit = match action {
        BlocksAction::Plan { server, follows } => desk.plan(server.as_deref(), *follows).await,
        BlocksAction::Apply { hash } => desk.apply(hash).await,
        BlocksAction::Dismiss { hash } => desk.dismiss(hash).await,
        BlocksAction::Undo { run, yes } => desk.undo(run, *yes).await,
        BlocksAction::Runs => desk.runs().await,
        BlocksAction::Why { domain } => desk.why(domain).await,
        BlocksAction::Search { text } => desk.search(text).await,
        BlocksAction::Clear {
            server,
            all,
            source,
            severity,
            private_comment,
            public_comment,
            within,
            before,
            since,
        } => {
            let filter = Filter {
                all: *all,
                source: source.clone(),
                severity: severity.clone(),
                private_comment: private_comment.clone(),
                public_comment: public_comment.clone(),
                within: within.as_deref().map(domain).transpose()?,
                before: before.map(midnight),
                since: since.map(midnight),
            };
            desk.clear(server.as_deref(), filter).await
        }
        BlocksAction::Export { policy, format } => desk.export(policy, format).await,
        BlocksAction::Lists { name } => desk.lists(name.as_deref()).await,
        BlocksAction::Affected { domain: name, server } => desk.affected(&domain(name)?, server.as_deref()).await,
        BlocksAction::Approve { list } => desk.approve(list).await,
        BlocksAction::Adopt {
            domain: name,
            private_comment,
            server,
        } => {
            let filter = Filter {
                all: true,
                private_comment: private_comment.clone(),
                ..Filter::default()
            };
            let name = name.as_deref().map(domain).transpose()?;
            desk.adopt(name.as_deref(), &filter, server.as_deref()).await
        }
    };
    doors.store.close().await;
    exit
}

fn domain(text: &str) -> anyhow::Result<String> {
    blocklists::config::domain(text).with_context(|| format!("{text:?} is no domain"))
}

fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}

/// What every action stands on.
struct Desk<'a> {
    args: &'a Args,
    config: &'a Config,
    doors: &'a Doors,
}

impl Desk<'_> {
    fn settings(&self) -> anyhow::Result<Settings> {
        daemon::settings(self.config, self.doors, registry::jobs)
    }

    /// The doors of a run for one server, with the first login there that the job may use.
    fn cx(&self, settings: &Settings, server: &str) -> anyhow::Result<JobContext> {
        let names = &self.config.blocklists.domain_blocks.logins;
        let stop = CancellationToken::new();
        let net = settings.net.for_run("blocks", stop.clone());
        let login = settings
            .logins
            .iter()
            .filter(|login| login.server == server && login.is_meant(names))
            .find_map(|login| login.ready(&net))
            .with_context(|| format!("there is no login at {server} in [[servers]] that works"))?;
        Ok(JobContext {
            run: uuid::Uuid::now_v7().to_string(),
            login: Some(login),
            logins: settings.logins.iter().filter_map(|login| login.ready(&net)).collect(),
            net,
            store: self.doors.store.clone(),
            clock: self.doors.clock.clone(),
            stop,
            progress: Progress::default(),
            effects: self.doors.ledger.of("blocklists"),
        })
    }

    /// The servers that an action is for.
    fn servers(&self, only: Option<&str>) -> anyhow::Result<Vec<String>> {
        let all: Vec<String> = self.config.servers.iter().map(crate::config::Server::host).collect();
        match only {
            Some(server) if all.iter().any(|host| host == server) => Ok(vec![server.to_owned()]),
            Some(server) => bail!(
                "there is no server {server:?} in [[servers]]; there are: {}",
                all.join(", ")
            ),
            None if all.is_empty() => {
                bail!("there is no login in [[servers]]; `egret init https://your.server --admin` makes one")
            }
            None => Ok(all),
        }
    }

    fn server(&self, only: Option<&str>) -> anyhow::Result<String> {
        let mut servers = self.servers(only)?;
        match (servers.pop(), servers.is_empty()) {
            (Some(server), true) => Ok(server),
            _ => bail!("there are several servers; say which one with --server"),
        }
    }

    /// Does something that nobody else does meanwhile, here or in a running daemon.
    async fn in_place<T>(&self, server: &str, work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
        let doors = self.doors;
        let name = format!("{JOB}/{server}");
        let lease = leases::take(&doors.store, &name, &doors.holder, PLACE, doors.clock.now())
            .await?
            .with_context(|| format!("{JOB} is at work on {server} right now; try again when it is done"))?;
        let ended = job::while_held(&doors.store, &*doors.clock, &lease, PLACE, work)
            .await
            .with_context(|| {
                format!("{JOB} on {server} was taken over by another process; what is done stays recorded")
            })?;
        leases::release(&doors.store, &lease).await?;
        ended
    }

    fn author(&self, cx: &JobContext) -> Author {
        let who = std::env::var("USER").ok().filter(|who| !who.is_empty());
        Author {
            run: cx.run.clone(),
            who: format!("{} by command", who.unwrap_or_else(|| "somebody".to_owned())),
            at: cx.clock.now(),
        }
    }

    fn told(&self, done: &Done) -> anyhow::Result<Exit> {
        if self.args.json {
            out::json(done)?;
        } else {
            if done.rehearsed > 0 {
                out::line(format!(
                    "Rehearsed {} changes and sent none: [blocklists] mode is \"observe\".",
                    done.rehearsed
                ));
            }
            out::line(format!(
                "Made {}, changed {}, lifted {}; {} wait, {} were covered already, {} without a clear answer. Run {}",
                done.created, done.updated, done.deleted, done.waiting, done.covered, done.unknown, done.run
            ));
            for (domain, why) in &done.failed {
                out::line(format!("  {domain}: {why}"));
            }
            for domain in &done.astray {
                out::line(format!("  {domain}: the server does not show it as it should be"));
            }
        }
        let is_whole = done.failed.is_empty() && done.astray.is_empty() && done.unknown + done.waiting == 0;
        Ok(if is_whole { Exit::Done } else { Exit::Part })
    }
}
