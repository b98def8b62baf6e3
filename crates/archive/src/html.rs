//! What strangers wrote, as HTML that can do no harm.
//!
//! Nothing of theirs is handed on: the text is read into elements out of a short list, and written anew from these.
//! Whatever the reader makes of odd input, what it writes are tags of ours, without attributes but for an address that
//! begins with `https://` or `http://`, and escaped text. So no trick with the reading can make it write anything else.

use std::collections::HashMap;

use crate::text::{HIDDEN, behind, entity, split_tag};

/// Elements that are kept, as themselves or as what stands beside them.
const KEPT: [(&str, &str); 28] = [
    ("p", "p"),
    ("div", "p"),
    ("h1", "p"),
    ("h2", "p"),
    ("h3", "p"),
    ("h4", "p"),
    ("h5", "p"),
    ("h6", "p"),
    ("b", "b"),
    ("strong", "strong"),
    ("i", "i"),
    ("em", "em"),
    ("u", "u"),
    ("s", "s"),
    ("del", "del"),
    ("strike", "s"),
    ("code", "code"),
    ("pre", "pre"),
    ("blockquote", "blockquote"),
    ("ul", "ul"),
    ("ol", "ol"),
    ("li", "li"),
    ("sub", "sub"),
    ("sup", "sup"),
    ("ruby", "ruby"),
    ("rt", "rt"),
    ("rp", "rp"),
    ("a", "a"),
];

/// Elements deeper than this are text only.
const DEEPEST: usize = 24;
/// Longer text is cut: a browser has better to do.
const LONGEST: usize = 1 << 20;

/// Custom emoji: the path of a picture here by what stands between the colons.
pub type Emoji = HashMap<String, String>;

/// Some HTML, made harmless. Custom emoji become the pictures that are here; no other picture stays.
pub fn harmless(html: &str, emoji: &Emoji) -> String {
    let mut out = Writer {
        out: String::with_capacity(html.len() + 64),
        open: Vec::new(),
        text: String::new(),
        emoji,
    };
    let mut end = html.len().min(LONGEST);
    while !html.is_char_boundary(end) {
        end -= 1;
    }
    let mut rest = &html[..end];
    while let Some(at) = rest.find(['<', '&']) {
        out.text.push_str(&rest[..at]);
        rest = &rest[at..];
        rest = if rest.starts_with('&') {
            entity(rest, &mut out.text)
        } else {
            out.tag(rest)
        };
    }
    out.text.push_str(rest);
    out.end()
}

/// Plain text, such as a name, with its custom emoji as pictures.
pub fn with_emoji(text: &str, emoji: &Emoji) -> String {
    let mut out = String::with_capacity(text.len());
    put(&mut out, text, emoji);
    out
}

/// Addresses that some HTML links to, those of people and hashtags left out.
pub(crate) fn links(html: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        rest = &rest[at..];
        let Some((inside, after)) = split_tag(rest) else { break };
        if inside[1..].starts_with(['a', 'A']) && inside[2..].starts_with(|c: char| c.is_ascii_whitespace()) {
            let class = attribute(inside, "class").unwrap_or_default();
            let ours = class
                .split_ascii_whitespace()
                .any(|class| matches!(class, "mention" | "hashtag" | "u-url"));
            found.extend(attribute(inside, "href").filter(|href| !ours && is_web(href)));
        }
        rest = after;
    }
    found.dedup();
    found
}

struct Writer<'e> {
    out: String,
    open: Vec<&'static str>,
    /// Text that is read and not yet written.
    text: String,
    emoji: &'e Emoji,
}

