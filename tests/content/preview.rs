//! What `preview` shows, and that it leaves nothing behind.

use serde_json::{Value, json};

use crate::{Said, fine, home, refused, server::Home};

const BOT: &str =
    "[actor]\nname = \"Bot\"\nskills = [\"content_formatter\", \"content_posting\"]\n";

fn with_bot(bot: &str) -> Home {
    let home = home();
    home.write("post.toml", bot);
    home
}

#[test]
fn the_would_be_post_and_every_verdict_are_shown() {
    let home = with_bot(&format!(
        "{BOT}[skills.content_formatter]\ntemplate = \"Hi {{{{ content.body }}}}\\nfrom {{{{ bot.name }}}}\"\n"
    ));
    let shown = fine(&home, &["preview", "post", "--content", "you"]);
    assert!(
        shown.starts_with("post, as if run by hand now; nothing is posted or stored\n"),
        "{shown}"
    );
    for part in [
        "content_formatter  succeeded",
        "content_posting    succeeded",
        "would post to console stdout:\n  | Hi you\n  | from post\n  allowed_mentions: {\"parse\":[]}\n",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    home.write("item.json", "{\"body\": \"all\"}");
    let document = fine(
        &home,
        &["preview", "post", "--json", "--content", "@item.json"],
    );
    let document: Value = serde_json::from_str(&document).unwrap();
    assert_eq!(document["posts"][0]["body"], "Hi all\nfrom post");
    assert_eq!(
        (&document["status"], &document["held"]),
        (&json!("succeeded"), &Value::Null)
    );
    assert_eq!(document["skills"][1]["verdict"], "succeeded");
    // Neither a database nor anything else was made.
    assert!(!home.path("bots.db").exists());
}

#[test]
fn a_bot_with_nothing_to_say_and_one_that_fails_are_told_apart_by_the_exit_code() {
    let home = with_bot(BOT);
    let shown = fine(&home, &["preview", "post"]);
    assert!(shown.contains("it would post nothing\n"), "{shown}");
    home.write(
        "post.toml",
        &format!("{BOT}[skills.content_formatter]\ntemplate = \"{{{{ content.body }}}}\"\n"),
    );
    let said = Said::from(home.run(&["preview", "post"]));
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.out.contains("content_formatter  failed"), "{said:?}");
    assert!(
        said.out
            .contains("the run would have failed: content_formatter: "),
        "{said:?}"
    );
}

#[test]
fn an_unknown_bot_a_broken_one_and_a_file_that_is_not_there_are_wrong_usage() {
    let home = with_bot(BOT);
    let said = refused(&home, 2, &["preview", "psot"]);
    assert_eq!(
        said,
        "actor-server: there is no bot `psot`; did you mean `post`?\n"
    );
    refused(&home, 2, &["preview", "post", "--content", "@gone.json"]);
    refused(&home, 2, &["preview"]);
    home.write(
        "post.toml",
        "[actor]\nname = \"Bot\"\nskills = [\"nonsense\"]\n",
    );
    refused(&home, 2, &["preview", "post"]);
    home.configure(&format!(
        "[server]\non_invalid_bot = \"quarantine\"\n{}",
        crate::ONE_BOT
    ));
    let said = refused(&home, 2, &["preview", "post"]);
    assert!(
        said.contains("quarantine") && said.contains("nonsense"),
        "{said}"
    );
}

#[test]
fn a_preview_beside_a_server_stores_no_run_and_no_post_and_tells_of_a_hold() {
    let home = with_bot(&format!(
        "{BOT}[skills.content_formatter]\ntemplate = \"x\"\n"
    ));
    let server = home.start();
    fine(&home, &["preview", "post"]);
    server.stop();
    home.sql("UPDATE actor_server_state SET is_paused = 1, hold_kind = 'manual', hold_reason = 'holidays', hold_by = 'me'");
    let server = home.start();
    let shown = fine(&home, &["preview", "post"]);
    assert!(
        shown.contains("(the server does not run it now: manual: holidays)"),
        "{shown}"
    );
    let ledger = home.ledger();
    assert_eq!((ledger.posts.len(), home.posted("post").len()), (0, 0));
    server.stop();
}
