//! The language of the search box: words, "phrases", beginnings*, -exclusions and `key:value` filters.

use chrono::{DateTime, Days, NaiveDate, Utc};
use store::archive::{
    Facet,
    search::{Filter, Term},
};

use crate::words::{fold, is_unspaced, words};

/// More parts are not looked for.
const MOST: usize = 32;

/// Reads what somebody typed. `key:value` narrows: `from:user@domain`, `kind:bookmark`, `login:server/me`, `lang:de`,
/// `has:image`, `is:direct`, `is:gone`, `tag:birds`, `since:2026-01-01`, `until:2026-02-01` (that day included). What
/// is no filter is looked for as words.
///
/// # Errors
/// One line that names the part and what would do.
pub fn parse(text: &str) -> Result<Filter, String> {
    let mut filter = Filter::default();
    for part in parts(text).into_iter().take(MOST) {
        if part.quoted || !narrow(&mut filter, &part)? {
            filter.terms.extend(term(&part));
        }
    }
    Ok(filter)
}

/// A word or phrase of a question.
#[derive(Debug, PartialEq, Eq)]
struct Part {
    text: String,
    not: bool,
    quoted: bool,
}

fn parts(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let not = rest.len() > 1 && rest.starts_with('-');
        rest = rest.strip_prefix('-').filter(|_| not).unwrap_or(rest);
        let (part, after, quoted) = match rest.strip_prefix('"') {
            Some(inside) => {
                let (part, after) = inside.split_once('"').unwrap_or((inside, ""));
                (part, after, true)
            }
            None => {
                let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
                (&rest[..end], &rest[end..], false)
            }
        };
        parts.push(Part {
            text: part.to_owned(),
            not,
            quoted,
        });
        rest = after.trim_start();
    }
    parts
}

fn term(part: &Part) -> Option<Term> {
    let prefix = !part.quoted && part.text.ends_with('*');
    let mut found = words(&part.text);
    // Pairs overlap, and the last letter of a run begins a pair wherever the run goes on.
    let unspaced = |word: &String| word.chars().all(is_unspaced);
    let mut open = prefix;
    if let Some(last) = found.last().filter(|word| unspaced(word)) {
        if found.len() > 1 && last.chars().count() == 1 && unspaced(&found[found.len() - 2]) {
            found.pop();
        } else {
            open = true;
        }
    }
    (!found.is_empty()).then_some(Term {
        words: found,
        prefix: open,
        not: part.not,
    })
}

/// Whether a part is a filter; then it is one now.
fn narrow(filter: &mut Filter, part: &Part) -> Result<bool, String> {
    let Some((key, value)) = part.text.split_once(':').filter(|(_, value)| !value.is_empty()) else {
        return Ok(false);
    };
    let value = value.trim_matches('"');
    let mut facet = |kind| {
        filter.facets.push(Facet {
            kind,
            value: fold(value),
        })
    };
    match key {
        "from" | "author" => {
            let acct = value.trim_start_matches('@');
            filter.facets.push(Facet {
                kind: 'a',
                value: fold(acct),
            });
        }
        "lang" | "language" => facet('l'),
        "has" | "media" => match value {
            "media" | "any" => filter.facets.push(Facet {
                kind: 'm',
                value: "any".to_owned(),
            }),
            "image" | "video" | "gifv" | "audio" | "poll" | "quote" | "unknown" => facet('m'),
            _ => {
                return Err(format!(
                    "{key}:{value}: there are media, image, video, gifv, audio, poll and quote"
                ));
            }
        },
        "tag" => filter.facets.push(Facet {
            kind: 't',
            value: fold(value.trim_start_matches('#')),
        }),
        "is" | "visibility" => match value {
            "gone" | "deleted" => filter.gone = Some(!part.not),
            "public" | "unlisted" | "private" | "direct" => facet('v'),
            _ => {
                return Err(format!(
                    "{key}:{value}: there are public, unlisted, private, direct and gone"
                ));
            }
        },
        "kind" | "in" => filter.kinds.push(kind(value)?.to_owned()),
        "login" => filter.logins.get_or_insert_default().push(value.to_owned()),
        "since" | "after" => filter.since = Some(day(key, value, false)?),
        "until" | "before" => filter.until = Some(day(key, value, key == "until")?),
        _ => return Ok(false),
    }
    if part.not && !matches!(value, "gone" | "deleted") {
        return Err(format!(
            "-{}: a filter cannot be turned round; exclude words instead",
            part.text
        ));
    }
    Ok(true)
}

