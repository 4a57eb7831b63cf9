//! One operation's line.

/// An operation: how it is asked for, and what it needs.
#[derive(Debug)]
pub(crate) struct Row {
    /// Its name.
    pub(crate) name: &'static str,
    /// The name that requests carry: CloudFront's differ.
    pub(crate) sent: &'static str,
    /// In the REST protocols.
    pub(crate) method: &'static str,
    pub(crate) segments: Vec<Segment>,
    /// What the path's pattern has behind its `?`.
    pub(crate) query: Vec<(&'static str, Option<&'static str>)>,
    /// `q.name` or `h.name`: what else must be there, where other operations have the same path.
    pub(crate) telling: Vec<&'static str>,
    /// The body is data, and holds no members.
    pub(crate) is_data: bool,
    pub(crate) actions: Vec<ActionRow>,
}

/// A part of a path's pattern.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Segment {
    Literal(&'static str),
    /// One part.
    Label(&'static str),
    /// All that is left.
    Greedy(&'static str),
}

/// An action that an operation needs.
#[derive(Debug)]
pub(crate) struct ActionRow {
    /// `None` for the service's own.
    pub(crate) prefix: Option<&'static str>,
    pub(crate) name: &'static str,
    /// Only if the request carries tags.
    pub(crate) with_tags: bool,
    /// The ways to its resources, as the generator writes them, between `;`.
    pub(crate) resources: &'static str,
    /// Its condition keys, between `,`.
    pub(crate) conditions: &'static str,
}

impl Row {
    pub(crate) fn read(line: &'static str) -> Self {
        let mut fields = line.split('\t');
        let mut field = || fields.next().expect("a line has its fields");
        let name = field();
        let (method, uri) = field().split_once(' ').unwrap_or_default();
        let telling = field().split(',').filter(|path| !path.is_empty()).collect();
        let is_data = field() == "d";
        let sent = match field() {
            "" => name,
            sent => sent,
        };
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        let query = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| match pair.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (pair, None),
        });
        let actions = fields.map(|action| ActionRow::read(name, action)).collect();
        Self {
            name,
            sent,
            method,
            segments: segments(path),
            query: query.collect(),
            telling,
            is_data,
            actions,
        }
    }
}

/// The parts between the slashes; an empty one at the end is none.
fn segments(path: &'static str) -> Vec<Segment> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    if path.is_empty() {
        return Vec::new();
    }
    let segment = |part: &'static str| match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
        Some(label) => label.strip_suffix('+').map_or(Segment::Label(label), Segment::Greedy),
        None => Segment::Literal(part),
    };
    path.split('/').map(segment).collect()
}

impl ActionRow {
    fn read(operation: &'static str, text: &'static str) -> Self {
        let mut parts = text.split('|');
        let mut part = || parts.next().expect("an action has its parts");
        let (prefix, name) = match part() {
            "" => (None, operation),
            text => text.split_once(':').map_or((None, text), |(prefix, name)| (Some(prefix), name)),
        };
        let name = if name.is_empty() { operation } else { name };
        let with_tags = part() == "t";
        Self { prefix, name, with_tags, resources: part(), conditions: part() }
    }
}
