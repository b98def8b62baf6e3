//! The fake fediverse as a program: prints one line of JSON when ready and runs until it is told to end.

use std::io::Write;
use std::time::{Duration, SystemTime};

use clap::{Parser, ValueEnum};
use fake_fediverse::{Builtin, Fediverse, Giant, Scenario, Software};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

/// Plays a home server and any number of origins on loopback.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// What to start from.
    #[arg(long, value_enum, default_value = "small")]
    scenario: Size,
    /// Seed of everything random.
    #[arg(long)]
    seed: Option<u64>,
    /// Home's own fetching of replies.
    #[arg(long, value_enum, default_value = "off")]
    builtin: Fetching,
    /// Time every origin takes to answer: `80ms`, `1s`.
    #[arg(long, value_parser = duration, default_value = "0ms")]
    latency: Duration,
    /// Keep rate limits.
    #[arg(long)]
    rate_limits: bool,
    /// Mix in boosts, private statuses and other oddities.
    #[arg(long)]
    oddities: bool,
    /// Threads in the home timeline.
    #[arg(long)]
    threads: Option<usize>,
    /// Replies over all threads.
    #[arg(long)]
    replies: Option<usize>,
    /// Number of origins; their software repeats the scenario's.
    #[arg(long)]
    origins: Option<usize>,
    /// What all origins run, instead of the scenario's mix.
    #[arg(long, value_enum)]
    software: Option<Origin>,
    /// Share of replies that home has already, 0 to 1.
    #[arg(long)]
    known: Option<f64>,
    /// Home's `api_versions.mastodon`.
    #[arg(long)]
    api_version: Option<u32>,
    /// Make the newest thread this large: 300 deep, and with a status of 4,000 direct replies, if it has that many.
    #[arg(long, num_args = 0..=1, default_missing_value = "10000")]
    giant: Option<usize>,
    /// What `me` has posted by themself, a minute apart.
    #[arg(long, default_value_t = 0)]
    posts: u64,
    /// Keep adding something this often.
    #[arg(long, value_parser = duration)]
    live: Option<Duration>,
    /// And stop adding after this long.
    #[arg(long, value_parser = duration, default_value = "1000000m")]
    live_for: Duration,
    /// Port of home; any when not given.
    #[arg(long, default_value_t = 0)]
    port: u16,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Size {
    Small,
    Medium,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Origin {
    /// 4.5 or newer, with conversation collections.
    Mastodon,
    /// 4.3, without them.
    MastodonOld,
    Akkoma,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Fetching {
    Off,
    Works,
    FiveItems,
    Hangs,
}

fn duration(text: &str) -> Result<Duration, String> {
    let number = |digits: &str| {
        digits
            .trim()
            .parse::<u64>()
            .map_err(|_| format!("`{text}` is no time such as `80ms`"))
    };
    if let Some(digits) = text.strip_suffix("ms") {
        number(digits).map(Duration::from_millis)
    } else if let Some(digits) = text.strip_suffix('m') {
        number(digits).map(|minutes| Duration::from_secs(minutes * 60))
    } else {
        number(text.trim_end_matches('s')).map(Duration::from_secs)
    }
}

impl Arguments {
    fn scenario(&self) -> Scenario {
        let mut scenario = match self.scenario {
            Size::Small => Scenario::small(),
            Size::Medium => Scenario::medium(),
        };
        scenario.builtin = match self.builtin {
            Fetching::Off => Builtin::Off,
            Fetching::Works => Builtin::Works,
            Fetching::FiveItems => Builtin::FiveItems,
            Fetching::Hangs => Builtin::Hangs,
        };
        scenario.latency = self.latency;
        scenario.rate_limits = self.rate_limits;
        scenario.oddities = self.oddities;
        scenario.seed = self.seed.unwrap_or(scenario.seed);
        scenario.threads = self.threads.unwrap_or(scenario.threads);
        scenario.replies = self.replies.unwrap_or(scenario.replies);
        scenario.known = self.known.unwrap_or(scenario.known);
        scenario.api_version = self.api_version.unwrap_or(scenario.api_version);
        if let Some(origins) = self.origins {
            scenario.origins = scenario.origins.iter().copied().cycle().take(origins).collect();
        }
        if let Some(software) = self.software {
            scenario.origins.fill(match software {
                Origin::Mastodon => Software::Mastodon,
                Origin::MastodonOld => Software::MastodonOld,
                Origin::Akkoma => Software::Akkoma,
            });
        }
        scenario.giant = self.giant.map(|replies| Giant {
            replies,
            depth: replies.min(300),
            widest: replies.min(4000),
        });
        scenario
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let fediverse = Fediverse::start_at(arguments.scenario(), arguments.port).await;
    let begin = SystemTime::now() - Duration::from_secs(60 * arguments.posts);
    for n in 0..arguments.posts {
        let at = begin + Duration::from_secs(60 * n);
        fediverse.post(
            &format!("post {n}, as long as posts are, more or less"),
            at.into(),
            json!({}),
        );
    }
    if let Some(every) = arguments.live {
        fediverse.live(every, arguments.live_for);
    }
    let home = fediverse.home();
    let ready = json!({ "home": home, "token": fediverse.token(),
                        "admin_token": fediverse.admin_token(), "control": format!("{home}/__fake") });
    let mut out = std::io::stdout();
    writeln!(out, "{ready}")?;
    out.flush()?;
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = terminated.recv() => {}
        result = tokio::signal::ctrl_c() => result?,
    }
    Ok(())
}
