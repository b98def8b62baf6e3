//! The texts of an account or of a status, made ready to be searched in one go.
//!
//! All of them stand in one string, a line feed between two, since normalised text holds none. What was found is led
//! back to the field it stands in, and to the letters people typed.

use std::{borrow::Cow, ops::Range};

use url::Url;

use crate::{
    AccountFacts, Field, StatusFacts,
    text::{self, Folded, Joined, Mapped, Seen, Writer},
};

/// Most items of one kind that are looked at.
const MOST: usize = 64;

/// The texts of an account or of a status.
#[derive(Debug, Default)]
pub(crate) struct Document<'s> {
    sources: Vec<Source<'s>>,
    plain: Mapped,
    segments: Vec<Segment>,
    folded: Folded,
    folded_segments: Vec<Segment>,
    joined: Joined,
    joined_segments: Vec<Segment>,
    /// Hosts of links, each once, with the segment of its address.
    pub(crate) hosts: Vec<Host>,
}

/// Where a text comes from.
#[derive(Debug)]
pub(crate) struct Source<'s> {
    pub(crate) field: Field,
    pub(crate) text: Cow<'s, str>,
}

/// The text of one source, in the string of all.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Segment {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) source: usize,
    /// What it holds that asks for another look.
    seen: Seen,
}

/// The host of a link.
#[derive(Debug)]
pub(crate) struct Host {
    /// Punycode, lower case.
    pub(crate) name: String,
    /// Of the link's address.
    pub(crate) source: usize,
}

/// Which reading of the texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum View {
    Plain,
    Folded,
    Joined,
}

impl<'s> Document<'s> {
    pub(crate) fn of_account(account: &'s AccountFacts) -> Self {
        let mut document = Self::with_room(account.bio.len() + 256);
        document.add(Field::Username, &account.username);
        document.add(Field::DisplayName, &account.display_name);
        let mut links = document.add_html(Field::Bio, &account.bio);
        for (name, value) in account.fields.iter().take(MOST) {
            document.add(Field::FieldName, name);
            links.extend(document.add_html(Field::FieldValue, value));
        }
        if let Some(domain) = &account.domain {
            document.add(Field::Domain, domain);
        }
        document.add_links(links.into_iter().map(Cow::Owned));
        document.add_bare_links();
        document
    }

    pub(crate) fn of_status(status: &'s StatusFacts) -> Self {
        let mut document = Self::with_room(status.content.len() + 128);
        let links = document.add_html(Field::Content, &status.content);
        document.add(Field::ContentWarning, &status.content_warning);
        for media in status.media.iter().take(MOST) {
            document.add(Field::AltText, &media.description);
            document.add_media_type(&media.kind, media.url.as_deref());
        }
        for option in status.poll_options.iter().take(MOST) {
            document.add(Field::PollOption, option);
        }
        for tag in status.tags.iter().take(MOST) {
            document.add(Field::Tag, tag);
        }
        for mention in status.mentions.iter().take(MOST) {
            document.add(Field::Mention, &mention.acct);
        }
        if let Some(language) = &status.language {
            document.add(Field::Language, language);
        }
        if let Some(application) = &status.application {
            document.add(Field::Application, application);
        }
        let cards = status.links.iter().take(MOST).map(|link| Cow::Borrowed(link.as_str()));
        document.add_links(links.into_iter().map(Cow::Owned).chain(cards));
        document.add_bare_links();
        document
    }

    fn with_room(bytes: usize) -> Self {
        Self {
            plain: Mapped::with_room(bytes, bytes / 16),
            sources: Vec::with_capacity(8),
            segments: Vec::with_capacity(8),
            ..Self::default()
        }
    }

    fn add(&mut self, field: Field, source: &'s str) {
        self.add_text(field, Cow::Borrowed(source));
    }

    fn add_text(&mut self, field: Field, source: Cow<'s, str>) {
        if source.is_empty() {
            return;
        }
        let mut writer = Writer::new(&mut self.plain);
        writer.text(&source, 0);
        let (range, seen) = writer.end();
        if seen.turned {
            self.plain.push("\n", 0..0);
            let mut again = Writer::new(&mut self.plain).unturned();
            again.text(&source, 0);
            let typed = again.end().0;
            self.close(field, source, &[range, typed], seen);
        } else {
            self.close(field, source, &[range], seen);
        }
    }

