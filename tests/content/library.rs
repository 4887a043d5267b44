//! Programs around the server: the examples as they stand, and what a preview makes of skills of a program's own.

use std::{fs, future::Future, path::Path, time::Duration};

use actor_server::{
    app::{
        AppError, Program,
        preview::{PreviewWish, preview},
    },
    domain::{content::FeedLook, outcome::Status},
    platforms::stub::StubPlatform,
    skills::{RunContext, Skill, SkillError, Verdict},
};
use async_trait::async_trait;
use serde_json::{Map, Value};

use crate::server::DEADLINE;

#[path = "../../examples/own_platform.rs"]
#[allow(dead_code, reason = "its main function is for those who run it")]
mod own_platform;
#[path = "../../examples/own_skill.rs"]
#[allow(dead_code, reason = "its main function is for those who run it")]
mod own_skill;

/// The example's files, in a folder of their own, with listeners on any ports and a bot that runs at once.
fn files(example: &str, folder: &Path) -> String {
    let from = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("examples")
        .join(example);
    fs::copy(from.join("bot.toml"), folder.join("bot.toml")).unwrap();
    let server = fs::read_to_string(from.join("server.toml")).unwrap();
    let (database, there) = (format!("sqlite://data/{example}.db"), folder.display());
    assert!(server.contains(&database), "{server}");
    let server = server.replace(&database, &format!("sqlite://{there}/bots.db"));
    let listeners =
        "\n[http]\napi = \"127.0.0.1:0\"\nhealth = \"127.0.0.1:0\"\nmetrics = \"127.0.0.1:0\"\n";
    let server = server.replace("\n[[actors]]", &format!("{listeners}\n[[actors]]"));
    let server = server.replace("data/diary.txt", &format!("{there}/diary.txt"));
    fs::write(folder.join("server.toml"), server).unwrap();
    format!("{there}/server.toml")
}

