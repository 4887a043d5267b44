//! What `content_formatter` makes of content and templates.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected has failed"
)]

#[path = "support/formatter.rs"]
mod formatter;
#[path = "support/run.rs"]
mod run;

use actor_server::{
    domain::content::ItemUse,
    skills::{Skill, Verdict, content_formatter::ContentFormatter},
};
use formatter::{by, error, format, format_event, problems, text};
use serde_json::{Value, json};

#[test]
fn without_settings_the_body_is_the_text() {
    assert_eq!(
        text(json!({}), json!({ "body": "Good morning" })),
        "Good morning"
    );
    let (_, message) = format(json!({}), json!({ "body": "x" })).unwrap();
    assert_eq!(message.unwrap().options, json!({}));
    assert_eq!(problems(json!({})), [""; 0]);
}

#[test]
fn templates_know_the_run() {
    let content = json!({ "body": "b", "title": "T", "tags": ["a", "b"], "nothing": null });
    for (template, rendered) in [
        ("{{ slot }}", "2026-03-04T09:00:00.000Z"),
        ("{{ now }}", "2026-03-04T09:00:30.250Z"),
        ("{{ bot.name }} / {{ bot.title }}", "herald / The Herald"),
        ("{{ execution }}.{{ attempt }}", "7.2"),
        ("{{ content.title | upper }}: {{ content.body }}", "T: b"),
        ("{{ content.tags | join(', ') }}", "a, b"),
        ("{{ content.tags | map('upper') | join }}", "AB"),
        (
            "{% for t in content.tags %}{{ '#' ~ t }} {% endfor %}!",
            "#a #b !",
        ),
        ("{{ content.author | default('anon') }}", "anon"),
        ("{% if content.author %}by{% else %}-{% endif %}", "-"),
        ("[{{ content.nothing }}]", "[]"),
        ("{{ 'a<b>&' }}", "a<b>&"),
        ("{{ content.body | replace('b', 'cc') }}", "cc"),
        (
            "{% for n in range(3) %}{{ n }}{% endfor %}{{ range(5, 1, -2) | join }}",
            "01253",
        ),
        ("**bold** {{ 1 + 1 }} * {# {{ a * b }} #}", "**bold** 2 * "),
        ("{{ \"a * b ~ {{\" }}", "a * b ~ {{"),
        (
            "{% for key, value in bot | items %}{{ key ~ '=' ~ value }};{% endfor %}",
            "name=herald;title=The Herald;",
        ),
        (
            "{% set a, b = 'x', 'y' %}{% set c = a ~ b %}{% set d %}{{ c }}!{% endset %}{{ d ~ c ~ 1 }}",
            "xy!xy1",
        ),
        ("{%- raw %}{{ a * b }}{% endraw %}!", "{{ a * b }}!"),
    ] {
        assert_eq!(by(template, content.clone()), rendered, "{template}");
        assert_eq!(
            problems(json!({ "template": template })),
            [""; 0],
            "{template}"
        );
    }
}

#[test]
fn an_event_is_there_for_the_template() {
    let template = json!({ "template": "{{ event.user.name }} joined" });
    let event = json!({ "user": { "name": "Ada" } });
    let (_, message) = format_event(template, Value::Null, event).unwrap();
    assert_eq!(message.unwrap().body, "Ada joined");
}

#[test]
fn content_is_a_value_and_never_a_template() {
    let body = "{{ bot.name }} {% for i in range(9) %}";
    assert_eq!(text(json!({}), json!({ "body": body })), body);
}

#[test]
fn nothing_to_format_is_no_failure_and_makes_no_message() {
    for (given, content) in [
        (json!({}), Value::Null),
        (json!({}), json!({ "body": " \n\t" })),
        (json!({ "template": "" }), json!({ "body": "x" })),
        (
            json!({ "include_source": true, "add_hashtags": ["a"] }),
            Value::Null,
        ),
        (
            json!({ "template": " ", "embed": { "title": "{{ content.none | default('') }}" } }),
            json!({}),
        ),
    ] {
        let (verdict, message) = format(given.clone(), content).unwrap();
        assert!(
            matches!(verdict, Verdict::NothingToDo(_)),
            "{given}: {verdict:?}"
        );
        assert_eq!(message, None, "{given}");
    }
}

