//! Friendica: the address holds a GUID and the API wants a number, which only the page tells.

use model::Uri;

use super::{Shape, conversation::Conversation, mastodon_api, origin::Origin, shapes};
use crate::Error;

/// Friendica shows 40 unless it is asked for more, and does not say that there are more.
const MOST: &str = "1000";

/// The conversation around a post, through the number that its page links to.
pub(super) async fn context(
    api: &mut Origin<'_>,
    pages: &mut Origin<'_>,
    talk: &mut Conversation,
    uri: &Uri,
) -> Result<Option<&'static str>, Error> {
    let guid = match shapes::read(uri) {
        Shape::Foreign {
            kind: "display" | "object",
            id,
        }
        | Shape::Redirecting { id } => id,
        _ => return Ok(None),
    };
    let page = pages.text(&format!("/display/{guid}"), "text/html").await?;
    let Some(number) = number(&page) else { return Ok(None) };
    let context = mastodon_api::context_with(api, &number, &[("limit", MOST)]).await?;
    talk.partial |= context.descendants.len().to_string() == MOST;
    talk.add_context(&number, uri, context);
    Ok(Some("api context"))
}

/// From the links to the post's feed.
fn number(page: &str) -> Option<String> {
    page.split("display/feed-item/").skip(1).take(20).find_map(|rest| {
        let number: String = rest.chars().take_while(char::is_ascii_digit).take(20).collect();
        (!number.is_empty()).then_some(number)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_tells_the_number() {
        let page = r#"<link rel="alternate" href="https://a.example/display/feed-item/4711.atom">"#;
        assert_eq!(number(page).as_deref(), Some("4711"));
        assert_eq!(number("<a href=display/feed-item/x.atom>"), None);
        assert_eq!(number(""), None);
    }
}
