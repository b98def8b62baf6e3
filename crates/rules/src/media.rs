//! Hashes of media: of files, which are the same or are not, and of what pictures show, which may be near each other.
//! Nothing is decoded here: whoever looked at a file hands its hashes in.

/// A hash in the spelling that is compared: the kind and a colon, hex in lower case. `None` when it is none.
pub(crate) fn normal(text: &str) -> Option<String> {
    let text = text.trim();
    let (kind, value) = match text.split_once(':') {
        Some((kind, value)) => (kind.to_ascii_lowercase(), value),
        // As other tools write SHA-256 and MD5.
        None if text.len() == 64 => ("sha256".to_owned(), text),
        None if text.len() == 32 => ("md5".to_owned(), text),
        None => return None,
    };
    let digits = match kind.as_str() {
        "sha256" | "pdq" => 64,
        "sha1" => 40,
        "md5" => 32,
        "phash" => 16,
        "blurhash" => return (value.len() >= 6 && value.len() < 200).then(|| format!("blurhash:{value}")),
        _ => return None,
    };
    let is_hex = value.len() == digits && value.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex.then(|| format!("{kind}:{}", value.to_ascii_lowercase()))
}

/// Whether a hash says what a picture shows.
pub(crate) fn is_perceptual(hash: &str) -> bool {
    hash.starts_with("pdq:") || hash.starts_with("phash:")
}

/// In how many bits two hashes of one kind differ.
pub(crate) fn distance(a: &str, b: &str) -> Option<u32> {
    let ((kind, a), (other, b)) = (a.split_once(':')?, b.split_once(':')?);
    if kind != other || a.len() != b.len() {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16);
    a.bytes()
        .zip(b.bytes())
        .map(|(a, b)| Some((digit(a)? ^ digit(b)?).count_ones()))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_have_one_spelling() {
        let sha = "A".repeat(64);
        assert_eq!(normal(&sha), normal(&format!("SHA256:{}", "a".repeat(64))));
        assert_eq!(normal("pdq:12"), None);
        assert_eq!(normal("phash:zzzzzzzzzzzzzzzz"), None);
    }

    #[test]
    fn the_distance_counts_bits() {
        assert_eq!(distance("phash:00000000000000ff", "phash:00000000000000f0"), Some(4));
        assert_eq!(distance("phash:00", "pdq:00"), None);
    }
}
