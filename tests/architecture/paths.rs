//! Reads what a source file names: paths to the crate's own rooms, other crates, and string literals.
//!
//! Works on tokens rather than on syntax, so that the inside of a macro counts like any other code; comments and
//! documentation do not count.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// The crate's own name, by which the binary reaches the library.
const SELF: &str = "actor_server";

/// Keywords that stand before a path from the root (`use ::diesel`), which does not join them to it.
const BEFORE_A_PATH: [&str; 10] = [
    "use", "dyn", "impl", "for", "as", "in", "return", "mut", "where", "match",
];

/// What one file names.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Named {
    /// Every path into this crate, from its root: `["store", "Write"]`; `["*"]` or `[]` for the root itself.
    pub(crate) own: Vec<Vec<String>>,
    /// Every identifier.
    pub(crate) words: Vec<Word>,
    /// Every module declared here, with or without a body.
    pub(crate) modules: Vec<String>,
    /// Every literal as written, but those of documentation.
    pub(crate) literals: Vec<String>,
}

/// One identifier and what it is joined to.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Word {
    /// The identifier before it, if `::` joins them: `Utc` of `Utc::now`.
    pub(crate) before: String,
    /// Itself.
    pub(crate) text: String,
    /// Whether `::` or `as` comes after it, as after the name of a crate.
    pub(crate) leads: bool,
}

/// Reads the source of the module at `place` (`["domain", "bot"]`; `[]` for `main.rs` and `lib.rs`).
///
/// # Panics
/// If the source is not Rust.
pub(crate) fn read(source: &str, place: &[&str]) -> Named {
    let tokens: TokenStream = source.parse().expect("source that the compiler takes");
    let mut named = Named::default();
    let place: Vec<String> = place.iter().map(ToString::to_string).collect();
    Reader {
        named: &mut named,
        place,
        in_path: false,
    }
    .block(&trees(tokens));
    named
}

struct Reader<'a> {
    named: &'a mut Named,
    place: Vec<String>,
    in_path: bool,
}

impl Reader<'_> {
    fn block(&mut self, tokens: &[TokenTree]) {
        let mut at = 0;
        while at < tokens.len() {
            at = self.step(tokens, at);
        }
    }

    /// Reads one token and answers where the next one is.
    fn step(&mut self, tokens: &[TokenTree], at: usize) -> usize {
        match &tokens[at] {
            TokenTree::Group(group) => self.group(
                group,
                is(at.checked_sub(1).map(|before| &tokens[before]), ':'),
            ),
            TokenTree::Literal(literal) if !is_documentation(tokens, at) => {
                self.named.literals.push(literal.to_string());
            }
            TokenTree::Ident(ident) => return self.word(tokens, at, &ident.to_string()),
            _ => {}
        }
        at + 1
    }

    /// In the braces of a path no path starts anew.
    fn group(&mut self, group: &Group, in_path: bool) {
        let outside = std::mem::replace(&mut self.in_path, in_path);
        self.block(&trees(group.stream()));
        self.in_path = outside;
    }

    fn word(&mut self, tokens: &[TokenTree], at: usize, word: &str) -> usize {
        let before = joined_before(tokens, at).unwrap_or_default();
        self.named.words.push(Word {
            before: before.clone(),
            text: word.into(),
            leads: joins(tokens, at + 1)
                || matches!(tokens.get(at + 1), Some(TokenTree::Ident(next)) if next == "as"),
        });
        if word == "mod"
            && let Some(TokenTree::Ident(name)) = tokens.get(at + 1)
        {
            return self.module(tokens, at + 2, name.to_string());
        }
        if word == "crate" && matches!(tokens.get(at + 1), Some(TokenTree::Ident(_))) {
            self.named.own.push(Vec::new()); // `use crate as x`, `extern crate self as x`
        }
        let starts = before.is_empty() && !self.in_path && joins(tokens, at + 1);
        if starts && let Some(base) = self.base(word) {
            self.tail(tokens, at + 1, base);
        }
        at + 1
    }

    /// A module's body has its own place.
    fn module(&mut self, tokens: &[TokenTree], at: usize, name: String) -> usize {
        self.named.modules.push(name.clone());
        if let Some(TokenTree::Group(body)) = tokens.get(at) {
            self.place.push(name);
            self.block(&trees(body.stream()));
            self.place.pop();
            return at + 1;
        }
        at
    }

    /// Where a path that starts with `word` begins; `None` for a path to elsewhere.
    fn base(&self, word: &str) -> Option<Vec<String>> {
        match word {
            "crate" | SELF => Some(Vec::new()),
            "self" => Some(self.place.clone()),
            "super" => Some(
                self.place
                    .split_last()
                    .map(|(_, rest)| rest.to_vec())
                    .unwrap_or_default(),
            ),
            _ => None,
        }
    }

    /// Follows `::` from `at` on, into braces too, and notes each path at its end.
    fn tail(&mut self, tokens: &[TokenTree], at: usize, mut path: Vec<String>) {
        if !joins(tokens, at) {
            return self.named.own.push(path);
        }
        match tokens.get(at + 2) {
            Some(TokenTree::Ident(ident)) => {
                extend(&mut path, &ident.to_string());
                self.tail(tokens, at + 3, path);
            }
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                let inside = trees(group.stream());
                for branch in inside
                    .split(|token| is(Some(token), ','))
                    .filter(|branch| !branch.is_empty())
                {
                    self.branch(branch, path.clone());
                }
            }
            Some(token) if is(Some(token), '*') => {
                path.push("*".into());
                self.named.own.push(path);
            }
            _ => self.named.own.push(path),
        }
    }

    fn branch(&mut self, tokens: &[TokenTree], mut path: Vec<String>) {
        match tokens.first() {
            Some(TokenTree::Ident(ident)) => extend(&mut path, &ident.to_string()),
            _ => path.push("*".into()),
        }
        self.tail(tokens, 1, path);
    }
}

