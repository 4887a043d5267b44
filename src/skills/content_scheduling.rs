//! A gate: posts go out in certain hours only, as the clocks on the wall of the bot's zone show them.

use async_trait::async_trait;
use chrono::NaiveTime;
use chrono_tz::Tz;
use serde_json::{Map, Value};

use super::{
    RunContext, SettingProblem, Skill, SkillError, Verdict,
    settings::{Reader, flag, wanted, zone},
    slots::slots,
};
use crate::domain::{wall, window::Window};

/// `content_scheduling`.
///
/// | setting | default | |
/// |---|---|---|
/// | `schedule_window_start` | `09:00` | the first minute in which posts go out |
/// | `schedule_window_end` | `17:00` | the first minute in which they do not any more; not after the start: on the next day |
/// | `randomize_within_window` | false | true: each day from one of the bot's slots in the window on |
/// | `timezone` | `UTC` | whose clocks |
#[derive(Clone, Copy, Debug)]
pub struct ContentScheduling;

impl ContentScheduling {
    /// The name in bot files.
    pub const NAME: &str = "content_scheduling";
}

const KEYS: [&str; 4] = [
    "schedule_window_start",
    "schedule_window_end",
    "randomize_within_window",
    "timezone",
];

struct Settings {
    window: Window,
    randomize: bool,
}

impl Settings {
    fn read(reader: &mut Reader<'_>) -> Self {
        let start = reader.value("schedule_window_start", time);
        let end = reader.value("schedule_window_end", end);
        Self {
            window: Window {
                start: start.unwrap_or_else(|| hour(9)),
                end: end.unwrap_or_else(|| hour(17)),
                zone: reader.value("timezone", zone).unwrap_or(Tz::UTC),
            },
            randomize: reader
                .value("randomize_within_window", flag)
                .unwrap_or_default(),
        }
    }
}

fn hour(hour: u32) -> NaiveTime {
    NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or_default()
}

/// A time of day, to the minute.
fn time(value: &Value) -> Result<NaiveTime, String> {
    let text = value.as_str().filter(|text| text.len() == 5);
    let time = text.and_then(|text| NaiveTime::parse_from_str(text, "%H:%M").ok());
    time.ok_or_else(|| wanted("a time of day such as \"09:00\"", value))
}

/// The same; the end of the day is the beginning of the next.
fn end(value: &Value) -> Result<NaiveTime, String> {
    match value.as_str() {
        Some("24:00") => Ok(NaiveTime::MIN),
        _ => time(value),
    }
}

#[async_trait]
impl Skill for ContentScheduling {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn shared(&self) -> &[&str] {
        &KEYS
    }

    fn guards_posting(&self) -> bool {
        true
    }

    fn check(&self, settings: &Map<String, Value>) -> Vec<SettingProblem> {
        let mut reader = Reader::new(settings, "").only(&KEYS);
        Settings::read(&mut reader);
        reader.problems()
    }

    async fn run(
        &self,
        run: &mut RunContext<'_>,
        settings: &Map<String, Value>,
    ) -> Result<Verdict, SkillError> {
        if let Some(idle) = run.idle() {
            return Ok(idle);
        }
        let mut reader = Reader::new(settings, "");
        let read = Settings::read(&mut reader);
        let read = reader.good(read)?;
        Ok(decide(run, &read))
    }
}

fn decide(run: &RunContext<'_>, settings: &Settings) -> Verdict {
    let Settings { window, randomize } = settings;
    let Some(day) = window.day(run.now) else {
        return Verdict::Stop(closed(window, run));
    };
    let slots = slots(run).filter(|_| *randomize);
    let chosen = randomize
        .then(|| window.choose(run.bot, day, slots.as_deref()))
        .flatten();
    match chosen.filter(|chosen| run.now < *chosen) {
        Some(chosen) => Verdict::Stop(format!(
            "it is {}; today's posts go out from {} on",
            wall::shown(window.zone, run.now),
            wall::shown(window.zone, chosen)
        )),
        None => Verdict::Done,
    }
}

fn closed(window: &Window, run: &RunContext<'_>) -> String {
    let (now, start, end) = (
        wall::shown(window.zone, run.now),
        window.start.format("%H:%M"),
        window.end.format("%H:%M"),
    );
    let next = window
        .opens_after(run.now)
        .map(|next| format!(", next from {} on", wall::shown(window.zone, next)));
    format!(
        "it is {now}; posts go out from {start} to {end}{}",
        next.unwrap_or_default()
    )
}
