//! Work that is counted rather than timed: instructions are the same on a quiet machine and on a busy one, so that a
//! change of a few in a hundred is seen.

use super::{Figure, stage::Programs};

/// How much more than what was reached still is the same: another version of a library, another machine's letters.
const SLACK: f64 = 1.03;

/// One round of each.
pub(super) fn measure(programs: &Programs) -> anyhow::Result<[Figure; 3]> {
    let counted = |what, example: &str, reached: f64, baseline: &str| {
        Ok::<Figure, anyhow::Error>(Figure {
            what,
            measured: programs.instructions(example, &["once"])? as f64 / 1e6,
            budget: reached * SLACK,
            unit: "M instructions",
            baseline: format!("{baseline}; {reached} were reached"),
        })
    };
    Ok([
        counted(
            "20 lists of 10,000 rows merged",
            "merge",
            1126.0,
            "made up, read, merged",
        )?,
        counted(
            "4,000 statuses judged",
            "judge",
            1893.0,
            "by 5,000 mixed rules, made ready first",
        )?,
        counted(
            "a chart of 365 points, SVG and PNG",
            "charts",
            126.0,
            "the font is read first",
        )?,
    ])
}
