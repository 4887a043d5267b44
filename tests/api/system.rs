//! The server itself from outside: its tree, its configuration.

use serde_json::json;

use super::{
    document::document,
    schema::problems,
    stand::{Api, home, resting},
};

#[test]
fn the_tree_shows_the_core_and_this_process() {
    let home = home(&resting("a", "quiet.toml"));
    let server = home.start();
    let api = Api::anonymous(&server);
    let shown = api.read("/api/v1/supervision");
    let document = document();
    let schema = &document["components"]["schemas"]["Supervision"];
    assert_eq!(problems(&document, schema, &shown), Vec::<String>::new());
    let actors: Vec<&str> = shown["actors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["name"].as_str().unwrap())
        .collect();
    for name in ["coordinator", "health_check", "persistence", "scheduler"] {
        assert!(actors.contains(&name), "{name} is not in {actors:?}");
    }
    assert_eq!(shown["replicas"].as_array().unwrap().len(), 1);
    server.stop();
}

#[test]
fn the_configuration_is_shown_without_secrets() {
    let home = home(&resting("a", "quiet.toml"));
    let server = home.start();
    let reader = Api::with_role(&home, &server, "readonly");
    let shown = reader.get("/api/v1/config");
    assert_eq!(shown.status, 200, "{shown:?}");
    assert!(shown.json().is_object());
    assert!(
        !shown.body.contains("dGhpcyBpcyBvbmx5"),
        "the secret is shown"
    );
    server.stop();
}

#[test]
fn a_reload_says_what_it_changed_and_a_bad_file_changes_nothing() {
    let home = home(&resting("a", "quiet.toml"));
    let server = home.start();
    let admin = Api::with_role(&home, &server, "admin");
    let two = resting("a", "quiet.toml") + &resting("b", "quiet.toml");
    home.configure(&two);
    let dry = admin.post("/api/v1/config/reload", &json!({ "dry_run": true }));
    assert_eq!(dry.status, 200, "{dry:?}");
    assert_eq!(admin.get("/api/v1/actors/b").status, 404);
    let real = admin
        .ask("POST", "/api/v1/config/reload", "application/json", "")
        .json();
    assert_eq!(real["message"], "Configuration reload triggered");
    assert_eq!(real["plan"]["added"][0]["actor"], "b", "{real}");
    assert_eq!(admin.get("/api/v1/actors/b").status, 200);
    home.configure(&format!(
        "{two}\n[server]\nnonsense = 1\ncheck_interval_seconds = \"x\"\n"
    ));
    let problem = admin
        .post("/api/v1/config/reload", &json!({}))
        .assert_problem(422);
    assert!(
        problem["errors"].as_array().unwrap().len() >= 2,
        "{problem}"
    );
    assert_eq!(admin.get("/api/v1/actors/b").status, 200);
    admin
        .post("/api/v1/breakers/nothing/reset", &json!({}))
        .assert_problem(404);
    server.stop();
}
