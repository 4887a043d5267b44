//! Several processes on one database: somebody is told once, whoever sees it.

use std::time::Duration;

use actor_server::actors::alarms::Alarm;

use super::{
    bots::bot,
    cluster::TestDatabase,
    desk::{Meet, Scripted, ended, rules, setting},
    server::Server,
    stand::eventually,
};

async fn process(database: &TestDatabase, channel: &Scripted) -> Server {
    let channels = [channel.clone()];
    let setting = setting(vec![bot("a", "succeed")], rules(&channels), &channels);
    Server::at(database.url(), setting).await
}

fn tell(server: &Server, alarm: Alarm) {
    let env = &server.stand.env;
    env.alarms.tell(env.clock.now(), alarm);
}

#[actix_rt::test]
async fn what_every_process_sees_is_told_once_and_so_is_its_end() {
    let database = TestDatabase::create();
    let channels = ["webhook"; 3].map(|name| Scripted::new(name, []));
    let mut servers = Vec::new();
    for channel in &channels {
        servers.push(process(&database, channel).await);
    }
    let all = || -> Vec<String> {
        let mut all: Vec<String> = channels.iter().flat_map(Scripted::heard).collect();
        all.sort();
        all
    };
    for open in [true, false] {
        for server in &servers {
            let dependency = "discord".into();
            tell(server, Alarm::Breaker { dependency, open });
        }
        let so_far = if open { 1 } else { 2 };
        eventually("somebody is told", || async {
            (all().len() == so_far).then_some(())
        })
        .await;
    }
    assert_eq!(
        all(),
        [
            "raised breaker_open/discord",
            "recovered breaker_open/discord"
        ]
    );
}

#[actix_rt::test]
async fn what_one_process_cannot_deliver_another_does_with_the_same_id() {
    let database = TestDatabase::create();
    let cut_off = Scripted::new("webhook", vec![Meet::Later(None); 1000]);
    let well = Scripted::new("webhook", []);
    let first = process(&database, &cut_off).await;
    tell(&first, ended("a", 3));
    cut_off.hears(&["raised failures/a"]).await;
    first.stop(Duration::from_secs(1)).await;
    let _second = process(&database, &well).await;
    well.hears(&["raised failures/a"]).await;
    assert_eq!(well.asked()[0], cut_off.asked()[0]);
}

#[actix_rt::test]
async fn a_process_learns_of_the_others_incidents_and_ends_them() {
    let database = TestDatabase::create();
    let channels = ["webhook"; 2].map(|name| Scripted::new(name, []));
    let first = process(&database, &channels[0]).await;
    let second = process(&database, &channels[1]).await;
    tell(&first, ended("a", 3));
    eventually("it is known everywhere", || async {
        // What changes nothing is not kept, so the end may be told again until it does.
        tell(&second, ended("a", 0));
        let all = channels.iter().flat_map(Scripted::heard);
        let over = all.filter(|one| one == "recovered failures/a").count();
        (over == 1).then_some(())
    })
    .await;
}
