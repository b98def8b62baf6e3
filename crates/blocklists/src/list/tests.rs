use proptest::prelude::*;

use super::{fires::joined, *};

fn suspending() -> Reading {
    Reading {
        default_severity: Some(Severity::Suspend),
        fields: vec![
            Field::RejectMedia,
            Field::RejectReports,
            Field::Obfuscate,
            Field::PublicComment,
            Field::PrivateComment,
        ],
        ..Reading::default()
    }
}

fn domains<'p>(parsed: &'p Parsed<'_>) -> Vec<&'p str> {
    parsed
        .rows
        .iter()
        .map(|row| match &row.name {
            Name::Plain(name) => &**name,
            Name::Hidden(hidden) => hidden.pattern.as_str(),
        })
        .collect()
}

fn stances(parsed: &Parsed<'_>) -> Vec<Stance> {
    parsed.rows.iter().map(|row| row.stance).collect()
}

/// Check 1.
#[test]
fn a_table_with_every_oddity_equals_its_plain_twin() {
    let odd = "\u{feff}#domain,#severity,#public_comment\r\nbad.social,suspend,\"spam, hate\"\r\nworse.social,silence,\"said \"\"no\"\"\"\r\n";
    let plain =
        "domain,severity,public_comment\nbad.social,suspend,\"spam, hate\"\nworse.social,silence,\"said \"\"no\"\"\"\n";
    let (odd, plain) = (parse(odd, &suspending()).unwrap(), parse(plain, &suspending()).unwrap());
    assert_eq!(odd.rows, plain.rows);
    assert_eq!(odd.rows[0].public_comment, "spam, hate");
    assert_eq!(odd.rows[1].public_comment, "said \"no\"");
    let tabs = parse(
        "domain\tseverity\tpublic_comment\nbad.social\tsuspend\tspam, hate\n",
        &suspending(),
    )
    .unwrap();
    assert_eq!((tabs.format, &tabs.rows[0]), (Format::Tsv, &plain.rows[0]));
    let semicolons = parse(
        "domain;severity;public_comment\nbad.social;suspend;spam, hate\n",
        &suspending(),
    )
    .unwrap();
    assert_eq!(semicolons.rows[0], plain.rows[0]);
}

/// Check 2.
#[test]
fn words_for_severities_and_one_that_is_none() {
    let text = "domain,severity\na.social,limit\nb.social,Suspend\nc.social,SILENCE\nd.social,banish\n";
    let parsed = parse(text, &Reading::default()).unwrap();
    let silence = Stance::Block(Severity::Silence);
    assert_eq!(stances(&parsed), [silence, Stance::Block(Severity::Suspend), silence]);
    assert_eq!(parsed.bad, 1);
    let fault = &parsed.faults[0];
    assert_eq!((fault.line, fault.column, &*fault.text), (5, 10, "banish"));
}

/// Check 3.
#[test]
fn an_empty_severity_is_never_guessed() {
    let text = "domain,severity\na.social,\nb.social,suspend\n";
    let parsed = parse(text, &Reading::default()).unwrap();
    assert_eq!((domains(&parsed), parsed.bad), (vec!["b.social"], 1));
    let told = Reading {
        default_severity: Some(Severity::Silence),
        ..Reading::default()
    };
    assert_eq!(
        stances(&parse(text, &told).unwrap())[0],
        Stance::Block(Severity::Silence)
    );
    assert!(matches!(
        parse("domain\na.social\n", &Reading::default()),
        Err(ListError::AllBad { bad: 1, .. })
    ));
    let capped = Reading {
        max_severity: Severity::Silence,
        ..Reading::default()
    };
    assert_eq!(
        stances(&parse(text, &capped).unwrap()),
        [Stance::Block(Severity::Silence)]
    );
}

