//! Patterns tried on texts.

use std::ops::Range;

use crate::{
    bench::Page,
    document::{Source, View},
    leaf::{Kind, Leaf, Pattern},
    text,
};

/// Longest text that patterns are tried on, in bytes: their time grows with it.
const LONGEST_FOR_PATTERNS: usize = 64 << 10;

/// What a pattern matched.
#[derive(Debug, Clone)]
pub(crate) struct Matched {
    pub(crate) source: usize,
    pub(crate) original: Range<usize>,
    pub(crate) text: String,
}

/// The first match of a leaf's patterns on a page.
pub(crate) fn try_patterns(number: u32, leaf: &Leaf, page: &Page<'_>) -> Option<Matched> {
    let Kind::Patterns {
        look,
        patterns,
        prefiltered,
    } = &leaf.kind
    else {
        return None;
    };
    if *prefiltered && page.finds.candidates.binary_search(&number).is_err() {
        return None;
    }
    let document = &page.document;
    let views: &[View] = if look.exact || look.cased {
        &[View::Plain]
    } else {
        &[View::Plain, View::Folded]
    };
    for view in views {
        for segment in document.segments(*view) {
            let Some(source) = document
                .source(segment.source)
                .filter(|source| look.fields.has(source.field))
            else {
                continue;
            };
            if look.cased {
                if let Some(matched) = try_cased(patterns, source, segment.source) {
                    return Some(matched);
                }
                continue;
            }
            let text = &document.text(*view)[segment.start..segment.end];
            let text = &text[..text.floor_char_boundary(LONGEST_FOR_PATTERNS)];
            for regex in patterns.iter().filter_map(|pattern| pattern.regex()) {
                let here = |range: Range<usize>| segment.start + range.start..segment.start + range.end;
                let found = match view {
                    // In the second reading a match must touch what is different in it.
                    View::Folded => regex
                        .find_iter(text)
                        .map(|m| here(m.range()))
                        .find(|range| document.is_changed(range)),
                    _ => regex.find(text).map(|m| here(m.range())),
                };
                if let Some(range) = found {
                    return Some(Matched {
                        source: segment.source,
                        text: document.text(*view)[range.clone()].to_owned(),
                        original: document.original(*view, segment.source, range),
                    });
                }
            }
        }
    }
    None
}

fn try_cased(patterns: &[Pattern], source: &Source<'_>, number: usize) -> Option<Matched> {
    let map = text::cased_map(&source.text, source.field);
    let text = &map.text()[..map.text().floor_char_boundary(LONGEST_FOR_PATTERNS)];
    let found = patterns
        .iter()
        .filter_map(|pattern| pattern.regex()?.find(text))
        .next()?;
    Some(Matched {
        source: number,
        original: map.source(found.range()),
        text: found.as_str().to_owned(),
    })
}
