//! HTML as people see it: tags gone, entities decoded once, what is hidden left out, the address of a link whole.
//!
//! Servers send HTML that was cleaned, so few tags and attributes mean anything; whatever else comes in ends in text and
//! never in a panic or a second pass over what was read.

use std::ops::Range;

use super::Writer;

/// A link of the text, without mentions and hashtags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    /// Decoded.
    pub(crate) href: String,
}

/// Elements that part what is before them from what is after.
const LINES: [&str; 20] = [
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
    "td",
    "th",
    "hr",
    "section",
    "article",
];

/// Elements whose inside is no text.
const HIDDEN: [&str; 5] = ["script", "style", "head", "title", "template"];

/// Most links of one text that are looked at.
const LINKS: usize = 64;

/// Reads `html` and writes what people see; gives the links.
pub(crate) fn read(html: &str, out: &mut Writer<'_>) -> Vec<Link> {
    let mut reader = Reader {
        html,
        out,
        links: Vec::new(),
        anchor: None,
        unseen: None,
        whole_until: 0,
    };
    reader.run();
    reader.links
}

struct Reader<'h, 'w, 'm> {
    html: &'h str,
    out: &'w mut Writer<'m>,
    links: Vec<Link>,
    anchor: Option<Anchor>,
    /// Inside of something invisible: how many spans deep.
    unseen: Option<usize>,
    /// Anchors before this end were read once and turned out to show other than their address.
    whole_until: usize,
}

/// An open `<a>`.
struct Anchor {
    /// Where its inside begins, in the HTML and in what is written.
    html_at: usize,
    out_at: usize,
    href: String,
    /// It began with an invisible scheme, as addresses that servers shorten do.
    is_address: bool,
}

impl Reader<'_, '_, '_> {
    fn run(&mut self) {
        let html = self.html;
        let mut at = 0;
        while at < html.len() {
            let rest = &html.as_bytes()[at..];
            let plain = rest
                .iter()
                .position(|byte| matches!(byte, b'<' | b'&'))
                .unwrap_or(rest.len());
            if plain > 0 && self.unseen.is_none() {
                self.out.text(&html[at..at + plain], at);
            }
            at += plain;
            at = match html.as_bytes().get(at) {
                Some(b'<') => self.tag(at),
                Some(_) => self.entity(at),
                None => at,
            };
        }
    }

    /// Reads the tag at `at`; gives where to go on.
    fn tag(&mut self, at: usize) -> usize {
        let html = self.html;
        if html[at..].starts_with("<!--") {
            return html[at + 4..].find("-->").map_or(html.len(), |end| at + 4 + end + 3);
        }
        let closes = html[at + 1..].starts_with('/');
        let name_at = at + 1 + usize::from(closes);
        let name = name(&html[name_at..]);
        if name.is_empty() {
            // `a < b`, or `<!doctype`.
            if html[at + 1..].starts_with(['!', '?']) {
                return html[at..].find('>').map_or(html.len(), |end| at + end + 1);
            }
            if self.unseen.is_none() {
                self.out.text("<", at);
            }
            return at + 1;
        }
        let end = tag_end(html, name_at);
        let inside = &html[name_at + name.len()..end.start];
        let is = |other: &str| name.eq_ignore_ascii_case(other);
        if HIDDEN.iter().any(|hidden| is(hidden)) || (!closes && has_class(inside, "quote-inline")) {
            return if closes { end.end } else { skip(html, end.end, name) };
        }
        if is("span") {
            self.span(inside, closes, end.end);
        } else if is("a") {
            if let Some(back) = self.a(inside, closes, at..end.end) {
                return back;
            }
        } else if LINES.iter().any(|line| is(line)) {
            self.out.line(at..end.end);
        }
        end.end
    }

    fn span(&mut self, inside: &str, closes: bool, after: usize) {
        match (&mut self.unseen, closes) {
            (Some(depth), false) => *depth += 1,
            (Some(0), true) => self.unseen = None,
            (Some(depth), true) => *depth -= 1,
            (None, false) if has_class(inside, "invisible") => {
                let begins_address = ["http://", "https://", "xmpp:"]
                    .iter()
                    .any(|scheme| self.html[after..].starts_with(scheme));
                let whole_until = self.whole_until;
                let shown = self.anchor.as_mut().is_some_and(|anchor| {
                    if begins_address && self.out.since(anchor.out_at).is_empty() && after > whole_until {
                        anchor.is_address = true;
                    }
                    anchor.is_address
                });
                if !shown {
                    self.unseen = Some(0);
                }
            }
            (None, _) => {}
        }
    }

    /// Gives where to read again when an anchor shows something other than its address.
    fn a(&mut self, inside: &str, closes: bool, tag: Range<usize>) -> Option<usize> {
        if let Some(anchor) = self.anchor.take() {
            let shown = self.out.since(anchor.out_at);
            if anchor.is_address && !is_same_address(shown, &anchor.href) {
                self.out.back_to(anchor.out_at);
                self.whole_until = tag.start;
                let back = anchor.html_at;
                self.anchor = Some(Anchor {
                    is_address: false,
                    ..anchor
                });
                self.unseen = None;
                return Some(back);
            }
        }
        if !closes {
            let href = attribute(inside, "href").map(decoded).unwrap_or_default();
            let is_name = has_class(inside, "mention") || has_class(inside, "hashtag");
            if !is_name && !href.is_empty() && self.links.len() < LINKS {
                self.links.push(Link { href: href.clone() });
            }
            self.anchor = Some(Anchor {
                html_at: tag.end,
                out_at: self.out.at(),
                href,
                is_address: false,
            });
        }
        None
    }

    /// Reads the entity at `at`; gives where to go on.
    fn entity(&mut self, at: usize) -> usize {
        let (c, len) = entity(&self.html[at..]).unwrap_or(('&', 1));
        if self.unseen.is_none() {
            self.out.letter(c, at..at + len);
        }
        at + len
    }
}

