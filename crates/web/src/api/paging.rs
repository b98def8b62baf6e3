//! Lists come in pages. A cursor is opaque: the last entry's, to be handed back as `before`.

use axum::{
    Json,
    http::{HeaderValue, Uri, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize, de};
use utoipa::PartialSchema;

use crate::{parts::encoded, problem::Problem};

/// The most entries of a page.
const MOST: u32 = 200;

/// How many entries a page has, 1 to 200; 50 where nobody says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limit(u32);

impl Limit {
    pub(crate) fn get(self) -> u32 {
        self.0
    }

    /// Cuts what was read with one entry more than a page has; gives the cursor of the next page, if there is one.
    pub(crate) fn cut<T>(self, entries: &mut Vec<T>, cursor: impl Fn(&T) -> String) -> Option<String> {
        let most = self.0 as usize;
        let more = entries.len() > most;
        entries.truncate(most);
        entries.last().filter(|_| more).map(cursor)
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self(50)
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let limit = u32::deserialize(deserializer)?;
        if (1..=MOST).contains(&limit) {
            Ok(Self(limit))
        } else {
            Err(de::Error::custom(format!("must be from 1 to {MOST}")))
        }
    }
}

impl PartialSchema for Limit {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::Integer)
            .minimum(Some(1))
            .maximum(Some(MOST))
            .default(Some(50.into()))
            .into()
    }
}

impl utoipa::ToSchema for Limit {}

/// Reads the cursor of a question that carries one.
pub(crate) fn before<'a, T>(
    given: Option<&'a str>,
    read: impl FnOnce(&'a str) -> Option<T>,
) -> Result<Option<T>, Problem> {
    let wrong = "is no cursor of this list; take it from `next` or `Link`";
    let given = given.filter(|text| !text.is_empty());
    given
        .map(|text| read(text).ok_or_else(|| Problem::field(400, "before", wrong)))
        .transpose()
}

/// The cursor of what is sorted by time; the key tells entries of one moment apart.
pub(crate) fn cursor(at: DateTime<Utc>, key: &str) -> String {
    format!("{}~{key}", at.timestamp_micros())
}

/// Takes [`cursor`] apart.
pub(crate) fn moment(cursor: &str) -> Option<(DateTime<Utc>, &str)> {
    let (at, key) = cursor.split_once('~')?;
    Some((DateTime::from_timestamp_micros(at.parse().ok()?)?, key))
}

/// A page of a list as JSON, with `Link: <…>; rel="next"` where there is more.
pub(crate) fn page(uri: &Uri, next: Option<&str>, body: impl Serialize) -> Response {
    let mut response = Json(body).into_response();
    let link = next.and_then(|next| {
        let kept = uri.query().unwrap_or_default().split('&');
        let kept = kept.filter(|pair| !pair.is_empty() && !pair.starts_with("before="));
        let mut query: Vec<String> = kept.map(str::to_owned).collect();
        query.push(format!("before={}", encoded(next)));
        HeaderValue::from_str(&format!("<{}?{}>; rel=\"next\"", uri.path(), query.join("&"))).ok()
    });
    if let Some(link) = link {
        response.headers_mut().insert(header::LINK, link);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_and_nothing_else_does() {
        let at = DateTime::from_timestamp_micros(1_772_323_200_000_001).unwrap();
        assert_eq!(moment(&cursor(at, "a~b")), Some((at, "a~b")));
        for other in ["x", "~", "x~y", "99999999999999999999~y"] {
            assert_eq!(moment(other), None, "{other}");
            assert!(before(Some(other), moment).is_err(), "{other}");
        }
        assert_eq!(before(None, moment).unwrap(), None);
        assert_eq!(before(Some(""), moment).unwrap(), None);
    }

    #[test]
    fn the_next_page_keeps_the_question() {
        let uri: Uri = "/api/v1/x?job=a.b&before=1&limit=2".parse().unwrap();
        let response = page(&uri, Some("2"), ());
        assert_eq!(
            response.headers()["link"],
            "</api/v1/x?job=a.b&limit=2&before=2>; rel=\"next\""
        );
        assert!(!page(&uri, None, ()).headers().contains_key("link"));
        let mut entries = vec![1, 2, 3];
        assert_eq!(Limit(2).cut(&mut entries, ToString::to_string), Some("2".to_owned()));
        assert_eq!(Limit(2).cut(&mut entries, ToString::to_string), None);
    }
}
