//! The text of a status's HTML, for search and snippets. It is shown as text only, so nothing in it can do anything.

/// Elements that begin a new line.
const LINES: [&str; 15] = [
    "p",
    "br",
    "li",
    "div",
    "blockquote",
    "pre",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "ul",
    "ol",
    "tr",
];

/// Elements whose inside is no text.
pub(crate) const HIDDEN: [&str; 4] = ["script", "style", "head", "title"];

/// The text of some HTML: paragraphs, lines and list items are lines; links show their whole address, which servers cut
/// into visible and invisible parts.
pub fn plain(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find(['<', '&']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        rest = if rest.starts_with('&') {
            entity(rest, &mut out)
        } else {
            tag(rest, &mut out)
        };
    }
    out.push_str(rest);
    let lines: Vec<&str> = out.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines.join("\n")
}

/// Reads a tag and gives what stands behind it.
fn tag<'h>(html: &'h str, out: &mut String) -> &'h str {
    if let Some(comment) = html.strip_prefix("<!--") {
        return comment.split_once("-->").map_or("", |(_, rest)| rest);
    }
    let begin = html[1..].trim_start_matches('/');
    if !begin.starts_with(|c: char| c.is_ascii_alphabetic()) {
        out.push('<');
        return &html[1..];
    }
    let closes = html[1..].starts_with('/');
    let name: String = begin
        .chars()
        .take_while(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .take(12)
        .collect();
    let Some((inside, rest)) = split_tag(html) else {
        return "";
    };
    if LINES.contains(&name.as_str()) {
        out.push('\n');
    }
    // What quotes look like to readers that do not know them; the quote itself is kept apart.
    let hidden = HIDDEN.contains(&name.as_str()) || inside.contains("quote-inline");
    if hidden && !closes { behind(rest, &name) } else { rest }
}

/// What stands behind the end of an element whose inside is left out.
pub(crate) fn behind<'h>(rest: &'h str, name: &str) -> &'h str {
    let mut from = 0;
    while let Some(at) = rest[from..].find("</") {
        let begin = from + at + 2;
        if rest.as_bytes()[begin..]
            .get(..name.len())
            .is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes()))
        {
            return split_tag(&rest[begin - 2..]).map_or("", |(_, rest)| rest);
        }
        from = begin;
    }
    ""
}

/// The inside of a tag and what follows. Quoted values may hold `>`.
pub(crate) fn split_tag(html: &str) -> Option<(&str, &str)> {
    let mut quote = None;
    for (at, c) in html.char_indices() {
        match (quote, c) {
            (None, '>') => return Some((&html[..at], &html[at + 1..])),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
    }
    // A quote without an end: the first `>` is it.
    html.split_once('>')
}

/// Reads an entity and gives what stands behind it.
pub(crate) fn entity<'h>(html: &'h str, out: &mut String) -> &'h str {
    let end = html.char_indices().take(12).find(|(_, c)| *c == ';').map(|(at, _)| at);
    let named = end.and_then(|end| {
        let name = &html[1..end];
        let c = match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            "nbsp" => ' ',
            "hellip" => '…',
            "ndash" => '–',
            "mdash" => '—',
            _ => {
                let number = name.strip_prefix('#')?;
                let code = match number.strip_prefix(['x', 'X']) {
                    Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                    None => number.parse().ok()?,
                };
                char::from_u32(code).filter(|c| *c != '\0')?
            }
        };
        Some((c, end))
    });
    match named {
        Some((c, end)) => {
            out.push(c);
            &html[end + 1..]
        }
        None => {
            out.push('&');
            &html[1..]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_items_and_links_are_told_apart() {
        assert_eq!(
            plain("<p>one<br>two</p><ul><li>x</li><li>y</li></ul>"),
            "one\ntwo\nx\ny"
        );
        let link = "<a href=\"https://a.example/long\"><span class=\"invisible\">https://</span><span \
                    class=\"ellipsis\">a.example/l</span><span class=\"invisible\">ong</span></a>";
        assert_eq!(plain(link), "https://a.example/long");
        assert_eq!(
            plain("a &amp; b &lt;c&gt; &#228;&#x1F418; &unknown; &"),
            "a & b <c> ä🐘 &unknown; &"
        );
    }

    #[test]
    fn what_is_no_text_is_left_out() {
        assert_eq!(plain("a<script>alert(1)</script>b<style>x{}</style>c"), "abc");
        assert_eq!(plain("a<!-- <b> -->b<p class=\"quote-inline\">RE: x</p>c"), "ab\nc");
        for odd in [
            "<",
            "<p",
            "</",
            "<>",
            "<script>",
            "a < b",
            "<p title=\"",
            "&#0;",
            "&#xffffffff;",
        ] {
            let _ = plain(odd);
        }
        assert_eq!(plain("a < b"), "a < b");
        assert_eq!(plain("<p title='>'>x"), "x");
    }
}
