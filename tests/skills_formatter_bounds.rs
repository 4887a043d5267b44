//! What `content_formatter` refuses, before a run and in it: wrong settings, hostile templates, and what is beyond Discord's limits.
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

use std::time::Duration;

use actor_server::{domain::post::Message, skills::Verdict};
use formatter::{error, format, problems, text};
use serde_json::{Value, json};

#[test]
fn an_embed_is_made_of_templates_within_discords_limits() {
    let embed = json!({
        "title": "{{ content.title }}", "description": "{{ content.body }}", "url": "{{ content.url }}",
        "color": "#{{ 'ff0000' }}", "image": "https://e.org/i.png", "thumbnail": "",
        "footer": { "text": "by {{ bot.title }}", "icon_url": "https://e.org/f.png" },
        "author": "{{ content.author | default('') }}",
        "fields": [
            { "name": "slot", "value": "{{ slot }}", "inline": true },
            { "name": "empty", "value": "" },
        ],
    });
    assert_eq!(problems(json!({ "template": "", "embed": embed })), [""; 0]);
    let content =
        json!({ "body": "B".repeat(5000), "title": "T".repeat(300), "url": "https://e.org" });
    let (verdict, message) = format(json!({ "template": "", "embed": embed }), content).unwrap();
    let Message { body, options } = message.unwrap();
    assert_eq!((verdict, body.as_str()), (Verdict::Done, ""));
    let made = &options["embeds"][0];
    let length = |value: &Value| value.as_str().unwrap().chars().count();
    assert_eq!(
        (length(&made["title"]), length(&made["description"])),
        (256, 4096)
    );
    assert_eq!(made["color"], 0xFF_0000);
    assert_eq!(made["image"], json!({ "url": "https://e.org/i.png" }));
    assert_eq!(
        made["footer"],
        json!({ "text": "by The Herald", "icon_url": "https://e.org/f.png" })
    );
    assert_eq!(
        made["fields"],
        json!([{ "name": "slot", "value": "2026-03-04T09:00:00.000Z", "inline": true }])
    );
    assert_eq!((made.get("author"), made.get("thumbnail")), (None, None));
}

#[test]
fn an_embeds_texts_together_are_kept_within_6000_characters() {
    let field = json!({ "name": "n", "value": "{{ content.body }}" });
    let embed = |fields: usize| json!({ "description": "{{ content.body }}", "fields": vec![&field; fields] });
    let content = json!({ "body": "é".repeat(5000) });
    let (_, message) = format(json!({ "embed": embed(3) }), content.clone()).unwrap();
    let options = message.unwrap().options;
    let description = options["embeds"][0]["description"].as_str().unwrap();
    assert_eq!(description.chars().count(), 6000 - 3 * 1025);
    assert!(error(json!({ "embed": embed(6) }), content).contains("6000"));
}

#[test]
fn an_embeds_addresses_and_colours_are_checked_when_they_are_known() {
    let content = json!({ "url": "javascript:alert(1)", "body": "x" });
    for (embed, says) in [
        (
            json!({ "title": "x", "url": "{{ content.url }}" }),
            "embed.url: `javascript:alert(1)` is no http",
        ),
        (
            json!({ "author": { "name": "x", "url": "e.org" } }),
            "embed.author.url: `e.org` is no http",
        ),
        (
            json!({ "title": "x", "color": "{{ bot.name }}" }),
            "embed.color: must be a colour like",
        ),
        (
            json!({ "fields": [{ "name": "{{ content.no }}", "value": "x" }] }),
            "embed.fields.1.name: undefined",
        ),
    ] {
        let error = error(json!({ "embed": embed }), content.clone());
        assert!(error.starts_with(says), "{error}");
    }
}

