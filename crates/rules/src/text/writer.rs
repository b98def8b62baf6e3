//! Writes text the way it is compared: NFKC, lower case, without what nobody sees, one blank for any space, and letters
//! that a direction mark turns around in the order people see them in.

use std::ops::Range;

use unicode_normalization::{UnicodeNormalization as _, char::compose};

use super::{Mapped, letters};

/// How many marks on one letter are looked at.
const MARKS: usize = 8;
/// The most letters that one letter is read as.
const LONGEST: usize = 6;

/// Writes the segment that begins where it was made.
pub(crate) struct Writer<'m> {
    out: &'m mut Mapped,
    begin: usize,
    cased: bool,
    turns: bool,
    marks: usize,
    /// Where what is turned around begins.
    turned: Option<usize>,
    /// What kinds of letters were seen.
    pub(crate) seen: Seen,
}

/// What a text holds that asks for a second look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Seen {
    /// Letters beyond ASCII.
    pub(crate) wide: bool,
    /// Digits or signs that may stand for letters.
    pub(crate) leet: bool,
    /// Something was turned around.
    pub(crate) turned: bool,
}

impl<'m> Writer<'m> {
    /// Appends to `out`, in lower case.
    pub(crate) fn new(out: &'m mut Mapped) -> Self {
        let begin = out.len();
        Self {
            out,
            begin,
            cased: false,
            turns: true,
            marks: 0,
            turned: None,
            seen: Seen::default(),
        }
    }

    /// Keeps upper case.
    pub(crate) fn cased(self) -> Self {
        Self { cased: true, ..self }
    }

    /// Leaves letters in the order they were typed in.
    pub(crate) fn unturned(self) -> Self {
        Self { turns: false, ..self }
    }

    /// How far it is.
    pub(crate) fn at(&self) -> usize {
        self.out.len()
    }

    /// What was written since `at`.
    pub(crate) fn since(&self, at: usize) -> &str {
        self.out.text().get(at.max(self.begin)..).unwrap_or_default()
    }

    /// Forgets what was written since `at`.
    pub(crate) fn back_to(&mut self, at: usize) {
        self.out.truncate(at.max(self.begin));
        self.marks = 0;
        if self.turned.is_some_and(|turned| turned > at) {
            self.turned = None;
        }
    }