impl Writer<'_> {
    /// Reads a tag and gives what stands behind it.
    fn tag<'h>(&mut self, html: &'h str) -> &'h str {
        if let Some(comment) = html.strip_prefix("<!--") {
            return comment.split_once("-->").map_or("", |(_, rest)| rest);
        }
        let closes = html[1..].starts_with('/');
        let begin = html[1..].trim_start_matches('/');
        if !begin.starts_with(|c: char| c.is_ascii_alphabetic()) {
            // Declarations and the like go, anything else is a less-than sign.
            if html[1..].starts_with(['!', '?', '/']) {
                return split_tag(html).map_or("", |(_, rest)| rest);
            }
            self.text.push('<');
            return &html[1..];
        }
        let name: String = begin
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || *c == '-')
            .map(|c| c.to_ascii_lowercase())
            .take(12)
            .collect();
        let Some((inside, rest)) = split_tag(html) else {
            return "";
        };
        let hidden = HIDDEN.contains(&name.as_str())
            || matches!(
                name.as_str(),
                "svg" | "math" | "template" | "iframe" | "object" | "noscript"
            )
            || attribute(inside, "class").is_some_and(|class| class.contains("quote-inline"));
        if hidden && !closes {
            return behind(rest, &name);
        }
        if name == "br" {
            self.flush();
            self.out.push_str("<br>");
            return rest;
        }
        let Some(kept) = KEPT.iter().find(|(theirs, _)| *theirs == name).map(|(_, ours)| *ours) else {
            return rest;
        };
        self.flush();
        if closes {
            self.close(kept);
        } else {
            self.open(kept, inside);
        }
        rest
    }

    fn open(&mut self, name: &'static str, inside: &str) {
        match name {
            // As browsers do: these end the one before.
            "p" => self.close("p"),
            "li" if self.open.last() == Some(&"li") => self.close("li"),
            "a" => self.close("a"),
            _ => {}
        }
        if self.open.len() >= DEEPEST {
            return;
        }
        if name == "a" {
            let Some(href) = attribute(inside, "href").filter(|href| is_web(href)) else {
                return;
            };
            self.out.push_str("<a rel=\"nofollow noreferrer noopener\" href=\"");
            escape(&mut self.out, &href);
            self.out.push_str("\">");
        } else {
            self.out.push('<');
            self.out.push_str(name);
            if matches!(name, "p" | "li" | "blockquote") {
                self.out.push_str(" dir=\"auto\"");
            }
            self.out.push('>');
        }
        self.open.push(name);
    }

    /// Ends an element and all that is open inside of it, if it is open.
    fn close(&mut self, name: &str) {
        let Some(at) = self.open.iter().rposition(|open| *open == name) else {
            return;
        };
        for open in self.open.drain(at..).rev() {
            self.out.push_str("</");
            self.out.push_str(open);
            self.out.push('>');
        }
    }

    fn flush(&mut self) {
        put(&mut self.out, &self.text, self.emoji);
        self.text.clear();
    }

    fn end(mut self) -> String {
        self.flush();
        for open in self.open.drain(..).rev() {
            self.out.push_str("</");
            self.out.push_str(open);
            self.out.push('>');
        }
        self.out
    }
}

/// Text, with `:emoji:` as pictures.
fn put(out: &mut String, text: &str, emoji: &Emoji) {
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(':').filter(|_| !emoji.is_empty()) {
        escape(out, before);
        let found = after
            .split_once(':')
            .and_then(|(name, behind)| Some((name, emoji.get(name)?, behind)));
        match found {
            Some((name, path, behind)) => {
                out.push_str("<img class=\"emoji\" loading=\"lazy\" alt=\":");
                escape(out, name);
                out.push_str(":\" title=\":");
                escape(out, name);
                out.push_str(":\" src=\"");
                escape(out, path);
                out.push_str("\">");
                rest = behind;
            }
            None => {
                out.push(':');
                rest = after;
            }
        }
    }
    escape(out, rest);
}

/// For text and for values in double quotes alike.
pub(crate) fn escape(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
}

/// An address of the web, whole: nothing else is followed by a press on it.
fn is_web(href: &str) -> bool {
    let begins = |scheme: &str| {
        href.get(..scheme.len())
            .is_some_and(|begin| begin.eq_ignore_ascii_case(scheme))
    };
    (begins("https://") || begins("http://")) && !href.chars().any(|c| c.is_control() || c.is_whitespace())
}

/// The value of an attribute inside of a tag, its entities read.
fn attribute(inside: &str, wanted: &str) -> Option<String> {
    let mut rest = inside.trim_start_matches(['<', '/']);
    rest = &rest[rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len())..];
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        if rest.is_empty() {
            return None;
        }
        // The first letter belongs to the name whatever it is.
        let end = rest
            .char_indices()
            .skip(1)
            .find(|(_, c)| c.is_ascii_whitespace() || matches!(c, '=' | '/'))
            .map_or(rest.len(), |(at, _)| at);
        let name = &rest[..end];
        rest = rest[end..].trim_start();
        let Some(after) = rest.strip_prefix('=') else {
            continue;
        };
        let after = after.trim_start();
        let (value, behind) = match after.chars().next() {
            Some(quote @ ('"' | '\'')) => after[1..].split_once(quote).unwrap_or((&after[1..], "")),
            _ => after.split_at(after.find(|c: char| c.is_ascii_whitespace()).unwrap_or(after.len())),
        };
        if name.eq_ignore_ascii_case(wanted) {
            return Some(unescaped(value));
        }
        rest = behind;
    }
}

