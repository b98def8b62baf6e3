//! The colours: everything that is read can be read, light and dark.

use std::collections::BTreeMap;

const CSS: &str = include_str!("../../src/assets/base.css");

/// What is written on what; 4.5 to 1 by WCAG AA.
const TEXT: &[(&str, &[&str])] = &[
    ("ink", &["ground", "card", "raised", "soft"]),
    ("quiet", &["ground", "card", "raised"]),
    ("accent", &["ground", "card", "soft", "raised"]),
    ("on-accent", &["accent"]),
    ("good", &["good-soft", "card"]),
    ("warn", &["warn-soft", "card"]),
    ("bad", &["bad-soft", "card", "ground"]),
    ("series-1", &["card"]),
    ("series-2", &["card"]),
    ("series-3", &["card"]),
    ("series-4", &["card"]),
];

/// Edges of what can be used, and bars: 3 to 1.
const SHAPES: &[(&str, &[&str])] = &[
    ("edge", &["card", "ground"]),
    ("accent", &["card", "raised"]),
    ("warn", &["raised"]),
];

type Palette = BTreeMap<String, [f64; 3]>;

/// The light palette, and the dark one: the light with what the media query changes.
fn palettes() -> [Palette; 2] {
    let (light, dark) = CSS.split_once("@media (prefers-color-scheme: dark)").unwrap();
    let light = read(light);
    let mut both = light.clone();
    both.extend(read(dark));
    [light, both]
}

fn read(css: &str) -> Palette {
    css.split(';')
        .filter_map(|line| {
            let (name, value) = line.split_once(": #")?;
            let name = name.rsplit("--").next()?.trim();
            let channel = |at: usize| f64::from(u8::from_str_radix(&value[at..at + 2], 16).unwrap()) / 255.0;
            Some((name.to_owned(), [channel(0), channel(2), channel(4)]))
        })
        .collect()
}

fn luminance([r, g, b]: [f64; 3]) -> f64 {
    let linear = |c: f64| {
        if c <= 0.040_45 {
            c / 12.92
        } else {
            ((c + 0.055) / 1.055).powf(2.4)
        }
    };
    0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
}

fn contrast(a: [f64; 3], b: [f64; 3]) -> f64 {
    let (a, b) = (luminance(a) + 0.05, luminance(b) + 0.05);
    a.max(b) / a.min(b)
}

#[test]
fn every_pair_of_colours_has_the_contrast_of_wcag_aa() {
    for (which, palette) in ["light", "dark"].into_iter().zip(palettes()) {
        for (least, pairs) in [(4.5, TEXT), (3.0, SHAPES)] {
            for (front, grounds) in pairs {
                for ground in *grounds {
                    let found = contrast(palette[*front], palette[*ground]);
                    assert!(
                        found >= least,
                        "{which}: {front} on {ground} has {found:.2}, needs {least}"
                    );
                }
            }
        }
    }
}

#[test]
fn contrast_is_measured_as_wcag_says() {
    assert!((contrast([0.0; 3], [1.0; 3]) - 21.0).abs() < 1e-9);
    let grey = [119.0 / 255.0; 3];
    assert!((contrast(grey, [1.0; 3]) - 4.48).abs() < 0.01);
}
