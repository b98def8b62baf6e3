//! Hashes of files: of their bytes, which are the same or are not, and of what pictures show, by PDQ, which is near for
//! pictures that were scaled, pressed or watermarked.
//!
//! PDQ is what the networks against abuse share: 256 bits, of which thirty or fewer differ for the same picture. Ours is
//! written from its description and compared with the reference's answers.

use std::{fmt::Write as _, io::Cursor};

use md5::Md5;
use sha2::{Digest, Sha256};
use zune_core::{colorspace::ColorSpace, options::DecoderOptions};
use zune_jpeg::JpegDecoder;

/// Pixels of the longer side of a picture that is looked at.
const LONGEST: usize = 8_192;

/// Pixels of a picture that is looked at.
const MOST: usize = 8 << 20;

/// Pixels of the shorter side: less shows nothing.
const SHORTEST: usize = 16;

/// The side of what a picture is made into first.
const SIDE: usize = 64;

/// The side of what is kept of its waves.
const WAVES: usize = 16;

/// A picture with fewer edges looks like too many others.
const QUALITY: i64 = 50;

/// Of the bytes: what rules and lists compare files by.
pub(crate) fn of_file(bytes: &[u8]) -> Vec<String> {
    vec![
        format!("sha256:{}", hex(&Sha256::digest(bytes))),
        format!("md5:{}", hex(&Md5::digest(bytes))),
    ]
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Of what a PNG or JPEG shows; `None` for anything else, and for pictures that show too little.
pub(crate) fn of_picture(bytes: &[u8]) -> Option<String> {
    let picture = match bytes {
        [0x89, b'P', b'N', b'G', ..] => png(bytes)?,
        [0xFF, 0xD8, ..] => jpeg(bytes)?,
        _ => return None,
    };
    picture.pdq()
}

/// How bright each pixel is.
struct Picture {
    width: usize,
    height: usize,
    bright: Vec<f32>,
}

/// Whether a picture of that size is looked at.
fn fits(width: usize, height: usize) -> bool {
    let sides = SHORTEST..=LONGEST;
    sides.contains(&width) && sides.contains(&height) && width * height <= MOST
}

fn png(bytes: &[u8]) -> Option<Picture> {
    let limits = png::Limits { bytes: MOST * 8 };
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), limits);
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().ok()?;
    let (width, height) = (reader.info().width as usize, reader.info().height as usize);
    if !fits(width, height) {
        return None;
    }
    let mut pixels = vec![0; reader.output_buffer_size()?];
    let frame = reader.next_frame(&mut pixels).ok()?;
    Picture::of(width, height, &pixels, frame.color_type.samples())
}

fn jpeg(bytes: &[u8]) -> Option<Picture> {
    let options = DecoderOptions::new_safe()
        .set_max_width(LONGEST)
        .set_max_height(LONGEST)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(Cursor::new(bytes), options);
    decoder.decode_headers().ok()?;
    let info = decoder.info()?;
    let (width, height) = (usize::from(info.width), usize::from(info.height));
    if !fits(width, height) {
        return None;
    }
    let pixels = decoder.decode().ok()?;
    Picture::of(width, height, &pixels, 3)
}

impl Picture {
    /// From pixels of one to four bytes: grey, grey with alpha, colours, colours with alpha.
    fn of(width: usize, height: usize, pixels: &[u8], samples: usize) -> Option<Self> {
        let bright: Vec<f32> = pixels
            .chunks_exact(samples.max(1))
            .map(|pixel| match pixel {
                [red, green, blue, ..] => {
                    0.299 * f32::from(*red) + 0.587 * f32::from(*green) + 0.114 * f32::from(*blue)
                }
                [grey, ..] => f32::from(*grey),
                [] => 0.0,
            })
            .collect();
        (bright.len() == width * height).then_some(Self { width, height, bright })
    }