/// Check 4.
#[test]
fn damage_stays_in_its_row_and_a_broken_end_is_noticed() {
    let bytes = b"domain,severity,reject_media,public_comment\nshort.social\nnul.social,suspend,true,a\0b\nutf.social,suspend,true,\xff\xfe\nok.social,suspend,true,fine\n";
    let text = decode(bytes);
    let parsed = parse(&text, &Reading::default()).unwrap();
    assert_eq!(domains(&parsed), ["ok.social"]);
    assert_eq!(
        parsed.faults.iter().map(|fault| fault.line).collect::<Vec<_>>(),
        [2, 3, 4]
    );
    let open = "domain,severity,public_comment\na.social,suspend,\"never closed\nb.social,suspend,x\n";
    assert!(matches!(parse(open, &Reading::default()), Err(ListError::Truncated(_))));
    assert!(matches!(
        parse("[{\"domain\":\"a.social\"", &suspending()),
        Err(ListError::Truncated(_))
    ));
}

#[test]
fn quoted_line_breaks_keep_the_count_of_lines() {
    let text = "domain,severity,public_comment\na.social,suspend,\"one\ntwo\"\nb.social,banish,\n";
    let parsed = parse(text, &suspending()).unwrap();
    assert_eq!(parsed.rows[0].public_comment, "one\ntwo");
    assert_eq!(parsed.faults[0].line, 4);
}

#[test]
fn an_odd_flag_says_nothing_and_costs_no_row() {
    let text = "domain,severity,reject_media,reject_reports\na.social,suspend,perhaps,YES\n";
    let parsed = parse(text, &Reading::default()).unwrap();
    assert_eq!(
        (parsed.rows[0].flags.reject_media, parsed.rows[0].flags.reject_reports),
        (None, Some(true))
    );
    assert_eq!((parsed.bad, parsed.notes[0].line), (0, 2));
}

/// Check 9. RapidBlock.
#[test]
fn rapidblock_in_both_its_forms() {
    for text in ["a.social\nb.social\n", "a.social\r\nb.social\r\n"] {
        let parsed = parse(text, &suspending()).unwrap();
        assert_eq!(
            (parsed.format, domains(&parsed)),
            (Format::Plain, vec!["a.social", "b.social"])
        );
    }
    let json = r#"{"@spec":"https://rapidblock.org/spec/v1/","blocks":{"a.social":{"isBlocked":true,"reason":"spam"},"b.social":{"isBlocked":false}}}"#;
    let parsed = parse(json, &Reading::default()).unwrap();
    assert_eq!(stances(&parsed), [Stance::Block(Severity::Suspend), Stance::Clear]);
    assert_eq!(parsed.rows[0].public_comment, "spam");
    let other = json.replace("spec/v1", "spec/v2");
    assert!(matches!(parse(&other, &Reading::default()), Err(ListError::Shape(_))));
}

/// Check 10. What is no list.
#[test]
fn garbage_is_never_read_as_a_list() {
    let tables = Reading {
        format: Format::Csv,
        ..suspending()
    };
    assert_eq!(
        parse("<!DOCTYPE html><html>not found</html>", &suspending()),
        Err(ListError::Html)
    );
    assert_eq!(parse("<html>a.social</html>", &tables), Err(ListError::Html));
    assert!(matches!(parse("[]", &tables), Err(ListError::Shape(_))));
    assert!(matches!(parse("{}", &tables), Err(ListError::Shape(_))));
    assert!(matches!(
        parse(&decode(b"\x1f\x8b\x08\x00abc"), &tables),
        Err(ListError::Shape(_))
    ));
    assert_eq!(parse(" \n", &tables), Err(ListError::Empty));
    let json = Reading {
        format: Format::Json,
        ..suspending()
    };
    assert!(matches!(parse("a.social\n", &json), Err(ListError::Shape(_))));
}

