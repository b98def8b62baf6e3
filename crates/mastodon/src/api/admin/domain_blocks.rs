//! Domain blocks: the admin's list with all its fields, the public one, who federates with us, and how much.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use model::{Domain, DomainBlock, Severity};
use net::http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{Client, Cursor, Error, Permit, answer, call::Call};

/// Since 4.3; older versions clamp it to what they have, and `Link` leads through in any case.
const PAGE: u32 = 500;

/// Far more pages than any server has.
const MOST_PAGES: usize = 1000;

const READ: &str = "admin:read:domain_blocks";
const WRITE: &str = "admin:write:domain_blocks";
const PATH: [&str; 4] = ["api", "v1", "admin", "domain_blocks"];

/// `Admin::DomainBlock`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdminDomainBlock {
    /// Its id there.
    #[serde(deserialize_with = "id")]
    pub id: String,
    /// As the server spells it.
    pub domain: String,
    /// `None` where there is no such thing: `GoToSocial` suspends, whatever it is asked for.
    #[serde(default, deserialize_with = "severity")]
    pub severity: Option<Severity>,
    /// Media are not fetched.
    #[serde(default)]
    pub reject_media: bool,
    /// Reports are ignored.
    #[serde(default)]
    pub reject_reports: bool,
    /// For moderators; empty when there is none.
    #[serde(default, deserialize_with = "text")]
    pub private_comment: String,
    /// For everybody; empty when there is none.
    #[serde(default, deserialize_with = "text")]
    pub public_comment: String,
    /// Shown with stars.
    #[serde(default)]
    pub obfuscate: bool,
    /// When it was made.
    #[serde(default)]
    pub created_at: Option<DateTime<Utc>>,
}

impl AdminDomainBlock {
    /// How hard; without severities it is a suspension.
    pub fn is(&self) -> Severity {
        self.severity.unwrap_or(Severity::Suspend)
    }
}

/// What to set: only what is there is sent, and only that changes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct DomainBlockFields {
    /// How hard.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// Media are not fetched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reject_media: Option<bool>,
    /// Reports are ignored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reject_reports: Option<bool>,
    /// For moderators.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private_comment: Option<String>,
    /// For everybody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_comment: Option<String>,
    /// Shown with stars.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub obfuscate: Option<bool>,
}

impl DomainBlockFields {
    /// Whether nothing is set.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn body(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(fields)) => fields,
            _ => Map::new(),
        }
    }
}

/// What became of a wish for a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Creation {
    /// It is there; this is how the server shows it.
    Made(AdminDomainBlock),
    /// 422: this one stands in the way, of the same domain or of a parent.
    Exists(AdminDomainBlock),
}

/// Local people's ties to a domain and what is below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Ties {
    /// Follows of local people.
    pub follows: u64,
    /// Followers of local people.
    pub followers: u64,
    /// Accounts known from there.
    pub accounts: u64,
}

impl Client {
    /// All domain blocks, newest first. Scope `admin:read:domain_blocks`. An entry that cannot be read is an error:
    /// whoever compares must see all.
    pub async fn domain_blocks(&self) -> Result<Vec<AdminDomainBlock>, Error> {
        let mut blocks: Vec<AdminDomainBlock> = Vec::new();
        let mut after: Option<Cursor> = None;
        for _ in 0..MOST_PAGES {
            let (mut page, next) = self.domain_blocks_page(after.as_ref()).await?;
            blocks.append(&mut page);
            after = next;
            if after.is_none() {
                return Ok(blocks);
            }
        }
        let call = Call::get(&PATH);
        Err(self.asked(&call).not_json("more pages than any server has"))
    }

    /// The newest domain blocks: enough to see whether one was made just now.
    pub async fn newest_domain_blocks(&self) -> Result<Vec<AdminDomainBlock>, Error> {
        Ok(self.domain_blocks_page(None).await?.0)
    }

    async fn domain_blocks_page(
        &self,
        after: Option<&Cursor>,
    ) -> Result<(Vec<AdminDomainBlock>, Option<Cursor>), Error> {
        let call = Self::paged(&PATH, READ, PAGE, after);
        let asked = self.asked(&call);
        let page = self.page::<Value>(call).await?;
        let blocks = page.items.into_iter().map(|item| answer::object(item, &asked));
        Ok((blocks.collect::<Result<_, _>>()?, page.next))
    }

