//! From when to when, and how it is shown.

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeZone as _, Utc};
use chrono_tz::Tz;
use metering::report;
use model::{Clock as _, SystemClock};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{api::paging::Limit, problem::Problem};

/// A period and how it is shown.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Period {
    /// From when: `2026-03-01`, `2026-03-01 03:00`, RFC 3339, or how far back: `24h`, `7d`, `month`.
    pub(crate) since: Option<String>,
    /// Until when, likewise; now where not said.
    pub(crate) to: Option<String>,
    /// Whose days count, as an IANA name; UTC where not said.
    pub(crate) zone: Option<String>,
    /// `json` or `csv` for data, `svg` or `png` for graphs, `json`, `text` or `html` for the report.
    pub(crate) format: Option<String>,
    /// `light` or `dark`.
    pub(crate) theme: Option<String>,
    /// Pixels across, 120 to 4000.
    pub(crate) width: Option<u32>,
    /// Pixels down, 60 to 4000.
    pub(crate) height: Option<u32>,
    /// Each pixel of a PNG as so many by so many, 1 to 4.
    pub(crate) scale: Option<u32>,
    /// 404 instead of a picture that says so where nothing was measured.
    pub(crate) strict: bool,
    /// Ids with commas between them, for comparisons and reports.
    pub(crate) accounts: Option<String>,
    /// The accounts of a group instead.
    pub(crate) group: Option<String>,
    /// Rows before this slot's successor were read already: the cursor of the page before.
    pub(crate) before: Option<String>,
    /// Rows of data, 1 to 200.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    pub(crate) limit: Limit,
}

/// A period that was understood.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    pub(crate) since: Option<DateTime<Utc>>,
    pub(crate) to: Option<DateTime<Utc>>,
    pub(crate) zone: Tz,
}

impl Span {
    /// From the first moment there is until now, where nobody said otherwise.
    pub(crate) fn ends(self) -> (DateTime<Utc>, DateTime<Utc>) {
        (
            self.since.unwrap_or(DateTime::UNIX_EPOCH),
            self.to.unwrap_or_else(|| SystemClock.now()),
        )
    }
}

impl Period {
    pub(crate) fn span(&self) -> Result<Span, Problem> {
        let zone = match self.zone.as_deref().filter(|zone| !zone.is_empty()) {
            None => Tz::UTC,
            Some(name) => name
                .parse()
                .map_err(|_| Problem::field(422, "zone", "must be an IANA name such as Europe/Berlin"))?,
        };
        let read = |name: &'static str, text: &Option<String>| match text.as_deref().filter(|text| !text.is_empty()) {
            None => Ok(None),
            Some(text) => moment(text, zone).map(Some).ok_or_else(|| {
                Problem::field(
                    422,
                    name,
                    "must be 2026-03-01, 2026-03-01 03:00, RFC 3339, or as far back as 24h or 7d",
                )
            }),
        };
        let (since, to) = (read("since", &self.since)?, read("to", &self.to)?);
        if since.zip(to).is_some_and(|(since, to)| since > to) {
            return Err(Problem::field(422, "since", "must not be later than `to`"));
        }
        Ok(Span { since, to, zone })
    }

    pub(crate) fn is_dark(&self) -> Result<bool, Problem> {
        match self.theme.as_deref() {
            None | Some("" | "light") => Ok(false),
            Some("dark") => Ok(true),
            Some(_) => Err(Problem::field(422, "theme", "must be light or dark")),
        }
    }
}

fn moment(text: &str, zone: Tz) -> Option<DateTime<Utc>> {
    if let Some(back) = report::period(text) {
        return SystemClock.now().checked_sub_signed(back);
    }
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.to_utc());
    }
    let text = text.replace('T', " ");
    let naive = NaiveDateTime::parse_from_str(&text, "%Y-%m-%d %H:%M")
        .ok()
        .or_else(|| Some(text.parse::<NaiveDate>().ok()?.and_time(chrono::NaiveTime::MIN)))?;
    zone.from_local_datetime(&naive).earliest().map(|time| time.to_utc())
}
