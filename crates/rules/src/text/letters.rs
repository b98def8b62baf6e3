//! What single letters are: seen or not, marks, look-alikes.

use super::lookalikes::LOOKALIKES;

/// Letters that nobody sees: zero-width ones, soft hyphens, direction marks, variation selectors, tags. Tatweel, which
/// only stretches Arabic words, counts as one.
pub(super) fn is_unseen(c: char) -> bool {
    matches!(u32::from(c),
        0x00AD | 0x034F | 0x061C | 0x0640 | 0x115F | 0x1160 | 0x17B4 | 0x17B5 | 0x180B..=0x180F | 0x200B..=0x200F
        | 0x202A..=0x202E | 0x2060..=0x206F | 0x3164 | 0xFE00..=0xFE0F | 0xFEFF | 0xFFA0 | 0xFFF0..=0xFFFB
        | 0x1_BCA0..=0x1_BCA3 | 0x1_D173..=0x1_D17A | 0xE_0000..=0xE_0FFF)
}

/// Space of any kind, the empty Braille pattern among them.
pub(super) fn is_space(c: char) -> bool {
    c.is_whitespace() || c == '\u{2800}'
}

/// Marks that are only seen with the letter before them, and can be left out: strokes, accents, points, vowel signs of
/// Arabic and Hebrew.
pub(super) fn is_loose_mark(c: char) -> bool {
    matches!(u32::from(c),
        0x0300..=0x036F | 0x0483..=0x0489 | 0x0591..=0x05BD | 0x05BF | 0x05C1 | 0x05C2 | 0x05C4 | 0x05C5 | 0x05C7
        | 0x0610..=0x061A | 0x064B..=0x065F | 0x0670 | 0x06D6..=0x06DC | 0x06DF..=0x06E4 | 0x06E7 | 0x06E8
        | 0x06EA..=0x06ED | 0x1AB0..=0x1AFF | 0x1DC0..=0x1DFF | 0x20D0..=0x20FF | 0xFE20..=0xFE2F)
}

/// What may be one letter together with the letter before it.
pub(super) fn may_join(c: char) -> bool {
    is_loose_mark(c) || matches!(u32::from(c), 0x1161..=0x11FF | 0x3099 | 0x309A)
}

/// Letters that are their own NFKC, whatever stands beside them; the others are asked about one by one.
pub(super) fn is_plain(c: char) -> bool {
    match u32::from(c) {
        0x00C0..=0x024F => !matches!(
            u32::from(c),
            0x0132 | 0x0133 | 0x013F | 0x0140 | 0x0149 | 0x017F | 0x01C4..=0x01CC | 0x01F1..=0x01F3
        ),
        0x0250..=0x02AF
        | 0x0386
        | 0x0388..=0x03CF
        | 0x0400..=0x0482
        | 0x048A..=0x0556
        | 0x0561..=0x0586
        | 0x05D0..=0x05EA
        | 0x0620..=0x064A
        | 0x0660..=0x0674
        | 0x0679..=0x06D5
        | 0x0900..=0x0957
        | 0x0E01..=0x0E32
        | 0x0E34..=0x0E5B
        | 0x2010
        | 0x2012..=0x2016
        | 0x2018..=0x2023
        | 0x3001..=0x3029
        | 0x3041..=0x3096
        | 0x30A1..=0x30FA
        | 0x30FB..=0x30FE
        | 0x4E00..=0x9FFF
        | 0xAC00..=0xD7A3
        | 0x1_F300..=0x1_FAFF => true,
        _ => false,
    }
}

/// Whether the script of a letter puts no spaces between words, so that words have no borders to look for.
pub(crate) fn is_unspaced(c: char) -> bool {
    matches!(u32::from(c),
        0x0E00..=0x0EFF | 0x1000..=0x109F | 0x1780..=0x17FF | 0x3005..=0x3007 | 0x3040..=0x30FF | 0x31F0..=0x31FF
        | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0xFF66..=0xFF9F | 0x2_0000..=0x3_FFFF)
}

/// `char::is_alphabetic`, quicker for the letters that most texts are made of.
pub(crate) fn is_letter(c: char) -> bool {
    match u32::from(c) {
        0..=0x7F => c.is_ascii_alphabetic(),
        0x00C0..=0x024F => !matches!(c, '×' | '÷'),
        0x0400..=0x0481
        | 0x048A..=0x052F
        | 0x0620..=0x064A
        | 0x3041..=0x3096
        | 0x30A1..=0x30FA
        | 0x4E00..=0x9FFF
        | 0xAC00..=0xD7A3 => true,
        0x2010..=0x2027 | 0x3000..=0x3003 => false,
        _ => c.is_alphabetic(),
    }
}