async fn becomes(found: impl Fn() -> bool) {
    let end = tokio::time::Instant::now() + DEADLINE;
    while !found() {
        assert!(tokio::time::Instant::now() < end, "not in time");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn run(program: Program, until: impl Future<Output = ()>) {
    let server = program.build().unwrap();
    let system = actix_rt::System::new();
    system.block_on(server.run_until_stopped(until)).unwrap();
}

#[test]
fn the_text_of_an_own_skill_arrives_at_the_platform() {
    let (folder, platform) = (tempfile::tempdir().unwrap(), StubPlatform::new());
    let file = files("own_skill", folder.path());
    let program = own_skill::program(&file).platform(AsConsole(platform.clone()));
    run(program, becomes(|| !platform.delivered().is_empty()));
    let posts = platform.delivered();
    let body = &posts[0].message.body;
    assert!(body.starts_with("roller rolled "), "{body}");
}

#[test]
fn a_post_arrives_at_an_own_platform() {
    let folder = tempfile::tempdir().unwrap();
    let (file, diary) = (
        files("own_platform", folder.path()),
        folder.path().join("diary.txt"),
    );
    let written = || fs::read_to_string(&diary).unwrap_or_default();
    let program = own_platform::program(&file);
    run(program, becomes(|| written().ends_with('\n')));
    assert!(written().starts_with("writer: it is 20"), "{}", written());
}

#[test]
fn a_bot_may_name_an_own_platform_and_where_on_it_to_post() {
    let (folder, platform) = (tempfile::tempdir().unwrap(), StubPlatform::new());
    let file = files("own_platform", folder.path());
    let word = actor_server::platforms::ContentPoster::platform(&platform);
    let server = fs::read_to_string(&file).unwrap();
    let own = |line: &&str| line.starts_with("platform =") || line.starts_with("destination =");
    let others: Vec<&str> = server.lines().filter(|line| !own(line)).collect();
    let named = format!("name = \"writer\"\nplatform = \"{word}\"\ndestination = \"room 7\"");
    let server = others.join("\n");
    fs::write(&file, server.replace("name = \"writer\"", &named)).unwrap();
    let program = Program::new(&file).platform(platform.clone());
    run(program, becomes(|| !platform.delivered().is_empty()));
    assert_eq!(platform.delivered()[0].destination, "room 7");
}

#[test]
fn an_own_skill_or_platform_is_written_in_about_twenty_lines() {
    for (example, start) in [
        ("own_skill", "struct Dice"),
        ("own_platform", "struct Diary"),
    ] {
        let path = format!("{}/examples/{example}.rs", env!("CARGO_MANIFEST_DIR"));
        let source = fs::read_to_string(path).unwrap();
        let lines = source.lines().skip_while(|line| !line.starts_with(start));
        let lines = lines.take_while(|line| !line.starts_with("/// The program"));
        let count = lines.filter(|line| !line.is_empty()).count();
        assert!((10..=20).contains(&count), "{example}: {count} lines");
    }
}

#[test]
fn a_program_whose_files_are_broken_says_every_problem() {
    let folder = tempfile::tempdir().unwrap();
    let file = files("own_skill", folder.path());
    // Without the skill its name means nothing.
    let Err(error) = Program::new(&file).build() else {
        panic!("it was built")
    };
    assert!(matches!(&error, AppError::Configuration(_)), "{error}");
    assert!(
        error.to_string().contains("`dice` is not a known skill"),
        "{error}"
    );
    assert!(error.is_configuration());
}

/// The stub under the name of the platform that bots without a channel post to.
struct AsConsole(StubPlatform);

#[async_trait]
impl actor_server::platforms::ContentPoster for AsConsole {
    fn platform(&self) -> &'static str {
        "console"
    }

    async fn post(
        &self,
        post: &actor_server::domain::post::Post,
    ) -> Result<actor_server::platforms::Receipt, actor_server::platforms::PostFailure> {
        self.0.post(post).await
    }
}

/// Takes the name of the example's skill, and does one thing.
#[derive(Clone, Copy)]
enum Deed {
    Stops,
    Hangs,
    Spins,
    Panics,
    ReadsAFeed,
}

#[async_trait]
impl Skill for Deed {
    fn name(&self) -> &str {
        "dice"
    }

    async fn run(
        &self,
        run: &mut RunContext<'_>,
        _: &Map<String, Value>,
    ) -> Result<Verdict, SkillError> {
        match self {
            Self::Stops => Ok(Verdict::Stop("not today".into())),
            Self::Hangs => std::future::pending().await,
            Self::Spins => loop {
                std::thread::sleep(Duration::from_millis(10));
            },
            Self::Panics => panic!("on purpose"),
            Self::ReadsAFeed => {
                let item = actor_server::domain::import::read(
                    actor_server::domain::import::Format::Json,
                    br#"[{"key":"1","body":"entry"},{"key":"1","body":"entry"},{"key":"2","body":"late","not_before":"2096-01-01T00:00:00Z"}]"#,
                );
                let look = FeedLook {
                    table: "news".into(),
                    url: "https://example.com".into(),
                    state: Default::default(),
                    items: item.unwrap(),
                    at: run.now,
                };
                assert_eq!(run.shelf.take_feed(look).await?, 2);
                let wish = actor_server::domain::content::Selection {
                    bot: run.bot.clone(),
                    execution: run.execution,
                    tables: vec!["news".into()],
                    now: run.now,
                    limit: 10,
                    skip: Vec::new(),
                };
                let found = run.shelf.candidates(wish).await?;
                assert_eq!(found.len(), 1);
                run.content = serde_json::json!({ "body": found[0].item.body });
                Ok(Verdict::Done)
            }
        }
    }
}

fn previewed(deed: Deed) -> actor_server::app::preview::Preview {
    let folder = tempfile::tempdir().unwrap();
    let file = files("own_skill", folder.path());
    let server = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("[defaults]\ntimeout_seconds = 1\n{server}")).unwrap();
    let program = Program::new(&file).skill(deed);
    let settings = program.settings().unwrap();
    let wish = PreviewWish {
        bot: "roller".into(),
        content: Value::Null,
    };
    preview(&settings, Some(program.skills(&settings)), &wish).unwrap()
}

#[test]
fn a_gate_a_timeout_and_a_panic_have_their_words_in_a_preview() {
    for (deed, status, verdict, detail) in [
        (Deed::Stops, Status::Skipped, "stopped", "not today"),
        (Deed::Hangs, Status::TimedOut, "failed", "longer than 1 s"),
        (Deed::Spins, Status::TimedOut, "failed", "longer than 1 s"),
        (Deed::Panics, Status::Panicked, "failed", "on purpose"),
    ] {
        let preview = previewed(deed);
        assert_eq!(preview.status, status);
        let first = &preview.skills[0];
        assert_eq!(first.verdict, verdict);
        assert!(
            first.detail.as_deref().unwrap().contains(detail),
            "{first:?}"
        );
        assert_eq!((preview.skills.len(), preview.posts.len()), (3, 0));
        assert!(
            preview.skills[1..]
                .iter()
                .all(|skill| skill.verdict == "skipped")
        );
    }
}

#[test]
fn a_preview_chooses_from_what_its_feeds_have_just_brought_without_storing_it() {
    let preview = previewed(Deed::ReadsAFeed);
    assert_eq!(preview.status, Status::Succeeded, "{preview:?}");
    assert_eq!(preview.posts[0].body, "roller rolled entry");
}
