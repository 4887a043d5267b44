//! Posts, and the dead letters among them.

use actor_server::client::PostFilter;
use serde_json::json;

use crate::{
    answers::within,
    stand_in::{Answer, StandIn},
};

#[tokio::test]
async fn posts_are_listed_and_sent_again() {
    let server = StandIn::start();
    let post = |status: &str| {
        json!({"id": 7, "execution_id": 3, "task_id": "daily", "platform": "discord", "destination": "42",
            "status": status, "attempts": 3, "error_message": "503", "created_at": within(0)})
    };
    server.answer(
        "GET /api/v1/posts?actor=daily&status=dead&limit=5",
        Answer::json(&json!([post("dead")])),
    );
    server.answer("GET /api/v1/posts", Answer::json(&json!([])));
    server.answer("GET /api/v1/posts/7", Answer::json(&post("dead")));
    server.answer(
        "POST /api/v1/posts/7/resend",
        Answer::json(&post("pending")),
    );
    let client = server.client();
    let filter = PostFilter {
        actor: Some("daily".into()),
        status: Some("dead".into()),
        limit: Some(5),
        ..Default::default()
    };
    let posts = client.posts(&filter).await.unwrap();
    assert_eq!((posts[0].id, posts[0].execution_id), (Some(7), Some(3)));
    let mut pages = client.post_pages(PostFilter::default());
    assert!(pages.next().await.unwrap().is_none());
    let dead = client.stored_post(7).await.unwrap();
    assert_eq!(dead.error_message.as_deref(), Some("503"));
    let again = client.resend(7).await.unwrap();
    assert_eq!(again.status.as_deref(), Some("pending"));
}
