//! Measures reading, normalising, guarding and merging lists, for `cargo xtask bench`: prints JSON.
//!
//! One thread, lists made up here: five spellings, comments with commas in quotes, every fifth domain on most lists.

use std::time::Instant;

use blocklists::{
    guard::Guard,
    list::{Parsed, Reading, parse},
    merge::{Merging, Role, Voter, merge},
};

fn main() {
    // For whoever counts instead of measuring.
    if std::env::args().nth(1).as_deref() == Some("once") {
        measure(20, 10_000, 1);
        return;
    }
    let small = measure(20, 10_000, 7);
    let large = measure(20, 50_000, 1);
    let json = serde_json::json!({
        "small_ms": small, "large_ms": large, "peak_bytes": peak(),
    });
    #[expect(clippy::print_stdout, reason = "this is what it is for")]
    {
        println!("{json}");
    }
}

/// The quickest of so many rounds, in milliseconds: the others measure the neighbours.
fn measure(lists: usize, rows: usize, rounds: usize) -> f64 {
    let texts: Vec<String> = (0..lists).map(|list| text(list, rows)).collect();
    let names: Vec<String> = (0..lists).map(|list| format!("list-{list}")).collect();
    let guard = Guard::new(["home.social"], [], false);
    let round = || {
        let begun = Instant::now();
        let reading = Reading::default();
        let parsed: Vec<Parsed<'_>> = texts.iter().filter_map(|text| parse(text, &reading).ok()).collect();
        let voters: Vec<Voter<'_>> = parsed
            .iter()
            .zip(&names)
            .map(|(parsed, name)| Voter {
                name,
                weight: 1,
                role: Role::Block,
                rows: &parsed.rows,
                leaving: &[],
                is_read: true,
            })
            .collect();
        let merged = merge(&voters, &Merging::default(), &guard, &[]);
        assert!(
            merged.entries.len() > rows && voters.len() == lists,
            "{}",
            merged.entries.len()
        );
        begun.elapsed().as_secs_f64() * 1000.0
    };
    (0..rounds).map(|_| round()).fold(f64::INFINITY, f64::min)
}

fn text(list: usize, rows: usize) -> String {
    let mut text = "#domain,#severity,#reject_media,#reject_reports,#public_comment,#obfuscate\n".to_owned();
    for n in 0..rows {
        // A fifth of each list is its own, the rest is shared.
        let n = if n % 5 == 0 {
            10 * rows + list * rows + n
        } else {
            (n * 7 + list * 13) % (2 * rows)
        };
        let severity = ["suspend", "silence", "Suspend"][n % 3];
        let domain = match n % 40 {
            0 => format!("Server{n}.Social."),
            1 => format!("https://server{n}.social/"),
            2 => format!("s\u{fc}rver{n}.social"),
            rest if rest % 3 == 0 => format!("mastodon-{n}.co.uk"),
            _ => format!("server{n}.social"),
        };
        let comment = ["spam", "\"hate-speech, harassment\"", "", "iftas:disinformation;cib"][n % 4];
        text += &format!("{domain},{severity},false,true,{comment},false\n");
    }
    text
}

/// The most memory this process ever held.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<u64>().ok())
        .unwrap_or_default()
        * 1024
}
