//! One field of a picture: axes, lines, gaps, flags.

use super::{
    Chart, Panel, Sample, Theme,
    axis::{self, Mark},
    font::Font,
    lttb,
    scene::{Anchor, Colour, Scene},
};

const SMALL: f32 = 12.0;
const LARGE: f32 = 15.0;
const TOP: f32 = 44.0;
const BOTTOM: f32 = 44.0;
const RIGHT: f32 = 18.0;
/// Height of a line of the legend.
const LEGEND: f32 = 18.0;
/// More points than this are thinned before they are drawn.
const MANY: usize = 2000;
/// Up to so many, each point is marked.
const FEW: usize = 40;
/// More lines than this have no names of their own below the picture.
const NAMED: usize = 24;

struct Colours {
    background: Colour,
    text: Colour,
    faint: Colour,
    grid: Colour,
    flag: Colour,
    /// Told apart by people who see few colours, too.
    lines: [Colour; 8],
}

const LIGHT: Colours = Colours {
    background: [255, 255, 255],
    text: [32, 33, 36],
    faint: [95, 99, 104],
    grid: [226, 228, 232],
    flag: [168, 84, 0],
    lines: [
        [0, 95, 184],
        [200, 80, 0],
        [0, 125, 95],
        [175, 60, 125],
        [110, 90, 0],
        [85, 75, 200],
        [190, 30, 45],
        [60, 70, 80],
    ],
};

const DARK: Colours = Colours {
    background: [24, 26, 31],
    text: [232, 234, 237],
    faint: [164, 169, 178],
    grid: [52, 56, 64],
    flag: [255, 180, 90],
    lines: [
        [92, 172, 255],
        [255, 150, 80],
        [70, 205, 160],
        [235, 130, 195],
        [225, 200, 80],
        [165, 155, 255],
        [255, 115, 115],
        [190, 200, 210],
    ],
};

pub(super) fn draw(chart: &Chart) -> Scene {
    let colours = match chart.theme {
        Theme::Light => &LIGHT,
        Theme::Dark => &DARK,
    };
    let titles: Vec<&str> = chart.panels.iter().map(|panel| panel.title.as_str()).collect();
    let mut scene = Scene {
        width: chart.width.clamp(120, 4000),
        height: chart.height.clamp(60, 4000),
        background: colours.background,
        title: titles.join(", "),
        description: chart
            .panels
            .iter()
            .map(|panel| told(chart, panel))
            .collect::<Vec<_>>()
            .join(" "),
        shapes: Vec::new(),
    };
    #[expect(clippy::cast_precision_loss, reason = "pixels")]
    let each = scene.width as f32 / chart.panels.len().max(1) as f32;
    #[expect(clippy::cast_precision_loss, reason = "pixels")]
    let height = scene.height as f32;
    for (n, panel) in chart.panels.iter().enumerate() {
        #[expect(clippy::cast_precision_loss, reason = "pixels")]
        let left = each * n as f32;
        field(&mut scene, chart, panel, colours, (left, each, height));
    }
    scene
}

/// In a sentence, for those who cannot see it.
fn told(chart: &Chart, panel: &Panel) -> String {
    let lines: Vec<String> = panel
        .series
        .iter()
        .take(NAMED)
        .map(|series| match (series.samples.first(), series.samples.last()) {
            (Some(first), Some(last)) => format!(
                "{}: {} on {}, {} on {}.",
                series.label,
                axis::grouped(first.value),
                axis::told(first.from, chart.zone),
                axis::grouped(last.value),
                axis::told(last.until, chart.zone)
            ),
            _ => format!("{}: no data.", series.label),
        })
        .collect();
    format!("{}. {}", panel.title, lines.join(" "))
}

/// Whether a line breaks between two samples: more than two intervals lie between them. A little more than that is the
/// lateness of a busy server.
fn breaks(before: &Sample, after: &Sample) -> bool {
    let step = before.step.max(after.step).max(1);
    (after.from - before.until) * 20 > step * 41
}

/// Runs without a gap between them.
fn runs(samples: &[Sample]) -> Vec<Vec<(f64, f64)>> {
    let mut runs: Vec<Vec<(f64, f64)>> = Vec::new();
    let mut before: Option<&Sample> = None;
    for sample in samples {
        if before.is_none_or(|before| breaks(before, sample)) {
            runs.push(Vec::new());
        }
        if let Some(run) = runs.last_mut() {
            #[expect(clippy::cast_precision_loss, reason = "seconds and counts lie far below 2^53")]
            for at in [sample.from, sample.until] {
                if run.last().is_none_or(|(last, _)| *last < at as f64) {
                    run.push((at as f64, sample.value as f64));
                }
            }
        }
        before = Some(sample);
    }
    runs
}

