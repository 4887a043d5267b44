//! What is read, and what is said of what cannot be.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn problems(format: Format, text: &str) -> Vec<String> {
    read(format, text.as_bytes()).unwrap_err()
}

#[test]
fn one_object_an_array_and_lines_are_read_alike() {
    let item = json!({ "body": "hello", "tags": ["a", "b"], "metadata": { "n": 1 } });
    let one = read(Format::Json, item.to_string().as_bytes()).unwrap();
    let many = read(Format::Json, json!([item, item]).to_string().as_bytes()).unwrap();
    let lines = read(
        Format::JsonLines,
        format!("{item}\n\n{item}\r\n").as_bytes(),
    )
    .unwrap();
    assert_eq!(one.len(), 1);
    assert_eq!(many, lines);
    assert_eq!(many.first(), one.first());
    let first = one.into_iter().next().unwrap();
    assert_eq!((first.body.as_str(), first.priority), ("hello", 0.5));
    assert_eq!(first.tags, ["a", "b"]);
}

#[test]
fn a_table_is_read_by_its_column_names_and_empty_cells_say_nothing() {
    let text = "body,tags,priority,key,not_before\n\"one,\ntwo\",a; b,0.9,k,2026-03-01T00:00:00Z\nplain,,,,\n";
    let items = read(Format::Csv, text.as_bytes()).unwrap();
    let [first, second] = items.as_slice() else {
        panic!("{items:?}")
    };
    assert_eq!(first.body, "one,\ntwo");
    assert_eq!(first.tags, ["a", "b"]);
    assert_eq!((first.priority, first.key.as_deref()), (0.9, Some("k")));
    assert!(first.not_before.is_some());
    assert_eq!((second.priority, second.key.as_deref()), (0.5, None));
}

#[test]
fn a_bad_line_is_named_by_its_number_and_so_are_all_others() {
    let text = "{\"body\":\"a\"}\n\n{\"body\":3}\n{\"bdy\":\"x\"}\nnonsense";
    let found = problems(Format::JsonLines, text);
    let starts: Vec<&str> = found
        .iter()
        .map(|it| it.split(':').next().unwrap())
        .collect();
    assert_eq!(starts, ["line 3", "line 4", "line 5"]);
}

#[test]
fn every_problem_says_where_it_is_and_what_would_be_right() {
    for (format, text, expected) in [
        (
            Format::JsonLines,
            "{\"body\":3}",
            "line 1: `body` must be a text, not 3",
        ),
        (
            Format::JsonLines,
            "[1]",
            "line 1: an item must be an object with a `body`",
        ),
        (
            Format::JsonLines,
            "{\"bdy\":\"x\"}",
            "line 1: there is no field `bdy`; did you mean `body`?",
        ),
        (
            Format::JsonLines,
            "{\"body\":\"x\",\"Not-Before\":1}",
            "line 1: there is no field `Not-Before`; did you mean `not_before`?",
        ),
        (
            Format::JsonLines,
            "{\"body\":\"x\",\"expires_at\":\"tomorrow\"}",
            "line 1: `expires_at` must be a time such as 2027-01-31T08:00:00Z, not \"tomorrow\"",
        ),
        (
            Format::Json,
            "[{\"body\":\"x\"},{\"body\":\"x\",\"tags\":\"a\"}]",
            "item 2: `tags` must be a list of texts, not \"a\"",
        ),
        (
            Format::Csv,
            "body,priority\n\"a\nb\",0.5\n\nc,high\n",
            "line 5: `priority` must be a number from 0 to 1, not \"high\"",
        ),
        (
            Format::Csv,
            "body,priority\nc,nan\n",
            "line 2: `priority` must be a number from 0 to 1, not \"nan\"",
        ),
        (
            Format::Csv,
            "body,tag\nx,red\n",
            "line 1: there is no column `tag`; did you mean `tags`?",
        ),
        (
            Format::Csv,
            "body,colour\nx,red\n",
            "line 1: there is no column `colour`; known are key, title, body, source, tags, priority, not_before, expires_at, media, metadata",
        ),
        (
            Format::Csv,
            "body,body\nx,y\n",
            "line 1: there are two columns `body`",
        ),
        (
            Format::Csv,
            "title\nx\n",
            "line 1: there is no column `body`",
        ),
        (
            Format::Csv,
            "body;title\nx;y\n",
            "line 1: there is one column; separate columns by commas",
        ),
        (
            Format::Csv,
            "body\na,b\n",
            "line 2: there are 2 cells for 1 columns",
        ),
        (
            Format::Csv,
            "body\nx\n\"open\nand so on\n",
            "line 3: a quote is opened, and not closed again",
        ),
        (
            Format::Csv,
            "body\n\"a\"b\n",
            "line 2: there is text behind a closing quote; double a quote that is text",
        ),
        (
            Format::Csv,
            "body,metadata\nx,[1]\n",
            "line 2: `metadata` must be a JSON object, not \"[1]\"",
        ),
    ] {
        assert_eq!(problems(format, text), [expected], "{text}");
    }
}

#[test]
fn marks_of_windows_are_no_part_of_the_text_and_other_encodings_are_named() {
    for (format, text) in [
        (Format::Json, "\u{feff}{\"body\":\"ä\"}\r\n"),
        (Format::JsonLines, "\u{feff}{\"body\":\"ä\"}\r\n\r\n"),
        (Format::Csv, "\u{feff}body\r\nä\r\n"),
        (Format::Csv, "\u{feff}\"body\"\r\n\"ä\""),
    ] {
        let items = read(format, text.as_bytes()).unwrap();
        assert_eq!(items[0].body, "ä", "{text:?}");
    }
    let cut = read(
        Format::JsonLines,
        b"{\"body\":\"x\"}\n{\"body\":\"\xe4\"}\n",
    )
    .unwrap_err();
    assert_eq!(cut, ["line 2: byte 10 is no UTF-8"]);
    let wide = read(Format::Csv, b"\xff\xfeb\0o\0d\0y\0").unwrap_err();
    assert_eq!(wide, ["line 1: the text is UTF-16; save it as UTF-8"]);
}

