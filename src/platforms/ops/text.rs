//! Texts of notices, made fit to show: without what commands a terminal or turns the direction of writing, and of a
//! bounded length.
//!
//! Lengths are in UTF-16 units, which are never fewer than code points: whichever the other side counts, it takes the
//! text. Cuts fall between graphemes, as people read.

use unicode_segmentation::UnicodeSegmentation;

/// One line of at most `longest` units; what is cut ends with `…`.
pub(super) fn line(text: &str, longest: usize) -> String {
    fit(text.split_whitespace(), " ", longest)
}

/// Lines, of at most `longest` units together.
pub(super) fn lines(text: &str, longest: usize) -> String {
    fit(text.trim().lines().map(str::trim_end), "\n", longest)
}

/// In UTF-16 units.
pub(super) fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

/// As many `pieces` as there is room for, less one for the `…` if that is not all of them.
pub(super) fn taken<P: AsRef<str>>(pieces: impl Iterator<Item = P>, longest: usize) -> String {
    let (mut whole, mut used, mut kept) = (String::new(), 0, 0);
    for piece in pieces {
        used += length(piece.as_ref());
        if used > longest {
            whole.truncate(kept);
            return format!("{}…", whole.trim_end());
        }
        whole.push_str(piece.as_ref());
        if used < longest {
            kept = whole.len();
        }
    }
    whole
}

fn fit<'a>(parts: impl Iterator<Item = &'a str>, between: &str, longest: usize) -> String {
    let mut text = String::new();
    for part in parts {
        if !text.is_empty() {
            text.push_str(between);
        }
        // Marks without a letter of their own are joined to what stands before: a little more is looked at.
        text.extend(part.chars().filter(is_shown).map(harmless));
        if text.len() > longest * 16 {
            break;
        }
    }
    taken(text.trim_end().graphemes(true), longest)
}

/// Not one of the marks that turn the direction of what follows.
const fn is_shown(c: &char) -> bool {
    !matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn harmless(c: char) -> char {
    if c.is_control() { ' ' } else { c }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cleaned_and_keeps_its_bound() {
        for (text, longest, shown) in [
            ("fine", 4, "fine"),
            ("longer", 4, "lon…"),
            (" a\r\nb\tc\0d\x1b[31m ", 20, "a b c d [31m"),
            ("a\u{202e}b\u{2066}c", 9, "abc"),
            ("e\u{301}e\u{301}e\u{301}", 5, "e\u{301}e\u{301}…"),
            ("👩‍👩‍👧 x", 7, "…"),
            ("", 0, ""),
            ("\n\n", 3, ""),
        ] {
            assert_eq!(line(text, longest), shown, "{text:?}");
        }
        assert_eq!(lines("\n a  \r\n\r\n b\0\n", 20), "a\n\n b");
    }

    #[test]
    fn a_hostile_text_is_cut_whatever_it_is_made_of() {
        let zalgo = "a".to_owned() + &"\u{301}".repeat(1 << 20);
        let wide = "\u{1f600}".repeat(1 << 18);
        let empty = "\n".repeat(1 << 20) + &"\u{202e}".repeat(1 << 18);
        for text in [zalgo, wide, empty, " \0".repeat(1 << 20)] {
            for longest in [1, 2, 100] {
                assert!(length(&line(&text, longest)) <= longest);
                assert!(length(&lines(&text, longest)) <= longest);
            }
        }
    }
}
