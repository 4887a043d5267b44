//! Files that go with a message: what is stored with a post names them, and they are fetched when it is sent.
//!
//! A resend fetches them again: it is the same post, whatever the address gives by then. Nothing is ever read from this
//! machine's disk, and every address goes the bots' own way out, with its rules and bounds.

use std::time::Duration;

use reqwest::{Method, Url, header::CONTENT_TYPE};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::PostFailure;
use crate::outbound::{Bounds, Incoming, Outbound, OutboundError, Outgoing};

/// Discord's most files of a message.
const MOST: usize = 10;

/// Discord's limit of a file, unless a server has paid for more.
const MAX_FILE: usize = 10 * 1024 * 1024;

/// Discord's limit of a request.
const MAX_ALL: usize = 25 * 1024 * 1024;

/// Discord's limit of an alt text, in characters.
const MAX_DESCRIPTION: usize = 1024;

/// The longest name of a file.
const MAX_NAME: usize = 100;

/// How long fetching one file may take.
const TIME: Duration = Duration::from_secs(30);

/// A file as the options of a message name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attachment {
    url: Url,
    name: Option<String>,
    description: Option<String>,
}

/// A file that was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct File {
    /// Of letters, digits, `.`, `_` and `-`.
    pub(super) name: String,
    /// Its alt text.
    pub(super) description: Option<String>,
    kind: String,
    bytes: Vec<u8>,
}

/// The files in a message's options: `attachments`, a list of tables with `url`, and perhaps `filename` and `description`.
///
/// # Errors
/// What is wrong with them.
pub(super) fn of(options: &Map<String, Value>) -> Result<Vec<Attachment>, String> {
    let Some(listed) = options.get("attachments") else {
        return Ok(Vec::new());
    };
    let list = listed.as_array().ok_or("`attachments` must be a list")?;
    if list.len() > MOST {
        let many = list.len();
        return Err(format!(
            "there are {many} attachments; Discord takes at most {MOST}"
        ));
    }
    list.iter().map(attachment).collect()
}

fn attachment(value: &Value) -> Result<Attachment, String> {
    let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let url = text("url").ok_or("an attachment has no `url`")?;
    let url = Url::parse(&url).ok();
    let is_web = |url: &Url| matches!(url.scheme(), "http" | "https");
    let url = url
        .filter(is_web)
        .ok_or("the `url` of an attachment is not one of http:// or https://")?;
    let description = text("description").filter(|text| !text.trim().is_empty());
    Ok(Attachment {
        url,
        name: text("filename"),
        description: description.map(|text| text.chars().take(MAX_DESCRIPTION).collect()),
    })
}

/// Fetches all, one after the other.
///
/// # Errors
/// One cannot be had; its address is not shown beyond its origin.
pub(super) async fn fetch(
    outbound: &Outbound,
    wanted: &[Attachment],
) -> Result<Vec<File>, PostFailure> {
    let (mut files, mut left): (Vec<File>, _) = (Vec::new(), MAX_ALL);
    for one in wanted {
        let file = one.fetch(outbound, left.min(MAX_FILE)).await?;
        left = left.saturating_sub(file.bytes.len());
        files.push(file);
    }
    tell_apart(&mut files);
    Ok(files)
}

impl Attachment {
    async fn fetch(&self, outbound: &Outbound, bytes: usize) -> Result<File, PostFailure> {
        let mut request = Outgoing::new(Method::GET, self.url.clone());
        request.bounds = Bounds {
            time: TIME,
            bytes,
            ..Bounds::default()
        };
        let answer = outbound.send(request).await;
        let answer = answer.map_err(|error| self.missing(&error))?;
        let status = answer.status.as_u16();
        match status {
            200..=299 => Ok(self.file(answer)),
            408 | 425 | 429 | 500.. => Err(PostFailure::Unprepared(self.says(status))),
            _ => Err(PostFailure::Rejected(self.says(status))),
        }
    }

    fn says(&self, status: u16) -> String {
        let origin = self.url.origin().ascii_serialization();
        format!("an attachment cannot be fetched: {origin} answered {status}")
    }

    fn missing(&self, error: &OutboundError) -> PostFailure {
        let text = format!("an attachment cannot be fetched: {error}");
        match error.is_transient() {
            true => PostFailure::Unprepared(text),
            false => PostFailure::Rejected(text),
        }
    }

