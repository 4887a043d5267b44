//! Every file in `tests/broken` says in comments what is wrong with it: `# problem: KEY: PART OF THE MESSAGE` in the line
//! that it is about, or `# problem@LINE: …` in another. The loader must find all of that, and nothing else.

use std::{
    fs,
    path::{Path, PathBuf},
};

use actor_server::config::{Place, Problem};

use super::support::{folder, load_file, load_in, load_text, load_with, write};

/// Something that a comment announces.
#[derive(Debug)]
struct Expected {
    line: usize,
    key: String,
    part: String,
}

impl Expected {
    fn is(&self, problem: &Problem) -> bool {
        let Place::File(place) = &problem.place else {
            return false;
        };
        place.line == self.line && problem.key == self.key && problem.message.contains(&self.part)
    }
}

fn expected(text: &str, what: &str) -> Vec<Expected> {
    let numbered = text.lines().zip(1..);
    let announced = numbered.flat_map(|(line, number)| {
        line.split("# ")
            .filter_map(move |comment| Some((comment.strip_prefix(what)?, number)))
    });
    announced
        .map(|(comment, number)| {
            let (at, rest) = comment.split_once(": ").unwrap();
            let (key, part) = rest.split_once(": ").unwrap();
            Expected {
                line: at
                    .strip_prefix('@')
                    .map_or(number, |line| line.parse().unwrap()),
                key: key.into(),
                part: part.trim().into(),
            }
        })
        .collect()
}

fn compare(file: &Path, expected: &[Expected], found: &[&Problem]) {
    for expected in expected {
        assert!(
            found.iter().any(|problem| expected.is(problem)),
            "{}: {expected:?} is not among {found:#?}",
            file.display()
        );
    }
    for problem in found {
        assert!(
            expected.iter().any(|expected| expected.is(problem)),
            "{}: not expected: {problem}",
            file.display()
        );
    }
}

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/broken")
        .join(folder);
    let files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    assert!(files.len() > 10);
    files
}

#[test]
fn every_mistake_in_a_server_file_is_found_in_its_line() {
    for file in files("server") {
        let expected = expected(&fs::read_to_string(&file).unwrap(), "problem");
        let problems = load_with(&file, &[("TEST_TOKEN", "hunter2hunter2")]).unwrap_err();
        let text = problems.to_string();
        assert!(!text.contains("hunter2"), "{}: {text}", file.display());
        compare(&file, &expected, &problems.iter().collect::<Vec<_>>());
    }
}

#[test]
fn every_mistake_in_a_bot_file_is_found_in_its_line() {
    for file in files("bots") {
        let server = format!(
            "[[actors]]\nname = \"a\"\nconfig_file = '{0}'\nschedule = {{ type = \"Immediate\" }}\n\
             [[actors]]\nname = \"b\"\nconfig_file = '{0}'\nschedule = {{ type = \"Immediate\" }}\n",
            file.display()
        );
        let problems = load_text(&server).unwrap_err();
        let expected = expected(&fs::read_to_string(&file).unwrap(), "problem");
        compare(&file, &expected, &problems.iter().collect::<Vec<_>>());
        assert_eq!(problems.iter().count(), expected.len(), "{problems}");
    }
}

#[test]
fn problems_are_listed_by_file_and_line_with_their_number() {
    let folder = folder(
        "[server]\nx = 1\n[[actors]]\nname = \"a\"\nconfig_file = \"one.toml\"\nschedule = { type = \"Immediate\" }\n\
         [[actors]]\nname = \"b\"\nconfig_file = \"two.toml\"\ny = 2\nschedule = { type = \"Immediate\" }\n",
    );
    write(
        &folder,
        "one.toml",
        "z = 3\n[actor]\nskills = [\"content_posting\"]\n",
    );
    write(
        &folder,
        "two.toml",
        "\n\nz = 4\n[actor]\nskills = [\"content_posting\"]\n",
    );
    let text = load_in(&folder, &[]).unwrap_err().to_string();
    let path = format!("{}/", folder.path().display());
    let starts: Vec<&str> = text
        .lines()
        .map(|line| {
            line.strip_prefix(&path)
                .unwrap_or(line)
                .split(": ")
                .next()
                .unwrap()
        })
        .collect();
    assert_eq!(
        starts,
        [
            "server.toml:2:1",
            "server.toml:10:1",
            "one.toml:1:1",
            "two.toml:3:1",
            "4 problems"
        ]
    );
}

