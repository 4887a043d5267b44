//! Lists of the form `key=value,key=value`, whose values may be percent-encoded.

use super::Reader;

impl Reader<'_> {
    /// The pairs of a variable. No problem shows a value.
    pub(super) fn pairs(&mut self, name: &str) -> Vec<(String, String)> {
        let text = self.get(name).unwrap_or_default();
        let entries = text.split(',').map(str::trim);
        let entries = entries.filter(|entry| !entry.is_empty());
        let read: Option<Vec<_>> = entries.map(pair).collect();
        if read.is_none() {
            self.wrong(name, "cannot be read; write it like key=value,other=value, with % before the hexadecimal code of a character that means something here");
        }
        read.unwrap_or_default()
    }
}

fn pair(entry: &str) -> Option<(String, String)> {
    let (key, value) = entry.split_once('=')?;
    let (key, value) = (decoded(key.trim())?, decoded(value.trim())?);
    (!key.is_empty()).then_some((key, value))
}

fn decoded(text: &str) -> Option<String> {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text);
    while let Some((before, behind)) = rest.split_once('%') {
        let (code, behind) = behind.split_at_checked(2)?;
        let is_code = code.bytes().all(|byte| byte.is_ascii_hexdigit());
        bytes.extend_from_slice(before.as_bytes());
        bytes.push(u8::from_str_radix(code, 16).ok().filter(|_| is_code)?);
        rest = behind;
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8(bytes).ok()
}
