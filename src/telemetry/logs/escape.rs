//! One event is one line, whatever is in it: a text from outside can neither begin a line of its own nor steer a
//! terminal, and has a longest length.

use std::fmt::{self, Write};

/// The longest text of one field, in bytes, before what is cut off is marked.
pub(super) const LONGEST: usize = 16 * 1024;

/// Stands for what is cut off.
pub(super) const CUT: &str = "…(cut)";

/// Whether a character is written as its escape: control characters (line ends and ESC among them), the line and
/// paragraph separators of Unicode, and what turns the direction of a text round.
pub(super) const fn is_dangerous(c: char) -> bool {
    matches!(
        c,
        '\0'..='\u{1f}'
            | '\u{7f}'..='\u{9f}'
            | '\u{61c}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{feff}'
    )
}

/// Writes on, escaped, up to [`LONGEST`] bytes.
pub(super) struct Escaped<W> {
    inner: W,
    left: usize,
    cut: bool,
}

impl<W: Write> Escaped<W> {
    pub(super) const fn new(inner: W) -> Self {
        Self {
            inner,
            left: LONGEST,
            cut: false,
        }
    }
}

impl<W: Write> Write for Escaped<W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.cut {
            return Ok(());
        }
        let kept = text.get(..text.floor_char_boundary(self.left));
        let kept = kept.unwrap_or_default();
        self.left -= kept.len();
        let mut rest = kept;
        while let Some(at) = rest.find(is_dangerous) {
            let (before, behind) = rest.split_at_checked(at).unwrap_or_default();
            self.inner.write_str(before)?;
            let mut behind = behind.chars();
            if let Some(c) = behind.next() {
                write!(self.inner, "{}", c.escape_default())?;
            }
            rest = behind.as_str();
        }
        self.inner.write_str(rest)?;
        if kept.len() < text.len() {
            self.cut = true;
            self.inner.write_str(CUT)?;
        }
        Ok(())
    }
}

/// The text up to its longest length, not escaped.
pub(super) fn bounded(mut text: String) -> String {
    if text.len() > LONGEST {
        text.truncate(text.floor_char_boundary(LONGEST));
        text.push_str(CUT);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(text: &str) -> String {
        let mut out = String::new();
        write!(Escaped::new(&mut out), "{text}").unwrap();
        out
    }

    #[test]
    fn what_could_forge_a_line_or_steer_a_terminal_is_an_escape() {
        let text = "a\nb\r\tc\u{1b}[31m\u{85}\u{2028}\u{2029}\u{202e}\u{2066}\u{feff}\0z";
        assert_eq!(
            escaped(text),
            r"a\nb\r\tc\u{1b}[31m\u{85}\u{2028}\u{2029}\u{202e}\u{2066}\u{feff}\u{0}z"
        );
        assert_eq!(escaped("grüße 🦀 \\n \"q\""), "grüße 🦀 \\n \"q\"");
    }

    #[test]
    fn a_long_text_is_cut_between_characters_with_a_mark() {
        let long = escaped(&"ä".repeat(LONGEST));
        assert!(long.ends_with(CUT));
        assert_eq!(long.len(), LONGEST + CUT.len());
        assert_eq!(escaped(&"x".repeat(LONGEST)).len(), LONGEST);
        let odd = bounded(format!("x{}", "ä".repeat(LONGEST)));
        assert_eq!(odd.len(), LONGEST - 1 + CUT.len());
        let mut parts = Escaped::new(String::new());
        for _ in 0..3 {
            parts.write_str(&"y".repeat(LONGEST / 2 + 1)).unwrap();
        }
        assert_eq!(parts.inner.matches(CUT).count(), 1);
        assert_eq!(parts.inner.len(), LONGEST + CUT.len());
    }
}
