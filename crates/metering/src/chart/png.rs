//! A scene as PNG.

use tiny_skia::{Color, FillRule, LineJoin, Paint, Path, PathBuilder, Pixmap, Stroke, StrokeDash, Transform};

use super::{
    font::{Font, Segment},
    scene::{Colour, Scene, Shape},
    svg::start,
};

/// Draws a scene, each of its pixels as `scale` by `scale`. `None` for sizes that are no picture.
pub(super) fn draw(scene: &Scene, scale: u32) -> Option<Vec<u8>> {
    let (width, height) = (scene.width.checked_mul(scale)?, scene.height.checked_mul(scale)?);
    let mut picture = Pixmap::new(width, height)?;
    let [red, green, blue] = scene.background;
    picture.fill(Color::from_rgba8(red, green, blue, 255));
    #[expect(clippy::cast_precision_loss, reason = "a scale is 1 to 4")]
    let scale = scale as f32;
    let at = Transform::from_scale(scale, scale);
    let font = Font::get();
    for shape in &scene.shapes {
        self::shape(&mut picture, at, font, shape);
    }
    encode(&picture)
}

fn shape(picture: &mut Pixmap, at: Transform, font: &Font, shape: &Shape) {
    match shape {
        Shape::Line {
            points,
            colour,
            width,
            dashed,
        } => {
            let mut path = PathBuilder::new();
            for (n, (x, y)) in points.iter().enumerate() {
                if n == 0 {
                    path.move_to(*x, *y);
                } else {
                    path.line_to(*x, *y);
                }
            }
            let Some(path) = path.finish() else { return };
            let stroke = Stroke {
                width: *width,
                line_join: LineJoin::Round,
                dash: if *dashed {
                    StrokeDash::new(vec![4.0, 3.0], 0.0)
                } else {
                    None
                },
                ..Stroke::default()
            };
            picture.stroke_path(&path, &paint(*colour), &stroke, at, None);
        }
        Shape::Dot {
            at: place,
            radius,
            colour,
        } => {
            if let Some(path) = PathBuilder::from_circle(place.0, place.1, *radius) {
                picture.fill_path(&path, &paint(*colour), FillRule::Winding, at, None);
            }
        }
        Shape::Text {
            at: place,
            text,
            size,
            anchor,
            colour,
        } => {
            let x = start(font, place.0, text, *size, *anchor);
            let units = size / font.units.max(1.0);
            if let Some(path) = outline(font, text) {
                let placed = at.pre_translate(x, place.1).pre_scale(units, -units);
                picture.fill_path(&path, &paint(*colour), FillRule::Winding, placed, None);
            }
        }
    }
}

fn outline(font: &Font, text: &str) -> Option<Path> {
    let mut path = PathBuilder::new();
    let mut along = 0.0;
    for (_, glyph) in text.chars().filter_map(|letter| font.glyph(letter)) {
        for segment in &glyph.outline {
            match *segment {
                Segment::Move(x, y) => path.move_to(along + x, y),
                Segment::Line(x, y) => path.line_to(along + x, y),
                Segment::Curve(cx, cy, x, y) => path.quad_to(along + cx, cy, along + x, y),
                Segment::Close => path.close(),
            }
        }
        along += glyph.advance;
    }
    path.finish()
}

fn paint([red, green, blue]: Colour) -> Paint<'static> {
    let mut paint = Paint::default();
    paint.set_color_rgba8(red, green, blue, 255);
    paint.anti_alias = true;
    paint
}

/// Without an alpha channel: the background covers everything.
fn encode(picture: &Pixmap) -> Option<Vec<u8>> {
    let colours: Vec<u8> = picture
        .data()
        .chunks_exact(4)
        .flat_map(|pixel| [pixel[0], pixel[1], pixel[2]])
        .collect();
    let mut file = Vec::with_capacity(64 * 1024);
    let mut encoder = png::Encoder::new(&mut file, picture.width(), picture.height());
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    let mut writer = encoder.write_header().ok()?;
    writer.write_image_data(&colours).ok()?;
    writer.finish().ok()?;
    Some(file)
}