#[test]
fn no_line_takes_more_memory_than_a_line_may() {
    let long = "x".repeat(lines::LONGEST + 1);
    for format in [Format::JsonLines, Format::Csv] {
        assert_eq!(problems(format, &long), ["line 1: it is longer than 8 MiB"]);
    }
    let rows = format!("body\n\"{}", "x\n".repeat(lines::LONGEST / 2 + 1));
    let expected = "line 2: a quote is opened, and not closed again within 8 MiB";
    assert_eq!(problems(Format::Csv, &rows), [expected]);
}

#[test]
fn a_file_is_known_by_its_name() {
    for (name, format) in [
        ("a.JSONL", Some(Format::JsonLines)),
        ("dir.csv/a.ndjson", Some(Format::JsonLines)),
        ("a.csv", Some(Format::Csv)),
        ("a.json", Some(Format::Json)),
        ("-", None),
        ("a.txt", None),
    ] {
        assert_eq!(Format::of_file(name), format, "{name}");
    }
}

#[test]
fn what_cannot_be_an_item_is_refused() {
    for text in [
        "",
        "[]",
        "3",
        "[3]",
        "null",
        "{}",
        r#"{"body":" "}"#,
        r#"{"body":"a\u0000"}"#,
        r#"{"body":"a","metadata":{"x":["\u0000"]}}"#,
        r#"{"body":"a","metadata":3}"#,
        r#"{"body":"a","priority":1.1}"#,
        r#"{"body":"a","priority":-1}"#,
        r#"{"body":"a","key":""}"#,
        r#"{"body":"a","not_before":"2026-03-02T00:00:00Z","expires_at":"2026-03-01T00:00:00Z"}"#,
    ] {
        assert!(read(Format::Json, text.as_bytes()).is_err(), "{text}");
    }
    for format in [Format::JsonLines, Format::Csv] {
        assert!(read(format, b"\n").is_err());
    }
}

#[test]
fn a_wholly_wrong_file_is_told_in_twenty_lines() {
    assert_eq!(
        problems(Format::JsonLines, &"x\n".repeat(1000)).len(),
        PROBLEMS
    );
}

fn texts() -> impl Strategy<Value = String> {
    let odd = proptest::sample::select(vec![
        "\"", ",", ";", "\n", "\r\n", "\r", " ", "[", "]", "'", "=", "a", "ü", "🦀", "\\",
        "\u{feff}", "null",
    ]);
    proptest::collection::vec(odd, 0..8).prop_map(|parts| parts.concat())
}

fn filled() -> impl Strategy<Value = String> {
    texts().prop_filter("blank", |text| !text.trim().is_empty())
}

prop_compose! {
    fn any_item()(
        key in filled(),
        title in proptest::option::of(filled()),
        body in filled(),
        source in proptest::option::of(filled()),
        tags in proptest::collection::vec(texts(), 0..4),
        // With more than 15 digits a JSON number may come back as its neighbour.
        priority in (0..=1000_u32).prop_map(|parts| f64::from(parts) / 1000.0),
        times in proptest::option::of((0_i64..4_000_000_000, 1_i64..1_000_000)),
        media in proptest::collection::vec(texts(), 0..3),
        metadata in proptest::collection::btree_map(texts(), texts(), 0..3),
    ) -> ContentItem {
        let moment = |at: i64| chrono::DateTime::from_timestamp_micros(at * 1000 + 1);
        ContentItem {
            key: Some(key),
            title,
            body,
            source,
            tags,
            priority,
            not_before: times.and_then(|(at, _)| moment(at)),
            expires_at: times.and_then(|(at, more)| moment(at + more)),
            media,
            metadata: json!(metadata),
        }
    }
}

proptest! {
    #[test]
    fn what_is_written_down_is_read_again_as_it_was(items in proptest::collection::vec(any_item(), 1..5)) {
        for format in [Format::JsonLines, Format::Csv] {
            let written = Written::in_format(format);
            let lines = items.iter().map(|item| written.line(item));
            let text = written.head() + &lines.collect::<String>();
            prop_assert_eq!(read(format, text.as_bytes()).unwrap(), items.clone(), "{}", text);
        }
    }

    #[test]
    fn a_table_is_understood_as_other_programs_write_it(bodies in proptest::collection::vec((filled(), filled()), 1..5)) {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(["title", "body"]).unwrap();
        for (title, body) in &bodies {
            writer.write_record([title, body]).unwrap();
        }
        let text = writer.into_inner().unwrap();
        let items = read(Format::Csv, &text).unwrap();
        let read: Vec<_> = items.into_iter().map(|item| (item.title.unwrap(), item.body)).collect();
        prop_assert_eq!(read, bodies);
    }

    #[test]
    fn no_text_breaks_the_reader(text in proptest::collection::vec(any::<u8>(), 0..200), start in 0_usize..3) {
        let start = ["", "body\n", "body,title\n\""][start];
        let text = [start.as_bytes(), &text].concat();
        for format in [Format::Json, Format::JsonLines, Format::Csv] {
            if let Err(problems) = read(format, &text) {
                prop_assert!(!problems.is_empty());
            }
        }
    }
}
