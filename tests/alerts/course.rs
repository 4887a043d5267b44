//! The course of an incident, by tables of what happens when.

use actor_server::domain::alert::{
    AlertKind, BotAlerts, BotPattern, Cause, End, Ground, LastRun, Severity, Stage, begins, ends,
};
use actor_server::domain::{outcome::Status, run::ExecutionId};
use chrono::TimeDelta;

use super::book::{Story, all, at, failures, held, missed, rules, subject, told};

const NOBODY: [&str; 0] = [];
/// Stored, and nobody is told.
const QUIETLY: [&str; 1] = ["-"];

#[test]
fn failing_runs_are_told_once_from_the_threshold_on_and_their_end_too() {
    let mut story = Story::by(rules());
    assert_eq!(story.begins(&failures(2), 0), NOBODY);
    assert_eq!(story.begins(&failures(3), 60), all(Stage::Raised));
    assert_eq!(story.begins(&failures(4), 120), QUIETLY);
    assert_eq!((story.now().count, story.now().since), (4, at(60)));
    assert_eq!(
        story.ends(End::Recovered, 180),
        ["discord recovered", "webhook recovered"]
    );
    assert_eq!(story.ends(End::Recovered, 181), NOBODY);
}

#[test]
fn thresholds_are_the_bots_before_the_channels_before_the_general_one() {
    let mut rules = rules();
    rules.channels[0].after_failures = Some(2);
    rules.channels[1].after_failures = Some(4);
    let mut story = Story::by(rules.clone());
    assert_eq!(story.begins(&failures(1), 0), NOBODY);
    assert_eq!(story.begins(&failures(2), 1), ["webhook raised"]);
    assert_eq!(story.begins(&failures(3), 2), QUIETLY);
    assert_eq!(story.begins(&failures(4), 3), ["discord raised"]);
    let mut story = Story::by(rules);
    story.bot.after_failures = Some(1);
    assert_eq!(story.begins(&failures(1), 0), all(Stage::Raised));
}

#[test]
fn what_lasts_is_told_again_to_each_channel_in_its_own_time() {
    let mut rules = rules();
    rules.channels[0].remind = Some(TimeDelta::minutes(10));
    rules.channels[1].remind = None;
    let mut story = Story::by(rules);
    story.begins(&held(), 0);
    assert_eq!(story.passes(599), NOBODY);
    assert_eq!(story.passes(600), ["webhook reminder"]);
    assert_eq!(story.passes(601), NOBODY);
    assert_eq!(story.now().reminded_at, Some(at(600)));
    assert_eq!(story.passes(1200), ["webhook reminder"]);
}

#[test]
fn who_was_not_told_of_the_beginning_is_not_told_of_the_end() {
    let mut rules = rules();
    rules.channels[0].min_severity = Severity::Critical;
    let mut story = Story::by(rules);
    assert_eq!(story.begins(&held(), 0), ["discord raised"]);
    assert_eq!(story.ends(End::Recovered, 1), ["discord recovered"]);
}

#[test]
fn channels_choose_kinds_severities_bots_and_ends() {
    let team = |pattern| vec![BotPattern::parse(pattern).unwrap()];
    let kinds = vec![AlertKind::Missed];
    let mut all_told = rules();
    all_told.channels.truncate(1);
    let told = |change: &dyn Fn(&mut actor_server::domain::alert::ChannelRules)| {
        let mut rules = all_told.clone();
        change(&mut rules.channels[0]);
        Story::by(rules).begins(&held(), 0)
    };
    assert_eq!(told(&|_| {}), ["webhook raised"]);
    assert_eq!(told(&|channel| channel.on = kinds.clone()), QUIETLY);
    assert_eq!(
        told(&|channel| channel.min_severity = Severity::Critical),
        QUIETLY
    );
    assert_eq!(told(&|channel| channel.bots = team("other")), QUIETLY);
    assert_eq!(
        told(&|channel| channel.bots = team("dai*")),
        ["webhook raised"]
    );
    let mut story = Story::by(all_told);
    story.rules.channels[0].recoveries = false;
    story.begins(&held(), 0);
    assert_eq!(story.ends(End::Recovered, 1), QUIETLY);
}

#[test]
fn a_bot_may_be_mute_or_choose_its_channels() {
    let of = |bot: BotAlerts| {
        let mut story = Story::by(rules());
        story.bot = bot;
        story.begins(&held(), 0)
    };
    let channels = Some(vec!["discord".to_owned()]);
    let (default, mute) = (BotAlerts::default(), true);
    assert_eq!(
        of(BotAlerts {
            mute,
            ..default.clone()
        }),
        QUIETLY
    );
    assert_eq!(
        of(BotAlerts {
            channels,
            ..default
        }),
        ["discord raised"]
    );
}

