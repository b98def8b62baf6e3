//! Text that was changed, with the way back to where each part of it came from.

use std::ops::Range;

/// Text with the way back to its source.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Mapped {
    text: String,
    pieces: Vec<Piece>,
}

/// A stretch of the text up to the next piece, and what it came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Piece {
    /// Where it begins in the text.
    at: u32,
    /// What it came from.
    from: u32,
    to: u32,
    /// Letter for letter as long as in the source; else it stands for the whole of its source.
    verbatim: bool,
}

/// Texts are cut long before this, see `entity`; a larger one would only lose its way back.
fn short(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

impl Mapped {
    /// Room for so many bytes from so many places.
    pub(crate) fn with_room(bytes: usize, places: usize) -> Self {
        Self {
            text: String::with_capacity(bytes),
            pieces: Vec::with_capacity(places),
        }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn len(&self) -> usize {
        self.text.len()
    }

    /// Adds text that stands so in the source, or letters that are as long.
    pub(crate) fn push_verbatim(&mut self, text: &str, from: usize) {
        if text.is_empty() {
            return;
        }
        let (from, to) = (short(from), short(from + text.len()));
        match self.pieces.last_mut() {
            Some(last) if last.verbatim && last.to == from => last.to = to,
            _ => self.pieces.push(Piece {
                at: short(self.text.len()),
                from,
                to,
                verbatim: true,
            }),
        }
        self.text.push_str(text);
    }

    /// The same in lower case.
    pub(crate) fn push_lower(&mut self, text: &str, from: usize) {
        let at = self.text.len();
        self.push_verbatim(text, from);
        if let Some(new) = self.text.get_mut(at..) {
            new.make_ascii_lowercase();
        }
    }

    /// Adds text that stands for `source`.
    pub(crate) fn push(&mut self, text: &str, source: Range<usize>) {
        if text.is_empty() {
            return;
        }
        self.pieces.push(Piece {
            at: short(self.text.len()),
            from: short(source.start),
            to: short(source.end),
            verbatim: false,
        });
        self.text.push_str(text);
    }

    /// Adds a letter that stands for `source`. One of the same length takes the same place as its source, byte for byte.
    pub(crate) fn push_char(&mut self, c: char, source: Range<usize>) {
        let mut buffer = [0; 4];
        let text = c.encode_utf8(&mut buffer);
        if source.len() == text.len() {
            self.push_verbatim(text, source.start);
        } else {
            self.push(text, source);
        }
    }

    /// The last letter behind `floor`, without removing it.
    pub(crate) fn last_char(&self, floor: usize) -> Option<char> {
        self.text.get(floor..)?.chars().next_back()
    }

    /// Removes the last letter behind `floor`; gives it with its source.
    pub(crate) fn pop(&mut self, floor: usize) -> Option<(char, Range<usize>)> {
        let c = self.last_char(floor)?;
        let at = self.text.len() - c.len_utf8();
        let source = self.source(at..self.text.len());
        self.truncate(at);
        Some((c, source))
    }

    /// Forgets everything from `at` on, which is the begin of a letter.
    pub(crate) fn truncate(&mut self, at: usize) {
        while self.pieces.last().is_some_and(|piece| piece.at as usize >= at) {
            self.pieces.pop();
        }
        if let Some(last) = self.pieces.last_mut()
            && last.verbatim
        {
            last.to = last.from + short(at) - last.at;
        }
        self.text.truncate(at);
    }

    /// What a range of the text came from. Where parts were turned around, the smallest range that holds all of it.
    pub(crate) fn source(&self, range: Range<usize>) -> Range<usize> {
        let first = self.pieces.partition_point(|piece| piece.at as usize <= range.start);
        let Some(first) = first.checked_sub(1) else {
            return 0..0;
        };
        let (mut low, mut high) = (u32::MAX, 0);
        for (n, piece) in self.pieces.iter().enumerate().skip(first) {
            let at = piece.at as usize;
            if n > first && at >= range.end {
                break;
            }
            let (from, to) = if piece.verbatim {
                let begin = range.start.saturating_sub(at);
                let end = range.end.saturating_sub(at);
                let whole = (piece.to - piece.from) as usize;
                (
                    piece.from + short(begin.min(whole)),
                    piece.from + short(end.min(whole).max(begin.min(whole))),
                )
            } else {
                (piece.from, piece.to)
            };
            low = low.min(from);
            high = high.max(to);
        }
        low.min(high) as usize..high as usize
    }
}
