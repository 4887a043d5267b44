//! Lines of a text that may be anything: numbered, bounded, and known to be UTF-8.

use std::io::{BufRead, Read as _};

/// The longest line, and the longest item, in bytes: what the API takes as a whole.
pub(super) const LONGEST: usize = 8 << 20;
/// Windows programs begin UTF-8 with it.
pub(super) const BOM: &[u8] = b"\xef\xbb\xbf";

/// A line with its end.
pub(super) struct Line {
    /// From 1.
    pub(super) number: u64,
    /// Also what ends it.
    pub(super) text: String,
}

/// Reads lines, one after the other.
pub(super) struct Lines<R> {
    reader: R,
    number: u64,
    /// Nothing behind this can be read.
    ended: bool,
}

impl<R: BufRead> Lines<R> {
    pub(super) const fn of(reader: R) -> Self {
        Self {
            reader,
            number: 0,
            ended: false,
        }
    }

    fn end(&mut self, problem: impl std::fmt::Display) -> Result<Line, String> {
        self.ended = true;
        Err(format!("line {}: {problem}", self.number))
    }
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = Result<Line, String>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        self.number += 1;
        let mut bytes = Vec::new();
        let mut bounded = self.reader.by_ref().take(LONGEST as u64 + 1);
        match bounded.read_until(b'\n', &mut bytes) {
            Err(error) => return Some(self.end(error)),
            Ok(0) => return None,
            Ok(many) if many > LONGEST => return Some(self.end("it is longer than 8 MiB")),
            Ok(_) => {}
        }
        if self.number == 1 {
            if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
                return Some(self.end("the text is UTF-16; save it as UTF-8"));
            }
            let bom = if bytes.starts_with(BOM) { BOM.len() } else { 0 };
            bytes.drain(..bom);
        }
        let number = self.number;
        Some(match String::from_utf8(bytes) {
            Ok(text) => Ok(Line { number, text }),
            Err(error) => {
                let at = error.utf8_error().valid_up_to() + 1;
                Err(format!("line {number}: byte {at} is no UTF-8"))
            }
        })
    }
}
