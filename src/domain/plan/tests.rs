use chrono::{DateTime, TimeDelta};

use super::*;
use crate::domain::{
    bot::{Behaviour, Target},
    schedule::{ScheduleKind, ScheduleSpec},
};

fn start() -> Instant {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

fn bot(name: &str, seconds: u32) -> Arc<Bot> {
    Arc::new(Bot {
        name: BotName::parse(name).unwrap(),
        enabled: true,
        quarantine: None,
        target: Target::default(),
        schedule: Some(ScheduleSpec {
            kind: ScheduleKind::Interval { seconds },
            starts_at: None,
            ends_at: None,
        }),
        policy: Policy::default(),
        behaviour: Arc::new(Behaviour::default()),
    })
}

fn by_name(bots: &[Arc<Bot>]) -> HashMap<BotName, Arc<Bot>> {
    let named = bots.iter().map(|bot| (bot.name.clone(), Arc::clone(bot)));
    named.collect()
}

fn stored(bots: &[Arc<Bot>]) -> HashMap<BotName, BotState> {
    let states = bots.iter().map(|bot| register(None, bot, start()).state);
    states.map(|state| (state.bot.clone(), state)).collect()
}

fn plan(
    stored: &HashMap<BotName, BotState>,
    at_work: Option<&[Arc<Bot>]>,
    wanted: &[Arc<Bot>],
) -> Plan {
    Comparison {
        stored,
        at_work: at_work.map(by_name).as_ref(),
        wanted: &by_name(wanted),
        now: start() + TimeDelta::seconds(90),
    }
    .plan()
}

fn kinds(plan: &Plan) -> Vec<(&str, ChangeKind)> {
    let changes = plan.changes.iter();
    changes
        .map(|change| (change.bot.as_str(), change.kind))
        .collect()
}

#[test]
fn bots_that_are_the_same_are_not_in_the_plan() {
    let bots = [bot("a", 60), bot("b", 60)];
    let again = [bot("a", 60), bot("b", 60)];
    for at_work in [Some(&bots[..]), None] {
        let plan = plan(&stored(&bots), at_work, &again);
        assert_eq!((plan.changes, plan.unchanged), (Vec::new(), 2));
    }
}

#[test]
fn bots_are_added_changed_and_removed() {
    let before = [bot("goes", 60), bot("stays", 60), bot("turns", 60)];
    let after = [bot("comes", 60), bot("stays", 60), bot("turns", 30)];
    for at_work in [Some(&before[..]), None] {
        let plan = plan(&stored(&before), at_work, &after);
        let expected = [
            ("comes", ChangeKind::Added),
            ("goes", ChangeKind::Removed),
            ("turns", ChangeKind::Changed),
        ];
        assert_eq!((kinds(&plan), plan.unchanged), (expected.into(), 1));
        let turns = &plan.changes[2];
        assert!(turns.keys.contains(&"schedule"), "{:?}", turns.keys);
        assert!(turns.is_to_be_stored());
        let (before, after) = turns.next_slots();
        assert_eq!((before.len(), after.len()), (5, 5));
        assert_eq!(after[1] - after[0], TimeDelta::seconds(30));
    }
}

#[test]
fn what_is_not_stored_is_told_only_of_bots_at_work() {
    let before = [bot("a", 60)];
    let mut slower = (*before[0]).clone();
    slower.policy.timeout = std::time::Duration::from_secs(1);
    slower.target = Target::Channel(7);
    let after = [Arc::new(slower)];
    let told = plan(&stored(&before), Some(&before), &after);
    assert_eq!(told.changes[0].keys, ["channel_id", "timeout_seconds"]);
    assert!(!told.changes[0].is_to_be_stored());
    assert_eq!(plan(&stored(&before), None, &after).unchanged, 1);
}

#[test]
fn a_bot_that_comes_back_is_added_and_keeps_its_grid() {
    let bots = [bot("a", 60)];
    let mut away = stored(&bots);
    for state in away.values_mut() {
        *state = retire(state, start()).state;
    }
    let plan = plan(&away, Some(&[]), &bots);
    assert_eq!(kinds(&plan), [("a", ChangeKind::Added)]);
    let state = &plan.changes[0].registration.state;
    assert_eq!((state.anchor, state.removed), (start(), false));
    assert_eq!(state.next_run, Some(start() + TimeDelta::seconds(120)));
}

#[test]
fn what_another_replica_has_stored_already_is_taken_up_without_a_write() {
    let (old, new) = ([bot("gone", 60), bot("turns", 60)], [bot("turns", 30)]);
    let mut by_the_other = stored(&old);
    for change in plan(&by_the_other.clone(), None, &new).changes {
        by_the_other.insert(change.bot, change.registration.state);
    }
    let plan = plan(&by_the_other, Some(&old), &new);
    let expected = [
        ("gone", ChangeKind::Removed),
        ("turns", ChangeKind::Changed),
    ];
    assert_eq!(kinds(&plan), expected);
    assert!(plan.changes.iter().all(|change| !change.is_to_be_stored()));
}