#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "pixels")]
fn field(scene: &mut Scene, chart: &Chart, panel: &Panel, colours: &Colours, place: (f32, f32, f32)) {
    let (offset, width, height) = place;
    let font = Font::get();
    let shown: Vec<Vec<Sample>> = panel
        .series
        .iter()
        .map(|series| clipped(&series.samples, chart.since, chart.to))
        .collect();
    let all = || shown.iter().flatten();
    scene.text(
        (offset + 16.0, 24.0),
        fitting(font, &panel.title, LARGE, width - 32.0),
        LARGE,
        Anchor::Start,
        colours.text,
    );
    let (Some(low), Some(high)) = (
        all().map(|sample| sample.value).min(),
        all().map(|sample| sample.value).max(),
    ) else {
        let middle = (offset + width / 2.0, height / 2.0 + 5.0);
        scene.text(middle, "no data", LARGE, Anchor::Middle, colours.faint);
        return;
    };
    let first = chart
        .since
        .or_else(|| all().map(|sample| sample.from).min())
        .unwrap_or(0);
    let last = chart
        .to
        .or_else(|| all().map(|sample| sample.until).max())
        .unwrap_or(first);
    // A single moment lies in the middle of a day.
    let (first, last) = if first < last {
        (first, last)
    } else {
        (first - 43_200, first + 43_200)
    };

    let named = panel.series.len() > 1 && panel.series.len() <= NAMED;
    let names = if named { legend(font, panel, width) } else { Vec::new() };
    let rows = names.iter().map(|(row, ..)| row + 1).max().unwrap_or(0);
    let bottom = height - BOTTOM - rows as f32 * LEGEND;
    let room_down = (bottom - TOP).max(10.0);
    let counts = axis::count(low, high, ((room_down / 42.0) as i64).clamp(2, 10));
    let widest = counts
        .iter()
        .map(|count| font.width(&axis::grouped(*count), SMALL))
        .fold(0.0, f32::max);
    let left = offset + widest + 22.0;
    let right = offset + width - RIGHT;
    let (lowest, highest) = (
        counts.first().copied().unwrap_or(low) as f64,
        counts.last().copied().unwrap_or(high) as f64,
    );
    let x = |at: f64| left + ((at - first as f64) / (last - first) as f64) as f32 * (right - left);
    let y = |value: f64| bottom - ((value - lowest) / (highest - lowest).max(1.0)) as f32 * room_down;

    for count in &counts {
        let at = y(*count as f64);
        scene.line(vec![(left, at), (right, at)], colours.grid, 1.0);
        scene.text(
            (left - 8.0, at + 4.0),
            axis::grouped(*count),
            SMALL,
            Anchor::End,
            colours.faint,
        );
    }
    let most = ((right - left) / 84.0).max(2.0) as usize;
    for Mark { at, label, below } in axis::time(first, last, chart.zone, most) {
        let at = x(at as f64);
        scene.line(vec![(at, bottom), (at, bottom + 5.0)], colours.faint, 1.0);
        // Whole, where it would reach over the edge.
        let half = font
            .width(below.as_deref().unwrap_or(&label), SMALL)
            .max(font.width(&label, SMALL))
            / 2.0;
        let middle = at.clamp(
            offset + half + 2.0,
            (offset + width - half - 2.0).max(offset + half + 2.0),
        );
        scene.text((middle, bottom + 19.0), label, SMALL, Anchor::Middle, colours.faint);
        if let Some(below) = below {
            scene.text((middle, bottom + 34.0), below, SMALL, Anchor::Middle, colours.faint);
        }
    }
    scene.line(vec![(left, bottom), (right, bottom)], colours.faint, 1.0);

    flags(scene, panel, colours, (first, last), (left, right, bottom), &|at| {
        x(at as f64)
    });

    for (n, samples) in shown.iter().enumerate() {
        let colour = colours.lines[n % colours.lines.len()];
        let total = samples.len();
        for run in runs(samples) {
            let share = (run.len() * MANY / (total * 2).max(1)).max(50);
            let run = if total > MANY { lttb::thin(&run, share) } else { run };
            let points: Vec<(f32, f32)> = run.iter().map(|(at, value)| (x(*at), y(*value))).collect();
            if points.len() == 1 || total <= FEW {
                for point in &points {
                    scene.dot(*point, 3.0, colour);
                }
            }
            if points.len() > 1 {
                scene.line(points, colour, 2.0);
            }
        }
        // A single line says where it ends.
        if panel.series.len() == 1
            && let Some(sample) = samples.last()
        {
            let at = (x(sample.until as f64), y(sample.value as f64));
            let up = -9.0;
            let text = axis::grouped(sample.value);
            let anchor = if at.0 + font.width(&text, SMALL) / 2.0 > right {
                Anchor::End
            } else {
                Anchor::Middle
            };
            let along = if anchor == Anchor::End { right } else { at.0 };
            // On ground of its own: a steep line would run through it.
            let (middle, wide) = (at.1 + up - 4.5, font.width(&text, SMALL));
            let begin = if anchor == Anchor::End {
                along - wide
            } else {
                along - wide / 2.0
            };
            scene.line(vec![(begin, middle), (begin + wide, middle)], colours.background, 13.0);
            scene.dot(at, 3.5, colour);
            scene.text((along, at.1 + up), text, SMALL, anchor, colours.text);
        }
    }
    for (n, (row, along, label)) in names.into_iter().enumerate() {
        let down = height - 12.0 - (rows - 1 - row) as f32 * LEGEND;
        let colour = colours.lines[n % colours.lines.len()];
        scene.line(
            vec![(offset + along, down - 4.0), (offset + along + 14.0, down - 4.0)],
            colour,
            3.0,
        );
        scene.text((offset + along + 20.0, down), label, SMALL, Anchor::Start, colours.text);
    }
}

