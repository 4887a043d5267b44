//! A test of the channels, and a server without any.

use actor_server::actors::{
    messages::{ControlError, Inspect, TestAlert},
    supervision::Child,
};

use super::desk::{Desk, Meet, Scripted};

fn webhook(script: impl IntoIterator<Item = Meet>) -> Scripted {
    Scripted::new("webhook", script)
}

#[actix_rt::test]
async fn a_test_asks_every_channel_at_once_and_says_what_each_answered() {
    let bad = Scripted::new("pagerduty", [Meet::Never]);
    let (good, broken) = (webhook([]), Scripted::new("discord", [Meet::Panic]));
    let desk = Desk::with(&[good.clone(), bad.clone(), broken.clone()]).await;
    // It needs no database.
    desk.server.line().away(true);
    let tested = desk.server.ask(TestAlert { channel: None }).await.unwrap();
    let said: Vec<(&str, Option<&str>)> = tested
        .iter()
        .map(|one| (one.channel.as_str(), one.error.as_deref()))
        .collect();
    let broke_off = Some("the attempt broke off");
    let refused = Some("no such key");
    assert_eq!(
        said,
        [
            ("webhook", None),
            ("pagerduty", refused),
            ("discord", broke_off)
        ]
    );
    assert_eq!(good.heard(), ["raised test"]);
    let channel = Some("webhook".to_owned());
    let tested = desk.server.ask(TestAlert { channel }).await.unwrap();
    assert_eq!(
        (tested.len(), good.heard().len(), bad.heard().len()),
        (1, 2, 1)
    );
    let channel = Some("carrier pigeon".to_owned());
    let refused = desk.server.ask(TestAlert { channel }).await;
    assert_eq!(
        refused,
        Err(ControlError::UnknownChannel("carrier pigeon".into()))
    );
}

#[actix_rt::test]
async fn without_channels_there_is_no_actor_and_nothing_to_test() {
    let desk = Desk::with(&[]).await;
    let refused = desk.server.ask(TestAlert { channel: None }).await;
    assert_eq!(refused, Err(ControlError::NoChannels));
    let tree = desk.server.ask(Inspect).await.children;
    assert!(tree.iter().all(|one| one.child != Child::Alert));
    desk.ended(3);
    assert_eq!(desk.open().await, Vec::<String>::new());
}
