//! Ten thousand bots are read in no time, good or bad.

use std::fmt::Write;

use tokio::time::Instant;

use super::support::{folder, load_in};

const BOTS: usize = 10_000;

fn server(policy: &str) -> String {
    let mut text = String::new();
    for n in 0..BOTS {
        let minute = n % 60;
        let _ = write!(
            text,
            "[[actors]]\nname = \"bot_{n}\"\nconfig_file = \"bot.toml\"\n{policy}\n[actors.schedule]\n\
             type = \"Cron\"\nexpression = \"{minute} * * * *\"\ntimezone = \"Europe/Berlin\"\n"
        );
    }
    text
}

#[test]
fn ten_thousand_bots_are_read_within_seconds_of_a_debug_build() {
    let folder = folder(&server("overlap = \"skip\""));
    let start = Instant::now();
    let loaded = load_in(&folder, &[]).unwrap();
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
    assert_eq!(loaded.settings.bots.len(), BOTS);
    eprintln!("{BOTS} bots were read in {:?}", start.elapsed());
}

#[test]
fn ten_thousand_problems_are_listed_within_seconds_of_a_debug_build() {
    let folder = folder(&server("overlpa = \"skip\""));
    let start = Instant::now();
    let problems = load_in(&folder, &[]).unwrap_err();
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
    assert_eq!(problems.iter().count(), BOTS);
}