/// The next run would choose it again, and the one after that.
#[tokio::test]
async fn an_item_that_makes_an_empty_text_fails_and_is_named() {
    let (bot, desk) = (run::bot(), run::Desk::default());
    let mut run = run::run(&bot, &desk, json!({ "body": "x" }));
    run.item = Some(ItemUse {
        id: 7,
        text: "x".into(),
    });
    let settings = run::settings(json!({ "template": "{{ content.title }}" }));
    run.content = json!({ "body": "x", "title": "" });
    let failed = ContentFormatter.run(&mut run, &settings).await;
    let failed = failed.unwrap_err();
    assert!(failed.message.starts_with("item 7 makes an empty text"));
    assert!(!failed.recoverable && run.message.is_none());
}

#[test]
fn a_template_of_its_own_needs_no_content_unless_it_says_so() {
    assert_eq!(
        by("It is {{ now }}", Value::Null),
        "It is 2026-03-04T09:00:30.250Z"
    );
    let error = error(json!({ "template": "{{ content.body }}" }), Value::Null);
    assert!(
        error.contains("no content was chosen: put a skill that chooses some before"),
        "{error}"
    );
}

#[test]
fn what_is_undefined_fails_and_names_its_line() {
    for template in [
        "\n{{ content.titel }}",
        "\n{{ content.a.b }}",
        "\n{% for x in content.none %}{% endfor %}",
    ] {
        let error = error(json!({ "template": template }), json!({ "body": "x" }));
        assert!(error.starts_with("template: undefined value"), "{error}");
        assert!(
            error.contains("(line 2)") && error.contains("default("),
            "{error}"
        );
    }
}

#[test]
fn texts_are_cut_between_graphemes_with_an_ellipsis() {
    let family = "👩‍👩‍👧‍👦";
    for (body, longest, cut) in [
        ("12345", 5, "12345".to_owned()),
        ("123456", 5, "1234…".to_owned()),
        ("x", 1, "x".to_owned()),
        ("xy", 1, "…".to_owned()),
        (&format!("ab{family}"), 5, "ab…".to_owned()),
        (&format!("ab{family}"), 9, format!("ab{family}")),
        (&format!("ab{family}c"), 10, format!("ab{family}c")),
        (&format!("ab{family}cd"), 10, format!("ab{family}…")),
        ("e\u{301}e\u{301}e\u{301}", 4, "e\u{301}…".to_owned()),
        ("🇩🇪🇫🇷🇮🇹", 4, "🇩🇪…".to_owned()),
        ("a\r\nb", 3, "a…".to_owned()),
        ("word   next", 6, "word…".to_owned()),
    ] {
        let given = json!({ "max_text_length": longest });
        assert_eq!(
            text(given, json!({ "body": body })),
            cut,
            "{body} at {longest}"
        );
    }
    // One grapheme may be longer than all there is room for.
    let tower = format!("a{}", "\u{301}".repeat(3000));
    assert_eq!(text(json!({}), json!({ "body": tower })), "…");
    let long = text(json!({}), json!({ "body": "é".repeat(9000) }));
    assert_eq!(long.chars().count(), 2000);
}

#[test]
fn source_and_hashtags_follow_the_text_and_survive_its_cut() {
    let content = json!({ "body": "Text\n", "source": "The\nPost", "url": "https://e.org",
        "tags": ["Rust lang", "C++", "rust-LANG", "", "!", "日本"] });
    let given = json!({ "include_source": true, "add_hashtags": true });
    assert_eq!(
        text(given, content.clone()),
        "Text\nSource: The Post\n#Rustlang #C #日本"
    );
    let given = json!({ "add_hashtags": ["daily", "#news"] });
    assert_eq!(text(given, content.clone()), "Text\n#daily #news");
    let given = json!({ "include_source": true });
    let body = json!({ "body": "x".repeat(100), "url": "https://e.org" });
    let kept = text(
        json!({ "include_source": true, "max_text_length": 60 }),
        body.clone(),
    );
    assert_eq!(kept.chars().count(), 60);
    assert!(kept.ends_with("x…\nSource: https://e.org"), "{kept}");
    let dropped = text(
        json!({ "include_source": true, "max_text_length": 30 }),
        body,
    );
    assert_eq!(dropped, format!("{}…", "x".repeat(29)));
    assert_eq!(text(given, json!({ "body": "x", "source": " " })), "x");
    assert_eq!(
        text(
            json!({ "add_hashtags": true }),
            json!({ "body": "x", "tags": "no list" })
        ),
        "x"
    );
}
