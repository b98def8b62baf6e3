//! What a server counts: of itself, by the week, for its admins by the day; and what an account's statuses brought.

use chrono::{DateTime, NaiveDate, Utc};
use model::AccountId;
use net::http::Method;
use serde_json::{Value, json};

use crate::{Client, Cursor, Error, Page, call::Call};

/// One number of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number {
    /// Of what: `users`, `week.logins`, `admin.new_users`, `languages.de`, `retention.2026-03-01.1`, …
    pub key: String,
    /// Seconds since 1970: the start of the week or the day; none for now.
    pub at: Option<i64>,
    /// The number.
    pub value: i64,
}

/// A status and what it brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// On this server.
    pub id: String,
    /// For people.
    pub url: String,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// Its hashtags, lower case.
    pub tags: Vec<String>,
    /// Replies, boosts and favourites that this server knows of.
    pub replies: i64,
    /// Boosts.
    pub reblogs: i64,
    /// Favourites.
    pub favourites: i64,
}

/// Statuses in one page.
const PAGE: u32 = 40;
/// Names longer than this are nobody's.
const LONGEST: usize = 100;

impl Client {
    /// How large the server says it is, and what its weeks were. Public.
    pub async fn own_numbers(&self) -> Result<Vec<Number>, Error> {
        let mut numbers = Vec::new();
        let now = |key: &str, value: &Value| {
            Some(Number {
                key: key.to_owned(),
                at: None,
                value: whole(value)?,
            })
        };
        if let Some(instance) = self.told("v2").await? {
            numbers.extend(now("active_month", &instance["usage"]["users"]["active_month"]));
        }
        if let Some(instance) = self.told("v1").await? {
            for (key, name) in [
                ("users", "user_count"),
                ("statuses", "status_count"),
                ("domains", "domain_count"),
            ] {
                numbers.extend(now(key, &instance["stats"][name]));
            }
        }
        let weeks = match self
            .value(&Call::get(&["api", "v1", "instance", "activity"]).anonymous())
            .await
        {
            Ok((Value::Array(weeks), _)) => weeks,
            Ok(_) => Vec::new(),
            Err(error) if error.is_of_host() => return Err(error),
            // Some keep that to themselves.
            Err(_) => Vec::new(),
        };
        for week in weeks.iter().take(60) {
            let at = whole(&week["week"]);
            for key in ["statuses", "logins", "registrations"] {
                if let (Some(at), Some(value)) = (at, whole(&week[key])) {
                    numbers.push(Number {
                        key: format!("week.{key}"),
                        at: Some(at),
                        value,
                    });
                }
            }
        }
        Ok(numbers)
    }

    async fn told(&self, version: &str) -> Result<Option<Value>, Error> {
        match self.value(&Call::get(&["api", version, "instance"]).anonymous()).await {
            Ok((value, _)) => Ok(Some(value)),
            Err(error) if error.is_of_host() => Err(error),
            Err(_) => Ok(None),
        }
    }