#[test]
fn the_answers_of_both_apis_are_read() {
    let admin = r#"[{"id":"1","domain":"a.social","severity":"silence","reject_media":true,"private_comment":"x","public_comment":null},
        {"id":"2","domain":7,"severity":"silence"}, {"domain":"b.social","severity":"banish"}]"#;
    let parsed = parse(admin, &suspending()).unwrap();
    assert_eq!((domains(&parsed), parsed.bad), (vec!["a.social"], 2));
    assert_eq!(
        (parsed.rows[0].flags.reject_media, &*parsed.rows[0].private_comment),
        (Some(true), "x")
    );
    let digest = crate::signature::sha256_hex(b"bad.social");
    let public = format!(r#"[{{"domain":"ba*.so****","digest":"{digest}","severity":"suspend","comment":"spam"}}]"#);
    let parsed = parse(&public, &Reading::default()).unwrap();
    let Name::Hidden(hidden) = &parsed.rows[0].name else {
        panic!()
    };
    assert_eq!(hidden.digest, Some(crate::signature::sha256(b"bad.social")));
    assert!(hidden.may_be("bad.social") && !hidden.may_be("mad.social"));
    assert_eq!(parsed.rows[0].public_comment, "spam");
}

/// Check 42. What a FIRES log says. Whose block it is, the plan decides.
#[test]
fn a_log_of_changes_says_what_its_newest_change_says() {
    let text = r#"{"@context":"x","type":"OrderedCollection","orderedItems":[
        {"id":"https://f.social/c/01","type":"Recommendation","entity":{"type":"Domain","value":"a.social"},"recommended_policy":"drop"},
        {"id":"https://f.social/c/02","type":"Recommendation","entityKind":"domain","entityKey":"b.social","recommendedPolicy":"filter","recommendedFilters":["reject-media"]},
        {"id":"https://f.social/c/03","type":"Recommendation","entityKind":"domain","entityKey":"c.social"},
        {"id":"https://f.social/c/04","type":"Advisory","entityKind":"domain","entityKey":"d.social","recommendedPolicy":"drop"},
        {"id":"https://f.social/c/05","type":"Recommendation","entityKind":"domain","entityKey":"e.social","recommendedPolicy":"reject"},
        {"id":"https://f.social/c/06","type":"Retraction","entityKind":"domain","entityKey":"e.social"},
        {"id":"https://f.social/c/07","type":"Tombstone"},
        {"id":"https://f.social/c/07","type":"Recommendation","entityKind":"domain","entityKey":"g.social","recommendedPolicy":"drop"},
        {"id":"https://f.social/c/08","type":"Recommendation","entityKind":"actor","entityKey":"@x@h.social","recommendedPolicy":"drop"}]}"#;
    let parsed = parse(text, &suspending()).unwrap();
    assert_eq!(parsed.format, Format::Fires);
    let said: Vec<_> = domains(&parsed).into_iter().zip(stances(&parsed)).collect();
    assert_eq!(
        said,
        [
            ("a.social", Stance::Block(Severity::Suspend)),
            ("b.social", Stance::Block(Severity::Silence)),
            ("c.social", Stance::Clear),
            ("d.social", Stance::Clear),
            ("e.social", Stance::Retracted),
        ]
    );
    assert_eq!(parsed.rows[1].flags.reject_media, Some(true));
}

#[test]
fn remarks_and_headers_are_no_rows() {
    let parsed = parse(
        "# made by hand\ndomain\na.social # spam\n\n! x\nb.social\n",
        &suspending(),
    )
    .unwrap();
    assert_eq!(domains(&parsed), ["a.social", "b.social"]);
    let parsed = parse(
        "# made by hand\n#domain,#severity\na.social,suspend\n# b.social,suspend\n",
        &suspending(),
    )
    .unwrap();
    assert_eq!((domains(&parsed), parsed.bad), (vec!["a.social"], 0));
    let bare = parse("a.social,silence,true,false,spam,false\n", &Reading::default()).unwrap();
    assert_eq!(bare.rows[0].stance, Stance::Block(Severity::Silence));
    assert_eq!(bare.rows[0].public_comment, "spam");
}

