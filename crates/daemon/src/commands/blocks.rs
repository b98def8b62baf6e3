//! `egret blocks`: plans, ways back, explanations.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use anyhow::{Context as _, bail};
use blocklists::{
    apply::{Author, Done},
    config::Form,
    gather::{self, Counts},
    plan::Plan,
    undo::{self, Filter},
};
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use job::{JobContext, Mode, Progress};
use serde_json::json;
use store::{block_entries, block_plans, block_sources, leases};
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

/// How long that place stays taken after a command died, and how often a living one says that it is alive.
const PLACE: Duration = Duration::from_secs(300);
const ALIVE: Duration = Duration::from_secs(60);

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
        let Doors {
            store, clock, holder, ..
        } = self.doors;
        let name = format!("{JOB}/{server}");
        let lease = leases::take(store, &name, holder, PLACE, clock.now())
            .await?
            .with_context(|| format!("{JOB} is at work on {server} right now; try again when it is done"))?;
        tokio::pin!(work);
        let mut alive = tokio::time::interval(ALIVE);
        let ended = loop {
            tokio::select! {
                ended = &mut work => break ended,
                _ = alive.tick() => drop(leases::take(store, &name, holder, PLACE, clock.now()).await?),
            }
        };
        leases::release(store, &lease).await?;
        ended
    }

    async fn plan(&self, only: Option<&str>, follows: bool) -> anyhow::Result<Exit> {
        let settings = self.settings()?;
        let mut plans = Vec::new();
        let mut is_read = false;
        for server in self.servers(only)? {
            let Some(policy) = self.config.blocklists.policy(&server) else {
                if only.is_some() {
                    bail!("no [[blocklists.policies]] is for {server}");
                }
                continue;
            };
            let cx = self.cx(&settings, &server)?;
            if !std::mem::replace(&mut is_read, true) {
                gather::refresh(&cx, self.config.blocklists.sources.clone(), false).await?;
            }
            let counts = if follows { Counts::Ask } else { Counts::Skip };
            let login = cx.login()?;
            let gathered = blocklists::make_plan(&cx, &self.config.blocklists, policy, login, counts).await?;
            blocklists::save_plan(&cx, &gathered.plan, None).await?;
            plans.push(gathered.plan);
        }
        if self.args.json {
            out::json(&plans)?;
        } else if plans.is_empty() {
            out::line("No policy is for any of your servers: add [[blocklists.policies]] to the config.");
        } else {
            for plan in &plans {
                out::line(plan.text().trim_end());
            }
            out::line("`egret blocks apply HASH` carries one of them out.");
        }
        Ok(Exit::Done)
    }

    async fn apply(&self, hash: &str) -> anyhow::Result<Exit> {
        let Some(stored) = block_plans::load(&self.doors.store, hash).await? else {
            bail!("there is no plan {hash}; `egret blocks plan` makes one (give 8 characters of its hash or more)");
        };
        let settings = self.settings()?;
        let cx = self.cx(&settings, &stored.server)?;
        self.in_place(&stored.server, self.apply_now(&cx, &stored)).await
    }

    async fn apply_now(&self, cx: &JobContext, stored: &block_plans::Plan) -> anyhow::Result<Exit> {
        let login = cx.login()?;
        let author = self.author(cx);
        if stored.policy == undo::CLEAR {
            let filter: Filter =
                serde_json::from_value(stored.plan["filter"].clone()).context("the plan is damaged")?;
            let plan = self.clearing(cx, &filter).await?;
            if plan.hash != stored.hash {
                self.keep(cx, &plan, &filter).await?;
                return self.moved(&plan);
            }
            let guard = blocklists::guard::Guard::default();
            let done = undo::carry_out(cx, login, &guard, &plan, author, None).await?;
            let run = Some(done.run.as_str());
            let applied = block_plans::State::Applied;
            block_plans::advance(&cx.store, &plan.server, &plan.hash, applied, None, run, cx.clock.now()).await?;
            return self.told(&done);
        }
        let policies = &self.config.blocklists.policies;
        let Some(policy) = policies.iter().find(|policy| policy.name == stored.policy) else {
            bail!(
                "the plan is of the policy {:?}, which is no longer in the config",
                stored.policy
            );
        };
        let counts = match stored.plan["counted_follows"].as_bool() {
            Some(true) => Counts::Ask,
            _ => Counts::Skip,
        };
        let mut gathered = blocklists::make_plan(cx, &self.config.blocklists, policy, login, counts).await?;
        if gathered.plan.hash != stored.hash {
            blocklists::save_plan(cx, &gathered.plan, None).await?;
            return self.moved(&gathered.plan);
        }
        // Should this be cut off, the job goes on with it.
        let state = block_plans::State::Approved;
        let who = Some(author.who.as_str());
        block_plans::advance(
            &cx.store,
            &stored.server,
            &stored.hash,
            state,
            who,
            None,
            cx.clock.now(),
        )
        .await?;
        let mut done = blocklists::carry_out(cx, login, &mut gathered, author, true).await?;
        if done.writes() > 0 {
            let config = &self.config.blocklists;
            blocklists::after(cx, config, policy, login, counts, &mut gathered, &mut done).await?;
        }
        blocklists::tell(cx, policy, &mut gathered).await?;
        self.told(&done)
    }

    /// The state moved: nothing was done, and this is the plan now.
    fn moved(&self, plan: &Plan) -> anyhow::Result<Exit> {
        if self.args.json {
            out::json(&json!({ "refused": "the server or the lists changed since", "plan": plan }))?;
        } else {
            out::line("Refused: the server or the lists changed since that plan was made. This is the plan now:");
            out::line(plan.text().trim_end());
        }
        Ok(Exit::Failed)
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

    fn author(&self, cx: &JobContext) -> Author {
        let who = std::env::var("USER").ok().filter(|who| !who.is_empty());
        Author {
            run: cx.run.clone(),
            who: format!("{} by command", who.unwrap_or_else(|| "somebody".to_owned())),
            at: cx.clock.now(),
        }
    }

    async fn dismiss(&self, hash: &str) -> anyhow::Result<Exit> {
        let Some(plan) = block_plans::load(&self.doors.store, hash).await? else {
            bail!("there is no plan {hash}");
        };
        let state = block_plans::State::Dismissed;
        let now = self.doors.clock.now();
        let store = &self.doors.store;
        let moved = block_plans::advance(store, &plan.server, &plan.hash, state, Some("by command"), None, now).await?;
        if !moved {
            bail!("the plan {hash} is {:?} already", plan.state);
        }
        out::line("Dismissed: what waits in it stays undone, and is not asked about again.");
        Ok(Exit::Done)
    }

    async fn undo(&self, run: &str, yes: bool) -> anyhow::Result<Exit> {
        let changes = block_entries::of_run(&self.doors.store, run).await?;
        let Some(first) = changes.first() else {
            bail!("there is no run {run} that changed something; `egret blocks runs` lists them");
        };
        let settings = self.settings()?;
        let cx = self.cx(&settings, &first.server)?;
        let login = cx.login()?;
        let plan = undo::undo(&login.server, &changes, &gather::blocks(login).await?);
        if !yes {
            if self.args.json {
                out::json(&plan)?;
            } else {
                out::line(plan.text().trim_end());
                out::line("Nothing was done; `--yes` does it.");
            }
            return Ok(Exit::Done);
        }
        let policy = self
            .config
            .blocklists
            .policy(&login.server)
            .cloned()
            .unwrap_or_default();
        let guard = gather::guard(&cx, login, &policy).await?;
        let author = self.author(&cx);
        let work = async { Ok(undo::carry_out(&cx, login, &guard, &plan, author, Some(&changes)).await?) };
        let done = self.in_place(&first.server, work).await?;
        if !self.args.json {
            for doubt in &plan.doubts {
                out::line(doubt);
            }
            for note in &plan.notes {
                out::line(format!("{}: {}", note.domain, note.text));
            }
        }
        self.told(&done)
    }

    async fn runs(&self) -> anyhow::Result<Exit> {
        let runs = block_entries::runs(&self.doors.store, None, 50).await?;
        if self.args.json {
            out::json(&runs)?;
            return Ok(Exit::Done);
        }
        let rows: Vec<Vec<String>> = runs
            .iter()
            .map(|run| {
                vec![
                    run.run.clone(),
                    run.changed_at.format("%Y-%m-%d %H:%M:%S").to_string(),
                    run.server.clone(),
                    run.who.clone(),
                    format!("+{} ~{} -{}", run.created, run.updated, run.deleted),
                    if run.undone > 0 {
                        format!("{} undone", run.undone)
                    } else {
                        String::new()
                    },
                ]
            })
            .collect();
        out::table(&["RUN", "ENDED (UTC)", "SERVER", "WHO", "WHAT", ""], &rows);
        Ok(Exit::Done)
    }

    async fn why(&self, name: &str) -> anyhow::Result<Exit> {
        let told = blocklists::why::why(&self.doors.store, &self.config.blocklists, name).await?;
        let told = told.with_context(|| format!("{name:?} is no domain"))?;
        if self.args.json {
            out::json(&told)?;
        } else {
            out::line(told.text().trim_end());
        }
        Ok(Exit::Done)
    }

    async fn search(&self, text: &str) -> anyhow::Result<Exit> {
        let found = block_entries::search(&self.doors.store, text, ("", ""), 500).await?;
        if self.args.json {
            out::json(&found)?;
            return Ok(Exit::Done);
        }
        let rows: Vec<Vec<String>> = found
            .iter()
            .map(|entry| {
                let severity = entry.written.as_ref().and_then(|block| block["severity"].as_str());
                vec![
                    entry.domain.clone(),
                    entry.server.clone(),
                    format!("{:?}", entry.state).to_lowercase(),
                    severity.unwrap_or_default().to_owned(),
                    entry.note.clone().unwrap_or_default(),
                ]
            })
            .collect();
        out::table(&["DOMAIN", "SERVER", "STATE", "SEVERITY", "NOTE"], &rows);
        Ok(Exit::Done)
    }

    async fn clearing(&self, cx: &JobContext, filter: &Filter) -> anyhow::Result<Plan> {
        let login = cx.login()?;
        let entries: BTreeMap<String, block_entries::Entry> = block_entries::list(&cx.store, &login.server)
            .await?
            .into_iter()
            .map(|entry| (entry.domain.clone(), entry))
            .collect();
        Ok(undo::clear(
            &login.server,
            filter,
            &gather::blocks(login).await?,
            &entries,
        ))
    }

    /// Keeps a plan to clear: with every block it would lift, as it is now, and the filter it was made by.
    async fn keep(&self, cx: &JobContext, plan: &Plan, filter: &Filter) -> anyhow::Result<()> {
        let mut value = serde_json::to_value(plan)?;
        value["filter"] = serde_json::to_value(filter)?;
        let now = cx.clock.now();
        let row = block_plans::Plan {
            server: plan.server.clone(),
            hash: plan.hash.clone(),
            policy: plan.policy.clone(),
            state: block_plans::State::Open,
            plan: value,
            who: None,
            run: None,
            made_at: now,
            changed_at: now,
        };
        block_plans::save(&cx.store, &row).await?;
        Ok(())
    }

    async fn clear(&self, server: Option<&str>, filter: Filter) -> anyhow::Result<Exit> {
        if filter
            .severity
            .as_deref()
            .is_some_and(|word| blocklists::list::severity(word).is_none())
        {
            bail!("--severity must be noop, silence or suspend");
        }
        let settings = self.settings()?;
        let cx = self.cx(&settings, &self.server(server)?)?;
        let plan = self.clearing(&cx, &filter).await?;
        self.keep(&cx, &plan, &filter).await?;
        if self.args.json {
            out::json(&plan)?;
        } else {
            out::line(plan.text().trim_end());
            let short = plan.hash.get(..12).unwrap_or(&plan.hash);
            out::line(format!(
                "Nothing was done; `egret blocks apply {short}` lifts these {}.",
                plan.operations.len()
            ));
        }
        Ok(Exit::Done)
    }

    async fn export(&self, policy: &str, format: &str) -> anyhow::Result<Exit> {
        let form = match format {
            "csv" => Form::Csv,
            "json" => Form::Json,
            "rapidblock" => Form::Rapidblock,
            "fires" => Form::Fires,
            other => bail!("there is no format {other:?}; there are csv, json, rapidblock and fires"),
        };
        let config = &self.config.blocklists;
        let now = self.doors.clock.now();
        let text = blocklists::outputs::merged_text(&self.doors.store, config, policy, form, policy, now).await?;
        let Some(text) = text else {
            bail!("there is no policy {policy:?} with lists that were read; `egret blocks plan` reads them");
        };
        out::line(text.trim_end_matches('\n'));
        Ok(Exit::Done)
    }

    async fn lists(&self, only: Option<&str>) -> anyhow::Result<Exit> {
        let mut lists = block_sources::health(&self.doors.store).await?;
        lists.retain(|list| only.is_none_or(|only| only == list.name));
        let mut faults = Vec::new();
        if let Some(name) = only {
            let Some(source) = self.config.blocklists.sources.iter().find(|source| source.name == name) else {
                bail!("there is no list {name:?} in [[blocklists.sources]]");
            };
            let body = block_sources::load(&self.doors.store, name)
                .await?
                .and_then(|stored| stored.body);
            if let Some(parsed) = body
                .as_deref()
                .and_then(|body| blocklists::list::parse(body, &source.reading()).ok())
            {
                faults.extend(parsed.faults);
                faults.extend(parsed.notes);
            }
        }
        if self.args.json {
            out::json(&json!({ "lists": lists, "faults": faults }))?;
            return Ok(Exit::Done);
        }
        let rows: Vec<Vec<String>> = lists
            .iter()
            .map(|list| {
                let day = |time: Option<DateTime<Utc>>| {
                    time.map_or("never".into(), |it| it.format("%Y-%m-%d %H:%M").to_string())
                };
                vec![
                    list.name.clone(),
                    list.row_count.to_string(),
                    list.bad_count.to_string(),
                    day(list.good_at),
                    day(list.changed_at),
                    list.trouble.clone().or_else(|| list.held.clone()).unwrap_or_default(),
                ]
            })
            .collect();
        out::table(&["LIST", "ROWS", "BAD", "READ (UTC)", "CHANGED", "TROUBLE"], &rows);
        for fault in faults {
            out::line(format!("{}: {fault}", only.unwrap_or_default()));
        }
        Ok(Exit::Done)
    }

    async fn affected(&self, name: &str, server: Option<&str>) -> anyhow::Result<Exit> {
        let settings = self.settings()?;
        let cx = self.cx(&settings, &self.server(server)?)?;
        let found = gather::affected(&cx, cx.login()?, name).await?;
        if self.args.json {
            out::json(&found)?;
            return Ok(Exit::Done);
        }
        let both = found.following.union(&found.followed);
        let rows: Vec<Vec<String>> = both
            .map(|acct| {
                let said = |is: bool| if is { "yes" } else { "" }.to_owned();
                let (follows, followed) = (found.following.contains(acct), found.followed.contains(acct));
                vec![format!("@{acct}"), said(follows), said(followed)]
            })
            .collect();
        out::table(&["ACCOUNT", "FOLLOWS SOMEBODY THERE", "IS FOLLOWED FROM THERE"], &rows);
        let bound = if found.is_whole { "all" } else { "not all" };
        out::line(format!(
            "Looked at {} accounts of {name}, {bound} that are known. Who hides their follows is not seen.",
            found.looked_at
        ));
        Ok(Exit::Done)
    }

    async fn approve(&self, list: &str) -> anyhow::Result<Exit> {
        if !gather::approve(&self.doors.store, list, self.doors.clock.now()).await? {
            bail!("nothing of the list {list:?} is held; `egret blocks lists` shows how each fares");
        }
        out::line(format!(
            "The newest copy of {list} counts as it is. What it lost is lifted by the next plan."
        ));
        Ok(Exit::Done)
    }

    async fn adopt(&self, name: Option<&str>, filter: &Filter, server: Option<&str>) -> anyhow::Result<Exit> {
        let settings = self.settings()?;
        let cx = self.cx(&settings, &self.server(server)?)?;
        let login = cx.login()?;
        let live = gather::blocks(login).await?;
        let ours: BTreeSet<String> = block_entries::list(&cx.store, &login.server)
            .await?
            .into_iter()
            .filter(|entry| entry.state == block_entries::State::Ours)
            .map(|entry| entry.domain)
            .collect();
        let meant = |domain: &str| name.is_none_or(|name| name == domain) && !ours.contains(domain);
        let mut adopted = 0;
        for (domain, block) in live
            .iter()
            .filter(|(domain, block)| meant(domain) && filter.fits(domain, block, None))
        {
            blocklists::apply::adopt(&cx, &login.server, domain, block).await?;
            adopted += 1;
        }
        match name {
            Some(name) if adopted == 0 => {
                bail!("{} has no block of {name} that is somebody else's", login.server)
            }
            None if adopted == 0 => bail!("{} has no such block that is somebody else's", login.server),
            _ => {}
        }
        if self.args.json {
            out::json(&json!({ "adopted": adopted }))?;
            return Ok(Exit::Done);
        }
        out::line(format!(
            "{adopted} blocks on {} are the lists' business from now on: what no list wants is lifted by the next plan.",
            login.server
        ));
        if self.config.blocklists.mode == Mode::Observe {
            out::line("[blocklists] mode is \"observe\", so nothing changes there yet.");
        }
        Ok(Exit::Done)
    }
}
