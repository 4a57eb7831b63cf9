//! HTTP requests, as far as signatures and actions look at them.

/// A request: `METHOD PATH?QUERY`, lines of `name: value`, an empty line, the body.
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
    pub(crate) headers: Vec<(&'a str, &'a [u8])>,
    pub(crate) body: &'a [u8],
}

impl<'a> Request<'a> {
    /// Reads a request. `None`: its first line, or a header's name, is no text.
    pub(crate) fn read(bytes: &'a [u8]) -> Option<Self> {
        let (first, mut rest) = line(bytes);
        let (method, target) = str::from_utf8(first).ok()?.split_once(' ')?;
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut headers = Vec::new();
        loop {
            let (header, after) = line(rest);
            rest = after;
            if header.is_empty() {
                return Some(Self { method, path, query, headers, body: rest });
            }
            let colon = header.iter().position(|byte| *byte == b':').unwrap_or(header.len());
            let value = header.get(colon + 1..).unwrap_or_default().trim_ascii();
            headers.push((str::from_utf8(&header[..colon]).ok()?, value));
        }
    }

    /// The first value of a header that is text.
    pub(crate) fn header(&self, name: &str) -> Option<&'a str> {
        let (_, value) = self.headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name))?;
        str::from_utf8(value).ok()
    }
}

/// The first line, and what follows it.
pub(crate) fn line(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    (&bytes[..end], bytes.get(end + 1..).unwrap_or_default())
}