/// Whether what a link shows is where it leads: servers write names in Unicode and leave escapes as they are.
fn is_same_address(shown: &str, href: &str) -> bool {
    let plain = |text: &str| -> String {
        text.chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|c| c.to_ascii_lowercase())
            .collect()
    };
    plain(shown) == plain(href)
}

fn name(text: &str) -> &str {
    if !text.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return "";
    }
    let end = text
        .bytes()
        .position(|byte| !byte.is_ascii_alphanumeric() && byte != b'-')
        .unwrap_or(text.len());
    &text[..end]
}

/// Where the tag's `>` is. Quoted values may hold one; a quote without an end is none.
fn tag_end(html: &str, from: usize) -> Range<usize> {
    let (mut quote, mut first, mut after_equals) = (None, None, false);
    for (at, byte) in html.bytes().enumerate().skip(from) {
        match (quote, byte) {
            (None, b'>') => return at..at + 1,
            (None, b'"' | b'\'') if after_equals => quote = Some(byte),
            (Some(open), byte) if open == byte => quote = None,
            (Some(_), b'>') if first.is_none() => first = Some(at),
            _ => {}
        }
        if !byte.is_ascii_whitespace() {
            after_equals = byte == b'=';
        }
    }
    first.map_or(html.len()..html.len(), |at| at..at + 1)
}

/// Where the element `name` that begins before `from` is over.
fn skip(html: &str, from: usize, name: &str) -> usize {
    let bytes = html.as_bytes();
    let mut at = from;
    while let Some(found) = html[at..].find("</") {
        let close = at + found + 2;
        if bytes
            .get(close..close + name.len())
            .is_some_and(|text| text.eq_ignore_ascii_case(name.as_bytes()))
        {
            return tag_end(html, close).end;
        }
        at = close;
    }
    html.len()
}

