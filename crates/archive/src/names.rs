//! Names of files made from what others call themselves: no two different ones become the same, and none leads anywhere.

/// Longer names are cut and end in what tells them apart.
const LONGEST: usize = 100;

/// A name for a file or folder: letters, digits, `.`, `-`, `_` and `@` stay, anything else is spelled `%XX`. So
/// `foo_bar` and `foobar`, `a.bc` and `ab.c` stay apart.
pub(crate) fn name(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (n, byte) in text.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'@' => out.push(char::from(byte)),
            // Disks there are on which `A` is `a`.
            b'.' if n > 0 => out.push('.'),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    if out.is_empty() {
        out.push('%');
    }
    if out.len() > LONGEST {
        let end = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        out.truncate(LONGEST - 17);
        out.push_str(&format!("~{end:016x}"));
    }
    out
}

/// What a file of this type ends in.
pub(crate) fn ending(kind: &str) -> &'static str {
    match kind {
        "image/png" => "png",
        "image/jpeg" => "jpg",
        "image/gif" => "gif",
        "image/webp" => "webp",
        "image/avif" => "avif",
        "image/heic" => "heic",
        "audio/wav" => "wav",
        "audio/mp4" => "m4a",
        "audio/ogg" => "ogg",
        "audio/flac" => "flac",
        "audio/mpeg" => "mp3",
        "audio/aac" => "aac",
        "video/mp4" => "mp4",
        "video/webm" => "webm",
        "video/quicktime" => "mov",
        _ => "bin",
    }
}

/// A kind of activity as the folder of all of them.
pub(crate) fn plural(kind: &str) -> String {
    format!("{kind}s")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Check 38: names.
    #[test]
    fn different_names_stay_different_and_lead_nowhere() {
        let names = [
            "foo_bar@a.bc",
            "foobar@ab.c",
            "foobar@a.bc",
            "Foobar@a.bc",
            "é@x",
            "e@x",
        ]
        .map(name);
        let different: std::collections::HashSet<_> = names.iter().collect();
        assert_eq!(different.len(), names.len(), "{names:?}");
        for odd in ["", ".", "..", "../x", "a/b", "a\\b", "a\0b", "CON:", ".hidden", "a%2Fb"] {
            let name = name(odd);
            assert!(
                !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0', ':']),
                "{name}"
            );
        }
        let (a, b) = (name(&"x".repeat(300)), name(&"x".repeat(301)));
        assert!(a != b && a.len() <= LONGEST);
    }
}
