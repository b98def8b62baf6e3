//! Measures judging for `cargo xtask bench`: prints JSON.
//!
//! One thread, the full path: a subject as it came out of JSON goes in, a verdict with evidence comes out. Posts are made
//! up here, in several languages, with the HTML that Mastodon sends; a few in a hundred are spam that rules hit.

use std::{fmt::Write as _, time::Instant};

use chrono::DateTime;
use rules::{NoCounters, Ruleset, Sets, Source, Subject};

/// Different posts. Each is judged several times, so that what is measured is not the allocator's first touch.
const POSTS: usize = 4_000;
const ROUNDS: usize = 12;

fn main() {
    let posts = posts();
    // For whoever counts instead of measuring.
    if std::env::args().nth(1).as_deref() == Some("once") {
        assert!(measure(&posts, &mixed(5_000), 1).hits > 0, "some are spam");
        return;
    }
    let bytes: usize = posts.iter().map(|post| post.statuses[0].content.len()).sum();
    let mixed = measure(&posts, &mixed(5_000), ROUNDS);
    let like_mastowatch = measure(&posts, &keywords_and_patterns(1_000), ROUNDS);
    let json = serde_json::json!({
        "mixed_per_second": mixed.per_second,
        "mixed_compile_ms": mixed.compile_ms,
        "mixed_hits": mixed.hits,
        "thousand_per_second": like_mastowatch.per_second,
        "thousand_compile_ms": like_mastowatch.compile_ms,
        "thousand_hits": like_mastowatch.hits,
        "posts": posts.len(),
        "bytes_per_post": bytes / posts.len(),
        "peak_bytes": peak(),
    });
    #[expect(clippy::print_stdout, reason = "this is what it is for")]
    {
        println!("{json}");
    }
}

struct Measured {
    per_second: f64,
    compile_ms: f64,
    hits: usize,
}

/// The quickest of so many rounds: the others measure the neighbours.
fn measure(posts: &[Subject], toml: &str, rounds: usize) -> Measured {
    let begun = Instant::now();
    let ruleset = match Ruleset::compile(&[Source::new("bench.toml", toml)], &Sets::default()) {
        Ok(ruleset) => ruleset,
        Err(problems) => panic!("{}", problems[0]),
    };
    let compile_ms = begun.elapsed().as_secs_f64() * 1000.0;
    let now = DateTime::from_timestamp(1_790_000_000, 0).unwrap_or_default();
    let round = || {
        let begun = on_cpu();
        let hits: usize = posts
            .iter()
            .map(|post| ruleset.judge(post, &NoCounters, now).contributions.len())
            .sum();
        (on_cpu() - begun, hits)
    };
    let rounds: Vec<(f64, usize)> = (0..rounds).map(|_| round()).collect();
    let best = rounds.iter().map(|(took, _)| *took).fold(f64::INFINITY, f64::min);
    Measured {
        per_second: posts.len() as f64 / best,
        compile_ms,
        hits: rounds[0].1,
    }
}

/// Seconds that this thread has had a core for: on a busy machine the clock on the wall measures the others. Where the
/// system does not tell, the clock it is.
fn on_cpu() -> f64 {
    static BEGUN: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = told.and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    nanos.map_or_else(|| BEGUN.elapsed().as_secs_f64(), |nanos| nanos / 1e9)
}

/// Numbers that look like chance and are the same every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }

    fn pick<'t>(&mut self, of: &[&'t str]) -> &'t str {
        of[self.roll(of.len())]
    }
}

const SYLLABLES: [&str; 40] = [
    "ka", "lo", "mi", "tra", "ven", "sor", "pe", "dul", "gri", "zan", "bo", "fer", "nus", "cha", "wil", "tem", "ur",
    "qua", "ris", "joh", "bel", "mar", "to", "sin", "ell", "dro", "fa", "gan", "hy", "lex", "mon", "ob", "pra", "rud",
    "ste", "ty", "vox", "yar", "zim", "eck",
];

fn made_up(dice: &mut Dice) -> String {
    (0..3 + dice.roll(2)).map(|_| dice.pick(&SYLLABLES)).collect()
}

const WORDS: [&str; 96] = [
    "the",
    "a",
    "and",
    "of",
    "to",
    "in",
    "is",
    "it",
    "that",
    "was",
    "for",
    "on",
    "with",
    "as",
    "this",
    "but",
    "not",
    "from",
    "today",
    "morning",
    "coffee",
    "garden",
    "train",
    "bridge",
    "server",
    "update",
    "weather",
    "book",
    "music",
    "birds",
    "release",
    "people",
    "street",
    "photo",
    "window",
    "evening",
    "river",
    "cats",
    "work",
    "really",
    "great",
    "new",
    "der",
    "die",
    "und",
    "nicht",
    "heute",
    "schön",
    "Straße",
    "Zug",
    "Wetter",
    "über",
    "mehr",
    "Grüße",
    "le",
    "les",
    "des",
    "été",
    "très",
    "déjà",
    "voilà",
    "garçon",
    "el",
    "los",
    "mañana",
    "niño",
    "qué",
    "corazón",
    "não",
    "você",
    "coração",
    "это",
    "сегодня",
    "хорошо",
    "погода",
    "поезд",
    "книга",
    "今日は",
    "天気が",
    "いいですね",
    "散歩",
    "写真を",
    "撮りました",
    "今天",
    "天气",
    "很好",
    "我们",
    "مرحبا",
    "اليوم",
    "جميل",
    "free",
    "money",
    "online",
    "best",
    "2026",
    "v4.6",
];

