//! Operations by method and path.

use crate::request::{RequestHead, decode};
use crate::tables::{Row, Segment};

/// An operation, and the parts of the path that it names.
pub(crate) type Fit = (&'static Row, Vec<(&'static str, String)>);

/// How exactly an operation fits: each part of the path, then the pattern's query, then what else must be there.
type Exactness = (Vec<u8>, usize, usize);

/// The operations that fit best: one, unless the tables cannot tell several apart. `is_s3` lets the last part be
/// any text, dots and empty parts too.
pub(crate) fn best(head: &RequestHead<'_>, path: &str, rows: &'static [Row], is_s3: bool) -> Vec<Fit> {
    let parts = parts(path);
    // A server may resolve what a path leaves and enters: what it then finds is not what was looked at here.
    if !is_s3 && parts.iter().any(|part| matches!(&*decode(part.as_bytes(), false), "." | "..")) {
        return Vec::new();
    }
    let query = head.query_pairs();
    let mut best: Option<Exactness> = None;
    let mut found = Vec::new();
    for row in rows.iter().filter(|row| row.method == head.method) {
        let Some((exactness, labels)) = fit(row, head, path, &parts, &query) else { continue };
        if best.as_ref().is_some_and(|best| *best > exactness) {
            continue;
        }
        if best.as_ref() != Some(&exactness) {
            found.clear();
        }
        best = Some(exactness);
        found.push((row, labels));
    }
    found
}

/// The parts between the slashes; an empty one at the end is none.
fn parts(path: &str) -> Vec<&str> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let mut parts: Vec<_> = path.split('/').collect();
    if parts.last().is_some_and(|part| part.is_empty()) {
        parts.pop();
    }
    parts
}

fn fit(
    row: &'static Row,
    head: &RequestHead<'_>,
    path: &str,
    parts: &[&str],
    query: &[(String, String)],
) -> Option<(Exactness, Vec<(&'static str, String)>)> {
    let greedy = row.segments.iter().position(|segment| matches!(segment, Segment::Greedy(_)));
    let after = greedy.map_or(0, |at| row.segments.len() - at - 1);
    match greedy {
        None if parts.len() != row.segments.len() => return None,
        Some(at) if parts.len() < at + 1 + after => return None,
        _ => {}
    }
    let mut exactness = Vec::with_capacity(row.segments.len());
    let mut labels = Vec::new();
    let mut left = parts;
    for segment in &row.segments {
        let part = left.first()?;
        match segment {
            Segment::Literal(text) => {
                if decode(part.as_bytes(), false) != *text {
                    return None;
                }
                exactness.push(2);
                left = &left[1..];
            }
            Segment::Label(name) => {
                if part.is_empty() {
                    return None;
                }
                exactness.push(1);
                labels.push((*name, decode(part.as_bytes(), false)));
                left = &left[1..];
            }
            Segment::Greedy(name) => {
                let taken = left.len() - after;
                let mut text = left[..taken].join("/");
                // A key may end in a slash.
                if after == 0 && path.ends_with('/') {
                    text.push('/');
                }
                exactness.push(0);
                labels.push((*name, decode(text.as_bytes(), false)));
                left = &left[taken..];
            }
        }
    }
    let has = |name: &str, value: Option<&str>| {
        query.iter().any(|(known, given)| known == name && value.is_none_or(|value| value == given))
    };
    if !row.query.iter().all(|(name, value)| has(name, *value)) {
        return None;
    }
    let is_told = |path: &&&str| match path.split_once('.') {
        // A URL that was signed in advance has it in its query.
        Some(("h", name)) => {
            head.header(name).is_some() || query.iter().any(|(known, _)| known.eq_ignore_ascii_case(name))
        }
        Some((_, name)) => has(name, None),
        None => false,
    };
    if !row.telling.iter().all(|path| is_told(&path)) {
        return None;
    }
    Some(((exactness, row.query.len(), row.telling.len()), labels))
}
