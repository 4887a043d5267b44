//! A program that embeds the server, from its files to its end, with a skill and a platform of its own.

use std::{net::SocketAddr, path::Path, time::Duration};

use actor_server::{
    app::ActorServer,
    clock::Clock,
    config::{LoadInput, Settings, SkillCatalogue, load},
    domain::{outcome::Status, post::PostStatus},
    platforms::stub::StubPlatform,
    skills::SkillSet,
};
use serde_json::{Map, Value};
use tempfile::tempdir;

use super::{
    bots::deeds,
    stand::{AsConsole, Setting, Stand, becomes},
};

struct Known(SkillSet);

impl SkillCatalogue for Known {
    fn names(&self) -> Vec<String> {
        self.0.names().into_iter().map(str::to_owned).collect()
    }

    fn check(&self, skill: &str, settings: &Map<String, Value>) -> Vec<(String, String)> {
        self.0.check(skill, settings)
    }
}

fn settings(folder: &Path, deed: &str) -> Settings {
    let bot = format!("[actor]\nname = \"Bot\"\nskills = [\"{deed}\"]\n");
    let server = format!(
        "[server]\ndatabase_url = \"sqlite://{}/bots.db\"\n\
         [[actors]]\nname = \"bot\"\nconfig_file = \"bot.toml\"\n[actors.schedule]\ntype = \"Immediate\"\n",
        folder.display()
    );
    std::fs::write(folder.join("bot.toml"), bot).unwrap();
    std::fs::write(folder.join("server.toml"), server).unwrap();
    let loaded = load(LoadInput {
        file: folder.join("server.toml"),
        database_url: None,
        discord_token: None,
        environment: &|_| None,
        skills: &Known(deeds()),
        now: Clock::process().now(),
    });
    let mut settings = loaded.unwrap().settings;
    let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
    settings.http.api = Some(anywhere);
    settings.http.health = anywhere;
    settings.http.metrics = Some(anywhere);
    settings
}

#[actix_rt::test]
async fn a_bot_with_a_skill_of_its_own_posts_to_a_platform_of_its_own_once() {
    let (folder, platform) = (tempdir().unwrap(), StubPlatform::new());
    for _ in 0..2 {
        let builder = ActorServer::builder(settings(folder.path(), "post"));
        let builder = builder.skill(super::bots::Deed::Post);
        let server = builder
            .platform(AsConsole(platform.clone()))
            .build()
            .unwrap();
        let posted = becomes(1, || platform.delivered().len());
        server.run_until_stopped(posted).await.unwrap();
    }
    let stand = Stand::on(folder.path(), Setting::of([])).await;
    let rows = stand.env.store.ledger(None, 10).await.unwrap();
    assert_eq!((rows.len(), rows[0].status), (1, Status::Succeeded));
    let posts = stand.env.store.posts(None, 10).await.unwrap();
    assert_eq!((posts.len(), posts[0].status), (1, PostStatus::Sent));
    assert_eq!(platform.received().len(), 1);
}

#[actix_rt::test]
async fn a_server_that_is_told_to_stop_before_it_has_started_just_ends() {
    let folder = tempdir().unwrap();
    let server = ActorServer::builder(settings(folder.path(), "succeed"));
    let server = server.build().unwrap();
    server.run_until_stopped(async {}).await.unwrap();
    assert!(!folder.path().join("bots.db").exists());
}

#[actix_rt::test]
async fn a_server_that_was_built_and_never_run_is_let_go_of_in_async_code() {
    let folder = tempdir().unwrap();
    let server = ActorServer::builder(settings(folder.path(), "succeed"));
    drop(server.build().unwrap());
}

#[actix_rt::test]
async fn a_run_that_never_ends_does_not_keep_the_server_from_ending() {
    let folder = tempdir().unwrap();
    let mut settings = settings(folder.path(), "block");
    settings.server.shutdown_grace = Duration::from_millis(100);
    let builder = ActorServer::builder(settings).skill(super::bots::Deed::Block);
    let server = builder.build().unwrap();
    let soon = tokio::time::sleep(Duration::from_secs(1));
    server.run_until_stopped(soon).await.unwrap();
    let stand = Stand::on(folder.path(), Setting::of([])).await;
    let rows = stand.env.store.ledger(None, 10).await.unwrap();
    assert_eq!((rows.len(), rows[0].status), (1, Status::Abandoned));
}