/// Lists as they are published, in small: what fuzzing begins with.
const SAMPLES: [&str; 5] = [
    "\u{feff}#domain,#severity,#reject_media,#reject_reports,#public_comment,#obfuscate\r\nbad.social,suspend,TRUE,FALSE,\"anti-lgbtq, \"\"hate\"\"\",false\r\naud.invalid,silence,,,iftas:canary;spam,true\r\nb\u{fc}cher.social,limit,no,yes,,\r\n",
    "# a list\nbad.social\n*.worse.social # why\n\nhttps://odd.social/about\n",
    r#"[{"domain":"ba*.so****","digest":"00","severity":"suspend","comment":null},{"domain":"b.social","severity":"silence","reject_media":true},"c.social"]"#,
    r#"{"@spec":"https://rapidblock.org/spec/v1/","publishedAt":"2022-12-29T18:40:02Z","blocks":{"a.social":{"isBlocked":true,"reason":"top100","tags":["x"]},"b.social":{"isBlocked":false}}}"#,
    r#"{"@context":"x","orderedItems":[{"id":"/c/1","type":"Recommendation","entityKey":"a.social","recommendedPolicy":"drop"},{"id":"/c/2","type":"Tombstone"},{"id":"/c/3","type":"Retraction","entityKey":"a.social"}],"next":"/p?since=3"}"#,
];

/// What a mishap puts into a text.
const SCRAPS: [&str; 14] = [
    "\"",
    "\"\"",
    ",",
    "\n",
    "\r\n",
    "\t",
    ";",
    "#",
    "\0",
    "\u{fffd}",
    "*",
    "xn--",
    "{\"a\":[",
    "\u{1f9a4}",
];

/// One mishap: where, how long, and what.
type Mishap = (prop::sample::Index, usize, usize, u8);

/// The sample after so many mishaps: cut out, doubled, overwritten, broken off.
fn mangled(sample: &str, mishaps: &[Mishap]) -> String {
    let mut text: Vec<char> = sample.chars().collect();
    for (place, length, scrap, kind) in mishaps {
        let at = place.index(text.len() + 1);
        let end = (at + length).min(text.len());
        match kind % 4 {
            0 => drop(text.drain(at..end)),
            1 => {
                let again: Vec<char> = text[at..end].to_vec();
                text.splice(at..at, again);
            }
            2 => drop(text.splice(at..end, SCRAPS[scrap % SCRAPS.len()].chars())),
            _ if length % 3 == 0 => text.truncate(at),
            _ => drop(text.splice(at..at, SCRAPS[scrap % SCRAPS.len()].chars())),
        }
    }
    text.into_iter().collect()
}

/// What breaks readers that look back: each is read in one go, or refused.
#[test]
fn nothing_makes_a_reader_slow() {
    const LONG: usize = 200_000;
    for piece in [
        "\"", ",", "\"\"", "\"a\",", "#", "*", "a.", "\n", "@", "://", "[", "{\"a\":", "xn--a.", "\u{fc}",
    ] {
        let text = piece.repeat(LONG / piece.len());
        for text in [
            text.clone(),
            format!("domain,severity\n{text}"),
            format!("a.social,suspend,\"{text}\"\n"),
        ] {
            for format in FORMATS {
                let _ = parse(&text, &Reading { format, ..suspending() });
            }
        }
    }
}

/// A few megabytes that would take gigabytes as values.
#[test]
fn nothing_makes_a_reader_large() {
    let reading = |format| Reading { format, ..suspending() };
    let many = format!("[{}{{}}]", "{\"\":0},".repeat(1_000_000));
    let error = parse(&many, &reading(Format::Json)).unwrap_err();
    assert!(
        matches!(&error, ListError::Shape(why) if why.contains("more values")),
        "{error}"
    );
    let row = "{\"domain\":\"bad.social\",\"severity\":\"suspend\",\"public_comment\":\"spam, hate\"},";
    let honest = format!("[{}", row.repeat(20_000));
    let honest = format!("{}]", honest.trim_end_matches(','));
    assert_eq!(parse(&honest, &reading(Format::Json)).unwrap().rows.len(), 20_000);
    // Columns beyond any list's are not kept, and cost the row nothing.
    let wide = format!("domain,severity\nbad.social,suspend{}\n", ",".repeat(100_000));
    assert_eq!(domains(&parse(&wide, &suspending()).unwrap()), ["bad.social"]);
}

