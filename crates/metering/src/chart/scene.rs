//! What is on a picture, before anybody decides how it is written: SVG and PNG are made from the same scene, so they
//! show the same.

/// Red, green, blue.
pub(super) type Colour = [u8; 3];

/// Where a text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// One thing on a picture. Places are in pixels from the upper left corner.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shape {
    Line {
        points: Vec<(f32, f32)>,
        colour: Colour,
        width: f32,
        dashed: bool,
    },
    Dot {
        at: (f32, f32),
        radius: f32,
        colour: Colour,
    },
    Text {
        at: (f32, f32),
        text: String,
        size: f32,
        anchor: Anchor,
        colour: Colour,
    },
}

/// A picture.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scene {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) background: Colour,
    /// For those who cannot see it.
    pub(super) title: String,
    /// The same in a sentence.
    pub(super) description: String,
    pub(super) shapes: Vec<Shape>,
}

impl Scene {
    pub(super) fn line(&mut self, points: Vec<(f32, f32)>, colour: Colour, width: f32) {
        self.shapes.push(Shape::Line {
            points,
            colour,
            width,
            dashed: false,
        });
    }

    pub(super) fn dashes(&mut self, points: Vec<(f32, f32)>, colour: Colour) {
        self.shapes.push(Shape::Line {
            points,
            colour,
            width: 1.0,
            dashed: true,
        });
    }

    pub(super) fn dot(&mut self, at: (f32, f32), radius: f32, colour: Colour) {
        self.shapes.push(Shape::Dot { at, radius, colour });
    }

    pub(super) fn text(&mut self, at: (f32, f32), text: impl Into<String>, size: f32, anchor: Anchor, colour: Colour) {
        self.shapes.push(Shape::Text {
            at,
            text: text.into(),
            size,
            anchor,
            colour,
        });
    }
}
