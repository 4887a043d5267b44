//! Under `on_invalid_bot = "quarantine"` a problem of one bot holds that bot alone.

use super::support::{entry, folder, load_in, load_text, write};

const QUARANTINE: &str = "[server]\non_invalid_bot = \"quarantine\"\n";

#[test]
fn a_bot_with_a_broken_entry_is_held_and_the_others_run() {
    let text = QUARANTINE.to_owned()
        + &entry("bad", "overlap = \"skpi\"\ntimeout_seconds = 0")
        + &entry("good", "");
    let loaded = load_text(&text).unwrap();
    let [bad, good] = &loaded.settings.bots[..] else {
        panic!("not two bots");
    };
    let reason = bad.quarantine.as_deref().unwrap();
    assert!(
        reason.contains(":6:11: actors[0].overlap: `skpi`"),
        "{reason}"
    );
    assert!(
        reason.contains(":7:19: actors[0].timeout_seconds: 0 is out of range"),
        "{reason}"
    );
    assert!(bad.schedule.is_some() && good.quarantine.is_none());
    assert_eq!(loaded.warnings.len(), 2);
}

#[test]
fn a_broken_bot_file_holds_every_bot_that_names_it() {
    let folder = folder(&(QUARANTINE.to_owned() + &entry("a", "") + &entry("b", "")));
    write(&folder, "bot.toml", "[actor]\nskills = [\n");
    let loaded = load_in(&folder, &[]).unwrap();
    for bot in &loaded.settings.bots {
        assert!(
            bot.quarantine.as_deref().unwrap().contains("bot.toml:"),
            "{bot:?}"
        );
    }
    assert_eq!(loaded.warnings.len(), 1, "{:?}", loaded.warnings);
}

#[test]
fn a_missing_bot_file_or_an_unreadable_schedule_holds_the_bot() {
    let text = QUARANTINE.to_owned()
        + "[[actors]]\nname = \"a\"\nconfig_file = \"nowhere.toml\"\nschedule = { type = \"Sometimes\" }\n";
    let loaded = load_text(&text).unwrap();
    let bot = &loaded.settings.bots[0];
    assert!(
        bot.quarantine
            .as_deref()
            .unwrap()
            .contains("there is no file")
    );
    assert_eq!(bot.schedule, None);
}

#[test]
fn problems_of_the_server_and_of_names_refuse_all_the_same() {
    for (text, part) in [
        (QUARANTINE.to_owned() + "x = 1\n", "server.x"),
        (
            QUARANTINE.to_owned() + &entry("no name", ""),
            "actors[0].name",
        ),
        (
            QUARANTINE.to_owned() + &entry("twin", "") + &entry("twin", ""),
            "line 4 already",
        ),
        (
            QUARANTINE.to_owned() + &entry("a", "channel_id = \"5\""),
            "there is no token",
        ),
        (QUARANTINE.to_owned() + "[[actors]]\nname = \n", "syntax"),
    ] {
        let problems = load_text(&text).unwrap_err().to_string();
        assert!(problems.contains(part), "{problems}");
    }
}