    fn pdq(mut self) -> Option<String> {
        for _ in 0..2 {
            self.smooth();
        }
        let small = self.shrink();
        if quality(&small) < QUALITY {
            return None;
        }
        let waves = waves(&small);
        let mut sorted: Vec<f32> = waves.clone();
        sorted.sort_unstable_by(f32::total_cmp);
        let median = *sorted.get((waves.len() - 1) / 2)?;
        let mut text = "pdq:".to_owned();
        // The last wave is the highest bit.
        for four in waves.rchunks(4) {
            let digit = four
                .iter()
                .rev()
                .fold(0, |digit, wave| digit << 1 | u32::from(*wave > median));
            let _ = write!(text, "{digit:x}");
        }
        Some(text)
    }

    /// Each pixel becomes the mean of those around it, along rows and then along columns.
    fn smooth(&mut self) {
        let window = |long: usize| long.div_ceil(2 * SIDE);
        let mut out = vec![0.0; self.bright.len()];
        for (row, into) in self
            .bright
            .chunks_exact(self.width)
            .zip(out.chunks_exact_mut(self.width))
        {
            means(row, into, window(self.width));
        }
        let (mut column, mut smoothed) = (vec![0.0; self.height], vec![0.0; self.height]);
        for x in 0..self.width {
            for (from, to) in out.iter().skip(x).step_by(self.width).zip(&mut column) {
                *to = *from;
            }
            means(&column, &mut smoothed, window(self.height));
            for (from, to) in smoothed.iter().zip(self.bright.iter_mut().skip(x).step_by(self.width)) {
                *to = *from;
            }
        }
    }

    fn shrink(&self) -> Vec<f32> {
        let place = |n: usize, long: usize| (2 * n + 1) * long / (2 * SIDE);
        let rows = (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| (x, y)));
        rows.map(|(x, y)| self.bright[place(y, self.height) * self.width + place(x, self.width)])
            .collect()
    }
}

/// Means of a window around each number, smaller at the ends.
fn means(of: &[f32], into: &mut [f32], window: usize) {
    let (before, after) = ((window - 1) / 2, window / 2);
    let (mut sum, mut from, mut to) = (0.0, 0, 0);
    for (n, mean) in into.iter_mut().enumerate() {
        while to < of.len() && to <= n + after {
            sum += of[to];
            to += 1;
        }
        while from + before < n {
            sum -= of[from];
            from += 1;
        }
        #[expect(clippy::cast_precision_loss, reason = "no more than a side")]
        let many = (to - from) as f32;
        *mean = sum / many;
    }
}

/// How many edges there are: a hundred are plenty.
fn quality(small: &[f32]) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "differences of bytes, in hundredths")]
    let edge = |a: f32, b: f32| ((a - b) * 100.0 / 255.0).abs() as i64;
    let right = small
        .chunks_exact(SIDE)
        .flat_map(|row| row.windows(2).map(|pair| edge(pair[0], pair[1])));
    let below = small.iter().zip(&small[SIDE..]).map(|(a, b)| edge(*a, *b));
    right.chain(below).sum::<i64>() / 90
}