fn posts() -> Vec<Subject> {
    let mut dice = Dice(7);
    (0..POSTS).map(|n| post(n, &mut dice)).collect()
}

fn post(n: usize, dice: &mut Dice) -> Subject {
    let mut html = String::from("<p>");
    if dice.roll(3) == 0 {
        html += "<span class=\"h-card\" translate=\"no\"><a href=\"https://far.example/@bob\" class=\"u-url mention\">@<span>bob</span></a></span> ";
    }
    for _ in 0..12 + dice.roll(16) {
        html += dice.pick(&WORDS);
        html += match dice.roll(14) {
            0 => ", ",
            1 => ".<br>",
            2 => " &amp; ",
            _ => " ",
        };
    }
    if n.is_multiple_of(50) {
        let mut spam = Dice((n % 5_000) as u64);
        let word = made_up(&mut spam);
        let _ = write!(html, "{word} ");
    }
    if dice.roll(4) == 0 {
        let page = dice.roll(1_000_000);
        let _ = write!(
            html,
            "<a href=\"https://news{0}.example/2026/{page}\" rel=\"nofollow noopener\" target=\"_blank\"><span \
             class=\"invisible\">https://</span><span class=\"ellipsis\">news{0}.example/2026/</span><span \
             class=\"invisible\">{page}</span></a>",
            dice.roll(800)
        );
    }
    html += "</p>";
    let status = serde_json::json!({
        "id": n.to_string(),
        "content": html,
        "visibility": "public",
        "created_at": "2026-09-01T12:00:00.000Z",
        "language": "en",
        "spoiler_text": "",
        "media_attachments": [],
        "mentions": [],
        "tags": [],
        "account": {
            "id": (n % 900).to_string(),
            "username": format!("user{}", n % 900),
            "acct": format!("user{}@server{}.example", n % 900, n % 90),
            "display_name": "Somebody Else",
            "note": "<p>Gardens, trains and free software. Opinions are my own.</p>",
            "fields": [{ "name": "Pronouns", "value": "they/them" }],
            "followers_count": 120,
            "following_count": 80,
            "statuses_count": 900,
            "created_at": "2024-03-01T00:00:00.000Z",
        },
    });
    Subject::from_status(&status).unwrap_or_default()
}

/// Rules of every kind.
fn mixed(many: usize) -> String {
    let mut toml = String::new();
    for n in 0..many {
        let mut dice = Dice(n as u64);
        let word = made_up(&mut dice);
        let (second, third) = (made_up(&mut dice), made_up(&mut dice));
        let when = match n % 20 {
            0..6 => format!("{{ keywords = [\"{word}\", \"{second}\", \"{third} now\"] }}"),
            6..11 => format!("{{ regex = ['\\b{word}\\w*\\s+{second}s?\\b'] }}"),
            11 | 12 => format!("{{ regex = ['https?://\\S*{word}\\S*'], in = [\"links\", \"content\"] }}"),
            13 | 14 => format!("{{ domains = [\"{word}.example\", \"{second}.test\"] }}"),
            15 => format!("{{ phrases = [\"{word} {second}\"], gap = 2 }}"),
            // One of ten waits for a word that honest posts hold as well.
            16 => format!(
                "{{ all = [{{ keywords = [\"{word}\", \"{}\"] }}, {{ fact = \"account_age\", below = \"2d\" }}, {{ not = {{ is = \"followed\" }} }}] }}",
                if n % 200 == 16 { "free" } else { &second }
            ),
            17 => format!("{{ fuzzy = [\"{word}{third}\"] }}"),
            18 => format!("{{ similar = [\"{word} {second} {third} buy the best {second} today and win {word}\"] }}"),
            _ => format!("{{ any = [{{ tags = [\"{word}\"] }}, {{ keywords = [\"{second}\"], in = [\"bio\"] }}] }}"),
        };
        let _ = write!(toml, "[[rules]]\nid = \"r{n}\"\nstate = \"live\"\nwhen = {when}\n");
    }
    toml
}

/// What MastoWatch has: words and patterns.
fn keywords_and_patterns(many: usize) -> String {
    let mut toml = String::new();
    for n in 0..many {
        let mut dice = Dice(n as u64);
        let (word, second) = (made_up(&mut dice), made_up(&mut dice));
        let when = if n % 2 == 0 {
            format!("{{ keywords = [\"{word}\", \"{second}\"] }}")
        } else {
            format!("{{ regex = ['\\b{word}\\w*\\s+{second}s?\\b'] }}")
        };
        let _ = write!(toml, "[[rules]]\nid = \"r{n}\"\nstate = \"live\"\nwhen = {when}\n");
    }
    toml
}

/// The most memory this process ever held.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<u64>().ok())
        .unwrap_or_default()
        * 1024
}