#[test]
fn a_template_that_would_use_up_the_stack_is_refused_before_it_is_compiled() {
    let chain = |before: &str, link: &str, times: usize, after: &str| {
        format!("{before}{}{after}", link.repeat(times))
    };
    for (template, says) in [
        (chain("{{ 'a'", "|upper", 2500, " }}"), "words and signs"),
        (chain("{{ content", ".a", 7000, " }}"), "words and signs"),
        (chain("{{ content", "[0]", 5000, " }}"), "words and signs"),
        (chain("{{ ", "not ", 4000, "1 }}"), "words and signs"),
        (chain("{{ ", "-", 15_000, "1 }}"), "words and signs"),
        (chain("{{ 1", "-1", 5000, " }}"), "words and signs"),
        (
            chain("{% if ", "not ", 3000, "1 %}{% endif %}"),
            "words and signs",
        ),
        (chain("{%if 0%}", "{%elif 0%}", 1500, "{%endif%}"), "`elif`"),
        (
            chain("{% set x = 1 %}", "{% set x = [[[[x]]]] %}", 500, "{{ x }}"),
            "`[` and `groupby`",
        ),
        (
            chain(
                "{% set x = [1] %}",
                "{%set x=x|groupby('a')%}",
                600,
                "{{ x }}",
            ),
            "`[` and `groupby`",
        ),
    ] {
        let found = problems(json!({ "template": template }));
        assert!(
            found.iter().any(|problem| problem.contains(says)),
            "{found:?}"
        );
    }
    let deepest = [
        chain("{{ 'a'", "|upper", 140, " }}"),
        chain("{{ ", "not ", 290, "1 }}"),
        chain("{%if 0%}", "{%elif 0%}", 50, "{%else%}a{%endif%}"),
        chain("{% set x = 1 %}", "{% set x = [[x]] %}", 50, "{{ x }}"),
    ];
    for template in deepest {
        assert!(text(json!({ "template": template }), json!({ "body": "b" })).len() < 1000);
    }
}

#[test]
fn every_wrong_setting_is_found_before_a_run() {
    for (given, says) in [
        (
            json!({ "templat": "x" }),
            "templat: unknown setting; did you mean `template`?",
        ),
        (
            json!({ "zzz": 1 }),
            "zzz: unknown setting; known are template, max_text_length",
        ),
        (json!({ "template": 5 }), "template: must be a text, not 5"),
        (
            json!({ "template": "{{ content.body" }),
            "template: syntax error: ",
        ),
        (
            json!({ "template": "\n{% if %}" }),
            "template: syntax error: ",
        ),
        (
            json!({ "template": "{{ contnet.body }}" }),
            "template: unknown variable `contnet`; did you mean `content`?",
        ),
        (
            json!({ "template": "{{ xyzzy }}" }),
            "template: unknown variable `xyzzy`; known are content, slot",
        ),
        (
            json!({ "template": "{{ content.body | uper }}" }),
            "template: unknown filter: ",
        ),
        (
            json!({ "template": "{{ content.body is funny }}" }),
            "template: unknown test: ",
        ),
        (
            json!({ "template": "{{ content.body.encode() }}" }),
            "template: unknown method: ",
        ),
        (
            json!({ "template": "{% include 'x' %}" }),
            "template: uses `{% include %}`",
        ),
        (
            json!({ "max_text_length": 0 }),
            "max_text_length: must be a whole number from 1 to 2000, not 0",
        ),
        (
            json!({ "max_text_length": 2001 }),
            "max_text_length: must be",
        ),
        (
            json!({ "max_text_length": 1.5 }),
            "max_text_length: must be",
        ),
        (
            json!({ "include_source": "yes" }),
            "include_source: must be true or false, not \"yes\"",
        ),
        (
            json!({ "add_hashtags": "a" }),
            "add_hashtags: must be true, false or a list of tags",
        ),
        (
            json!({ "add_hashtags": [1] }),
            "add_hashtags: must be a list of texts",
        ),
        (json!({ "embed": "x" }), "embed: must be a table"),
        (
            json!({ "embed": { "titel": "x" } }),
            "embed.titel: unknown setting; did you mean `title`?",
        ),
        (
            json!({ "embed": { "title": "{{ x" } }),
            "embed.title: syntax error",
        ),
        (
            json!({ "embed": { "color": "red" } }),
            "embed.color: must be a colour like \"#5865F2\"",
        ),
        (
            json!({ "embed": { "color": 16_777_216 } }),
            "embed.color: must be",
        ),
        (
            json!({ "embed": { "footer": 1 } }),
            "embed.footer: must be a text, not 1, or a table",
        ),
        (
            json!({ "embed": { "footer": { "txt": "x" } } }),
            "embed.footer: `txt`: unknown setting; did you mean `text`?",
        ),
        (
            json!({ "embed": { "fields": [{ "name": "x" }] } }),
            "embed.fields: field 1: `value` is missing",
        ),
        (
            json!({ "embed": { "fields": vec![json!({}); 26] } }),
            "embed.fields: has 26 fields",
        ),
    ] {
        let found = problems(given.clone());
        assert_eq!(found.len(), 1, "{given}: {found:?}");
        assert!(found[0].starts_with(says), "{given}: {found:?}");
    }
    let many = json!({ "a": 1, "max_text_length": 0, "embed": { "title": 1, "url": "{{" } });
    assert_eq!(problems(many).len(), 4);
}

#[test]
fn a_setting_that_nobody_checked_fails_the_run_by_name() {
    let error = error(json!({ "max_text_length": "long" }), json!({ "body": "x" }));
    assert!(error.starts_with("max_text_length: must be"), "{error}");
}