/// The sixteen longest waves each way, but for the mean: a discrete cosine transform.
fn waves(small: &[f32]) -> Vec<f32> {
    #[expect(clippy::cast_precision_loss, reason = "no more than a side")]
    let wave = |n: usize, at: usize| {
        let turn = std::f32::consts::PI / (2 * SIDE) as f32 * ((n + 1) * (2 * at + 1)) as f32;
        (2.0 / SIDE as f32).sqrt() * turn.cos()
    };
    let table: Vec<Vec<f32>> = (0..WAVES).map(|n| (0..SIDE).map(|at| wave(n, at)).collect()).collect();
    let mut half = vec![0.0; WAVES * SIDE];
    for (n, waves) in table.iter().enumerate() {
        for x in 0..SIDE {
            let column = small.iter().skip(x).step_by(SIDE);
            half[n * SIDE + x] = waves.iter().zip(column).map(|(wave, bright)| wave * bright).sum();
        }
    }
    let rows = half.chunks_exact(SIDE);
    rows.flat_map(|row| {
        table
            .iter()
            .map(move |waves| waves.iter().zip(row).map(|(wave, bright)| wave * bright).sum())
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture that needs no file.
    fn drawn(width: usize, height: usize) -> Vec<u8> {
        let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        places
            .flat_map(|(x, y)| [(x * 7 + y * 3) / 5, x * x / 97 + y * 2, x * y / 61 + x])
            .map(|colour| u8::try_from(colour % 256).unwrap())
            .collect()
    }

    fn encoded(width: usize, height: usize, pixels: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let size = |side: usize| u32::try_from(side).unwrap();
        let mut encoder = png::Encoder::new(&mut bytes, size(width), size(height));
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.write_header().unwrap().write_image_data(pixels).unwrap();
        bytes
    }

    fn apart(a: &str, b: &str) -> u32 {
        let digit = |c: char| c.to_digit(16).unwrap();
        let pairs = a[4..].chars().zip(b[4..].chars());
        pairs.map(|(a, b)| (digit(a) ^ digit(b)).count_ones()).sum()
    }

    /// What the reference (as Python's `pdqhash` 0.2 wraps it) answers for the same pixels.
    #[test]
    fn pictures_are_hashed_as_by_the_reference() {
        for (width, height, wanted) in [
            (
                200,
                150,
                "87803c3fe3e08e0f18fe6380ce1f98f0938fb6382ec3949ead30ab77aeac4958",
            ),
            (
                333,
                77,
                "d75e64b3969a3266d3161a94c91a34a8558d2df4ca9e3da0cb1e3cf44b8cd738",
            ),
        ] {
            let ours = of_picture(&encoded(width, height, &drawn(width, height))).unwrap();
            let off = apart(&ours, &format!("pdq:{wanted}"));
            assert!(off <= 2, "{width}x{height}: {off} bits from the reference: {ours}");
        }
    }

    #[test]
    fn a_picture_that_was_scaled_and_brightened_is_near_and_another_is_not() {
        let (width, height) = (320, 240);
        let pixels = drawn(width, height);
        let one = of_picture(&encoded(width, height, &pixels)).unwrap();
        let half: Vec<u8> = (0..height / 2)
            .flat_map(|y| (0..width / 2).map(move |x| (x, y)))
            .flat_map(|(x, y)| {
                let at = (2 * y * width + 2 * x) * 3;
                [pixels[at], pixels[at + 1], pixels[at + 2]].map(|colour| colour / 10 * 9 + 12)
            })
            .collect();
        let two = of_picture(&encoded(width / 2, height / 2, &half)).unwrap();
        assert!(apart(&one, &two) <= 31, "{}", apart(&one, &two));
        let mut turned = pixels.clone();
        turned.reverse();
        let other = of_picture(&encoded(width, height, &turned)).unwrap();
        assert!(apart(&one, &other) > 60, "{}", apart(&one, &other));
    }

    #[test]
    fn what_is_no_picture_or_shows_nothing_has_no_hash() {
        assert_eq!(of_picture(b"GIF89a"), None);
        assert_eq!(of_picture(&[0xFF, 0xD8, 0xFF, 0xE0, 0, 4]), None);
        assert_eq!(of_picture(&encoded(100, 100, &[200; 30_000])), None, "all grey");
        let whole = encoded(64, 64, &drawn(64, 64));
        assert_eq!(of_picture(&whole[..whole.len() / 2]), None, "it breaks off");
        assert_eq!(of_picture(&encoded(8, 8, &drawn(8, 8))), None, "too small");
    }

    #[test]
    fn files_are_hashed_as_everybody_does() {
        assert_eq!(
            of_file(b"abc"),
            [
                "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
                "md5:900150983cd24fb0d6963f7d28e17f72"
            ]
        );
    }
}
