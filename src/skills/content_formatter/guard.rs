//! Refuses templates that could make a value grow without bound, before they are compiled.
//!
//! Fuel counts instructions, not bytes: `{% set x = x ~ x %}` written forty times is forty instructions and a
//! terabyte, and running out of memory would end the whole process. So no operator repeats a value, nothing calls
//! itself, and the growth of what remains is estimated: an expression joins or lists at most one value more than it
//! has `~`, `+` and commas, and each name that it is bound to may be used in the next.
//!
//! Nor may it use up the stack, which would end the process as well: the engine counts parentheses and blocks inside of one
//! another, but not the links of a chain (`a.b.c`, `x|f|g`, `not not x`, one `elif` after the other), each of which it also
//! goes one level deeper for.

/// The longest template, in bytes.
const MAX_SOURCE: usize = 16 * 1024;

/// How many times longer than its parts a value may become.
const MAX_GROWTH: usize = 64;

/// Words and signs of one piece of code. The engine needs less than 1.5 KiB of stack for each, and threads have 2 MiB.
const MAX_TOKENS: usize = 300;

/// The branches of all conditions.
const MAX_BRANCHES: usize = 50;

/// Lists that could stand inside of one another, over the whole template.
const MAX_LISTS: usize = 100;

/// What may stand behind `{%`.
const STATEMENTS: [&str; 13] = [
    "for",
    "else",
    "elif",
    "if",
    "endif",
    "endfor",
    "set",
    "endset",
    "with",
    "endwith",
    "filter",
    "endfilter",
    "raw",
];

/// What is wrong with the template's shape.
pub(super) fn check(source: &str) -> Result<(), String> {
    if source.len() > MAX_SOURCE {
        return Err(format!(
            "is {} bytes long; a template has at most {MAX_SOURCE}",
            source.len()
        ));
    }
    let mut shape = Shape::default();
    let mut rest = source;
    while let Some((code, after)) = next_code(rest) {
        rest = match shape.add(&without_texts(code))? {
            // What stands between is text; the engine ends it here or later.
            Growth::Raw => after.split_once("endraw").map_or("", |(_, rest)| rest),
            _ => after,
        };
    }
    shape.judge()
}

/// What adds up over the whole template.
struct Shape {
    /// How many times longer values with names can become.
    bound: usize,
    /// And those without.
    used: usize,
    branches: usize,
    lists: usize,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            bound: 1,
            used: 1,
            branches: 0,
            lists: 0,
        }
    }
}

impl Shape {
    /// With one more piece of code, whose quoted texts are left out.
    fn add(&mut self, plain: &str) -> Result<Growth, String> {
        let growth = check_code(plain)?;
        self.lists += plain.matches('[').count() + plain.matches("groupby").count();
        self.branches += usize::from(matches!(growth, Growth::Branch(_)));
        match growth {
            Growth::Bound(times) => self.bound = self.bound.saturating_mul(times),
            Growth::Used(times) | Growth::Branch(times) => self.used = self.used.max(times),
            Growth::Raw => {}
        }
        Ok(growth)
    }

    fn judge(&self) -> Result<(), String> {
        if self.bound.saturating_mul(self.used) > MAX_GROWTH {
            return Err(format!(
                "joins values so often, one in the other, that they could become more than {MAX_GROWTH} times as long; \
                 write them side by side, as in `{{{{ a }}}} {{{{ b }}}}`"
            ));
        }
        for (what, count, most) in [
            ("`elif`", self.branches, MAX_BRANCHES),
            ("`[` and `groupby`", self.lists, MAX_LISTS),
        ] {
            if count > most {
                return Err(format!(
                    "has {what} {count} times; a template has it at most {most} times"
                ));
            }
        }
        Ok(())
    }
}

/// How many times longer than one of its parts a piece of code can make a value.
enum Growth {
    /// And gives it a name, for others to use.
    Bound(usize),
    /// And does not keep it.
    Used(usize),
    /// The same, for a condition's next branch.
    Branch(usize),
    /// It is none: `{% raw %}`.
    Raw,
}

/// One piece of code, its opening mark included, and what follows it. Comments are passed over.
fn next_code(mut source: &str) -> Option<(&str, &str)> {
    loop {
        let start = ["{{", "{%", "{#"]
            .iter()
            .filter_map(|mark| source.find(mark))
            .min()?;
        let (_, opened) = source.split_at_checked(start)?;
        if opened.starts_with("{#") {
            source = opened.split_once("#}")?.1;
        } else {
            return opened.split_at_checked(end_of(opened));
        }
    }
}

/// Where the code ends: behind its closing mark, those in quotes not counted.
fn end_of(opened: &str) -> usize {
    let close = if opened.starts_with("{{") { "}}" } else { "%}" };
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in opened.char_indices() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if c == '"' || c == '\'' => quote = Some(c),
            None if opened.get(at..).is_some_and(|rest| rest.starts_with(close)) => {
                return at + close.len();
            }
            None => {}
        }
    }
    opened.len()
}

/// Of code without its quoted texts.
fn check_code(plain: &str) -> Result<Growth, String> {
    // Without tables, the first `}}` outside of quotes is the end for the engine too.
    if plain.chars().skip(2).any(|c| c == '{') {
        return Err("writes a table with `{`, which templates cannot".into());
    }
    if plain.contains('*') {
        return Err(
            "uses `*`, which templates cannot: it repeats a text any number of times".into(),
        );
    }
    let tokens = tokens(plain);
    if tokens > MAX_TOKENS {
        return Err(format!(
            "has an expression of {tokens} words and signs; one has at most {MAX_TOKENS}: give its parts names with `set`"
        ));
    }
    let times = 1 + plain.matches(['~', '+', ',']).count();
    let Some(statement) = plain.strip_prefix("{%") else {
        return Ok(Growth::Used(times));
    };
    Ok(match check_statement(statement)? {
        "set" | "with" | "for" => Growth::Bound(times),
        "raw" => Growth::Raw,
        "elif" => Growth::Branch(times),
        _ => Growth::Used(times),
    })
}

/// Words and signs, however they are spaced.
fn tokens(plain: &str) -> usize {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let words = plain.split(|c| !is_word(c));
    let signs = plain.chars().filter(|c| !is_word(*c) && !c.is_whitespace());
    words.filter(|word| !word.is_empty()).count() + signs.count()
}

/// The statement's keyword.
fn check_statement(code: &str) -> Result<&str, String> {
    let mut words = code
        .split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter(|word| !word.is_empty());
    let first = words.next().unwrap_or_default();
    if !STATEMENTS.contains(&first) {
        return Err(format!(
            "uses `{{% {} %}}`; templates have for, if, set, with, filter and raw",
            crate::domain::text::bounded(first, 40)
        ));
    }
    if first == "for" && words.any(|word| word == "recursive") {
        return Err("uses a recursive loop, which templates cannot".into());
    }
    Ok(first)
}

/// The code with the insides of its quoted texts left out.
fn without_texts(code: &str) -> String {
    let mut plain = String::with_capacity(code.len());
    let mut quote = None;
    let mut escaped = false;
    for c in code.chars() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if c == '"' || c == '\'' => quote = Some(c),
            None => plain.push(c),
        }
    }
    plain
}
