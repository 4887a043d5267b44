//! Refuses feeds that a reader would choke on, before it is given them: a feed is small, and what it becomes in memory
//! need not be.
//!
//! The reader calls itself for groups inside of groups, copies what stands around a group into it, and compares each attribute
//! of an element with the others. It is the same tokenizer that counts here, so that nothing can hide from it in comments or quotes.

use quick_xml::{
    Reader,
    encoding::DecodingReader,
    events::{BytesStart, Event},
};

use super::guard_json;

/// Entries of a feed.
pub(super) const MOST_ENTRIES: usize = 5_000;

/// Elements inside of elements; the reader takes some of its thread's stack for each.
const DEEPEST: usize = 128;

/// Elements, of which those in an entry count once more for each group that it has.
const MOST_ELEMENTS: usize = 400_000;

/// Attributes of an element.
const MOST_ATTRIBUTES: usize = 500;

/// Mistakes in XML; the reader gives up long before.
const MOST_MISTAKES: usize = 100;

/// Where the reader looks for what a feed is.
const BEGINNING: usize = 8 * 1024;

/// Whether this is a feed of a sane shape, as far as it can be read at all; whatever else is wrong with it is for the reader to say.
pub(super) fn check(feed: &[u8]) -> Result<(), String> {
    let mut beginning = feed.iter().take(BEGINNING);
    match beginning.find(|byte| matches!(byte, b'<' | b'{')) {
        Some(b'{') => guard_json::check(feed),
        Some(_) => check_xml(feed),
        None => Err("is neither XML nor JSON".into()),
    }
}

fn check_xml(feed: &[u8]) -> Result<(), String> {
    let mut reader = Reader::from_reader(DecodingReader::new(feed));
    reader.config_mut().expand_empty_elements = true;
    let (mut outline, mut event) = (Outline::default(), Vec::new());
    let mut mistakes = 0;
    loop {
        event.clear();
        match reader.read_event_into(&mut event) {
            Ok(Event::Start(element)) => outline.enter(&element)?,
            Ok(Event::End(_)) => outline.leave(),
            Ok(Event::Decl(declaration)) => {
                if let Some(encoding) = declaration.encoder() {
                    reader.get_mut().set_encoding(encoding);
                }
            }
            Ok(Event::Eof) => return Ok(()),
            // The reader may go on where there is one, and so does this.
            Err(_) if mistakes < MOST_MISTAKES => mistakes += 1,
            Err(error) => return Err(format!("is no XML: {error}")),
            Ok(_) => {}
        }
    }
}

/// What has been seen.
#[derive(Default)]
struct Outline {
    depth: usize,
    entries: usize,
    elements: usize,
    /// In the entry at hand.
    elements_inside: usize,
    groups_inside: usize,
}

impl Outline {
    fn enter(&mut self, element: &BytesStart<'_>) -> Result<(), String> {
        self.depth += 1;
        self.elements_inside += 1;
        self.elements += 1 + self.groups_inside;
        match element.local_name().as_ref() {
            "item" | "entry" => {
                self.entries += 1;
                (self.elements_inside, self.groups_inside) = (0, 0);
            }
            "group" => {
                self.groups_inside += 1;
                self.elements += self.elements_inside;
            }
            _ => {}
        }
        let attributes = element.bytes().filter(|byte| *byte == b'=').count();
        self.within(attributes)
    }

    fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    fn within(&self, attributes: usize) -> Result<(), String> {
        for (what, count, most) in [
            ("elements inside of one another", self.depth, DEEPEST),
            ("entries", self.entries, MOST_ENTRIES),
            ("elements", self.elements, MOST_ELEMENTS),
            ("attributes of an element", attributes, MOST_ATTRIBUTES),
        ] {
            if count > most {
                return Err(format!("has more than {most} {what}"));
            }
        }
        Ok(())
    }
}