/// Whether a letter has no upper case, or is in lower case, as far as that can be told at a glance.
pub(super) fn is_lower(c: char) -> bool {
    matches!(u32::from(c),
        0x00DF..=0x00FF | 0x0430..=0x045F | 0x05D0..=0x109F | 0x2010..=0x2027 | 0x2E80..=0xA63F | 0xAC00..=0xD7FF
        | 0x1_F300..=0x1_FAFF)
}

/// The letter of ASCII that this passes for; a digit where none looks like that digit.
pub(super) fn lookalike(c: char) -> Option<char> {
    if c.is_ascii() {
        return None;
    }
    let code = u32::from(c);
    if let Ok(at) = LOOKALIKES.binary_search_by_key(&code, |(code, _)| *code) {
        let read = char::from(LOOKALIKES[at].1);
        // What looks like a `3` is read like one.
        return Some(leet(read).unwrap_or(read));
    }
    // A Latin letter with accents is that letter.
    let mut first = None;
    if matches!(code, 0xC0..=0x24F | 0x1E00..=0x1EFF) {
        unicode_normalization::char::decompose_canonical(c, |part| {
            first.get_or_insert(part);
        });
    }
    first.filter(char::is_ascii_alphanumeric)
}

/// Whether a letter belongs to a script in which people write whole words that are no Latin ones.
pub(super) fn is_of_another_script(c: char) -> bool {
    matches!(u32::from(c), 0x0370..=0x1CFF | 0x1F00..=0x1FFF | 0x2C00..=0x2DFF | 0x2E80..=0xA6FF | 0xA800..=0xABFF
        | 0xAC00..=0xFAFF | 0xFB13..=0xFDFF | 0xFE70..=0xFEFF | 0x1_0000..=0x1_CFFF | 0x2_0000..=0x3_FFFF)
}

/// Whether a letter of another script is the very same to look at.
pub(super) fn is_same_to_look_at(c: char) -> bool {
    matches!(
        c,
        'а' | 'е'
            | 'о'
            | 'р'
            | 'с'
            | 'у'
            | 'х'
            | 'ѕ'
            | 'і'
            | 'ј'
            | 'ԁ'
            | 'ԛ'
            | 'ԝ'
            | 'һ'
            | 'ӏ'
            | 'ο'
            | 'ν'
            | 'α'
            | 'ι'
            | 'ρ'
            | 'υ'
    )
}

/// What digits and signs stand for inside words.
pub(super) fn leet(c: char) -> Option<char> {
    Some(match c {
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '6' | '9' => 'g',
        '7' | '+' => 't',
        '8' => 'b',
        '|' => 'l',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_can_be_searched() {
        assert!(LOOKALIKES.is_sorted_by(|a, b| a.0 < b.0));
        assert!(
            LOOKALIKES
                .iter()
                .all(|(code, letter)| char::from_u32(*code).is_some_and(|c| !c.is_ascii())
                    && letter.is_ascii_alphanumeric()
                    && !letter.is_ascii_uppercase())
        );
        for (c, letter) in [
            ('а', 'a'),
            ('é', 'e'),
            ('ø', 'o'),
            ('ᴄ', 'c'),
            ('🅰', 'a'),
            ('ο', 'o'),
            ('ế', 'e'),
        ] {
            assert_eq!(lookalike(c), Some(letter), "{c}");
        }
        assert_eq!(lookalike('д'), None);
        assert_eq!(lookalike('界'), None);
    }

    #[test]
    fn what_is_told_at_a_glance_is_so() {
        for c in (0..0x11_0000).filter_map(char::from_u32) {
            assert_eq!(is_letter(c), c.is_alphabetic(), "{:x}", u32::from(c));
            assert!(!is_lower(c) || c.to_lowercase().eq([c]), "{:x}", u32::from(c));
        }
    }

    #[test]
    fn what_is_called_plain_is_its_own_nfkc() {
        use unicode_normalization::UnicodeNormalization as _;
        for c in (0x80..0x3_0000).filter_map(char::from_u32).filter(|c| is_plain(*c)) {
            assert_eq!(c.nfkc().collect::<String>(), c.to_string(), "{:x}", u32::from(c));
        }
    }
}
