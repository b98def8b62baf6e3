//! Check 48: what pictures show, and that they are always the same.

use super::*;
use crate::chart::scene::Shape;

const DAY: i64 = 86_400;
const START: i64 = 1_772_323_200; // 1 Mar 2026

fn daily(values: &[i64]) -> Series {
    let samples = values.iter().zip(0_i64..).map(|(value, n)| Sample {
        from: START + n * DAY,
        until: START + n * DAY,
        step: DAY,
        value: *value,
    });
    Series {
        label: "alice@a.example".into(),
        samples: samples.collect(),
    }
}

fn chart(series: Vec<Series>) -> Chart {
    let panel = Panel {
        title: "alice@a.example: followers".into(),
        series,
        flags: Vec::new(),
    };
    Chart::new(vec![panel], Tz::UTC)
}

fn lines(chart: &Chart) -> Vec<usize> {
    let scene = chart.scene();
    let lines = scene.shapes.iter().filter_map(|shape| match shape {
        Shape::Line { points, width, .. } if *width == 2.0 => Some(points.len()),
        _ => None,
    });
    lines.collect()
}

fn texts(chart: &Chart) -> Vec<String> {
    let scene = chart.scene();
    let texts = scene.shapes.into_iter().filter_map(|shape| match shape {
        Shape::Text { text, .. } => Some(text),
        _ => None,
    });
    texts.collect()
}

/// Check 48.
#[test]
fn no_point_is_no_data_and_one_point_is_a_mark_and_its_value() {
    assert!(texts(&chart(vec![daily(&[])])).contains(&"no data".to_owned()));
    let one = chart(vec![daily(&[102])]);
    assert!(texts(&one).contains(&"102".to_owned()));
    assert!(lines(&one).is_empty());
    let dots = one
        .scene()
        .shapes
        .iter()
        .filter(|shape| matches!(shape, Shape::Dot { .. }))
        .count();
    assert!(dots >= 1);
    assert!(chart(Vec::new()).svg().contains("<svg"));
}

/// Check 48: a gap of more than two intervals breaks the line, one of two does not.
#[test]
fn a_gap_breaks_the_line() {
    let mut series = daily(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    series.samples.remove(4);
    assert_eq!(lines(&chart(vec![series.clone()])), [9]);
    series.samples.remove(4);
    assert_eq!(lines(&chart(vec![series])), [4, 4]);
}

/// A run of equal values is a level line, not a gap.
#[test]
fn a_run_is_drawn_whole() {
    let mut series = daily(&[5, 6]);
    series.samples[1].from += 19 * DAY;
    series.samples[1].until += 19 * DAY;
    series.samples[0].until += 19 * DAY;
    assert_eq!(lines(&chart(vec![series])), [3]);
}

/// What holds until the next value steps there, and the last one is on the line.
#[test]
fn what_is_held_goes_in_steps() {
    let series = Series::held("x", &[(0, 0), (DAY, 5), (2 * DAY, 9), (30 * DAY, 9)]);
    let runs = super::sparkline(&series.samples, 3002, 104);
    assert_eq!(runs.len(), 1, "a long hold is no gap");
    let heights: Vec<i32> = runs[0].iter().map(|(_, y)| y.round() as i32).collect();
    assert_eq!(heights, [102, 102, 46, 46, 2, 2, 2]);
    let steps: Vec<i32> = runs[0].iter().map(|(x, _)| x.round() as i32).collect();
    assert_eq!(steps, [1, 101, 101, 201, 201, 3001, 3001]);
}

/// Check 48.
#[test]
fn the_same_request_gives_the_same_bytes() {
    let chart = chart(vec![daily(&[1, 5, 3]), daily(&[2, 2, 9])]);
    assert_eq!(chart.svg(), chart.clone().svg());
    let picture = chart.png(1);
    assert_eq!(picture, chart.png(1));
    assert_eq!(&picture[1..4], b"PNG");
    assert_eq!(&picture[16..24], [0, 0, 3, 32, 0, 0, 1, 144], "800 by 400");
    assert_eq!(&chart.png(2)[16..24], [0, 0, 6, 64, 0, 0, 3, 32]);
}

/// Check 48: many points are thinned.
#[test]
fn ten_thousand_points_stay_a_small_picture() {
    let values: Vec<i64> = (0..10_000).map(|n| 1000 + (n * 7919) % 97).collect();
    let chart = chart(vec![daily(&values)]);
    assert!(lines(&chart).iter().sum::<usize>() <= 1100, "{:?}", lines(&chart));
    assert!(chart.svg().len() < 60_000);
}

#[test]
fn names_do_no_harm() {
    let mut chart = chart(vec![daily(&[1, 2])]);
    chart.panels[0].title = "<script>alert(1)</script> & \u{7}🐘".repeat(50);
    let svg = chart.svg();
    assert!(!svg.contains("<script") && !svg.contains('\u{7}'));
    assert!(svg.len() < 200_000);
    for (width, height) in [(0, 0), (120, 60), (u32::MAX, 1)] {
        (chart.width, chart.height) = (width, height);
        assert!(!chart.svg().is_empty());
    }
}

/// Counts up to the largest, periods from a second to a century: nothing panics.
#[test]
fn any_series_can_be_drawn() {
    use proptest::prelude::*;
    proptest!(ProptestConfig::with_cases(24), |(
        start in 0_i64..4_000_000_000, step in 1_i64..40_000_000, values in prop::collection::vec(0_i64..=i64::from(i32::MAX), 0..50)
    )| {
        let samples = values.iter().zip(0_i64..).map(|(value, n)| Sample { from: start + n * step, until: start + n * step, step, value: *value });
        let series = Series { label: "x".into(), samples: samples.collect() };
        let chart = chart(vec![series.clone(), series]);
        prop_assert!(chart.svg().ends_with("</svg>\n"));
    });
}