    fn add_html(&mut self, field: Field, source: &'s str) -> Vec<String> {
        if source.is_empty() {
            return Vec::new();
        }
        let mut writer = Writer::new(&mut self.plain);
        let links = text::read_html(source, &mut writer);
        let (range, seen) = writer.end();
        let source_text = Cow::Borrowed(source);
        if seen.turned {
            // What a direction mark turns around is read as it is seen, and as it was typed.
            self.plain.push("\n", 0..0);
            let mut again = Writer::new(&mut self.plain).unturned();
            text::read_html(source, &mut again);
            let typed = again.end().0;
            self.close(field, source_text, &[range, typed], seen);
        } else {
            self.close(field, source_text, &[range], seen);
        }
        links.into_iter().map(|link| link.href).collect()
    }

    fn close(&mut self, field: Field, text: Cow<'s, str>, ranges: &[Range<usize>], seen: Seen) {
        if ranges.iter().all(Range::is_empty) {
            return;
        }
        for range in ranges {
            self.segments.push(Segment {
                start: range.start,
                end: range.end,
                source: self.sources.len(),
                seen,
            });
        }
        self.sources.push(Source { field, text });
        self.plain.push("\n", 0..0);
    }

    fn add_media_type(&mut self, kind: &str, url: Option<&str>) {
        let path = url.and_then(|url| url.split(['?', '#']).next());
        let ending = path
            .and_then(|path| path.rsplit('/').next())
            .and_then(|file| file.rsplit_once('.'))
            .map(|(_, ending)| ending.to_ascii_lowercase())
            .filter(|ending| (2..=5).contains(&ending.len()) && ending.bytes().all(|b| b.is_ascii_alphanumeric()));
        if kind.is_empty() && ending.is_none() {
            return;
        }
        // As MIME types are written, as far as an ending tells.
        let family = if kind == "gifv" { "video" } else { kind };
        let text = match ending.as_deref() {
            Some("jpg") => format!("{family}/jpeg"),
            Some(ending) => format!("{family}/{ending}"),
            None => kind.to_owned(),
        };
        self.add_text(Field::MediaType, Cow::Owned(text));
    }

    fn add_links(&mut self, links: impl Iterator<Item = Cow<'s, str>>) {
        let mut known: Vec<Cow<'s, str>> = Vec::new();
        for link in links.take(MOST) {
            if known.contains(&link) {
                continue;
            }
            known.push(link.clone());
            let host = host_of(&link);
            let source = self.sources.len();
            self.add_text(Field::Url, link);
            if self.sources.len() == source {
                continue;
            }
            let Some(name) = host else { continue };
            if self.hosts.iter().any(|host| host.name == name) {
                continue;
            }
            let shown = if name.contains("xn--") {
                Cow::Owned(idna::domain_to_unicode(&name).0)
            } else {
                Cow::Owned(name.clone())
            };
            if let Some(registered) = psl::domain_str(&shown) {
                self.add_text(Field::RegisteredDomain, Cow::Owned(registered.to_owned()));
            }
            self.add_text(Field::Host, shown);
            self.hosts.push(Host { name, source });
        }
    }

    /// Addresses that stand in texts without being links, of hosts nothing links to.
    fn add_bare_links(&mut self) {
        let text = self.plain.text();
        let mut found: Vec<String> = Vec::new();
        for (at, _) in text.match_indices("://").take(MOST) {
            let Some(start) = ["https", "http"]
                .iter()
                .find_map(|scheme| text[..at].strip_suffix(scheme))
                .map(str::len)
            else {
                continue;
            };
            let rest = &text[start..];
            let end = rest.find([' ', '\n', '"', '<', '>', ')']).unwrap_or(rest.len());
            let link = rest[..end].trim_end_matches(['.', ',', ';', ':', '!', '?', '\'']);
            let is_new = host_of(link).is_some_and(|host| self.hosts.iter().all(|known| known.name != host));
            if is_new && !found.iter().any(|known| known == link) {
                found.push(link.to_owned());
            }
        }
        self.add_links(found.into_iter().map(Cow::Owned));
    }

