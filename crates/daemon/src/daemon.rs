//! The daemon in one value: started, reloaded, drained. `egret run` is this and signals.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Context as _, anyhow};
use arc_swap::ArcSwap;
use chrono::TimeDelta;
use job::Job;
use model::Clock;
use store::lock::ProcessLock;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::{
    config::{self, Config, Keep, read_webhook_secrets},
    doors::{self, Doors},
    gauges,
    listeners::Listeners,
    logins::{self, chain},
    registry,
    runner::{Runner, Settings},
    scheduler::Scheduler,
    telemetry, tidy,
};

/// A running daemon.
#[derive(Debug)]
pub struct Daemon {
    doors: Doors,
    runner: Runner,
    scheduler: Scheduler,
    config: Mutex<Config>,
    webhooks: web::Webhooks,
    actor: web::Actor,
    listeners: Mutex<Listeners>,
    address: SocketAddr,
    sign_in: web::SignIn,
    effective: web::Effective,
    keep: Arc<ArcSwap<Keep>>,
    /// Ends pages and the small tasks.
    quit: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
    _lock: ProcessLock,
}

/// Where the jobs come from: [`registry::jobs`], or a test's own.
pub type Registry = fn(&Config) -> Vec<Arc<dyn Job>>;

impl Daemon {
    /// Opens the port, the store and the doors, starts the pages and the schedule. Servers are asked afterwards, so a
    /// slow one does not delay anybody.
    ///
    /// # Errors
    /// One message that names the key and what to do.
    pub async fn start(config: Config, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        Box::pin(Self::start_with(config, clock, registry::jobs)).await
    }

    /// The same with other jobs.
    ///
    /// # Errors
    /// See [`Daemon::start`].
    pub async fn start_with(config: Config, clock: Arc<dyn Clock>, registry: Registry) -> anyhow::Result<Self> {
        let listener = bind(config.web.listen).await?;
        let address = listener.local_addr()?;
        let doors = Doors::open(&config, clock).await?;
        let lock = ProcessLock::acquire(&doors.store)?;
        free_dead_leases(&doors).await;
        let settings = settings(&config, &doors, registry)?;
        let settings_actor = settings.net.identity().cloned();
        let metrics = telemetry::metrics()?;
        let listeners = Mutex::new(Listeners::start(&config, &doors, &settings));
        let runner = Runner::new(doors.clone(), settings);
        runner.begin().await;

        let quit = CancellationToken::new();
        let sign_in = sign_in(&config, &doors, address)?;
        let webhooks = web::Webhooks::default();
        webhooks.set(read_webhook_secrets(&config)?, &registry::webhooks(&config));
        let actor = web::Actor::default();
        actor.set(settings_actor);
        let state = web_state(&config, &doors, &metrics, &sign_in, (&webhooks, &actor));
        let effective = state.settings.clone();
        let mut tasks = Vec::new();
        let stop = quit.clone();
        tasks.push(tokio::spawn(async move {
            if let Err(error) = web::serve(listener, state, stop).await {
                warn!(error = %chain(&error), "the pages stopped");
            }
        }));
        let watcher = runner.clone();
        tasks.push(tokio::spawn(async move { watcher.watch().await }));
        let keep = Arc::new(ArcSwap::from_pointee(config.keep.clone()));
        tasks.push(tokio::spawn(tidy::watch(doors.clone(), keep.clone(), quit.clone())));
        tasks.push(tokio::spawn(gauges::watch(doors.clone(), quit.clone())));
        let stop = quit.clone();
        tasks.push(tokio::spawn(async move {
            let mut tick = tokio::time::interval(Duration::from_secs(5));
            while stop.run_until_cancelled(tick.tick()).await.is_some() {
                metrics.run_upkeep();
            }
        }));
        let (store, stop) = (doors.store.clone(), quit.clone());
        tasks.push(tokio::spawn(async move {
            let _ = stop.run_until_cancelled(store::keep_folded(&store)).await;
        }));
        let scheduler = Scheduler::start(Arc::new(runner.clone()))
            .await
            .map_err(|error| anyhow!("the scheduler does not start: {error}"))?;
        scheduler.arm_all().await;
        runner.check_logins();
        info!(%address, store = doors.store.describe(), jobs = runner.jobs().len(), "egret is ready at http://{address}");
        Ok(Self {
            doors,
            runner,
            scheduler,
            config: Mutex::new(config),
            webhooks,
            actor,
            listeners,
            address,
            sign_in,
            effective,
            keep,
            quit,
            tasks,
            _lock: lock,
        })
    }

    /// Where the pages answer.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How browsers reach the pages.
    pub fn base(&self) -> &web::Url {
        self.sign_in.base()
    }

