//! Domain blocks, from the admin's list or the public one.

use std::collections::BTreeSet;

use model::{Domain, DomainBlock, Severity};

use crate::{Client, Cursor, Error, call::Call};

/// What every version since 3.5 gives.
const PAGE: u32 = 200;

/// Far more pages than any server has.
const MOST_PAGES: usize = 1000;

impl Client {
    /// Domains that the server suspends, from the admin list where the token may, else from the public one, else
    /// nothing (an obfuscated entry is left out).
    pub async fn suspended_domains(&self) -> Result<Vec<Domain>, Error> {
        let blocks = match self.admin_domain_blocks().await {
            Err(
                Error::Scope { .. }
                | Error::Forbidden { .. }
                | Error::NotFound { .. }
                | Error::NoToken { .. }
                | Error::NotJson { .. },
            ) => self.public_domain_blocks().await?,
            other => other?,
        };
        Ok(suspended(blocks))
    }

    async fn admin_domain_blocks(&self) -> Result<Vec<DomainBlock>, Error> {
        let mut blocks = Vec::new();
        let mut after: Option<Cursor> = None;
        for _ in 0..MOST_PAGES {
            let path = ["api", "v1", "admin", "domain_blocks"];
            let page = self
                .page(Self::paged(&path, "admin:read:domain_blocks", PAGE, after.as_ref()))
                .await?;
            blocks.extend(page.items);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        Ok(blocks)
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

fn suspended(blocks: Vec<DomainBlock>) -> Vec<Domain> {
    let domains: BTreeSet<Domain> = blocks
        .into_iter()
        .filter(|block| block.severity == Severity::Suspend && !block.domain.contains('*'))
        .filter_map(|block| Domain::parse(&block.domain).ok())
        .collect();
    domains.into_iter().collect()
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
}
