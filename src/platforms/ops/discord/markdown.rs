//! Texts as Discord shows them: a backslash before whatever its Markdown would take for a command, a mention, a link, an
//! emoji or the edge of a code block.
//!
//! Discord shows any punctuation behind a backslash as it is. Lengths count the backslashes, as Discord does; a cut never
//! comes between a backslash and what it belongs to.

use unicode_segmentation::UnicodeSegmentation;

use super::super::text::taken;

/// At most `longest` UTF-16 units that show `text`.
pub(super) fn escaped(text: &str, longest: usize) -> String {
    let mut start_of_line = true;
    let mut graphemes = text.graphemes(true).peekable();
    let pieces = std::iter::from_fn(|| {
        let grapheme = graphemes.next()?;
        let shown = one(grapheme, graphemes.peek().copied(), start_of_line);
        start_of_line = match grapheme {
            "\n" => true,
            // The number of a list, and white space, lead to its mark.
            _ => start_of_line && grapheme.chars().all(|c| c.is_ascii_digit() || c == ' '),
        };
        Some(shown)
    });
    taken(pieces, longest)
}

fn one(grapheme: &str, next: Option<&str>, start_of_line: bool) -> String {
    let escape = |c: char| match c {
        '\\' | '*' | '_' | '~' | '`' | '|' | '<' | '[' | ']' | '@' => true,
        // A heading, a quote, a list.
        '#' | '>' | '-' | '+' | '.' | ')' => start_of_line,
        // `https://…` and `:smile:`, but not `why: because`.
        ':' => next.is_some_and(|next| !next.starts_with(char::is_whitespace)),
        _ => false,
    };
    // A mark that is joined to it does not keep Discord from seeing the character.
    let mut shown = String::with_capacity(grapheme.len() + 1);
    for c in grapheme.chars() {
        if escape(c) {
            shown.push('\\');
        }
        shown.push(c);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_a_command() {
        for (text, shown) in [
            ("plain: text, at 9 (UTC).", "plain: text, at 9 (UTC)."),
            (
                "**b** _i_ ~~s~~ ||x||",
                r"\*\*b\*\* \_i\_ \~\~s\~\~ \|\|x\|\|",
            ),
            (
                "@everyone <@1> <@&2> <#3>",
                r"\@everyone \<\@1> \<\@&2> \<#3>",
            ),
            ("```\ncode\n```", "\\`\\`\\`\ncode\n\\`\\`\\`"),
            ("[here](https://evil)", r"\[here\](https\://evil)"),
            (":smile: <:a:1>", r"\:smile: \<\:a\:1>"),
            (
                "# a\n> b\n- c\n-# d\n 1. e",
                "\\# a\n\\> b\n\\- c\n\\-# d\n 1\\. e",
            ),
            (r"\*", r"\\\*"),
            ("*\u{301}", "\\*\u{301}"),
        ] {
            assert_eq!(escaped(text, 1000), shown, "{text}");
        }
    }

    #[test]
    fn a_cut_leaves_no_backslash_behind() {
        let text = "*".repeat(100);
        for longest in 1..30 {
            let cut = escaped(&text, longest);
            assert!(cut.chars().count() <= longest, "{cut}");
            let whole = cut.trim_end_matches('…').replace(r"\*", "");
            assert!(whole.is_empty(), "{cut}");
        }
    }
}