/// What lies between two moments; a run that reaches in is cut there.
fn clipped(samples: &[Sample], since: Option<i64>, to: Option<i64>) -> Vec<Sample> {
    let (since, to) = (since.unwrap_or(i64::MIN), to.unwrap_or(i64::MAX));
    samples
        .iter()
        .filter(|sample| sample.until >= since && sample.from <= to)
        .map(|sample| Sample {
            from: sample.from.max(since),
            until: sample.until.min(to),
            ..*sample
        })
        .collect()
}

/// Dashed lines where something happened, with a word where there is room for it.
fn flags(
    scene: &mut Scene,
    panel: &Panel,
    colours: &Colours,
    (first, last): (i64, i64),
    (left, right, bottom): (f32, f32, f32),
    x: &dyn Fn(i64) -> f32,
) {
    let font = Font::get();
    let mut free = left;
    for flag in panel
        .flags
        .iter()
        .filter(|flag| (first..=last).contains(&flag.at))
        .take(200)
    {
        let at = x(flag.at);
        scene.dashes(vec![(at, TOP - 4.0), (at, bottom)], colours.flag);
        let width = font.width(&flag.label, 11.0);
        let start = (at - width / 2.0).clamp(left, (right - width).max(left));
        if start >= free {
            scene.text(
                (start, TOP - 7.0),
                flag.label.clone(),
                11.0,
                Anchor::Start,
                colours.flag,
            );
            free = start + width + 8.0;
        }
    }
}

/// Where the names of the lines stand: row, distance from the left, the name.
fn legend(font: &Font, panel: &Panel, width: f32) -> Vec<(usize, f32, String)> {
    let (mut row, mut along) = (0, 16.0);
    let mut names = Vec::new();
    for series in &panel.series {
        let label = fitting(font, &series.label, SMALL, width - 52.0);
        let needs = font.width(&label, SMALL) + 38.0;
        if along + needs > width && along > 16.0 {
            (row, along) = (row + 1, 16.0);
        }
        names.push((row, along, label));
        along += needs;
    }
    names
}

/// A text that is cut where there is no more room.
fn fitting(font: &Font, text: &str, size: f32, room: f32) -> String {
    if font.width(text, size) <= room {
        return text.to_owned();
    }
    let mut cut: Vec<char> = text.chars().take(500).collect();
    while cut.pop().is_some() {
        let shorter: String = cut.iter().chain(&['…']).collect();
        if font.width(&shorter, size) <= room {
            return shorter;
        }
    }
    String::new()
}

/// The lines of a sparkline, in its own pixels.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "pixels")]
pub(super) fn sparkline(samples: &[Sample], width: u32, height: u32) -> Vec<Vec<(f32, f32)>> {
    let (Some(first), Some(last)) = (samples.first(), samples.last()) else {
        return Vec::new();
    };
    let low = samples.iter().map(|sample| sample.value).min().unwrap_or(0) as f64;
    let high = samples.iter().map(|sample| sample.value).max().unwrap_or(0) as f64;
    let span = (last.until - first.from).max(1) as f64;
    let (width, height) = (f64::from(width) - 2.0, f64::from(height) - 4.0);
    let x = |at: f64| ((at - first.from as f64) / span * width + 1.0) as f32;
    let y = |value: f64| {
        let part = if high > low { (value - low) / (high - low) } else { 0.5 };
        (height - part * height + 2.0) as f32
    };
    runs(samples)
        .into_iter()
        .map(|run| {
            lttb::thin(&run, 120)
                .into_iter()
                .map(|(at, value)| (x(at), y(value)))
                .collect()
        })
        .collect()
}
