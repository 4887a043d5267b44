//! Bytes to events, as the HTML standard says (section "Server-sent events").

use std::{collections::VecDeque, time::Duration};

/// The longest event, in bytes; a server that sends more is cut off.
const LONGEST: usize = 1 << 20;

/// One event, or only how far the stream is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) id: Option<String>,
    pub(super) kind: String,
    /// `None` where there is nothing to tell.
    pub(super) data: Option<String>,
}

/// What has come in and is not yet taken out.
#[derive(Default)]
pub(super) struct Parser {
    /// The beginning of a line.
    rest: Vec<u8>,
    /// The last byte was a carriage return: a line feed now belongs to it.
    after_return: bool,
    /// The event that is being read.
    frame: Frame,
    /// Events that are complete.
    frames: VecDeque<Frame>,
    retry: Option<Duration>,
    begun: bool,
}

impl Parser {
    /// Takes what came in. Whether it could: it is not kept if an event grows too long.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> bool {
        for &byte in bytes {
            let belongs = std::mem::replace(&mut self.after_return, byte == b'\r');
            match byte {
                b'\n' if belongs => {}
                b'\n' | b'\r' => self.end_line(),
                _ => self.rest.push(byte),
            }
            if self.rest.len() + self.frame.data.as_ref().map_or(0, String::len) > LONGEST {
                return false;
            }
        }
        true
    }

    pub(super) fn next(&mut self) -> Option<Frame> {
        self.frames.pop_front()
    }

    /// How long to wait before a new connection, if the server has said so since the last question.
    pub(super) fn retry(&mut self) -> Option<Duration> {
        self.retry.take()
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.rest);
        let line = String::from_utf8_lossy(&line);
        let line = if std::mem::replace(&mut self.begun, true) {
            &line
        } else {
            line.trim_start_matches('\u{feff}')
        };
        if line.is_empty() {
            return self.end_frame();
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        self.field(field, value.strip_prefix(' ').unwrap_or(value));
    }

    fn field(&mut self, name: &str, value: &str) {
        match name {
            "event" => self.frame.kind = value.to_owned(),
            "id" if !value.contains('\0') => self.frame.id = Some(value.to_owned()),
            "retry" if value.bytes().all(|byte| byte.is_ascii_digit()) => {
                self.retry = value.parse().ok().map(Duration::from_millis);
            }
            "data" => match &mut self.frame.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                none => *none = Some(value.to_owned()),
            },
            _ => {}
        }
    }

    fn end_frame(&mut self) {
        let mut frame = std::mem::take(&mut self.frame);
        if frame.data.is_none() && frame.id.is_none() {
            return;
        }
        if frame.kind.is_empty() {
            "message".clone_into(&mut frame.kind);
        }
        self.frames.push_back(frame);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pieces: &[&[u8]]) -> Vec<Frame> {
        let mut parser = Parser::default();
        assert!(pieces.iter().all(|piece| parser.feed(piece)));
        std::iter::from_fn(|| parser.next()).collect()
    }

    fn frame(id: Option<&str>, kind: &str, data: &str) -> Frame {
        Frame {
            id: id.map(Into::into),
            kind: kind.into(),
            data: Some(data.into()),
        }
    }

    #[test]
    fn events_are_the_same_whatever_ends_their_lines_and_wherever_they_are_cut() {
        let text =
            "\u{feff}: hello\nid: 7\nevent: run_started\ndata: {\"a\":\ndata: \"é\"}\n\ndata:x\n\n";
        let expected = [
            frame(Some("7"), "run_started", "{\"a\":\n\"é\"}"),
            frame(None, "message", "x"),
        ];
        for end in ["\n", "\r\n", "\r"] {
            let text = text.replace('\n', end);
            assert_eq!(read(&[text.as_bytes()]), expected);
            let bytes: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
            assert_eq!(read(&bytes), expected, "{end:?}");
        }
    }

    #[test]
    fn what_is_no_event_is_passed_over() {
        assert_eq!(
            read(&[b"event: x\n\n: alive\n\nfoo: bar\n\ndata: cut off\n"]),
            []
        );
        assert_eq!(read(&[b"id: a\0b\ndata\n\n"]), [frame(None, "message", "")]);
        assert_eq!(
            read(&[b"data: \xff\n\n"]),
            [frame(None, "message", "\u{fffd}")]
        );
    }

    #[test]
    fn an_id_without_data_says_how_far_the_stream_is() {
        let frames = read(&[b"retry: 5\nid: 3\n\nid\n\n"]);
        let ids: Vec<_> = frames.iter().map(|frame| frame.id.as_deref()).collect();
        assert_eq!(ids, [Some("3"), Some("")]);
        assert!(frames.iter().all(|frame| frame.data.is_none()));
    }

    #[test]
    fn the_server_names_the_pause_before_a_new_connection() {
        let mut parser = Parser::default();
        assert!(parser.feed(b"retry: soon\nretry: 1500\n"));
        assert_eq!(parser.retry(), Some(Duration::from_millis(1500)));
        assert_eq!(parser.retry(), None);
    }

    #[test]
    fn an_event_without_end_is_not_kept() {
        let mut parser = Parser::default();
        let line = [b"data: ", &[b'x'; 65_536][..], b"\n"].concat();
        assert!((0..20).any(|_| !parser.feed(&line)));
    }
}
