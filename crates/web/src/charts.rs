//! Charts drawn here, as SVG without a script: with a title and a description for those who cannot see them, units on
//! the axis, and colours from the style sheet, so that light and dark are the same drawing.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 240.0;
const LEFT: f64 = 52.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 30.0;

/// A line over time. A point without a value is a gap.
#[derive(Debug)]
pub(crate) struct Line<'a> {
    /// What it shows.
    pub(crate) title: &'a str,
    /// In a sentence, for those who cannot see it.
    pub(crate) description: &'a str,
    /// Of the values.
    pub(crate) unit: &'a str,
    /// Oldest first.
    pub(crate) points: &'a [(DateTime<Utc>, Option<f64>)],
    /// A level to compare with, and its name.
    pub(crate) limit: Option<(f64, &'a str)>,
}

impl Line<'_> {
    /// The drawing; nothing without a single value.
    pub(crate) fn svg(&self) -> Option<Markup> {
        let (first, last) = (self.points.first()?.0, self.points.last()?.0);
        let highest = self
            .points
            .iter()
            .filter_map(|(_, value)| *value)
            .fold(f64::NAN, f64::max);
        if !highest.is_finite() {
            return None;
        }
        let step = step(highest.max(self.limit.map_or(0.0, |(level, _)| level)));
        let rows = (highest.max(self.limit.map_or(0.0, |(level, _)| level)) / step)
            .ceil()
            .max(1.0);
        let top = step * rows;
        let span = (last - first).num_milliseconds();
        #[expect(clippy::cast_precision_loss, reason = "pixels")]
        let x = |at: DateTime<Utc>| {
            let part = if span > 0 {
                (at - first).num_milliseconds() as f64 / span as f64
            } else {
                0.5
            };
            LEFT + part * (WIDTH - LEFT - RIGHT)
        };
        let y = |value: f64| HEIGHT - BOTTOM - value / top * (HEIGHT - TOP - BOTTOM);
        let runs: Vec<Vec<(f64, f64)>> = self
            .points
            .split(|(_, value)| value.is_none())
            .map(|run| {
                run.iter()
                    .filter_map(|(at, value)| Some((x(*at), y((*value)?))))
                    .collect()
            })
            .filter(|run: &Vec<_>| !run.is_empty())
            .collect();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a handful of rows"
        )]
        let levels: Vec<f64> = (0..=rows as u32).map(|row| f64::from(row) * step).collect();
        let format = if span > 3 * 86_400_000 { "%b %-d" } else { "%H:%M" };
        let ticks: Vec<(f64, &str, String)> = [(first, "start"), (first + (last - first) / 2, "middle"), (last, "end")]
            .into_iter()
            .take(if span > 0 { 3 } else { 1 })
            .map(|(at, anchor)| {
                (
                    x(at),
                    if span > 0 { anchor } else { "middle" },
                    at.format(format).to_string(),
                )
            })
            .collect();
        Some(html! {
            svg.chart viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label=(self.title) {
                title { (self.title) }
                desc { (self.description) }
                @for level in &levels {
                    line.grid x1=(LEFT) x2=(WIDTH - RIGHT) y1=(px(y(*level))) y2=(px(y(*level))) {}
                    text x=(LEFT - 8.0) y=(px(y(*level) + 4.0)) text-anchor="end" { (number(*level)) }
                }
                text x=(LEFT) y=(TOP - 3.0) { (self.unit) }
                @for (x, anchor, word) in &ticks {
                    text x=(px(*x)) y=(HEIGHT - 8.0) text-anchor=(anchor) { (word) }
                }
                @for run in &runs {
                    path.area d=(area(run, HEIGHT - BOTTOM)) {}
                    path.line d=(path(run)) {}
                    @if run.len() == 1 || self.points.len() <= 40 {
                        @for (x, y) in run { circle.dot cx=(px(*x)) cy=(px(*y)) r="2.5" {} }
                    }
                }
                @if let Some((level, word)) = self.limit {
                    line.limit x1=(LEFT) x2=(WIDTH - RIGHT) y1=(px(y(level))) y2=(px(y(level))) {}
                    text.limit-word x=(WIDTH - RIGHT) y=(px(y(level) - 5.0)) text-anchor="end" { (word) }
                }
            }
        })
    }
}

/// 1, 2 or 5 times a power of ten, so that about four rows reach `highest`.
fn step(highest: f64) -> f64 {
    let rough = (highest / 4.0).max(1e-3);
    let power = 10_f64.powf(rough.log10().floor());
    let times = [1.0, 2.0, 5.0, 10.0].into_iter().find(|times| times * power >= rough);
    times.unwrap_or(10.0) * power
}

fn path(points: &[(f64, f64)]) -> String {
    let mut text = String::new();
    for (n, (x, y)) in points.iter().enumerate() {
        text.push_str(&format!("{}{} {}", if n == 0 { "M" } else { "L" }, px(*x), px(*y)));
    }
    text
}

fn area(points: &[(f64, f64)], ground: f64) -> String {
    match (points.first(), points.last()) {
        (Some(first), Some(last)) => format!("{}L{} {ground}L{} {ground}Z", path(points), px(last.0), px(first.0)),
        _ => String::new(),
    }
}

fn px(value: f64) -> String {
    format!("{value:.1}")
}

/// Short, as on an axis.
fn number(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn draw(values: &[Option<f64>]) -> Option<String> {
        let start = DateTime::UNIX_EPOCH;
        let points: Vec<_> = values
            .iter()
            .enumerate()
            .map(|(n, value)| (start + TimeDelta::hours(i64::try_from(n).unwrap()), *value))
            .collect();
        let line = Line {
            title: "a <b>",
            description: "d",
            unit: "per reply",
            points: &points,
            limit: Some((0.7, "goal")),
        };
        line.svg().map(Markup::into_string)
    }

    #[test]
    fn a_chart_of_nothing_is_no_chart() {
        assert!(draw(&[]).is_none() && draw(&[None, None]).is_none());
    }

    #[test]
    fn gaps_break_the_line_and_nothing_is_inline() {
        let svg = draw(&[Some(0.5), Some(1.0), None, Some(2.0), Some(0.0)]).unwrap();
        assert_eq!(svg.matches("class=\"line\"").count(), 2);
        assert!(svg.contains("<title>a &lt;b&gt;</title>") && !svg.contains("style=") && !svg.contains("NaN"));
        assert!(
            draw(&[Some(3.0)]).unwrap().contains("class=\"dot\""),
            "one value is a dot"
        );
        assert!(draw(&[Some(0.0), Some(0.0)]).is_some(), "zeros are values");
    }

    #[test]
    fn rows_are_round() {
        for (highest, expected) in [(0.9, 0.5), (4.0, 1.0), (7.0, 2.0), (17.0, 5.0), (0.0, 0.001)] {
            assert!((step(highest) - expected).abs() < 1e-9, "{highest}: {}", step(highest));
        }
    }
}