fn unescaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = entity(&rest[at..], &mut out);
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn none(html: &str) -> String {
        harmless(html, &Emoji::new())
    }

    #[test]
    fn what_mastodon_writes_stays() {
        let html = "<p>one<br />two <a href=\"https://a.example/x?a=1&amp;b=2\" class=\"u-url\" target=\"_blank\"><span \
                    class=\"invisible\">https://</span>a.example/x</a></p><blockquote><p>q</p></blockquote><ol><li>x</li><li>y</li></ol>";
        assert_eq!(
            none(html),
            "<p dir=\"auto\">one<br>two <a rel=\"nofollow noreferrer noopener\" \
             href=\"https://a.example/x?a=1&amp;b=2\">https://a.example/x</a></p><blockquote dir=\"auto\"><p \
             dir=\"auto\">q</p></blockquote><ol><li dir=\"auto\">x</li><li dir=\"auto\">y</li></ol>"
        );
        assert_eq!(none("a < b &amp; c &lt;script&gt;"), "a &lt; b &amp; c &lt;script&gt;");
        assert_eq!(
            none("<p>RE: <span class='quote-inline'>x</span>y"),
            "<p dir=\"auto\">RE: y</p>"
        );
    }

    /// Check 36, hostile HTML: tricks of many years, and what comes out is tags of ours alone.
    #[test]
    fn nothing_of_theirs_comes_through() {
        for trick in include_str!("../tests/hostile.txt")
            .lines()
            .filter(|line| !line.is_empty())
        {
            let out = none(trick);
            let mut rest = out.as_str();
            while let Some(at) = rest.find('<') {
                let (tag, after) = rest[at + 1..].split_once('>').expect("a whole tag");
                let name = tag.trim_start_matches('/').split(' ').next().unwrap();
                let ours = KEPT.iter().any(|(_, kept)| *kept == name) || name == "br";
                let plain = tag.strip_prefix("a rel=\"nofollow noreferrer noopener\" href=\"http");
                let attributes = !tag.contains(' ') || tag.ends_with(" dir=\"auto\"") || plain.is_some();
                assert!(ours && attributes, "{trick}\nbecame\n{out}");
                rest = after;
            }
            assert!(!rest.contains('>'), "{trick}\nbecame\n{out}");
        }
    }

    #[test]
    fn elements_are_closed_as_they_were_opened() {
        for (html, out) in [
            ("<b><i>x</b>y", "<b><i>x</i></b>y"),
            ("</p></div>x", "x"),
            (
                "<ul><li>a<li>b",
                "<ul><li dir=\"auto\">a</li><li dir=\"auto\">b</li></ul>",
            ),
            (
                "<a href='https://a.example'>a<a href='javascript:x'>b</a>",
                "<a rel=\"nofollow noreferrer noopener\" href=\"https://a.example\">a</a>b",
            ),
        ] {
            assert_eq!(none(html), out);
        }
        let deep = none(&"<b>".repeat(100_000));
        assert_eq!(deep.matches("<b>").count(), DEEPEST);
        assert_eq!(deep.matches("</b>").count(), DEEPEST);
    }

    #[test]
    fn emoji_are_pictures_of_ours() {
        let emoji = Emoji::from([("blob".to_owned(), "/archive/files/aa".to_owned())]);
        let out = harmless(
            "<p>at 10:30 :blob::blob: :other: <a href=\"https://a.example/:blob:\">x</a>",
            &emoji,
        );
        assert_eq!(out.matches("<img class=\"emoji\"").count(), 2);
        assert!(
            out.contains("at 10:30") && out.contains(":other:") && out.contains("href=\"https://a.example/:blob:\"")
        );
        assert_eq!(with_emoji("<b>:x:", &emoji), "&lt;b&gt;:x:");
    }

    #[test]
    fn links_are_those_to_pages() {
        let html = "<p><a class=\"u-url mention\" href=\"https://a.example/@b\">@b</a> <a href='https://c.example/@d/1?x=1&amp;y'>c</a> \
                    <a href=javascript:x>d</a><A HREF=https://e.example/2>e</A><abbr href=\"https://no.example\">";
        assert_eq!(links(html), ["https://c.example/@d/1?x=1&y", "https://e.example/2"]);
        for odd in [
            "<",
            "<a",
            "<a ",
            "<a href",
            "<a href=",
            "<é href=x>",
            "<a é=\"",
            "<a  é >",
        ] {
            assert!(links(odd).is_empty());
            let _ = none(odd);
        }
    }
}
