use proptest::prelude::*;

use super::*;

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

proptest! {
    #[test]
    fn no_text_makes_a_reader_panic(text in "[\\PC\n\r\t\",;#\0]{0,300}", format in 0..7_usize) {
        let formats = [Format::Auto, Format::Csv, Format::Tsv, Format::Plain, Format::Json, Format::Rapidblock, Format::Fires];
        let reading = Reading { format: formats[format], ..suspending() };
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