    /// Text that stands at `from` in the source.
    pub(crate) fn text(&mut self, text: &str, from: usize) {
        let bytes = text.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            let run = self.ascii_run(&bytes[at..]);
            if run > 0 {
                self.marks = 0;
                let chunk = &text[at..at + run];
                if self.cased {
                    self.out.push_verbatim(chunk, from + at);
                } else {
                    self.out.push_lower(chunk, from + at);
                }
                at += run;
            }
            // What ended the run.
            let Some(c) = text[at..].chars().next() else { break };
            self.letter(c, from + at..from + at + c.len_utf8());
            at += c.len_utf8();
        }
    }

    /// How many bytes can be taken as they are.
    fn ascii_run(&mut self, bytes: &[u8]) -> usize {
        let mut blank = self.is_blank();
        let mut leet = false;
        let run = bytes
            .iter()
            .take_while(|byte| match **byte {
                b' ' => !std::mem::replace(&mut blank, true),
                byte @ 0x21..=0x7E => {
                    blank = false;
                    leet |= matches!(byte, b'0'..=b'9' | b'@' | b'$' | b'!' | b'|' | b'+');
                    true
                }
                _ => false,
            })
            .count();
        self.seen.leet |= leet;
        run
    }

    /// Whether a blank now would stand at the begin or after another one.
    fn is_blank(&self) -> bool {
        matches!(self.out.last_char(self.begin), None | Some(' '))
    }

    /// A letter that stands for `source`.
    pub(crate) fn letter(&mut self, c: char, source: Range<usize>) {
        if c.is_ascii() {
            self.marks = 0;
        }
        if letters::is_space(c) || c == '\u{2028}' || c == '\u{2029}' {
            if matches!(c, '\n' | '\u{2028}' | '\u{2029}') {
                self.turn_back();
            }
            self.blank(source);
        } else if c.is_ascii_graphic() {
            self.seen.leet |= letters::leet(c).is_some();
            let c = if self.cased { c } else { c.to_ascii_lowercase() };
            self.out.push_char(c, source);
        } else if c.is_control() {
            // Nobody sees them.
        } else if letters::is_unseen(c) {
            match c {
                '\u{202E}' if self.turns => {
                    self.seen.turned = true;
                    self.turned.get_or_insert(self.out.len());
                }
                '\u{202C}' => self.turn_back(),
                _ => {}
            }
        } else {
            self.wide(c, source);
        }
    }

    fn wide(&mut self, c: char, source: Range<usize>) {
        self.seen.wide = true;
        if letters::may_join(c) {
            self.mark(c, source);
            return;
        }
        self.marks = 0;
        if letters::is_plain(c) {
            self.folded(c, source);
            return;
        }
        // Ligatures of whole sentences stay what they are: eighteen letters for one are more than a text may grow.
        if c.nfkc().nth(LONGEST).is_some() {
            self.folded(c, source);
            return;
        }
        let mut blank = false;
        for part in c.nfkc() {
            if letters::is_space(part) {
                blank = true;
                self.blank(source.clone());
            } else if blank && letters::is_loose_mark(part) {
                // An accent that stands alone is a blank with an accent in NFKC.
            } else if !part.is_control() && !letters::is_unseen(part) {
                self.folded(part, source.clone());
            }
        }
    }

    fn folded(&mut self, c: char, source: Range<usize>) {
        if self.cased || letters::is_lower(c) {
            self.out.push_char(c, source);
            return;
        }
        let mut lower = c.to_lowercase();
        if lower.len() == 1 {
            self.out.push_char(lower.next().unwrap_or(c), source);
        } else {
            // `İ` is an `i` with a dot, and no other.
            for part in lower.filter(|part| !letters::is_loose_mark(*part)) {
                self.out.push_char(part, source.clone());
            }
        }
    }

    /// A mark belongs to the letter before it: the two become one letter if there is such a one, else the mark is left
    /// out, unless words of its script need it.
    fn mark(&mut self, c: char, source: Range<usize>) {
        self.marks += 1;
        if self.marks > MARKS {
            return;
        }
        match self.out.pop(self.begin) {
            Some((base, range)) => {
                let both = range.start.min(source.start)..range.end.max(source.end);
                match compose(base, c).filter(|_| base != ' ' && is_letter_with(base, c)) {
                    Some(one) => self.folded(one, both),
                    None if letters::is_loose_mark(c) => {
                        self.out.push_char(base, if base == ' ' { range } else { both })
                    }
                    None => {
                        self.out.push_char(base, range);
                        self.out.push_char(c, source);
                    }
                }
            }
            None if letters::is_loose_mark(c) => {}
            None => self.out.push_char(c, source),
        }
    }

    /// A space, or what parts lines and paragraphs.
    pub(crate) fn blank(&mut self, source: Range<usize>) {
        self.marks = 0;
        if !self.is_blank() {
            self.out.push_char(' ', source);
        }
    }

    /// The end of a line ends what was turned around.
    pub(crate) fn line(&mut self, source: Range<usize>) {
        self.turn_back();
        self.blank(source);
    }

    fn turn_back(&mut self) {
        let Some(begin) = self.turned.take() else { return };
        let mut turned = Vec::new();
        while let Some(letter) = self.out.pop(begin.max(self.begin)) {
            turned.push(letter);
        }
        for (c, source) in turned {
            self.out.push_char(c, source);
        }
    }

    /// Ends the segment; gives its range.
    pub(crate) fn end(mut self) -> (Range<usize>, Seen) {
        self.turn_back();
        if self.out.last_char(self.begin) == Some(' ') {
            self.out.pop(self.begin);
        }
        (self.begin..self.out.len(), self.seen)
    }
}

/// Whether a mark makes another letter of this one where people write it: `и` and `й` are two, `и` with a grave is none.
fn is_letter_with(base: char, mark: char) -> bool {
    !matches!(u32::from(base), 0x0400..=0x052F) || matches!(mark, '\u{301}' | '\u{306}' | '\u{308}')
}
