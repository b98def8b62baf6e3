//! The letters of all drawings: outlines of one font that is in the binary, so that a picture looks the same everywhere
//! and needs nothing installed.

use std::{collections::BTreeMap, sync::OnceLock};

use skrifa::{
    FontRef, MetadataProvider as _,
    instance::{LocationRef, Size},
    outline::{DrawSettings, OutlinePen},
};

/// DejaVu Sans, cut to the letters of Europe; its licence lies beside it.
static FILE: &[u8] = include_bytes!("../../fonts/DejaVuSans.ttf");

/// Part of an outline, in units of the font, y growing upwards.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Segment {
    Move(f32, f32),
    Line(f32, f32),
    Curve(f32, f32, f32, f32),
    Close,
}

/// A letter.
#[derive(Debug, Default)]
pub(super) struct Glyph {
    pub(super) outline: Vec<Segment>,
    /// How far the next letter stands from this one.
    pub(super) advance: f32,
}

/// The font.
#[derive(Debug, Default)]
pub(super) struct Font {
    glyphs: BTreeMap<char, Glyph>,
    /// Units of the height that a size means.
    pub(super) units: f32,
}

impl Font {
    /// The one font, read once.
    pub(super) fn get() -> &'static Self {
        static FONT: OnceLock<Font> = OnceLock::new();
        FONT.get_or_init(|| Self::read(FILE).unwrap_or_default())
    }

    fn read(file: &[u8]) -> Option<Self> {
        let font = FontRef::new(file).ok()?;
        let metrics = font.metrics(Size::unscaled(), LocationRef::default());
        let widths = font.glyph_metrics(Size::unscaled(), LocationRef::default());
        let outlines = font.outline_glyphs();
        let mut glyphs = BTreeMap::new();
        for (code, id) in font.charmap().mappings() {
            let Some(letter) = char::from_u32(code) else { continue };
            let mut pen = Pen::default();
            if let Some(outline) = outlines.get(id) {
                outline
                    .draw(
                        DrawSettings::unhinted(Size::unscaled(), LocationRef::default()),
                        &mut pen,
                    )
                    .ok()?;
            }
            let glyph = Glyph {
                outline: pen.0,
                advance: widths.advance_width(id).unwrap_or_default(),
            };
            glyphs.insert(letter, glyph);
        }
        Some(Self {
            glyphs,
            units: f32::from(metrics.units_per_em),
        })
    }

    /// A letter; a question mark for those that the font lacks.
    pub(super) fn glyph(&self, letter: char) -> Option<(char, &Glyph)> {
        let known = self.glyphs.get(&letter).map(|glyph| (letter, glyph));
        known.or_else(|| self.glyphs.get(&'?').map(|glyph| ('?', glyph)))
    }

    /// How wide a text is in pixels.
    pub(super) fn width(&self, text: &str, size: f32) -> f32 {
        let units: f32 = text
            .chars()
            .filter_map(|letter| Some(self.glyph(letter)?.1.advance))
            .sum();
        units * size / self.units.max(1.0)
    }
}

#[derive(Default)]
struct Pen(Vec<Segment>);

impl OutlinePen for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        self.0.push(Segment::Move(x, y));
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.0.push(Segment::Line(x, y));
    }

    fn quad_to(&mut self, cx: f32, cy: f32, x: f32, y: f32) {
        self.0.push(Segment::Curve(cx, cy, x, y));
    }

    /// Fonts of this kind have none; the end of one is a line.
    fn curve_to(&mut self, _: f32, _: f32, _: f32, _: f32, x: f32, y: f32) {
        self.0.push(Segment::Line(x, y));
    }

    fn close(&mut self) {
        self.0.push(Segment::Close);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_font_is_there_and_has_what_europe_writes() {
        let font = Font::get();
        for letter in "aZ0@ (+±−…äßŁЖΩ€·".chars() {
            assert_eq!(font.glyph(letter).map(|(found, _)| found), Some(letter), "{letter}");
        }
        assert_eq!(font.glyph('🐘').map(|(found, _)| found), Some('?'));
        assert!(font.width("WWW", 12.0) > font.width("iii", 12.0));
    }
}
