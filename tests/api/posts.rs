//! Posts from outside: listed, and sent again when they were given up.

use serde_json::{Value, json};

use super::{
    document::document,
    schema::problems,
    server::{DEADLINE, Server, retry},
    stand::{Api, home, resting},
};

fn ids(list: &Value) -> Vec<i64> {
    let posts = list.as_array().unwrap().iter();
    posts.map(|post| post["id"].as_i64().unwrap()).collect()
}

/// Triggers the bot so often, one run after the other.
fn posts(server: &Server<'_>, ann: &Api, bot: &str, count: usize) {
    for _ in 0..count {
        let path = format!("/api/v1/actors/{bot}/trigger");
        let run = ann.post(&path, &json!({})).json()["execution_id"]
            .as_i64()
            .unwrap();
        server.wait_for("the run has ended", |ledger| {
            let mut runs = ledger.rows.iter().filter(|row| row.id == run);
            runs.any(|row| row.completed_at.is_some())
        });
    }
}

#[test]
fn posts_are_listed_newest_first_and_what_was_given_up_is_sent_again() {
    let home = home(&(resting("a", "post.toml") + &resting("b", "post.toml")));
    let server = home.start();
    let ann = Api::with_role(&home, &server, "operator");
    posts(&server, &ann, "a", 3);
    posts(&server, &ann, "b", 1);
    server.stop();
    home.sql("UPDATE actor_server_posts SET status = 'dead', error_message = '503' WHERE id = 2");
    let server = home.start();
    let (api, eve) = (
        Api::anonymous(&server),
        Api::with_role(&home, &server, "readonly"),
    );
    let ann = Api::with_role(&home, &server, "operator");

    let all = api.read("/api/v1/posts");
    assert_eq!(ids(&all), [4, 3, 2, 1]);
    let document = document();
    for post in all.as_array().unwrap() {
        let schema = &document["components"]["schemas"]["Post"];
        assert_eq!(problems(&document, schema, post), Vec::<String>::new());
    }
    assert_eq!(all, Value::from(api.pages("/api/v1/posts?limit=3", || {})));
    assert_eq!(ids(&api.read("/api/v1/posts?actor=b&status=sent")), [4]);
    assert!(ids(&api.read("/api/v1/posts?actor=nobody")).is_empty());
    assert!(ids(&api.read("/api/v1/posts?actor=%00")).is_empty());
    let dead = api.read("/api/v1/posts?status=dead");
    assert_eq!(
        (ids(&dead), &dead[0]["error_message"]),
        (vec![2], &json!("503"))
    );
    for query in [
        "limit=0",
        "limit=501",
        "status=gone",
        "cursor=x",
        "unknown=1",
    ] {
        api.get(&format!("/api/v1/posts?{query}"))
            .assert_problem(400);
    }

    let resend = "/api/v1/posts/2/resend";
    api.post(resend, &json!({})).assert_problem(401);
    eve.post(resend, &json!({})).assert_problem(403);
    let again = ann.post(resend, &json!({})).json();
    assert_eq!(
        (&again["id"], &again["status"]),
        (&json!(2), &json!("pending"))
    );
    let sent = retry(DEADLINE, || {
        let post = api.read("/api/v1/posts/2");
        (post["status"] == "sent").then_some(post)
    });
    assert_eq!(sent.expect("the post goes out")["attempts"], 1);
    ann.post(resend, &json!({})).assert_problem(409);
    for id in ["99", "0", "x", "-1"] {
        api.get(&format!("/api/v1/posts/{id}")).assert_problem(404);
        ann.post(&format!("/api/v1/posts/{id}/resend"), &json!({}))
            .assert_problem(404);
    }
    let root = Api::with_role(&home, &server, "admin");
    let done = retry(DEADLINE, || {
        let trail = root.read("/api/v1/audit?action=resend_post");
        let rows = trail.as_array().unwrap().clone();
        rows.into_iter().find(|row| row["outcome"] == "ok")
    });
    let done = done.expect("an entry in the audit trail");
    assert_eq!(
        (&done["target"], &done["before"]["status"]),
        (&json!("2"), &json!("dead"))
    );
    server.stop();
}