    fn file(&self, answer: Incoming) -> File {
        let kind = answer.headers.get(CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        let is_kind = |c: char| c.is_ascii_alphanumeric() || "/+.-".contains(c);
        let kind = match kind.chars().all(is_kind) && kind.contains('/') {
            true => kind.to_ascii_lowercase(),
            false => "application/octet-stream".into(),
        };
        let last = self
            .url
            .path_segments()
            .and_then(|mut path| path.next_back());
        let given = self.name.as_deref().or(last).unwrap_or_default();
        File {
            name: named(given, &kind),
            description: self.description.clone(),
            kind,
            bytes: answer.body,
        }
    }
}

/// A name that no system stumbles over, with an ending that says what it is.
fn named(given: &str, kind: &str) -> String {
    let plain = |c: char| match c {
        c if c.is_ascii_alphanumeric() || "._-".contains(c) => c,
        _ => '_',
    };
    let name: String = given.chars().map(plain).collect();
    let name = name.trim_matches(['.', '_']);
    let name = match name.is_empty() {
        true => "attachment",
        false => name
            .get(name.len().saturating_sub(MAX_NAME)..)
            .unwrap_or(name),
    };
    match (name.contains('.'), ending(kind)) {
        (false, Some(ending)) => format!("{name}.{ending}"),
        _ => name.to_owned(),
    }
}

fn ending(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "image/png" => "png",
        "image/jpeg" => "jpg",
        "image/gif" => "gif",
        "image/webp" => "webp",
        "image/svg+xml" => "svg",
        "video/mp4" => "mp4",
        "video/webm" => "webm",
        "audio/mpeg" => "mp3",
        "audio/ogg" => "ogg",
        "application/pdf" => "pdf",
        "text/plain" => "txt",
        _ => return None,
    })
}

/// Files of one message are told apart by their names.
fn tell_apart(files: &mut [File]) {
    let mut taken: Vec<String> = Vec::new();
    for (n, file) in files.iter_mut().enumerate() {
        if taken.contains(&file.name) {
            file.name = format!("{n}-{}", file.name);
        }
        taken.push(file.name.clone());
    }
}

/// `multipart/form-data` (RFC 7578) as Discord wants it: the JSON in `payload_json`, the files in `files[n]`. Answers the
/// type and the bytes.
pub(super) fn form(payload: &Value, files: &[File]) -> (String, Vec<u8>) {
    // 122 random bits: they are in no file.
    let boundary = format!("part-{}", Uuid::new_v4().simple());
    let mut body = Vec::new();
    let mut part = |head: String, bytes: &[u8]| {
        body.extend_from_slice(format!("--{boundary}\r\n{head}\r\n\r\n").as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    };
    part(
        "Content-Disposition: form-data; name=\"payload_json\"\r\nContent-Type: application/json"
            .into(),
        payload.to_string().as_bytes(),
    );
    for (n, file) in files.iter().enumerate() {
        let (name, kind) = (&file.name, &file.kind);
        let head = format!(
            "Content-Disposition: form-data; name=\"files[{n}]\"; filename=\"{name}\"\r\nContent-Type: {kind}"
        );
        part(head, &file.bytes);
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    (format!("multipart/form-data; boundary={boundary}"), body)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_are_plain_and_say_what_the_file_is() {
        for (given, kind, name) in [
            ("cat.png", "image/png", "cat.png"),
            ("cat", "image/jpeg", "cat.jpg"),
            ("", "image/png", "attachment.png"),
            ("../../etc/passwd", "text/html", "etc_passwd"),
            ("a\"\r\nX: y\".png", "image/png", "a___X__y_.png"),
            ("ünï.gif", "image/gif", "n_.gif"),
        ] {
            assert_eq!(named(given, kind), name);
        }
        assert_eq!(
            named(&("x".repeat(300) + ".png"), "image/png").len(),
            MAX_NAME
        );
    }

    #[test]
    fn only_addresses_of_the_web_can_be_attached() {
        let read = |listed: Value| of(json!({ "attachments": listed }).as_object().unwrap());
        for (listed, says) in [
            (json!("x"), "must be a list"),
            (json!([{}]), "no `url`"),
            (json!([{ "url": "file:///etc/passwd" }]), "http://"),
            (json!([{ "url": "/etc/passwd" }]), "http://"),
            (
                json!(vec![json!({ "url": "https://h/a" }); 11]),
                "at most 10",
            ),
        ] {
            let problem = read(listed).unwrap_err();
            assert!(problem.contains(says), "{problem}");
        }
        let one = read(json!([{ "url": "https://h/a", "description": "x".repeat(2000) }]));
        let description = one.unwrap().remove(0).description;
        assert_eq!(description.map(|text| text.len()), Some(MAX_DESCRIPTION));
    }

    #[test]
    fn two_files_of_one_name_get_two() {
        let file = || File {
            name: "a.png".into(),
            description: None,
            kind: "image/png".into(),
            bytes: Vec::new(),
        };
        let mut files = [file(), file()];
        tell_apart(&mut files);
        assert_eq!(files[1].name, "1-a.png");
    }
}
