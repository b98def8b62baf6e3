//! What a word is: letters and digits in a row, without case and accents. Scripts that put no blanks between words are
//! cut into pairs of letters, so any part of two letters or more is found by the pairs it is made of.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Longer words are cut, in texts and in questions alike.
const LONGEST: usize = 64;

/// The words of a text, in order.
pub(crate) fn words(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut word = String::new();
    let mut run: Vec<char> = Vec::new();
    if text.is_ascii() {
        // The same without what no letter here needs: most of what is written, in a fraction of the time.
        for c in text.chars() {
            match c {
                'a'..='z' | '0'..='9' => word.push(c),
                'A'..='Z' => word.push(c.to_ascii_lowercase()),
                '\'' => {}
                _ => end(&mut word, &mut out),
            }
        }
        end(&mut word, &mut out);
        return out;
    }
    for c in text.nfkd().filter(|c| !is_combining_mark(*c) || is_voicing(*c)).nfc() {
        if is_unspaced(c) {
            end(&mut word, &mut out);
            run.push(c);
            continue;
        }
        pairs(&mut run, &mut out);
        if c.is_alphanumeric() {
            for lower in c.to_lowercase() {
                match lower {
                    'ß' => word.push_str("ss"),
                    'ø' => word.push('o'),
                    'ł' => word.push('l'),
                    'đ' => word.push('d'),
                    'ı' => word.push('i'),
                    'æ' => word.push_str("ae"),
                    'œ' => word.push_str("oe"),
                    lower if lower.is_alphanumeric() => word.push(lower),
                    _ => {}
                }
            }
        } else if !matches!(
            c,
            '\u{200b}'..='\u{200d}' | '\u{ad}' | '\u{2060}' | '\u{feff}' | '\'' | '\u{2019}'
        ) {
            end(&mut word, &mut out);
        }
    }
    end(&mut word, &mut out);
    pairs(&mut run, &mut out);
    out
}

/// One word, or one name, folded whole: for facets.
pub(crate) fn fold(text: &str) -> String {
    text.trim().to_lowercase()
}

fn end(word: &mut String, out: &mut Vec<String>) {
    if !word.is_empty() {
        out.push(word.chars().take(LONGEST).collect());
        word.clear();
    }
}

/// `日本語` is `日本`, `本語` and `語`: the last letter stands alone, so that it is found as the beginning of a pair too.
fn pairs(run: &mut Vec<char>, out: &mut Vec<String>) {
    out.extend((0..run.len()).map(|n| run[n..run.len().min(n + 2)].iter().collect()));
    run.clear();
}

/// Han, kana, Thai, Lao, Khmer, Myanmar: written without blanks. Hangul has them.
pub(crate) fn is_unspaced(c: char) -> bool {
    matches!(u32::from(c),
        0x0E01..=0x0EFF | 0x1000..=0x109F | 0x1780..=0x17FF | 0x3041..=0x30FF | 0x31F0..=0x31FF | 0x3400..=0x4DBF
        | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0x2_0000..=0x3_FFFF)
        && c.is_alphanumeric()
}

/// Marks that make another sound of a kana: taken away, `が` would be `か`.
fn is_voicing(c: char) -> bool {
    matches!(c, '\u{3099}' | '\u{309a}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_accents_do_not_count() {
        assert_eq!(words("Café CRÈME, straße Ærø!"), ["cafe", "creme", "strasse", "aero"]);
        assert_eq!(words("Привет, Йод"), ["привет", "иод"]);
        assert_eq!(
            words("don\u{2019}t a-b u@h.example"),
            ["dont", "a", "b", "u", "h", "example"]
        );
        assert_eq!(words("  \u{200b}\0 … "), [""; 0]);
    }

    #[test]
    fn what_is_quick_says_the_same() {
        let all: String = (0..128_u8).map(char::from).collect();
        for text in [&*all, "Don't A-b_c 7Up\u{7f}x", ""] {
            // The last one makes it go the long way, and is no word.
            assert_eq!(words(text), words(&format!("{text}…")), "{text:?}");
        }
    }

    #[test]
    fn unspaced_scripts_are_cut_into_pairs() {
        assert_eq!(words("日本語ok"), ["日本", "本語", "語", "ok"]);
        assert_eq!(words("がか"), ["がか", "か"]);
        assert_eq!(words("语"), ["语"]);
    }

    #[test]
    fn words_are_letters_and_digits_whatever_comes() {
        for text in ["\u{301}\u{301}", "a\u{301}b\"*'(", "İstanbul", "ﬁ ½ Ⅷ", "👩‍🚀x"] {
            for word in words(text) {
                assert!(
                    !word.is_empty() && word.chars().all(char::is_alphanumeric),
                    "{text}: {word}"
                );
            }
        }
    }
}