    /// A link that signs in the person at this machine, once: for their eyes only.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn one_time_link(&self) -> anyhow::Result<web::Url> {
        let now = self.doors.clock.now();
        Ok(web::signin::one_time_link(&self.doors.store, self.sign_in.base(), now).await?)
    }

    /// The doors, for tests and commands.
    pub fn doors(&self) -> &Doors {
        &self.doors
    }

    /// The runner, for tests and commands.
    pub fn runner(&self) -> &Runner {
        &self.runner
    }

    /// Puts a new config in place and says which of its sections wait for a restart. Runs under way end by the old.
    ///
    /// # Errors
    /// When it is no good; the old one stays in place.
    pub async fn reload(&self, config: Config) -> anyhow::Result<Vec<&'static str>> {
        let restart = self.config().needs_restart(&config);
        // All that can fail comes first: half a config in place would be nobody's.
        let secrets = read_webhook_secrets(&config)?;
        let net = doors::open_net(&config, &self.doors.clock)?;
        let settings = settings(&config, &self.doors, registry::jobs)?;
        self.sign_in.replace(net, vouching(&config));
        self.effective.replace(config::effective(&config));
        self.webhooks.set(secrets, &registry::webhooks(&config));
        self.actor.set(settings.net.identity().cloned());
        self.keep.store(Arc::new(config.keep.clone()));
        // The old ones end by being dropped; the new ones wait for their leases.
        *self.listeners() = Listeners::start(&config, &self.doors, &settings);
        *self.config.lock().unwrap_or_else(PoisonError::into_inner) = config;
        self.runner.replace(settings);
        self.runner.begin().await;
        self.runner.check_logins();
        self.scheduler.arm_all().await;
        self.doors.board.nudge();
        Ok(restart)
    }

    fn listeners(&self) -> MutexGuard<'_, Listeners> {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The config in place.
    pub fn config(&self) -> Config {
        self.config.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Drains and closes. True when every run reached its next page in time.
    pub async fn stop(mut self) -> bool {
        let drain = self.config().run.drain;
        self.scheduler.stop().await;
        let listeners = std::mem::replace(&mut *self.listeners(), Listeners::none());
        listeners.end(Duration::from_secs(5)).await;
        let drained = self.runner.drain(drain).await;
        self.quit.cancel();
        for task in self.tasks.drain(..) {
            // Pages give open requests a few seconds; nobody waits longer for them.
            let _ = tokio::time::timeout(Duration::from_secs(5), task).await;
        }
        self.doors.store.close().await;
        drained
    }
}

/// The jobs and logins of a config; the ledger goes by its modes and quotas from now on.
///
/// # Errors
/// Names the key or the file.
pub fn settings(config: &Config, doors: &Doors, registry: Registry) -> anyhow::Result<Settings> {
    let net = doors::open_net(config, &doors.clock)?;
    let jobs = registry(config);
    let logins = logins::read(config, &net, true)?;
    for job in &jobs {
        for name in job.logins() {
            if !logins.iter().any(|login| login.is_meant(std::slice::from_ref(name))) {
                return Err(anyhow!(
                    "[{}] logins: there is no login {name:?} in [[servers]]; mend the name or add the login",
                    job.name()
                ));
            }
        }
    }
    // Only a config that will do says what may be written.
    registry::configure(config, &doors.ledger);
    // Whoever had it may have sent something just before the end: a request's deadline later nobody has any more.
    let flight = config.run.lease * 4 + config.net.timeout * 2;
    doors
        .ledger
        .set_flight(TimeDelta::from_std(flight).unwrap_or(TimeDelta::hours(1)));
    Ok(Settings {
        lease: config.run.lease,
        ..Settings::new(net, jobs, logins)
    })
}

async fn bind(listen: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(listen).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => anyhow!(
            "[web] listen = \"{listen}\": the port is in use, maybe by another egret; stop that program or choose another port"
        ),
        std::io::ErrorKind::PermissionDenied => anyhow!(
            "[web] listen = \"{listen}\": not allowed for this user; choose a port above 1023"
        ),
        _ => anyhow!("[web] listen = \"{listen}\": {error}; choose an address of this machine"),
    })
}

/// What signing in needs. It asks servers through a pool of its own: people do not wait behind jobs.
fn sign_in(config: &Config, doors: &Doors, address: SocketAddr) -> anyhow::Result<web::SignIn> {
    let net = doors::open_net(config, &doors.clock)?;
    let servers = vouching(config);
    web::SignIn::new(&config.web, address, net, servers, doors.clock.clone()).context("in [web]")
}

/// The servers whose people may sign in, as far as `[web]` lets them.
fn vouching(config: &Config) -> Vec<web::signin::Server> {
    let server = |server: &crate::config::Server| web::signin::Server {
        host: server.host(),
        url: server.url.clone(),
        logins: server.logins.iter().map(|login| login.name.clone()).collect(),
    };
    config.servers.iter().map(server).collect()
}

fn web_state(
    config: &Config,
    doors: &Doors,
    metrics: &metrics_exporter_prometheus::PrometheusHandle,
    sign_in: &web::SignIn,
    (webhooks, actor): (&web::Webhooks, &web::Actor),
) -> web::State {
    let effective = web::Effective::default();
    effective.replace(config::effective(config));
    web::State {
        logs: telemetry::run_logs(),
        settings: effective,
        counts: web::Counts::default(),
        sign_in: sign_in.clone(),
        store: doors.store.clone(),
        board: doors.board.clone(),
        ledger: doors.ledger.clone(),
        metrics: metrics.clone(),
        hosts: config.web.hosts.clone(),
        webhooks: webhooks.clone(),
        actor: actor.clone(),
        archive: config.archive.folder(&doors.store),
    }
}

/// Whoever held a lease on a file that only we hold now is dead: nobody needs to wait for it to run out. On Postgres
/// others may be alive. For those who hold the [`ProcessLock`].
pub async fn free_dead_leases(doors: &Doors) {
    if matches!(doors.store, store::Db::Postgres(_)) {
        return;
    }
    let leases = match store::leases::list(&doors.store, doors.clock.now()).await {
        Ok(leases) => leases,
        Err(error) => {
            warn!(error = %chain(&error), "cannot list leases; those of a dead process run out in a minute");
            return;
        }
    };
    for lease in leases {
        if let Err(error) = store::leases::release(&doors.store, &lease).await {
            warn!(lease = lease.name, error = %chain(&error), "cannot free the lease of a dead process");
        }
    }
    // What its runs worked on goes on at once, too.
    let freed = async {
        store::wanted::clear(&doors.store).await?;
        store::visits::clear(&doors.store).await
    };
    if let Err(error) = freed.await {
        warn!(error = %chain(&error), "cannot free what a dead process worked on; that runs out in two minutes");
    }
}
