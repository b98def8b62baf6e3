//! Paging by `Link`.

use net::{
    Url,
    http::{HeaderMap, header},
};

/// What a server's cursors are made of. Everything else in a link is a copy of our own question, or not ours to send.
const CURSOR_KEYS: [&str; 5] = ["max_id", "min_id", "since_id", "offset", "page"];

/// Longer cursors are not kept.
const LONGEST_CURSOR: usize = 1024;

/// Where the next page starts: opaque, made by the server, good for the same call on the same server only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(pub(crate) String);

impl Cursor {
    /// For the store.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// From the store.
    pub fn stored(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The page just above an item, by its id.
    pub fn above(id: &str) -> Self {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("min_id", id);
        Self(query.finish())
    }

    /// What a link adds to our own question; `None` when it adds nothing.
    fn of(link: &Url) -> Option<Self> {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(
            link.query_pairs()
                .filter(|(key, _)| CURSOR_KEYS.contains(&key.as_ref())),
        );
        let query = query.finish();
        (!query.is_empty() && query.len() <= LONGEST_CURSOR).then_some(Self(query))
    }

    /// The pairs to send. Filtered again, since a stored text may be anybody's.
    pub(crate) fn pairs(&self) -> Vec<(String, String)> {
        url::form_urlencoded::parse(self.0.as_bytes())
            .filter(|(key, _)| CURSOR_KEYS.contains(&key.as_ref()))
            .map(|(key, value)| (key.into_owned(), value.into_owned()))
            .collect()
    }
}

/// One page of a list, newest first.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The items; those that could not be read are left out.
    pub items: Vec<T>,
    /// Older items, if there may be any.
    pub next: Option<Cursor>,
    /// Newer items than these.
    pub prev: Option<Cursor>,
}

/// The cursors of an answer.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Links {
    /// Of older items.
    pub next: Option<Cursor>,
    /// Of newer items.
    pub prev: Option<Cursor>,
}

/// Reads `Link` headers; `base` is what was asked. Only cursors come out: a link's scheme, host and path may be a misconfigured proxy's or an
/// attacker's, and the token must not follow them.
pub fn links(headers: &HeaderMap, base: &Url) -> Links {
    let mut links = Links::default();
    for value in headers.get_all(header::LINK).iter().take(8) {
        let text = String::from_utf8_lossy(value.as_bytes());
        let mut rest = &*text;
        while let Some((target, params, tail)) = first_link(rest) {
            let cursor = || base.join(target).ok().as_ref().and_then(Cursor::of);
            if has_rel(params, "next") {
                links.next = links.next.or_else(cursor);
            } else if has_rel(params, "prev") {
                links.prev = links.prev.or_else(cursor);
            }
            rest = tail;
        }
    }
    links
}

/// `<target>; params, <…` into target, params and the rest from the next `<` on.
fn first_link(text: &str) -> Option<(&str, &str, &str)> {
    let (_, text) = text.split_once('<')?;
    let (target, text) = text.split_once('>')?;
    let end = text.find('<').unwrap_or(text.len());
    let (params, rest) = text.split_at(end);
    Some((target, params, rest))
}

fn has_rel(params: &str, rel: &str) -> bool {
    params.split([';', ',']).any(|param| {
        param.split_once('=').is_some_and(|(key, value)| {
            key.trim().eq_ignore_ascii_case("rel")
                && value
                    .trim()
                    .trim_matches('"')
                    .split_whitespace()
                    .any(|word| word.eq_ignore_ascii_case(rel))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(header: &str) -> (Option<String>, Option<String>) {
        let mut headers = HeaderMap::new();
        headers.insert("link", header.parse().unwrap());
        let links = links(&headers, &"https://a.example/api/v1/x".parse().unwrap());
        (links.next.map(|c| c.0), links.prev.map(|c| c.0))
    }

    #[test]
    fn only_cursors_come_out_of_links() {
        let (next, prev) = read(
            "<https://a.example/x?limit=2&max_id=7>; rel=\"next\", <https://a.example/x?limit=2&since_id=9>; rel=\"prev\"",
        );
        assert_eq!(next.as_deref(), Some("max_id=7"));
        assert_eq!(prev.as_deref(), Some("since_id=9"));
        let (next, _) = read("<http://evil.example/steal?max_id=7&access_token=x>; rel=next");
        assert_eq!(next.as_deref(), Some("max_id=7"));
        let (next, _) = read("<?limit=2&max_id=%2F%40alice>; title=\"a, b\"; REL=\"last next\"");
        assert_eq!(next.as_deref(), Some("max_id=%2F%40alice"));
    }

    #[test]
    fn odd_headers_are_no_links() {
        for header in [
            "",
            "<",
            "<x",
            "garbage",
            "<https://a.example/x>; rel=next",
            "<:::>; rel=next",
        ] {
            assert_eq!(read(header), (None, None), "{header}");
        }
    }
}
