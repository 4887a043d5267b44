//! Both changes of the clocks of 2026 in two zones, lived through by the server: its clock is faked.

use std::{fs, path::PathBuf};

use chrono::{NaiveDateTime, TimeDelta};

use crate::{
    bots::{Bot, config},
    server::Home,
};

/// So long before a slot the server starts.
const BEFORE: TimeDelta = TimeDelta::seconds(4);

pub(crate) fn faketime() -> PathBuf {
    let folders = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    folders
        .map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"))
        .find(|library| library.exists())
        .expect("libfaketime; on Debian it is in the package `faketime`")
}

fn cron(name: &str, expression: &str, zone: &str, policy: &str) -> Bot {
    let schedule = format!("type = \"Cron\"\nexpression = \"{expression}\"\ntimezone = \"{zone}\"");
    Bot::new(name, &schedule).with(policy)
}

/// Bots of one zone: half-hourly ones, and ones at a fixed hour that the change concerns.
fn bots(zone: &str, hour: u32) -> Vec<Bot> {
    let fixed = format!("0 30 {hour} * * *");
    vec![
        cron("wild", "0 */30 * * * *", zone, ""),
        cron("utc", "0 */30 * * * *", "UTC", ""),
        cron("fixed", &fixed, zone, ""),
        cron(
            "skips",
            &fixed,
            zone,
            "dst_gap = \"skip\"\ndst_fold = \"second\"",
        ),
        cron("both", &fixed, zone, "dst_fold = \"both\""),
    ]
}

/// Starts shortly before each half hour with a clock that shows that time, lives through it, and compares every bot's slots
/// in the end. One of them is the moment of the change itself.
fn live_through(day: &str, halves: &[&str], bots: &[Bot], expected: &[(&str, &[&str])]) {
    let home = Home::new(&config(bots));
    let library = faketime();
    for (count, half) in halves.iter().enumerate() {
        let slot =
            NaiveDateTime::parse_from_str(&format!("{day} {half}"), "%Y-%m-%d %H:%M").unwrap();
        let start = (slot - BEFORE).format("@%Y-%m-%d %H:%M:%S").to_string();
        let server = home.start_with(&[
            ("LD_PRELOAD", library.to_str().unwrap()),
            ("FAKETIME", &start),
            ("TZ", "UTC"),
        ]);
        server.wait_for(half, |ledger| {
            let until = |slots: &[&str]| slots.iter().filter(|slot| **slot <= *half).count();
            ledger.with("utc", "succeeded").len() > count
                && expected
                    .iter()
                    .all(|(bot, slots)| ledger.with(bot, "succeeded").len() >= until(slots))
        });
        server.stop();
    }
    let ledger = home.ledger();
    for (bot, slots) in expected {
        let ran: Vec<String> = ledger
            .of(bot)
            .iter()
            .map(|row| row.slot().format("%H:%M").to_string())
            .collect();
        assert_eq!(&ran, slots, "{bot}\n{ledger}");
        assert_eq!(
            ledger.with(bot, "succeeded").len(),
            slots.len(),
            "{bot}\n{ledger}"
        );
    }
}

#[test]
fn new_york_goes_to_summer_time() {
    let slots: [(&str, &[&str]); 5] = [
        ("wild", &["07:00", "07:30"]),
        ("utc", &["07:00", "07:30"]),
        ("fixed", &["07:00"]),
        ("skips", &[]),
        ("both", &["07:00"]),
    ];
    live_through(
        "2026-03-08",
        slots[1].1,
        &bots("America/New_York", 2),
        &slots,
    );
}

#[test]
fn berlin_goes_to_summer_time() {
    let slots: [(&str, &[&str]); 5] = [
        ("wild", &["01:00", "01:30"]),
        ("utc", &["01:00", "01:30"]),
        ("fixed", &["01:00"]),
        ("skips", &[]),
        ("both", &["01:00"]),
    ];
    live_through("2026-03-29", slots[1].1, &bots("Europe/Berlin", 2), &slots);
}

#[test]
fn berlin_goes_back_to_winter_time() {
    let slots: [(&str, &[&str]); 5] = [
        ("wild", &["00:30", "01:00", "01:30"]),
        ("utc", &["00:30", "01:00", "01:30"]),
        ("fixed", &["00:30"]),
        ("skips", &["01:30"]),
        ("both", &["00:30", "01:30"]),
    ];
    live_through("2026-10-25", slots[1].1, &bots("Europe/Berlin", 2), &slots);
}

#[test]
fn new_york_goes_back_to_winter_time() {
    let slots: [(&str, &[&str]); 5] = [
        ("wild", &["05:30", "06:00", "06:30"]),
        ("utc", &["05:30", "06:00", "06:30"]),
        ("fixed", &["05:30"]),
        ("skips", &["06:30"]),
        ("both", &["05:30", "06:30"]),
    ];
    live_through(
        "2026-11-01",
        slots[1].1,
        &bots("America/New_York", 1),
        &slots,
    );
}