/// Templates that would take all time or memory. None may take long, and none may succeed.
#[test]
fn hostile_templates_end_soon_with_an_error() {
    let doubling = format!(
        "{{% set x = content.body %}}{}{{{{ x }}}}",
        "{% set x = x ~ x %}".repeat(40)
    );
    let adding = doubling.replace('~', "+");
    let loops = format!(
        "{}x{}",
        "{% for i in range(900) %}".repeat(8),
        "{% endfor %}".repeat(8)
    );
    let printing = "{% for i in range(900) %}{{ content.body }}{% endfor %}";
    let raw = format!(
        "{{% for i in range(900) %}}{}{{% endfor %}}",
        "x".repeat(5000)
    );
    let capture = format!("{{% set x %}}{printing}{{% endset %}}done");
    let nested_lists = format!(
        "{{% set x = [1] %}}{}{{{{ x }}}}",
        "{% set x = [x, x, x, x] %}".repeat(40)
    );
    let nested_text = nested_lists.replace("{{ x }}", "{{ (x ~ '') | length }}");
    let nested_upper = nested_lists.replace("{{ x }}", "{{ x | upper | length }}");
    let nested_loops = format!(
        "{}x{}",
        "{% for x in [[x, x]] %}".repeat(40),
        "{% endfor %}".repeat(40)
    );
    let long_chains = format!(
        "{{% for i in range(900) %}}{{% if content.body{} %}}{{% endif %}}{{% endfor %}}",
        " ~ content.body".repeat(60)
    );
    let many_replaced =
        "{{ range(1000) | map('string') | map('replace', '1', content.body) | join }}";
    let joined = format!(
        "{{% set x = content.body %}}{}{{{{ x }}}}",
        "{% set x = [x, x, x, x] | join %}".repeat(40)
    );
    let replaced = format!(
        "{{{{ content.body {} }}}}",
        "| replace('x', 'xxxxxxxx') ".repeat(40)
    );
    let deep = format!("{{{{ {}1{} }}}}", "(".repeat(3000), ")".repeat(3000));
    let deep_ifs = format!("{}x{}", "{% if 1 %}".repeat(700), "{% endif %}".repeat(700));
    for template in [
        "{% for i in range(1000000000) %}x{% endfor %}",
        "{% for i in range(0, 9223372036854775807, 4611686018427387904) %}{{ range(9223372036854775807) }}{% endfor %}",
        "{{ 'x' * 100000000 }}",
        "{{ [1] * 1000000000 | join }}",
        "{{ 9 ** 9 ** 9 }}",
        "{{ content.body | indent(10000000000) }}",
        "{{ '%9999999999d' | format(1) }}",
        "{{ content.tags | batch(9999999999) }}",
        "{{ content.tags | slice(9999999999) }}",
        "{% macro f(x) %}{{ f(x ~ x) }}{% endmacro %}{{ f('x') }}",
        "{% for x in [content.body] recursive %}{{ loop([x ~ x]) }}{% endfor %}",
        "{% include 'x' %}",
        "{% import 'x' as x %}",
        "{% extends 'x' %}",
        "{% block x %}{% endblock %}",
        "{{ {'a': {'b': 1}} }} {{ 'x' * 100000000 }}",
        "{% raw %}{% endraw %}{{ 'x' * 100000000 }}",
        "{{ debug() }}",
        "{{ namespace(a=1) }}",
        &doubling,
        &adding,
        &loops,
        printing,
        &raw,
        &capture,
        &nested_lists,
        &nested_text,
        &nested_upper,
        &nested_loops,
        many_replaced,
        &long_chains,
        &joined,
        &replaced,
        &deep,
        &deep_ifs,
        &"x".repeat(20_000),
    ] {
        let begun = tokio::time::Instant::now();
        let content = json!({ "body": "x".repeat(100_000), "tags": ["a"] });
        let error = error(json!({ "template": template }), content);
        let took = begun.elapsed();
        let shown: String = template.chars().take(60).collect();
        assert!(took < Duration::from_secs(10), "{shown} took {took:?}");
        assert!(error.chars().count() <= 520, "{shown}: {error}");
        let checked = tokio::time::Instant::now();
        problems(json!({ "template": template }));
        assert!(checked.elapsed() < Duration::from_secs(5), "{shown}");
    }
}

#[test]
fn content_beyond_measure_is_refused_and_long_content_is_cut() {
    let content = |length| json!({ "body": "x".repeat(length) });
    assert!(error(json!({}), content(300_000)).contains("templates take at most 131072"));
    assert_eq!(text(json!({}), content(100_000)).chars().count(), 2000);
}
