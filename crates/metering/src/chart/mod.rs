//! Pictures of counts over time: a true time axis, gaps that show, events marked; SVG and PNG of the same drawing, the
//! same bytes for the same request. Nothing here waits or asks: what draws many of them does so off the async threads.

mod axis;
mod font;
mod lttb;
mod panel;
mod png;
mod scene;
mod svg;

use chrono_tz::Tz;
use scene::Scene;
use store::metered_points::Point;

pub use axis_words::{grouped, told};

pub(crate) use axis::moment;

/// Words of the axes that others use as well.
mod axis_words {
    use chrono_tz::Tz;

    /// `12,345`.
    pub fn grouped(number: i64) -> String {
        super::axis::grouped(number)
    }

    /// A moment in a zone, for people.
    pub fn told(at: i64, zone: Tz) -> String {
        super::axis::told(at, zone)
    }
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Metric {
    /// Followers.
    Followers,
    /// Accounts followed.
    Following,
    /// Statuses written.
    Statuses,
}

impl Metric {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Followers, Self::Following, Self::Statuses];

    /// One word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Followers => "followers",
            Self::Following => "following",
            Self::Statuses => "statuses",
        }
    }

    /// From a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|metric| metric.as_str() == word)
    }

    /// This count of a row.
    pub fn of(self, point: &Point) -> Option<i32> {
        match self {
            Self::Followers => point.followers,
            Self::Following => point.following,
            Self::Statuses => point.statuses,
        }
    }
}

/// On what ground.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Theme {
    /// White.
    #[default]
    Light,
    /// Nearly black.
    Dark,
}

/// The same value from one moment to another, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sample {
    /// First measured.
    pub from: i64,
    /// Last measured.
    pub until: i64,
    /// Seconds to the next measurement, as planned.
    pub step: i64,
    /// The value.
    pub value: i64,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Series {
    /// Whose.
    pub label: String,
    /// Oldest first.
    pub samples: Vec<Sample>,
}

impl Series {
    /// One count of an account's rows. Rows without it are left out, and show as a gap.
    pub fn of(label: impl Into<String>, metric: Metric, points: &[Point]) -> Self {
        let sample = |point: &Point| {
            Some(Sample {
                from: point.from(),
                until: point.until(),
                step: i64::from(point.step),
                value: i64::from(metric.of(point)?),
            })
        };
        Self {
            label: label.into(),
            samples: points.iter().filter_map(sample).collect(),
        }
    }

    /// Moments and values, oldest first, as far apart as most of them are: a longer way is a gap.
    pub fn spaced(label: &str, values: &[(i64, i64)]) -> Self {
        let mut ways: Vec<i64> = values.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
        ways.sort_unstable();
        let step = ways.get(ways.len() / 2).copied().unwrap_or(86_400).max(1);
        let sample = |&(at, value): &(i64, i64)| Sample {
            from: at,
            until: at,
            step,
            value,
        };
        Self {
            label: label.to_owned(),
            samples: values.iter().map(sample).collect(),
        }
    }

    /// Values that each hold until the next one: what is written down only when it changes.
    pub fn held(label: &str, values: &[(i64, i64)]) -> Self {
        let nexts = values.iter().skip(1).map(|&(at, _)| at).chain([i64::MAX]);
        let sample = |(&(at, value), next): (&(i64, i64), i64)| Sample {
            from: at,
            // A second before it, so that the line steps there and does not slope from here.
            until: if next == i64::MAX { at } else { (next - 1).max(at) },
            step: 86_400,
            value,
        };
        Self {
            label: label.to_owned(),
            samples: values.iter().zip(nexts).map(sample).collect(),
        }
    }
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Flag {
    /// When, in seconds since 1970.
    pub at: i64,
    /// In a word.
    pub label: String,
}

/// One field of a picture.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Panel {
    /// What it shows.
    pub title: String,
    /// Its lines.
    pub series: Vec<Series>,
    /// What happened meanwhile.
    pub flags: Vec<Flag>,
}

/// A picture to be.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Chart {
    /// Side by side.
    pub panels: Vec<Panel>,
    /// From when, in seconds since 1970; from the first sample on if not said.
    pub since: Option<i64>,
    /// Until when; to the last sample if not said.
    pub to: Option<i64>,
    /// Whose midnight counts.
    pub zone: Tz,
    /// On what ground.
    pub theme: Theme,
    /// Pixels across, 120 to 4,000.
    pub width: u32,
    /// Pixels down, 60 to 4,000.
    pub height: u32,
}

impl Chart {
    /// A chart of this size.
    pub fn new(panels: Vec<Panel>, zone: Tz) -> Self {
        let width = if panels.len() > 1 { 1280 } else { 800 };
        Self {
            panels,
            since: None,
            to: None,
            zone,
            theme: Theme::default(),
            width,
            height: 400,
        }
    }

    /// As SVG.
    pub fn svg(&self) -> String {
        svg::write(&self.scene())
    }

    /// As PNG, each pixel as 1 to 4 by as many.
    pub fn png(&self, scale: u32) -> Vec<u8> {
        png::draw(&self.scene(), scale.clamp(1, 4)).unwrap_or_default()
    }

    fn scene(&self) -> Scene {
        panel::draw(self)
    }
}

/// A line so small that it stands beside a name: no axes, only the way it went. For the page of all accounts.
pub fn sparkline(samples: &[Sample], width: u32, height: u32) -> Vec<Vec<(f32, f32)>> {
    panel::sparkline(samples, width, height)
}

#[cfg(test)]
mod tests;