/// An attribute's value, as it stands there.
fn attribute<'t>(inside: &'t str, wanted: &str) -> Option<&'t str> {
    let mut rest = inside;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        let name_end = rest.find(|c: char| c.is_ascii_whitespace() || c == '=' || c == '/')?;
        let name = &rest[..name_end];
        let after = rest[name_end..].trim_start();
        let Some(value) = after.strip_prefix('=') else {
            // One without a value.
            rest = if name_end == 0 { rest.get(1..)? } else { after };
            continue;
        };
        let value = value.trim_start();
        let (value, next) = match value.as_bytes().first() {
            Some(quote @ (b'"' | b'\'')) => value[1..].split_once(char::from(*quote)).unwrap_or((&value[1..], "")),
            _ => value.split_at(value.find(|c: char| c.is_ascii_whitespace()).unwrap_or(value.len())),
        };
        if name.eq_ignore_ascii_case(wanted) {
            return Some(value);
        }
        rest = next;
    }
}

fn has_class(inside: &str, wanted: &str) -> bool {
    // Most tags have none.
    inside.contains(wanted)
        && attribute(inside, "class")
            .is_some_and(|classes| classes.split_ascii_whitespace().any(|class| class == wanted))
}

/// Text with its entities decoded, once.
fn decoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        let (c, len) = entity(&rest[at..]).unwrap_or(('&', 1));
        out.push(c);
        rest = &rest[at + len..];
    }
    out.push_str(rest);
    out
}

/// The letter that an entity stands for, and how long the entity is.
fn entity(text: &str) -> Option<(char, usize)> {
    let body = text.strip_prefix('&')?;
    if let Some(number) = body.strip_prefix('#') {
        let (digits, radix, before) = match number.strip_prefix(['x', 'X']) {
            Some(hex) => (hex, 16, 3),
            None => (number, 10, 2),
        };
        let is_digit = |byte: u8| char::from(byte).is_digit(radix);
        let len = digits.bytes().position(|byte| !is_digit(byte)).unwrap_or(digits.len());
        if len == 0 {
            return None;
        }
        // Browsers read a number without an end, too, and put U+FFFD for what is no letter.
        let code = u32::from_str_radix(&digits[..len], radix).unwrap_or(u32::MAX);
        let c = char::from_u32(code).filter(|c| *c != '\0').unwrap_or('\u{FFFD}');
        return Some((c, before + len + usize::from(digits[len..].starts_with(';'))));
    }
    let len = body.bytes().take(10).position(|byte| !byte.is_ascii_alphanumeric())?;
    let c = match &body[..len] {
        "amp" | "AMP" => '&',
        "lt" | "LT" => '<',
        "gt" | "GT" => '>',
        "quot" | "QUOT" => '"',
        "apos" => '\'',
        "nbsp" | "ensp" | "emsp" | "thinsp" | "hairsp" | "Tab" | "NewLine" => ' ',
        "shy" | "zwj" | "zwnj" | "lrm" | "rlm" | "ZeroWidthSpace" | "NoBreak" => '\u{AD}',
        "hellip" => '…',
        "ndash" => '–',
        "mdash" => '—',
        "copy" => '©',
        "reg" => '®',
        "euro" => '€',
        "pound" => '£',
        "yen" => '¥',
        "cent" => '¢',
        "sect" => '§',
        "auml" => 'ä',
        "ouml" => 'ö',
        "uuml" => 'ü',
        "Auml" => 'Ä',
        "Ouml" => 'Ö',
        "Uuml" => 'Ü',
        "szlig" => 'ß',
        "eacute" => 'é',
        "egrave" => 'è',
        "aacute" => 'á',
        "agrave" => 'à',
        "ccedil" => 'ç',
        "ntilde" => 'ñ',
        "oslash" => 'ø',
        "aring" => 'å',
        "colon" => ':',
        "period" => '.',
        "comma" => ',',
        "excl" => '!',
        "num" => '#',
        "dollar" => '$',
        "sol" => '/',
        "commat" => '@',
        "lowbar" => '_',
        "hyphen" => '‐',
        _ => return None,
    };
    // Ten letters are the longest name here, so the end is in sight.
    body[len..].starts_with(';').then_some((c, len + 2))
}
