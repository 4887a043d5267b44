//! A program that embeds the server with a gate of its own, and switches traces on.

use std::ffi::OsString;

use actor_server::{
    app::ActorServer,
    clock::Clock,
    config::{LoadInput, Settings, SkillCatalogue, load},
    skills::{RunContext, SettingProblem, Skill, SkillError, SkillSet, Verdict},
    telemetry::traces,
};
use async_trait::async_trait;
use serde_json::{Map, Value};
use tempfile::tempdir;

use crate::{
    collector::Collector,
    server::{DEADLINE, retry},
};

struct Gate;

#[async_trait]
impl Skill for Gate {
    fn name(&self) -> &str {
        "gate"
    }

    fn check(&self, _: &Map<String, Value>) -> Vec<SettingProblem> {
        Vec::new()
    }

    async fn run(
        &self,
        _: &mut RunContext<'_>,
        _: &Map<String, Value>,
    ) -> Result<Verdict, SkillError> {
        Ok(Verdict::Stop("enough for today".into()))
    }
}

struct Known(SkillSet);

impl SkillCatalogue for Known {
    fn names(&self) -> Vec<String> {
        self.0.names().into_iter().map(str::to_owned).collect()
    }

    fn check(&self, skill: &str, settings: &Map<String, Value>) -> Vec<(String, String)> {
        self.0.check(skill, settings)
    }
}

fn settings(folder: &std::path::Path) -> Settings {
    let bot = "[actor]\nname = \"Bot\"\nskills = [\"gate\", \"content_posting\"]\n";
    let server = format!(
        "[server]\ndatabase_url = \"sqlite://{}/bots.db\"\n[http]\napi = \"127.0.0.1:0\"\nhealth = \"127.0.0.1:0\"\nmetrics = \"127.0.0.1:0\"\n\
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
        skills: &Known(SkillSet::built_in().with(Gate)),
        now: Clock::process().now(),
    });
    loaded.unwrap().settings
}

#[actix_rt::test]
async fn a_run_that_a_gate_ends_is_skipped_and_no_error() {
    let (folder, collector) = (tempdir().unwrap(), Collector::start());
    let url = collector.url();
    let wanted = traces::Settings::read(&|name| match name {
        "OTEL_EXPORTER_OTLP_ENDPOINT" => Some(OsString::from(&url)),
        "OTEL_BSP_SCHEDULE_DELAY" => Some("50".into()),
        _ => None,
    });
    let on = traces::start(&wanted.unwrap().unwrap(), "me").unwrap();
    let server = ActorServer::builder(settings(folder.path())).skill(Gate);
    let server = server.build().unwrap();
    let arrived = actix_rt::task::spawn_blocking(move || {
        let is_run = |span: &crate::collector::Seen| span.name == "run";
        retry(DEADLINE, || {
            collector.spans().iter().any(is_run).then_some(())
        });
        collector
    });
    let mut found = None;
    let stop = async { found = Some(arrived.await.unwrap()) };
    server.run_until_stopped(stop).await.unwrap();
    drop(on);
    let trace = found.unwrap().trace_with("run", ("actor", "bot"));
    let run = trace.only("run");
    assert_eq!((run.says("outcome"), run.says("gate")), ("skipped", "gate"));
    assert!(
        trace.0.iter().all(|span| span.error.is_none()),
        "{trace:#?}"
    );
    let gate = trace.only("skill gate");
    assert_eq!(
        (gate.says("status"), gate.says("detail")),
        ("succeeded", "enough for today")
    );
    assert_eq!(trace.named("skill content_posting").len(), 0);
    assert_eq!(run.resource["service.instance.id"], "me");
}