/// Kinds of activities as people may call them.
fn kind(word: &str) -> Result<&'static str, String> {
    Ok(match word.trim_end_matches('s') {
        "post" | "own" | "statuse" => "post",
        "boost" | "reblog" => "boost",
        "favourite" | "favorite" | "like" => "favourite",
        "bookmark" => "bookmark",
        "mention" => "mention",
        "poll" => "poll",
        "conversation" | "direct" => "conversation",
        "parent" => "parent",
        "link" => "link",
        "thread" => "thread",
        "quote" => "quote",
        _ => {
            return Err(format!(
                "kind:{word}: there are post, boost, favourite, bookmark, mention, poll, conversation, parent, link, quote and thread"
            ));
        }
    })
}

fn day(key: &str, value: &str, next: bool) -> Result<DateTime<Utc>, String> {
    let day = value
        .parse::<NaiveDate>()
        .map_err(|_| format!("{key}:{value}: not a day; write it like 2026-01-31"))?;
    let day = if next {
        day.checked_add_days(Days::new(1)).unwrap_or(day)
    } else {
        day
    };
    Ok(day.and_time(chrono::NaiveTime::MIN).and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(text: &str) -> Vec<String> {
        let filter = parse(text).unwrap();
        let show = |t: Term| {
            format!(
                "{}{}{}",
                if t.not { "-" } else { "" },
                t.words.join("+"),
                if t.prefix { "*" } else { "" }
            )
        };
        filter.terms.into_iter().map(show).collect()
    }

    #[test]
    fn words_phrases_beginnings_and_exclusions() {
        assert_eq!(terms("Zwei  Wörter"), ["zwei", "worter"]);
        assert_eq!(
            terms("\"in a row\" -\"not this\" -nor begin*"),
            ["in+a+row", "-not+this", "-nor", "begin*"]
        );
        assert_eq!(terms("u@h.example a-b"), ["u+h+example", "a+b"]);
        assert_eq!(terms("\"open - * ( ) \u{0}"), ["open"]);
        assert_eq!(terms("- \"\" ** AND"), ["and"]);
    }

    #[test]
    fn unspaced_scripts() {
        assert_eq!(terms("日本語"), ["日本+本語"]);
        assert_eq!(terms("日本"), ["日本"]);
        assert_eq!(terms("日"), ["日*"]);
    }

    #[test]
    fn filters() {
        let filter =
            parse("from:@A@b.example kind:bookmarks has:image is:direct lang:de since:2026-01-01 until:2026-01-31 x")
                .unwrap();
        assert_eq!(filter.kinds, ["bookmark"]);
        let facets: Vec<_> = filter.facets.iter().map(|f| format!("{}{}", f.kind, f.value)).collect();
        assert_eq!(facets, ["aa@b.example", "mimage", "vdirect", "lde"]);
        assert_eq!(filter.until.unwrap().to_rfc3339(), "2026-02-01T00:00:00+00:00");
        assert!(parse("is:gone").unwrap().gone.unwrap() && !parse("-is:gone").unwrap().gone.unwrap());
        for odd in ["since:tuesday", "kind:x", "has:y", "-from:a", "is:z"] {
            assert!(parse(odd).is_err(), "{odd}");
        }
        assert_eq!(terms("https://a.example/x"), ["https+a+example+x"]);
    }
}
