//! The list of tables.

use serde_json::{Value, json};

use crate::{fine, home};

#[test]
fn tables_are_listed_with_what_is_in_them() {
    let home = home();
    let none = fine(&home, &["content", "list"]);
    assert_eq!(
        none,
        "there are no knowledge tables; fill one with `content import`\n"
    );
    let items = [
        json!({ "body": "now" }),
        json!({ "body": "later", "not_before": "2096-01-01T00:00:00Z" }),
        json!({ "body": "over", "expires_at": "2020-01-01T00:00:00Z" }),
        json!({ "body": "as well", "expires_at": "2096-01-01T00:00:00Z" }),
    ];
    let lines: String = items.iter().map(|item| format!("{item}\n")).collect();
    home.write("a.jsonl", &lines);
    for table in ["b", "a"] {
        fine(&home, &["content", "import", "a.jsonl", "--table", table]);
    }
    let shown = fine(&home, &["content", "list"]);
    let lines: Vec<Vec<&str>> = shown
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(lines[0], ["TABLE", "ITEMS", "WAITING", "EXPIRED", "NEWEST"]);
    assert_eq!(
        (&lines[1][..4], &lines[2][..4]),
        (&["a", "4", "1", "1"][..], &["b", "4", "1", "1"][..])
    );
    let listed: Value = serde_json::from_str(&fine(&home, &["content", "list", "--json"])).unwrap();
    assert_eq!(
        (&listed[0]["table"], &listed[0]["items"]),
        (&json!("a"), &json!(4))
    );
    assert!(listed[0]["newest"].as_str().unwrap().ends_with('Z'));
}