    /// One domain block; `None` when it is gone.
    pub async fn domain_block(&self, id: &str) -> Result<Option<AdminDomainBlock>, Error> {
        let call = Call::get(&[&PATH[..], &[id]].concat()).scope(READ);
        match self.object(&call).await {
            Ok(block) => Ok(Some(block)),
            Err(Error::NotFound { .. } | Error::Gone { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Blocks a domain. Scope `admin:write:domain_blocks`.
    pub async fn create_domain_block(
        &self,
        domain: &str,
        fields: &DomainBlockFields,
        _permit: Permit,
    ) -> Result<Creation, Error> {
        let mut body = fields.body();
        body.insert("domain".to_owned(), domain.into());
        let call = Call::sending(Method::POST, &PATH, &Value::Object(body)).scope(WRITE);
        let response = self.any_answer(&call).await?;
        let asked = self.asked(&call);
        if response.http_status == 422
            && let Ok(mut value) = answer::json(&response, &asked)
            && let Some(existing) = value.get_mut("existing_domain_block").map(Value::take)
            && let Ok(existing) = serde_json::from_value(existing)
        {
            return Ok(Creation::Exists(existing));
        }
        let response = answer::written(response, &asked)?;
        Ok(Creation::Made(answer::object(
            answer::json(&response, &asked)?,
            &asked,
        )?))
    }

    /// Changes a block: fields that are left out stay as they are. Scope `admin:write:domain_blocks`.
    pub async fn update_domain_block(
        &self,
        id: &str,
        fields: &DomainBlockFields,
        _permit: Permit,
    ) -> Result<AdminDomainBlock, Error> {
        let path = [&PATH[..], &[id]].concat();
        let call = Call::sending(Method::PUT, &path, &Value::Object(fields.body())).scope(WRITE);
        let asked = self.asked(&call);
        let response = answer::written(self.any_answer(&call).await?, &asked)?;
        answer::object(answer::json(&response, &asked)?, &asked)
    }

    /// Lifts a block; one that is gone already counts as lifted. Scope `admin:write:domain_blocks`.
    pub async fn delete_domain_block(&self, id: &str, _permit: Permit) -> Result<(), Error> {
        let path = [&PATH[..], &[id]].concat();
        let call = Call::sending(Method::DELETE, &path, &Value::Null).scope(WRITE);
        match answer::written(self.any_answer(&call).await?, &self.asked(&call)) {
            Ok(_) | Err(Error::NotFound { .. } | Error::Gone { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Follows, followers and known accounts of a domain and what is below it. Scope `admin:read`, permission View
    /// Dashboard. The dates say nothing for these figures, and newer versions refuse to answer without.
    pub async fn ties(&self, domain: &str, today: DateTime<Utc>) -> Result<Ties, Error> {
        let of = json!({ "domain": domain, "include_subdomains": true });
        let day = today.format("%Y-%m-%d").to_string();
        let keys = ["instance_follows", "instance_followers", "instance_accounts"];
        let body = json!({
            "keys": keys, "start_at": day, "end_at": day,
            "instance_follows": of, "instance_followers": of, "instance_accounts": of,
        });
        let mut call = Call::sending(Method::POST, &["api", "v1", "admin", "measures"], &body).scope("admin:read");
        // A POST that changes nothing.
        call.repeatable = true;
        let measures: Vec<Measure> = self.object(&call).await?;
        let total = |key: &str| {
            measures
                .iter()
                .find(|it| it.key == key)
                .and_then(|it| it.total.parse().ok())
        };
        match (total(keys[0]), total(keys[1])) {
            (Some(follows), Some(followers)) => Ok(Ties {
                follows,
                followers,
                accounts: total(keys[2]).unwrap_or_default(),
            }),
            _ => Err(self.asked(&call).not_json("measures without figures")),
        }
    }

    /// Domains that the server has met; `None` where it does not tell.
    pub async fn peers(&self) -> Result<Option<Vec<String>>, Error> {
        let call = Call::get(&["api", "v1", "instance", "peers"]);
        match self.page::<String>(call).await {
            Ok(page) => Ok(Some(page.items)),
            Err(
                Error::NotFound { .. }
                | Error::Forbidden { .. }
                | Error::NoToken { .. }
                | Error::Scope { .. }
                | Error::Gone { .. }
                | Error::NotJson { .. },
            ) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Domains that the server suspends, from the admin list where the token may, else from the public one, else
    /// nothing (an obfuscated entry is left out).
    pub async fn suspended_domains(&self) -> Result<Vec<Domain>, Error> {
        let blocks = match self.domain_blocks().await {
            Ok(blocks) => blocks
                .into_iter()
                .map(|block| DomainBlock {
                    severity: block.is(),
                    domain: block.domain,
                })
                .collect(),
            Err(
                Error::Scope { .. }
                | Error::Forbidden { .. }
                | Error::NotFound { .. }
                | Error::NoToken { .. }
                | Error::NotJson { .. },
            ) => self.public_domain_blocks().await?,
            Err(error) => return Err(error),
        };
        Ok(suspended(blocks))
    }

    /// Empty where the admin did not publish it: 404 with nothing in it.
    async fn public_domain_blocks(&self) -> Result<Vec<DomainBlock>, Error> {
        match self.page(Call::get(&["api", "v1", "instance", "domain_blocks"])).await {
            Ok(page) => Ok(page.items),
            Err(
                Error::NotFound { .. }
                | Error::Forbidden { .. }
                | Error::NoToken { .. }
                | Error::Scope { .. }
                | Error::NotJson { .. },
            ) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}

/// One figure of the dashboard. Totals are texts.
#[derive(Deserialize)]
struct Measure {
    key: String,
    #[serde(default)]
    total: String,
}

fn suspended(blocks: Vec<DomainBlock>) -> Vec<Domain> {
    let domains: BTreeSet<Domain> = blocks
        .into_iter()
        .filter(|block| block.severity == Severity::Suspend && !block.domain.contains('*'))
        .filter_map(|block| Domain::parse(&block.domain).ok())
        .collect();
    domains.into_iter().collect()
}

fn id<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(id) if !id.is_empty() => id,
        Value::Number(id) => id.to_string(),
        _ => return Err(serde::de::Error::custom("a block without an id")),
    })
}

fn text<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.unwrap_or_default())
}

/// Only a known word: what a future version adds must not be taken for a suspension and changed.
fn severity<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Severity>, D::Error> {
    Ok(match Option::<String>::deserialize(deserializer)?.as_deref() {
        None => None,
        Some("noop") => Some(Severity::Noop),
        Some("silence") => Some(Severity::Silence),
        Some("suspend") => Some(Severity::Suspend),
        Some(_) => return Err(serde::de::Error::custom("a severity that is not known")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_readable_suspensions_count() {
        let blocks = serde_json::from_str(
            r#"[{"domain":"Bücher.example"},{"domain":"b.example","severity":"silence"},{"domain":"c*.example","severity":"suspend"},
                {"domain":"d.example","severity":"suspend"},{"domain":"e.example","severity":"noop"},{"domain":null}]"#,
        )
        .unwrap();
        let domains: Vec<String> = suspended(blocks).into_iter().map(String::from).collect();
        assert_eq!(domains, ["d.example", "xn--bcher-kva.example"]);
    }

    #[test]
    fn blocks_of_both_kinds_of_server_are_read() {
        let mastodon = r#"{"id":"1","domain":"b.example","digest":"x","created_at":"2022-11-29T08:22:14.812Z","severity":"silence",
            "reject_media":true,"reject_reports":false,"private_comment":null,"public_comment":"spam","obfuscate":false}"#;
        let block: AdminDomainBlock = serde_json::from_str(mastodon).unwrap();
        assert_eq!(
            (block.severity, &*block.private_comment, block.reject_media),
            (Some(Severity::Silence), "", true)
        );
        let gotosocial = r#"{"id":"01ABC","domain":"b.example","public_comment":"","private_comment":"","obfuscate":false,"created_by":"x"}"#;
        let block: AdminDomainBlock = serde_json::from_str(gotosocial).unwrap();
        assert_eq!((block.severity, block.is()), (None, Severity::Suspend));
        assert!(
            serde_json::from_str::<AdminDomainBlock>(r#"{"id":"1","domain":"b","severity":"quarantine"}"#).is_err()
        );
    }

    #[test]
    fn only_what_is_set_is_sent() {
        let fields = DomainBlockFields {
            public_comment: Some("spam".into()),
            ..DomainBlockFields::default()
        };
        assert_eq!(Value::Object(fields.body()), json!({ "public_comment": "spam" }));
        assert!(DomainBlockFields::default().is_empty() && !fields.is_empty());
    }
}
