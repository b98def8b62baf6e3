//! What judging a status costs one core.

use anyhow::Context as _;

use super::{Figure, MIB, stage::Programs};

/// MastoWatch's engine at 1,000 rules, in statuses a second on one core, measured on its own code.
const MASTOWATCH: f64 = 47.0;

/// The full path (HTML, normalisation, search, verdict with evidence), as the example of `rules` measures it.
pub(super) fn measure(programs: &Programs) -> anyhow::Result<[Figure; 4]> {
    let told = programs.example("judge", &[])?;
    let number = |key: &str| told[key].as_f64().with_context(|| format!("no {key}"));
    let (mixed, thousand) = (number("mixed_per_second")?, number("thousand_per_second")?);
    let micros = |per_second: f64| 1e6 / per_second;
    Ok([
        Figure {
            what: "a status judged by 5,000 mixed rules",
            measured: micros(mixed),
            // 60,000 a second.
            budget: micros(60_000.0),
            unit: "µs",
            baseline: format!("{mixed:.0} statuses/s/core, {} bytes each", number("bytes_per_post")?),
        },
        Figure {
            what: "a status judged by 1,000 words and patterns",
            measured: micros(thousand),
            budget: micros(MASTOWATCH * 250.0),
            unit: "µs",
            baseline: format!("{:.0} × MastoWatch's {MASTOWATCH} statuses/s", thousand / MASTOWATCH),
        },
        Figure {
            what: "5,000 mixed rules made ready",
            measured: number("mixed_compile_ms")?,
            budget: 1_500.0,
            unit: "ms",
            baseline: "beside the set that goes on judging".into(),
        },
        Figure {
            what: "5,000 mixed rules: peak memory",
            measured: number("peak_bytes")? / MIB,
            budget: 60.0,
            unit: "MiB",
            baseline: "the posts included".into(),
        },
    ])
}
