//! A scene as SVG: letters as outlines, each kind once, so that it needs no font where it is shown; nothing that runs.

use std::{collections::BTreeSet, fmt::Write as _};

use super::{
    font::{Font, Segment},
    scene::{Anchor, Colour, Scene, Shape},
};

pub(super) fn write(scene: &Scene) -> String {
    let font = Font::get();
    let (width, height) = (scene.width, scene.height);
    let mut out = String::with_capacity(16 * 1024);
    let _ = write!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         role=\"img\" aria-labelledby=\"t d\"><title id=\"t\">{}</title><desc id=\"d\">{}</desc>",
        escaped(&scene.title),
        escaped(&scene.description)
    );
    let letters: BTreeSet<char> = scene
        .shapes
        .iter()
        .filter_map(|shape| match shape {
            Shape::Text { text, .. } => Some(text.chars()),
            _ => None,
        })
        .flatten()
        .filter_map(|letter| Some(font.glyph(letter)?.0))
        .collect();
    out.push_str("<defs>");
    for letter in letters {
        if let Some((_, glyph)) = font.glyph(letter)
            && !glyph.outline.is_empty()
        {
            let _ = write!(out, "<path id=\"g{:x}\" d=\"", u32::from(letter));
            for segment in &glyph.outline {
                let _ = match *segment {
                    Segment::Move(x, y) => write!(out, "M{x:.0} {y:.0}"),
                    Segment::Line(x, y) => write!(out, "L{x:.0} {y:.0}"),
                    Segment::Curve(cx, cy, x, y) => write!(out, "Q{cx:.0} {cy:.0} {x:.0} {y:.0}"),
                    Segment::Close => write!(out, "Z"),
                };
            }
            out.push_str("\"/>");
        }
    }
    let _ = write!(
        out,
        "</defs><rect width=\"{width}\" height=\"{height}\" fill=\"{}\"/>",
        hex(scene.background)
    );
    for shape in &scene.shapes {
        self::shape(&mut out, font, shape);
    }
    out.push_str("</svg>\n");
    out
}

fn shape(out: &mut String, font: &Font, shape: &Shape) {
    let _ = match shape {
        Shape::Line {
            points,
            colour,
            width,
            dashed,
        } => {
            let _ = write!(
                out,
                "<polyline fill=\"none\" stroke=\"{}\" stroke-width=\"{width}\" stroke-linejoin=\"round\"",
                hex(*colour)
            );
            if *dashed {
                out.push_str(" stroke-dasharray=\"4 3\"");
            }
            out.push_str(" points=\"");
            for (n, (x, y)) in points.iter().enumerate() {
                let _ = write!(out, "{}{x:.2},{y:.2}", if n == 0 { "" } else { " " });
            }
            write!(out, "\"/>")
        }
        Shape::Dot { at, radius, colour } => write!(
            out,
            "<circle cx=\"{:.2}\" cy=\"{:.2}\" r=\"{radius}\" fill=\"{}\"/>",
            at.0,
            at.1,
            hex(*colour)
        ),
        Shape::Text {
            at,
            text,
            size,
            anchor,
            colour,
        } => {
            let x = start(font, at.0, text, *size, *anchor);
            let scale = size / font.units.max(1.0);
            let _ = write!(
                out,
                "<g fill=\"{}\" role=\"presentation\" transform=\"translate({x:.2} {:.2}) scale({scale:.5} -{scale:.5})\">",
                hex(*colour),
                at.1
            );
            let mut along = 0.0;
            for (letter, glyph) in text.chars().filter_map(|letter| font.glyph(letter)) {
                if !glyph.outline.is_empty() {
                    let _ = write!(out, "<use href=\"#g{:x}\" x=\"{along:.0}\"/>", u32::from(letter));
                }
                along += glyph.advance;
            }
            write!(out, "</g>")
        }
    };
}

/// Where the first letter stands.
pub(super) fn start(font: &Font, x: f32, text: &str, size: f32, anchor: Anchor) -> f32 {
    match anchor {
        Anchor::Start => x,
        Anchor::Middle => x - font.width(text, size) / 2.0,
        Anchor::End => x - font.width(text, size),
    }
}

fn hex([red, green, blue]: Colour) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// A text inside an element. Control characters have no place in XML.
fn escaped(text: &str) -> String {
    text.chars()
        .filter(|letter| !letter.is_control())
        .map(|letter| match letter {
            '&' => "&amp;".to_owned(),
            '<' => "&lt;".to_owned(),
            '>' => "&gt;".to_owned(),
            letter => letter.to_string(),
        })
        .collect()
}
