//! The documents lead somewhere: every relative link in a Markdown file of the project is to a file that exists, and to
//! a heading that it has.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Folders that are not the project's own text.
const PASSED_OVER: [&str; 5] = ["target", ".git", "node_modules", "data", ".venv"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn documents() -> Vec<PathBuf> {
    let own = |entry: &walkdir::DirEntry| {
        let name = entry.file_name().to_string_lossy();
        !PASSED_OVER.contains(&name.as_ref())
    };
    walkdir::WalkDir::new(root())
        .sort_by_file_name()
        .into_iter()
        .filter_entry(own)
        .map(|entry| entry.expect("a readable folder").into_path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect()
}

/// The text outside of fenced code, which links to nothing.
fn prose(text: &str) -> String {
    let mut fenced = false;
    let mut kept = String::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            kept += line;
            kept.push('\n');
        }
    }
    kept
}

/// Where the links of a document lead, but for those to other places of the web.
fn links(text: &str) -> Vec<String> {
    prose(text)
        .split("](")
        .skip(1)
        .filter_map(|behind| behind.split_once(')'))
        .map(|(link, _)| link.to_owned())
        .filter(|link| !link.contains("://") && !link.starts_with("mailto:"))
        .collect()
}

/// The anchor that Markdown pages give a heading.
fn anchor(heading: &str) -> String {
    let heading = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = heading
        .chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn has_heading(document: &Path, wanted: &str) -> bool {
    let text = fs::read_to_string(document).unwrap_or_default();
    prose(&text)
        .lines()
        .filter(|line| line.starts_with('#'))
        .any(|line| anchor(line) == wanted)
}

fn leads_nowhere(document: &Path, link: &str) -> bool {
    let (path, heading) = link.split_once('#').unwrap_or((link, ""));
    let place = match path {
        "" => document.to_owned(),
        _ => document.parent().expect("a folder").join(path),
    };
    !place.exists() || (!heading.is_empty() && !has_heading(&place, heading))
}

#[test]
fn every_link_of_a_document_leads_to_something() {
    let documents = documents();
    assert!(documents.len() > 10, "only {documents:?}");
    let mut lost = Vec::new();
    for document in &documents {
        let text = fs::read_to_string(document).expect("a readable file");
        let nowhere = links(&text).into_iter();
        let nowhere = nowhere.filter(|link| leads_nowhere(document, link));
        lost.extend(nowhere.map(|link| format!("{}: {link}", document.display())));
    }
    assert!(lost.is_empty(), "\n{}\n", lost.join("\n"));
}

#[test]
fn every_document_is_in_the_index() {
    let index = root().join("docs/README.md");
    let text = fs::read_to_string(&index).expect("the index");
    let listed: Vec<PathBuf> = links(&text)
        .iter()
        .map(|link| root().join("docs").join(link))
        .collect();
    let all = documents().into_iter();
    let own = all.filter(|path| path.parent() == index.parent() && *path != index);
    let missing: Vec<PathBuf> = own.filter(|path| !listed.contains(path)).collect();
    assert!(
        missing.is_empty(),
        "not in {}: {missing:?}",
        index.display()
    );
}

#[test]
fn a_link_to_nothing_is_found() {
    let document = root().join("README.md");
    let text = "[a](docs/nothing.md) [b](https://example.org/x)\n```\n[c](gone.md)\n```\n[d](ARCHITECTURE.md#rooms)\n";
    assert_eq!(links(text), ["docs/nothing.md", "ARCHITECTURE.md#rooms"]);
    assert!(leads_nowhere(&document, "docs/nothing.md"));
    assert!(leads_nowhere(&document, "ARCHITECTURE.md#attic"));
    assert!(!leads_nowhere(&document, "ARCHITECTURE.md#rooms"));
}

/// All Rust source of the server, as one text.
fn source() -> String {
    let files = walkdir::WalkDir::new(root().join("src")).into_iter();
    files
        .map(|entry| entry.expect("a readable folder").into_path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| fs::read_to_string(path).expect("a readable file"))
        .collect()
}

/// Whether the macro of this level (`warn`, `error`) writes this line of the log somewhere.
fn is_written_at(level: &str, source: &str, line: &str) -> bool {
    let quoted = format!("\"{line}");
    source.match_indices(&quoted).any(|(place, _)| {
        let call = source[..place].rsplit_once("tracing::");
        call.is_some_and(|(_, call)| call.starts_with(&format!("{level}!(")))
    })
}

#[test]
fn every_line_of_the_log_that_operators_are_told_of_is_written_at_that_level() {
    let page = fs::read_to_string(root().join("docs/operations.md")).expect("the page");
    let (_, table) = page.split_once("## Lines of the log").expect("the table");
    let (table, _) = table.split_once("\n## ").expect("its end");
    let source = source();
    let mut checked = 0;
    for row in table.lines().filter(|row| row.starts_with("| `")) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        for line in cells[1].split('`').skip(1).step_by(2) {
            // Some are handed on as a text and written elsewhere, with a few words behind them.
            let written = line.strip_suffix("; trying again").unwrap_or(line);
            assert!(source.contains(written), "nothing writes `{line}`");
            if written == line {
                let level = cells[2];
                assert!(is_written_at(level, &source, line), "{level}: `{line}`");
            }
            checked += 1;
        }
    }
    assert!(checked > 10, "only {checked}");
}
