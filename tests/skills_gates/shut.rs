//! A gate that cannot decide stays shut, whatever the rules say about the skills behind it.

use actor_server::{
    domain::{
        bot::{Behaviour, ExecutionRules, SkillSpec},
        outcome::{SkillStatus, Status},
    },
    skills::{Progress, SkillError, SkillSet, run_attempt},
};
use serde_json::{Value, json};

use super::{
    ideas,
    library::Library,
    run::{bot, settings},
    run_over,
};

fn spec(name: &str, value: Value) -> SkillSpec {
    SkillSpec {
        name: name.into(),
        enabled: true,
        settings: settings(value),
    }
}

#[tokio::test]
async fn nothing_is_posted_when_a_gate_fails_and_the_run_may_be_tried_again() {
    for gate in ["content_selection", "duplicate_check", "rate_limiting"] {
        let library = Library::troubled(SkillError::recoverable("the database is away"));
        let limit = match gate {
            "rate_limiting" => json!({ "max_posts_per_day": 1 }),
            _ => json!({}),
        };
        let behaviour = Behaviour {
            skills: vec![
                spec(gate, limit),
                spec("content_formatter", json!({ "template": "always" })),
                spec("content_posting", json!({})),
            ],
            execution: ExecutionRules {
                stop_on_unrecoverable: false,
                max_retries: 1,
                continue_on_error: true,
            },
            ..Behaviour::default()
        };
        let (bot, tables) = (bot(), ideas());
        let mut run = run_over(&bot, &tables, &library);
        if gate == "duplicate_check" {
            run.content = json!({ "body": "text" });
        }
        let skills = SkillSet::built_in();
        let outcome = run_attempt(&skills, &behaviour, run, &Progress::new()).await;
        assert_eq!(outcome.status, Status::Failed, "{gate}");
        assert!(outcome.recoverable, "{gate}");
        let behind: Vec<_> = outcome.skills.iter().skip(1).collect();
        for skill in behind {
            assert_eq!(skill.status, SkillStatus::Skipped, "{gate}: {skill:?}");
            let why = format!("nothing to post: {gate} failed");
            assert_eq!(skill.detail.as_deref(), Some(why.as_str()));
        }
        assert!(library.posts().is_empty(), "{gate}");
    }
}
