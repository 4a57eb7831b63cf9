//! The context of a request: the condition keys and their values.

use std::borrow::Cow;

/// The keys of a request and their values. Names are the same in any case.
///
/// ```
/// use linkway_policy::Context;
///
/// let mut context = Context::new();
/// context.insert("aws:SourceVpc", "vpc-0a1b2c3d");
/// context.insert_many("aws:TagKeys", ["team", "env"]);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Context<'a> {
    // Apart from the entries, so that a look-up reads one cache line and compares numbers.
    hashes: Vec<u64>,
    entries: Vec<(Cow<'a, str>, ContextValue<'a>)>,
}

/// The value of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContextValue<'a> {
    /// Of a single-valued key.
    One(Cow<'a, str>),
    /// Of a multivalued key, which may have any number of them. It cannot be a policy variable.
    Many(Vec<Cow<'a, str>>),
}

impl ContextValue<'_> {
    /// How many values there are.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Many(values) => values.len(),
        }
    }

    /// The values, one after the other.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let values = match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) => values.as_slice(),
        };
        values.iter().map(AsRef::as_ref)
    }
}

impl<'a> Context<'a> {
    /// A context without keys, with room for as many as most requests have.
    #[must_use]
    pub fn new() -> Self {
        Self { hashes: Vec::with_capacity(24), entries: Vec::with_capacity(24) }
    }

    /// Sets a single-valued key.
    pub fn insert(&mut self, key: impl Into<Cow<'a, str>>, value: impl Into<Cow<'a, str>>) {
        self.set(key.into(), ContextValue::One(value.into()));
    }

    /// Sets a multivalued key. Without values it is as good as absent.
    pub fn insert_many<V: Into<Cow<'a, str>>>(
        &mut self,
        key: impl Into<Cow<'a, str>>,
        values: impl IntoIterator<Item = V>,
    ) {
        self.set(key.into(), ContextValue::Many(values.into_iter().map(Into::into).collect()));
    }

    fn set(&mut self, key: Cow<'a, str>, value: ContextValue<'a>) {
        let hash = hash(&key);
        match self.position(hash, &key) {
            Some(index) => self.entries[index] = (key, value),
            None => {
                self.hashes.push(hash);
                self.entries.push((key, value));
            }
        }
    }

    /// The value of a key, if it is there.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&ContextValue<'a>> {
        self.position(hash(key), key).map(|index| &self.entries[index].1)
    }

    /// The keys and their values, in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &ContextValue<'a>)> {
        self.entries.iter().map(|(key, value)| (key.as_ref(), value))
    }

    pub(crate) fn find(&self, key: &Key) -> Option<&ContextValue<'a>> {
        self.position(key.hash, &key.name).map(|index| &self.entries[index].1)
    }

    /// The value of a single-valued key.
    pub(crate) fn single(&self, key: &Key) -> Option<&str> {
        match self.find(key)? {
            ContextValue::One(value) => Some(value),
            ContextValue::Many(_) => None,
        }
    }

    fn position(&self, hash: u64, name: &str) -> Option<usize> {
        let mut known = self.hashes.iter().zip(&self.entries);
        known.position(|(known, (key, _))| *known == hash && key.eq_ignore_ascii_case(name))
    }
}

/// The name of a key as a policy has it, ready to be looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    hash: u64,
    name: Box<str>,
}

impl Key {
    pub(crate) fn new(name: &str) -> Self {
        Self { hash: hash(name), name: name.into() }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

/// A number for a name, the same in any case. Eight bytes at a time; setting bit 5 of each takes upper case to
/// lower (and some other characters to others, which the comparison that follows tells apart).
fn hash(name: &str) -> u64 {
    let (chunks, rest) = name.as_bytes().as_chunks();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    chunks.iter().chain([&last]).fold(name.len() as u64, |hash, chunk| {
        let word = u64::from_le_bytes(*chunk) | 0x2020_2020_2020_2020;
        (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)
    })
}
