//! Texts of others, made harmless: a bot's name or an error may contain what would command a terminal.

/// One line that shows what is there: control characters, and characters that turn the direction of writing or are not
/// seen, appear as their codes.
pub(super) fn line(text: &str) -> String {
    escaped(text, |c| match c {
        '\n' => "\\n".to_owned(),
        '\t' => "\\t".to_owned(),
        '\r' => "\\r".to_owned(),
        c => format!("\\u{{{:x}}}", u32::from(c)),
    })
}

/// The same JSON document without such characters. (They can only stand inside strings there, white space excepted.)
pub(super) fn json(text: &str) -> String {
    escaped(text, |c| match c {
        '\n' | '\r' | '\t' => c.to_string(),
        c => {
            let mut units = [0; 2];
            let units = c.encode_utf16(&mut units).iter();
            units.map(|unit| format!("\\u{unit:04x}")).collect()
        }
    })
}

fn escaped(text: &str, escape: impl Fn(char) -> String) -> String {
    if !text.contains(is_harmful) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_harmful(c) {
            out.push_str(&escape(c));
        } else {
            out.push(c);
        }
    }
    out
}

/// Unicode's control characters, its marks of direction, and those without width that hide or join.
const fn is_harmful(c: char) -> bool {
    matches!(c,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}')
}
