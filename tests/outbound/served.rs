//! The real binary: bots that bring things from outside and post them.

use crate::{
    PATIENCE, authority,
    receiver::{Meet, Receiver},
    server::{Home, retry},
};

fn server(allow_hosts: &str) -> String {
    let entry = |name: &str| {
        format!(
            "[[actors]]\nname = \"{name}\"\nconfig_file = \"{name}.toml\"\nschedule = {{ type = \"Immediate\" }}\nretry = {{ max_attempts = 1 }}\n"
        )
    };
    format!(
        "[server]\nshutdown_grace_seconds = 5\n[outbound]\nallow_hosts = [{allow_hosts}]\nallow_commands = [\"/bin/sh\"]\n{}{}",
        entry("asker"),
        entry("caller")
    )
}

fn home(allow_hosts: &str, url: &str) -> Home {
    let home = Home::new(&server(allow_hosts));
    home.write(
        "asker.toml",
        &format!(
            "[actor]\nskills = [\"http_request\", \"content_formatter\", \"content_posting\"]\n[skills.http_request]\nurl = \"{url}\"\n\
             into = \"content\"\n[skills.content_formatter]\ntemplate = \"{{{{ content.body }}}} {{{{ results.http_request.status }}}}\"\n"
        ),
    );
    home.write(
        "caller.toml",
        "[actor]\nskills = [\"command\", \"content_formatter\", \"content_posting\"]\n[skills.command]\nprogram = \"/bin/sh\"\n\
         args = [\"-c\", 'echo \"{\\\"content\\\": \\\"called [$ACTOR_SERVER_API_ADDR]\\\"}\"']\n",
    );
    home
}

#[test]
fn a_bot_posts_what_it_is_told_from_outside() {
    let receiver = Receiver::that(Meet::says(200, "told"));
    let url = receiver.url("/line").replace("127.0.0.1", "localhost");
    let home = home(&format!("\"{}\"", authority(&url)), &url);
    let _server = home.start();
    let posted = |bot: &str| home.posted(bot).pop();
    let all = retry(PATIENCE, || posted("asker").zip(posted("caller")));
    assert_eq!(all, Some(("told 200".to_owned(), "called []".to_owned())));
}

#[test]
fn a_bot_reaches_nobody_inside_by_default_and_its_run_says_why() {
    let receiver = Receiver::start();
    let url = receiver.url("/secret").replace("127.0.0.1", "localhost");
    let home = home("", &url);
    let server = home.start();
    let line = server.wait_for_log("its address is an internal one");
    assert!(!line.contains("secret"), "{line}");
    assert!(receiver.taken().is_empty());
}