/// What stands behind a closing quote ends at the delimiter of this table, and not at another's.
#[test]
fn only_its_own_delimiter_ends_a_cell() {
    let text = "domain,severity,public_comment,obfuscate\nbad.social,suspend,\"spam\"; worse.social,true\n";
    let parsed = parse(text, &suspending()).unwrap();
    assert_eq!((domains(&parsed), parsed.bad), (vec!["bad.social"], 0));
    assert_eq!(parsed.rows[0].public_comment, "spam; worse.social");
    assert_eq!(parsed.rows[0].flags.obfuscate, Some(true));
}

const FORMATS: [Format; 7] = [
    Format::Auto,
    Format::Csv,
    Format::Tsv,
    Format::Plain,
    Format::Json,
    Format::Rapidblock,
    Format::Fires,
];

proptest! {
    /// Lists that met with accidents on their way: nothing panics, what is read is a name, and what is not is placed.
    #[test]
    fn a_mangled_list_is_read_or_refused(
        sample in 0..SAMPLES.len(), mishaps in prop::collection::vec(any::<Mishap>().prop_map(|(at, length, scrap, kind)| (at, length % 40, scrap, kind)), 1..8),
    ) {
        let text = mangled(SAMPLES[sample], &mishaps);
        for format in FORMATS {
            let Ok(parsed) = parse(&text, &Reading { format, ..suspending() }) else { continue };
            for row in &parsed.rows {
                if let Name::Plain(name) = &row.name {
                    prop_assert_eq!(&crate::name::read(name).unwrap().name, &row.name);
                }
                prop_assert!(row.line >= 1);
            }
            prop_assert!(parsed.faults.len() <= parsed.bad);
            let most = u32::try_from(text.len()).unwrap() + 1;
            prop_assert!(parsed.faults.iter().chain(&parsed.notes).all(|it| (1..=most).contains(&it.line) && (1..=most).contains(&it.column)));
            let _ = feed(&text).map(|feed| joined(feed.items.clone(), feed.items));
        }
    }

    #[test]
    fn no_text_makes_a_reader_panic(text in "[\\PC\n\r\t\",;#\0]{0,300}", format in 0..7_usize) {
        let reading = Reading { format: FORMATS[format], ..suspending() };
        if let Ok(parsed) = parse(&text, &reading) {
            prop_assert!(!parsed.rows.is_empty());
        }
    }

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = parse(&decode(&bytes), &suspending());
    }

    #[test]
    fn no_json_makes_a_reader_panic(text in "[\\[\\]{}\":,a-z0-9@ ]{0,200}") {
        for format in [Format::Json, Format::Rapidblock, Format::Fires] {
            let _ = parse(&text, &Reading { format, ..suspending() });
        }
    }

    #[test]
    fn a_table_written_is_the_table_read(cells in prop::collection::vec("[a-z ,;\"\n]{0,12}", 1..6)) {
        let mut text = "domain,severity,public_comment\n".to_owned();
        for (n, cell) in cells.iter().enumerate() {
            text += &format!("d{n}.social,suspend,\"{}\"\n", cell.replace('"', "\"\""));
        }
        let parsed = parse(&text, &suspending()).unwrap();
        let read: Vec<&str> = parsed.rows.iter().map(|row| &*row.public_comment).collect();
        prop_assert_eq!(read, cells.iter().map(String::as_str).collect::<Vec<_>>());
    }
}