#[test]
fn a_server_file_that_cannot_be_read_is_one_problem_that_names_it() {
    let folder = folder("");
    write(&folder, "latin1.toml", b"[server]\n# caf\xe9\n");
    write(&folder, "huge.toml", vec![b'\n'; (16 << 20) + 1]);
    for (file, part) in [
        ("nowhere.toml", "nowhere.toml:1:1: file: there is no file"),
        (".", ":1:1: file: "),
        (
            "latin1.toml",
            "latin1.toml:2:6: file: this is no UTF-8 text; save the file as UTF-8",
        ),
        ("huge.toml", "is larger than 16 MiB"),
        ("bot.toml/x", "cannot be read"),
    ] {
        let problems = load_file(&folder.path().join(file)).unwrap_err();
        let text = problems.to_string();
        assert!(
            text.contains(part) && text.ends_with("\n1 problem"),
            "{text}"
        );
    }
}

#[test]
fn a_bot_file_that_is_no_text_is_a_problem_of_that_file_told_once() {
    let entry = |name| {
        format!(
            "[[actors]]\nname = \"{name}\"\nconfig_file = \"x.toml\"\nschedule = {{ type = \"Immediate\" }}\n"
        )
    };
    let folder = folder(&(entry("a") + &entry("b")));
    write(&folder, "x.toml", b"\n\xff");
    let text = load_in(&folder, &[]).unwrap_err().to_string();
    assert!(
        text.contains("x.toml:2:1: file: this is no UTF-8 text") && text.ends_with("\n1 problem"),
        "{text}"
    );
}

#[test]
fn no_bots_and_no_text_are_fine_with_a_warning() {
    for text in ["", "\n# nothing\n", "actors = []", "\u{feff}[server]\r\n"] {
        let loaded = load_text(text).unwrap();
        assert!(loaded.settings.bots.is_empty());
        assert!(
            loaded.warnings[0].message.contains("there are no bots"),
            "{:?}",
            loaded.warnings
        );
    }
}

#[test]
fn what_is_probably_not_meant_is_a_warning() {
    let folder = folder(
        "[[actors]]\nname = \"weekday\"\nconfig_file = \"unused.toml\"\n\
         schedule = { type = \"Cron\", expression = \"0 0 9 * * 1\" }\n\
         [[actors]]\nname = \"past\"\nconfig_file = \"bot.toml\"\n\
         schedule = { type = \"Once\", at = \"2020-01-01T00:00:00Z\" }\n\
         [[actors]]\nname = \"over\"\nconfig_file = \"bot.toml\"\nends_at = \"2020-01-01T00:00:00Z\"\n\
         schedule = { type = \"Cron\", expression = \"@daily\" }\n",
    );
    write(
        &folder,
        "unused.toml",
        "[actor]\nskills = [\"content_posting\"]\n[skills.duplicate_check]\n",
    );
    let loaded = load_in(&folder, &[]).unwrap();
    let keys: Vec<&str> = loaded
        .warnings
        .iter()
        .map(|warning| &*warning.key)
        .collect();
    let expected = [
        "actors[0].schedule.expression",
        "actors[1].schedule.at",
        "actors[2].schedule.expression",
        "skills.duplicate_check",
    ];
    assert_eq!(keys, expected, "{:#?}", loaded.warnings);
    assert!(loaded.warnings[0].message.contains("Sunday"));
}
