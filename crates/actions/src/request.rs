//! What is looked at of an HTTP request.

/// A request, as it came: nothing decoded.
#[derive(Clone, Copy, Debug)]
pub struct RequestHead<'a> {
    /// `GET`.
    pub method: &'a str,
    /// The `Host` header or `:authority`, with or without a port.
    pub host: &'a str,
    /// The path, percent-encoded as sent.
    pub path: &'a str,
    /// What follows the `?`, without it.
    pub query: &'a str,
    /// Names in any case.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// The service in the signature's scope; `None` for a request that is not signed.
    pub signing_name: Option<&'a str>,
    /// The whole body, or `None` if it was not read: see [`crate::wants_body`].
    pub body: Option<&'a [u8]>,
}

impl<'a> RequestHead<'a> {
    /// A header's value, if it is text. Of several the first.
    pub(crate) fn header(&self, name: &str) -> Option<&'a str> {
        let mut found = self.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        found.next().and_then(|(_, value)| std::str::from_utf8(value).ok()).map(str::trim)
    }

    /// The query's pairs, decoded. A name without `=` has an empty value.
    pub(crate) fn query_pairs(&self) -> Vec<(String, String)> {
        pairs(self.query.as_bytes())
    }
}

/// The pairs of a form or a query string.
pub(crate) fn pairs(form: &[u8]) -> Vec<(String, String)> {
    raw_pairs(form).map(|(name, value)| (decode(name, true), decode(value, true))).collect()
}

/// The values of one name in a form or a query string.
pub(crate) fn form_values(form: &[u8], wanted: &str) -> Vec<String> {
    let is_wanted = |name: &[u8]| match name.iter().any(|byte| matches!(byte, b'%' | b'+')) {
        true => decode(name, true) == wanted,
        false => name == wanted.as_bytes(),
    };
    raw_pairs(form).filter(|(name, _)| is_wanted(name)).map(|(_, value)| decode(value, true)).collect()
}

/// Names and values as they came. A name without `=` has an empty value.
fn raw_pairs(form: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    form.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()).map(|pair| {
        let at = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
        (&pair[..at], pair.get(at + 1..).unwrap_or_default())
    })
}

/// Resolves `%XX`, in a form also `+`. What is no escape stays; what is not UTF-8 becomes U+FFFD, which is in no
/// name.
pub(crate) fn decode(text: &[u8], is_form: bool) -> String {
    let is_plain = !text.iter().any(|byte| matches!(byte, b'%' | b'+'));
    if let (true, Ok(text)) = (is_plain, std::str::from_utf8(text)) {
        return text.to_owned();
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [byte, after @ ..] = rest {
        rest = after;
        match (byte, after) {
            (b'%', [high, low, after @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                bytes.push(digit(*high) << 4 | digit(*low));
                rest = after;
            }
            (b'+', _) if is_form => bytes.push(b' '),
            _ => bytes.push(*byte),
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

fn digit(hex: u8) -> u8 {
    match hex {
        b'0'..=b'9' => hex - b'0',
        _ => (hex | 0x20) - b'a' + 10,
    }
}