fn extend(path: &mut Vec<String>, word: &str) {
    match word {
        "self" => {}
        "super" => drop(path.pop()),
        _ => path.push(word.into()),
    }
}

fn trees(tokens: TokenStream) -> Vec<TokenTree> {
    tokens.into_iter().collect()
}

fn is(token: Option<&TokenTree>, sign: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == sign)
}

fn joins(tokens: &[TokenTree], at: usize) -> bool {
    is(tokens.get(at), ':') && is(tokens.get(at + 1), ':')
}

fn joined_before(tokens: &[TokenTree], at: usize) -> Option<String> {
    let start = at.checked_sub(3)?;
    match &tokens[start] {
        TokenTree::Ident(ident) if joins(tokens, start + 1) => Some(ident.to_string()),
        _ => None,
    }
    .filter(|word| !BEFORE_A_PATH.contains(&word.as_str()))
}

fn is_documentation(tokens: &[TokenTree], at: usize) -> bool {
    let name = at.checked_sub(2).map(|name| &tokens[name]);
    matches!(name, Some(TokenTree::Ident(ident)) if ident == "doc") && is(tokens.get(at - 1), '=')
}

#[cfg(test)]
mod tests {
    use super::read;

    fn own(source: &str, place: &[&str]) -> Vec<String> {
        read(source, place)
            .own
            .iter()
            .map(|path| path.join("::"))
            .collect()
    }

    #[test]
    fn plain_grouped_and_nested_uses_are_found_over_many_lines() {
        let source = "
            use crate::store::StatePersistence;
            pub(crate) use crate::{
                domain::{bot::BotName, self as rules},
                config::*,
            };";
        let found = [
            "store::StatePersistence",
            "domain::bot::BotName",
            "domain",
            "config::*",
        ];
        assert_eq!(own(source, &["actors"]), found);
    }

    #[test]
    fn inline_paths_are_found_in_types_bodies_and_macros() {
        let source = r#"
            fn f(x: &crate::http::View) -> Vec<crate::cli::Line> { g(vec![crate::app::build::<u8>()]) }
            macro_rules! m { () => { $crate::actors::Wake } }"#;
        assert_eq!(
            own(source, &[]),
            ["http::View", "cli::Line", "app::build", "actors::Wake"]
        );
    }

    #[test]
    fn the_binary_reaches_the_library_by_its_name() {
        assert_eq!(
            own("fn main() { actor_server::app::run() }", &[]),
            ["app::run"]
        );
    }

    #[test]
    fn a_climb_by_super_ends_where_the_compiler_says() {
        assert_eq!(
            own("use super::policy::Policy;", &["domain", "bot"]),
            ["domain::policy::Policy"]
        );
        assert_eq!(
            own("use super::super::store::Write;", &["actors", "task"]),
            ["store::Write"]
        );
        assert_eq!(
            own("use super::{super::store, x};", &["actors", "task"]),
            ["store", "actors::x"]
        );
        assert_eq!(own("mod tests { use super::*; }", &["clock"]), ["clock::*"]);
        assert_eq!(own("use super::*;", &["clock"]), ["*"]);
    }

    #[test]
    fn another_name_for_the_root_is_noticed() {
        assert_eq!(own("use crate as root;", &["domain"]), [""]);
        assert_eq!(own("use crate::{self as root};", &["domain"]), [""]);
        assert_eq!(own("extern crate self as root;", &["domain"]), [""]);
        assert_eq!(own("use crate::*;", &["domain"]), ["*"]);
    }

    #[test]
    fn comments_strings_and_visibility_name_nothing() {
        let source = r#"
            //! See [`crate::store`].
            // use crate::http::View;
            pub(crate) const TEXT: &str = "crate::app";"#;
        assert_eq!(own(source, &["domain"]), Vec::<String>::new());
    }

    #[test]
    fn words_come_with_what_they_are_joined_to() {
        let words = read("use ::diesel::prelude; let cron = chrono::Utc::now();", &[]).words;
        let find = |text: &str| words.iter().find(|word| word.text == text).unwrap();
        assert_eq!(
            (find("diesel").before.as_str(), find("diesel").leads),
            ("", true)
        );
        assert_eq!(
            (find("now").before.as_str(), find("now").leads),
            ("Utc", false)
        );
        assert!(!find("cron").leads);
    }

    #[test]
    fn literals_are_kept_but_those_of_documentation() {
        let named = read("/// SELECT\nconst Q: &str = \"SELECT 1\"; mod utils;", &[]);
        assert_eq!(named.literals, ["\"SELECT 1\""]);
        assert_eq!(named.modules, ["utils"]);
    }
}