    /// What admins see of the days from `since` to `to`: active and new users, interactions, reports; languages,
    /// software and space; and who stayed. Scope `admin:read`.
    pub async fn admin_numbers(&self, since: NaiveDate, to: NaiveDate) -> Result<Vec<Number>, Error> {
        let ask = |noun: &'static str, mut body: Value| {
            body["start_at"] = json!(since.to_string());
            body["end_at"] = json!(to.to_string());
            let mut call = Call::sending(Method::POST, &["api", "v1", "admin", noun], &body).scope("admin:read");
            // A POST that changes nothing.
            call.repeatable = true;
            call
        };
        let keys = [
            "active_users",
            "new_users",
            "interactions",
            "opened_reports",
            "resolved_reports",
        ];
        let measures = self.value(&ask("measures", json!({ "keys": keys }))).await?.0;
        let mut numbers = Vec::new();
        for measure in measures.as_array().into_iter().flatten() {
            let Some(key) = name(&measure["key"]) else { continue };
            for day in measure["data"].as_array().into_iter().flatten().take(400) {
                if let (Some(at), Some(value)) = (midnight(&day["date"]), whole(&day["value"])) {
                    numbers.push(Number {
                        key: format!("admin.{key}"),
                        at: Some(at),
                        value,
                    });
                }
            }
        }
        let keys = ["languages", "sources", "servers", "space_usage", "software_versions"];
        let dimensions = self
            .value(&ask("dimensions", json!({ "keys": keys, "limit": 10 })))
            .await;
        for dimension in optional(dimensions)?.as_array().into_iter().flatten() {
            let Some(of) = name(&dimension["key"]) else { continue };
            for row in dimension["data"].as_array().into_iter().flatten().take(50) {
                if let (Some(key), Some(value)) = (name(&row["key"]), whole(&row["value"])) {
                    numbers.push(Number {
                        key: format!("{of}.{key}"),
                        at: None,
                        value,
                    });
                }
            }
        }
        let retention = self.value(&ask("retention", json!({ "frequency": "month" }))).await;
        for cohort in optional(retention)?.as_array().into_iter().flatten().take(60) {
            let Some(at) = midnight(&cohort["period"]) else {
                continue;
            };
            for (month, row) in cohort["data"].as_array().into_iter().flatten().take(60).enumerate() {
                if let Some(value) = whole(&row["value"]) {
                    numbers.push(Number {
                        key: format!("retention.month{month}"),
                        at: Some(at),
                        value,
                    });
                }
            }
        }
        Ok(numbers)
    }

    /// The statuses of an account with what they brought, newest first, boosts left out. Scope `read:statuses`.
    pub async fn counted_statuses(&self, account: &AccountId, after: Option<&Cursor>) -> Result<Page<Counted>, Error> {
        let path = ["api", "v1", "accounts", account.as_str(), "statuses"];
        let call = Self::paged(&path, "read:statuses", PAGE, after).query("exclude_reblogs", "true");
        let page: Page<Value> = self.page(call).await?;
        Ok(Page {
            items: page.items.iter().filter_map(counted).collect(),
            next: page.next,
            prev: page.prev,
        })
    }
}

/// What a server need not have.
fn optional<T>(answer: Result<(Value, T), Error>) -> Result<Value, Error> {
    match answer {
        Ok((value, _)) => Ok(value),
        Err(error) if error.is_of_host() => Err(error),
        Err(_) => Ok(Value::Null),
    }
}

/// Numbers come as texts here and as numbers there.
fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
    .filter(|number| *number >= 0)
}

fn name(value: &Value) -> Option<String> {
    let name = crate::answer::clean(value.as_str()?, LONGEST);
    (!name.is_empty()).then_some(name)
}

/// The start of a day: `2026-03-01` or `2026-03-01T00:00:00Z`.
fn midnight(value: &Value) -> Option<i64> {
    let day: NaiveDate = value.as_str()?.get(..10)?.parse().ok()?;
    Some(day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp())
}

fn counted(status: &Value) -> Option<Counted> {
    if !status["reblog"].is_null() {
        return None;
    }
    let count = |key: &str| whole(&status[key]).unwrap_or(0);
    Some(Counted {
        id: match &status["id"] {
            Value::String(id) => id.clone(),
            Value::Number(id) => id.to_string(),
            _ => return None,
        },
        url: status["url"]
            .as_str()
            .or(status["uri"].as_str())
            .unwrap_or_default()
            .to_owned(),
        created_at: DateTime::parse_from_rfc3339(status["created_at"].as_str()?)
            .ok()?
            .to_utc(),
        tags: status["tags"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|tag| Some(name(&tag["name"])?.to_lowercase()))
            .take(50)
            .collect(),
        replies: count("replies_count"),
        reblogs: count("reblogs_count"),
        favourites: count("favourites_count"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_both_spellings() {
        assert_eq!(whole(&json!("12")), Some(12));
        assert_eq!(whole(&json!(12)), Some(12));
        assert_eq!(
            [json!(-1), json!("x"), json!(null)].map(|value| whole(&value)),
            [None, None, None]
        );
        let day = Some(1_772_323_200);
        assert_eq!(
            [json!("2026-03-01"), json!("2026-03-01T00:00:00Z")].map(|value| midnight(&value)),
            [day, day]
        );
    }

    #[test]
    fn a_status_with_its_counts() {
        let status = json!({"id": 7, "created_at": "2026-03-01T12:00:00.000Z", "url": "https://a.example/@a/7",
            "tags": [{"name": "Caturday"}, {"name": ""}], "favourites_count": 3, "reblogs_count": "2", "reblog": null});
        let read = counted(&status).unwrap();
        assert_eq!(
            (read.id.as_str(), read.favourites, read.reblogs, read.replies),
            ("7", 3, 2, 0)
        );
        assert_eq!(read.tags, ["caturday"]);
        assert_eq!(counted(&json!({"id": "1", "reblog": {"id": "2"}})), None);
    }
}