#[test]
fn a_channel_of_some_bots_hears_nothing_of_what_is_about_no_bot() {
    let mut rules = rules();
    rules.channels[0].bots = vec![BotPattern::parse("*").unwrap()];
    let bot = BotAlerts::default();
    let ground = Ground {
        rules: &rules,
        bot: &bot,
        now: at(0),
    };
    let subject = actor_server::domain::alert::Subject::Dependency("discord".into());
    let step = begins(None, &subject, &Cause::BreakerOpen, ground).unwrap();
    let channels: Vec<&str> = step.tell.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(channels, ["discord"]);
}

#[test]
fn misses_are_one_incident_that_says_how_many_and_from_when_to_when() {
    let mut story = Story::by(rules());
    assert_eq!(story.begins(&missed(3, 100, 300), 400), all(Stage::Raised));
    assert_eq!(story.begins(&missed(1, 500, 500), 501), QUIETLY);
    let incident = story.now();
    assert_eq!(
        (incident.count, incident.title.as_str()),
        (4, "daily: 4 slots were missed")
    );
    let bot = BotAlerts::default();
    let ground = Ground {
        rules: &story.rules,
        bot: &bot,
        now: at(600),
    };
    let notice = told(ends(incident, End::Recovered, ground));
    assert_eq!(notice.title, "daily: slots run again");
    for part in [
        "2026-09-21T14:15:00Z to 2026-09-21T14:21:40Z",
        "4 slots",
        "3 min 20 s",
    ] {
        assert!(notice.detail.contains(part), "{part} in {}", notice.detail);
    }
}

#[test]
fn what_comes_and_goes_is_told_a_few_times_and_then_held_to_be_one_thing() {
    let mut story = Story::by(rules());
    let mut told = Vec::new();
    for round in 0..50 {
        told.extend(story.begins(&failures(3), round * 10));
        told.extend(story.ends(End::Recovered, round * 10 + 5));
    }
    told.retain(|what| what != "-");
    assert_eq!(told.len(), 2 * 7, "{told:?}");
    assert!(story.now().is_open() && story.now().memory.returns > 40);
    assert_eq!(story.passes(495 + 599), NOBODY);
    assert_eq!(
        story.passes(495 + 600),
        ["discord recovered", "webhook recovered"]
    );
    // After that it is a new trouble.
    assert_eq!(story.begins(&failures(3), 10_000), all(Stage::Raised));
    assert_eq!(story.now().memory.returns, 0);
}

#[test]
fn no_reminder_is_sent_of_what_is_being_watched_to_stay_calm() {
    let mut rules = rules();
    rules.channels[0].remind = Some(TimeDelta::minutes(1));
    let mut story = Story::by(rules);
    for round in 0..4 {
        story.begins(&failures(3), round);
        story.ends(End::Recovered, round);
    }
    assert!(story.now().memory.calm_since.is_some());
    assert_eq!(story.passes(300), NOBODY);
}

#[test]
fn a_superseded_incident_is_closed_where_it_would_stay_open_and_nowhere_else() {
    let mut story = Story::by(rules());
    story.begins(&failures(3), 0);
    let end = End::Superseded("The bot is held now.");
    assert_eq!(story.ends(end, 60), ["webhook recovered"]);
    assert!(!story.now().is_open());
    let title = format!("not followed any more: {}", story.now().title);
    assert_eq!(story.title, title, "nothing has become right");
}

#[test]
fn what_is_gone_for_good_is_over_however_often_it_came_back() {
    let mut story = Story::by(rules());
    for round in 0..10 {
        story.begins(&failures(3), round);
        story.ends(End::Recovered, round);
    }
    let end = End::Gone("The bot is not configured any more.");
    assert_eq!(
        story.ends(end, 11),
        ["discord recovered", "webhook recovered"]
    );
}

#[test]
fn a_channel_that_is_configured_no_more_is_not_told_of_the_end() {
    let mut story = Story::by(rules());
    story.begins(&held(), 0);
    story.rules.channels.remove(1);
    assert_eq!(story.ends(End::Recovered, 1), ["webhook recovered"]);
}

#[test]
fn a_notice_says_what_how_bad_since_when_and_where_to_read_on() {
    let mut rules = rules();
    rules.runbook_url = Some("https://example.org/runbooks".into());
    let error = Some("x".repeat(100_000));
    let last = Some(LastRun {
        execution: ExecutionId(7),
        status: Status::TimedOut,
        error,
    });
    let bot = BotAlerts::default();
    let ground = Ground {
        rules: &rules,
        bot: &bot,
        now: at(0),
    };
    let cause = Cause::Failures { in_a_row: 3, last };
    let notice = told(begins(None, &subject(), &cause, ground));
    assert_eq!(notice.incident, "failures/daily");
    assert_eq!(notice.title, "daily: 3 runs in a row have failed");
    assert_eq!((notice.severity, notice.since), (Severity::Warning, at(0)));
    assert!(
        notice
            .detail
            .starts_with("The last one, run 7, ended as timed_out: xxx")
    );
    assert_eq!(notice.detail.chars().count(), 2000);
    assert_eq!(
        notice.runbook.as_deref(),
        Some("https://example.org/runbooks/failures.md")
    );
}
