//! No text may make the loader panic, and none may keep it busy.

use std::fs;

use proptest::prelude::*;

use super::support::{folder, load_in, write};

/// The server file of the shipped configuration, over one bot file.
fn shipped() -> String {
    let text = fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/config/actor_server.toml"
    ))
    .unwrap();
    text.replace("actors/", "")
        .replace("ticker.toml", "bot.toml")
}

fn load_both(server: &[u8], bot: &[u8]) {
    let folder = folder("");
    write(&folder, "server.toml", server);
    write(&folder, "bot.toml", bot);
    if let Err(problems) = load_in(&folder, &[]) {
        let text = problems.to_string();
        assert!(
            text.lines().count() == problems.iter().count() + 1,
            "a problem of several lines: {text}"
        );
    }
}

/// Some bytes replaced by others.
fn mutate(text: &str, edits: &[(prop::sample::Index, u8, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for (at, removed, added) in edits {
        let start = at.index(bytes.len() + 1);
        let end = bytes.len().min(start + usize::from(*removed));
        bytes.splice(start..end, added.iter().copied());
    }
    bytes
}

fn edits() -> impl Strategy<Value = Vec<(prop::sample::Index, u8, Vec<u8>)>> {
    let syntax = prop::sample::select(b"[]{}\"'=.,#\n\\${}-:0a\xc3\xff\0".to_vec());
    let added = prop::collection::vec(prop_oneof![syntax, any::<u8>()], 0..4);
    prop::collection::vec((any::<prop::sample::Index>(), 0u8..6, added), 1..8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_damaged_server_file_is_read_or_refused(edits in edits()) {
        load_both(&mutate(&shipped(), &edits), super::support::GOOD_BOT.as_bytes());
    }

    #[test]
    fn a_damaged_bot_file_is_read_or_refused(edits in edits()) {
        load_both(shipped().as_bytes(), &mutate(super::support::GOOD_BOT, &edits));
    }

    #[test]
    fn any_value_in_place_of_any_other_is_read_or_refused(
        line in 0usize..200,
        value in prop::sample::select(vec![
            "-1", "0", "9223372036854775807", "-9223372036854775808", "1e308", "inf", "nan", "\"\"", "''", "true",
            "[]", "{}", "[[]]", "[{}]", "{a={}}", "1979-05-27T07:32:00Z", "\"${\"", "\"\\u0000\"", "\"🦀\"",
            "\"9999-12-31T23:59:59Z\"", "\"@yearly\"", "4294967295",
        ]),
    ) {
        let text = shipped();
        let lines: Vec<String> = text
            .lines()
            .enumerate()
            .map(|(n, text)| match text.split_once('=') {
                Some((key, _)) if n == line => format!("{} = {value}", key.trim_start_matches("# ")),
                _ => text.to_owned(),
            })
            .collect();
        load_both(lines.join("\n").as_bytes(), super::support::GOOD_BOT.as_bytes());
    }
}

#[test]
fn deep_nesting_and_floods_of_mistakes_are_refused_soon() {
    load_both(format!("a = {}", "[".repeat(500_000)).as_bytes(), b"");
    load_both("=\n".repeat(300_000).as_bytes(), b"");
    load_both("[a.".repeat(100_000).as_bytes(), b"");
    load_both("x = 1\n".repeat(300_000).as_bytes(), b"");
}