    /// Makes the second reading, and the third if `joined`.
    pub(crate) fn read_again(&mut self, joined: bool) {
        for segment in &self.segments {
            if !segment.seen.wide && !segment.seen.leet {
                continue;
            }
            let begin = self.folded.map.len();
            let range = segment.start..segment.end;
            text::fold(self.plain.text(), range, &mut self.folded);
            if self.folded.map.len() > begin {
                self.folded_segments.push(Segment {
                    start: begin,
                    end: self.folded.map.len(),
                    ..*segment
                });
                self.folded.map.push("\n", segment.end..segment.end);
            }
        }
        if !joined {
            return;
        }
        for segment in &self.segments {
            // What a word passes for, where it passes for something.
            let folded = self
                .folded_segments
                .iter()
                .find(|folded| folded.source == segment.source);
            let (text, range) = match folded {
                Some(folded) => (self.folded.map.text(), folded.start..folded.end),
                None => (self.plain.text(), segment.start..segment.end),
            };
            if let Some(range) = text::join(text, range, &mut self.joined) {
                self.joined_segments.push(Segment {
                    start: range.start,
                    end: range.end,
                    ..*segment
                });
                self.joined.map.push("\n", 0..0);
            }
        }
    }

    /// A reading's text; empty if it is none.
    pub(crate) fn text(&self, view: View) -> &str {
        match view {
            View::Plain => self.plain.text(),
            View::Folded => self.folded.map.text(),
            View::Joined => self.joined.map.text(),
        }
    }

    /// A reading's segments, in order.
    pub(crate) fn segments(&self, view: View) -> &[Segment] {
        match view {
            View::Plain => &self.segments,
            View::Folded => &self.folded_segments,
            View::Joined => &self.joined_segments,
        }
    }

    /// The sources.
    pub(crate) fn source(&self, source: usize) -> Option<&Source<'s>> {
        self.sources.get(source)
    }

    /// The texts of a field with their sources.
    pub(crate) fn whole(&self, field: Field) -> impl Iterator<Item = (usize, &str)> {
        self.segments
            .iter()
            .filter(move |segment| self.sources[segment.source].field == field)
            .map(|segment| (segment.source, &self.plain.text()[segment.start..segment.end]))
    }

    /// The texts of a field, each once: as it is seen, where a direction mark has it read twice.
    pub(crate) fn field(&self, field: Field) -> impl Iterator<Item = &str> {
        let mut last = None;
        self.whole(field)
            .filter(move |(source, _)| last.replace(*source) != Some(*source))
            .map(|(_, text)| text)
    }

    /// Whether a hit in the second reading touches what is different in it.
    pub(crate) fn is_changed(&self, range: &Range<usize>) -> bool {
        let changed = &self.folded.changed;
        let first = changed.partition_point(|word| word.end <= range.start);
        changed.get(first).is_some_and(|word| word.start < range.end)
    }

    /// Whether a place of the third reading is in a row of single letters.
    pub(crate) fn is_loose(&self, at: usize) -> bool {
        let loose = &self.joined.loose;
        let first = loose.partition_point(|row| row.end <= at);
        loose.get(first).is_some_and(|row| row.start <= at)
    }

    /// What a range of a reading came from, in its source.
    pub(crate) fn original(&self, view: View, source: usize, range: Range<usize>) -> Range<usize> {
        let number = source;
        let source = &self.sources[number];
        let plain = match view {
            View::Plain => range,
            View::Folded => self.folded.map.source(range),
            View::Joined => {
                let middle = self.joined.map.source(range);
                if self.folded_segments.iter().any(|folded| folded.source == number) {
                    self.folded.map.source(middle)
                } else {
                    middle
                }
            }
        };
        let range = self.plain.source(plain);
        // Spans are whole letters already; this only keeps a mistake here from being a panic elsewhere.
        let start = source.text.floor_char_boundary(range.start);
        start..source.text.ceil_char_boundary(range.end).max(start)
    }
}

/// The host of a link, in punycode; addresses without one have none.
pub(crate) fn host_of(link: &str) -> Option<String> {
    // Most are plain, and a full parser costs more than all rules.
    let rest = link.strip_prefix("https://").or_else(|| link.strip_prefix("http://"));
    if let Some(rest) = rest {
        let end = rest
            .bytes()
            .position(|b| matches!(b, b'/' | b'?' | b'#' | b':' | b'@' | b'\\'))
            .unwrap_or(rest.len());
        let host = &rest[..end];
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
        // What ends in a digit may be an address in any of its spellings.
        let is_name = host.bytes().all(is_plain) && host.bytes().last().is_some_and(|b| b.is_ascii_alphabetic());
        if is_name && !matches!(rest.as_bytes().get(end), Some(b':' | b'@' | b'\\')) && !host.contains("xn--") {
            return Some(host.to_ascii_lowercase());
        }
    }
    let url = Url::parse(link).ok()?;
    let host = url
        .host_str()
        .filter(|_| matches!(url.scheme(), "http" | "https" | "gemini" | "ftp"))?;
    Some(host.trim_end_matches('.').to_owned()).filter(|host| !host.is_empty())
}
