//! From a request's parameters to generated shapes.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::params::Node;
use crate::{ApiError, Dialect};

/// What is wrong with a request's parameters; the path is as the client spelled it, `Filter.1.Value`.
#[derive(Debug, PartialEq)]
pub(crate) enum Fault {
    /// A member that the model requires is not there.
    Missing {
        /// The path of what should be there.
        path: String,
    },
    /// A value is not of the member's type.
    Malformed { path: String, value: String, expected: &'static str },
    /// Something stands where the model has nothing; the name alone, without the path before it, as EC2 reports it.
    Unknown { name: String },
    /// A value stands where only parts of one may.
    NotPlain { name: String },
}

impl Fault {
    /// The same fault, seen from one level further out.
    fn within(mut self, outer: &str) -> Self {
        match &mut self {
            Self::Missing { path } | Self::Malformed { path, .. } => {
                path.insert_str(0, if path.is_empty() { "" } else { "." });
                path.insert_str(0, outer);
            }
            Self::NotPlain { name } if name.is_empty() => outer.clone_into(name),
            Self::Unknown { .. } | Self::NotPlain { .. } => {}
        }
        self
    }

    /// AWS's words for the fault.
    pub(crate) fn into_error(self, dialect: Dialect) -> ApiError {
        match (dialect, self) {
            (Dialect::Ec2, Self::Unknown { name } | Self::NotPlain { name }) => {
                ApiError::new("UnknownParameter", format!("The parameter {name} is not recognized"))
            }
            (Dialect::Ec2, Self::Missing { path }) => {
                ApiError::new("MissingParameter", format!("The request must contain the parameter {path}"))
            }
            (Dialect::Ec2, Self::Malformed { path, value, expected }) => ApiError::new(
                "InvalidParameterValue",
                format!(
                    "Value ({value}) for parameter {} is invalid. Expected {expected}.",
                    small_first(&path)
                ),
            ),
            (Dialect::Query, Self::Unknown { .. }) => {
                ApiError::new("MalformedInput", "Start of list found where not expected")
            }
            (Dialect::Query, Self::NotPlain { .. }) => {
                ApiError::new("MalformedInput", "Unexpected complex element termination")
            }
            (Dialect::Query, Self::Missing { path }) => ApiError::new(
                "ValidationError",
                format!(
                    "1 validation error detected: Value null at '{}' failed to satisfy constraint: \
                     Member must not be null",
                    small_first(&path)
                ),
            ),
            (Dialect::Query, Self::Malformed { path, value, expected }) => ApiError::new(
                "MalformedInput",
                format!("Value '{value}' at '{}' is malformed: expected {expected}", small_first(&path)),
            ),
        }
    }
}

/// AWS names a member by its property where it is the value that is wrong: `maxResults`.
fn small_first(path: &str) -> String {
    let mut letters = path.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

/// What a request may hold.
pub(crate) trait Decode: Sized {
    /// Reads the parameters under one name.
    fn decode(node: Node, dialect: Dialect) -> Result<Self, Fault>;
}

/// A structure's member: what its absence means depends on the type.
pub(crate) trait Member: Sized {
    fn member(node: Option<Node>, dialect: Dialect) -> Result<Self, Fault>;
}

impl<T: Decode> Member for Option<T> {
    fn member(node: Option<Node>, dialect: Dialect) -> Result<Self, Fault> {
        node.map(|node| T::decode(node, dialect)).transpose()
    }
}

impl<T: Decode> Member for Vec<T> {
    fn member(node: Option<Node>, dialect: Dialect) -> Result<Self, Fault> {
        node.map_or_else(|| Ok(Self::new()), |node| Self::decode(node, dialect))
    }
}

impl<T: Decode> Member for BTreeMap<String, T> {
    fn member(node: Option<Node>, dialect: Dialect) -> Result<Self, Fault> {
        node.map_or_else(|| Ok(Self::new()), |node| Self::decode(node, dialect))
    }
}

/// The items in the order of their numbers. Gaps are no fault: AWS accepts them.
impl<T: Decode> Decode for Vec<T> {
    fn decode(mut node: Node, dialect: Dialect) -> Result<Self, Fault> {
        node.require_parts()?;
        match dialect {
            Dialect::Ec2 => items(node, "", dialect),
            Dialect::Query => {
                node.take("member").map_or_else(|| Ok(Self::new()), |node| items(node, "member.", dialect))
            }
        }
    }
}

fn items<T: Decode>(node: Node, prefix: &str, dialect: Dialect) -> Result<Vec<T>, Fault> {
    let decode = |(number, item): (u32, Node)| {
        T::decode(item, dialect).map_err(|fault| fault.within(&format!("{prefix}{number}")))
    };
    node.numbered()?.into_iter().map(decode).collect()
}

/// `entry.1.key` and `entry.1.value`.
impl<T: Decode> Decode for BTreeMap<String, T> {
    fn decode(mut node: Node, dialect: Dialect) -> Result<Self, Fault> {
        let mut map = Self::new();
        for (number, mut entry) in node.take("entry").unwrap_or_default().numbered()? {
            let within = |fault: Fault| fault.within(&format!("entry.{number}"));
            entry.require(&["key", "value"]).map_err(within)?;
            if let (Some(key), Some(value)) = (
                entry.member::<Option<String>>("key", dialect).map_err(within)?,
                entry.member::<Option<T>>("value", dialect).map_err(within)?,
            ) {
                map.insert(key, value);
            }
        }
        Ok(map)
    }
}

impl Decode for String {
    fn decode(node: Node, _: Dialect) -> Result<Self, Fault> {
        node.into_value()
    }
}

impl Decode for bool {
    fn decode(node: Node, _: Dialect) -> Result<Self, Fault> {
        let value = node.into_value()?;
        match value.to_ascii_lowercase().as_str() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(Fault::Malformed { path: String::new(), value, expected: "a boolean" }),
        }
    }
}

macro_rules! decode_parsed {
    ($($ty:ty: $expected:literal),*) => { $(
        impl Decode for $ty {
            fn decode(node: Node, _: Dialect) -> Result<Self, Fault> {
                let value = node.into_value()?;
                value.parse().map_err(|_| Fault::Malformed { path: String::new(), value, expected: $expected })
            }
        }
    )* };
}

decode_parsed!(i32: "an integer", i64: "an integer", f64: "a number", Timestamp: "a time in ISO 8601");

impl Node {
    /// Reads one member of the structure that this node is.
    pub(crate) fn member<T: Member>(&mut self, name: &str, dialect: Dialect) -> Result<T, Fault> {
        T::member(self.take(name), dialect).map_err(|fault| fault.within(name))
    }

    /// Reads a member that is a list whose items have this name. `member`, which other lists have, is taken too:
    /// so AWS's own examples of requests are written, as `VpcSecurityGroupIds.member.1` for `CreateDBInstance`.
    pub(crate) fn list<T: Decode>(
        &mut self,
        name: &str,
        item: &str,
        dialect: Dialect,
    ) -> Result<Vec<T>, Fault> {
        let Some(mut node) = self.take(name) else { return Ok(Vec::new()) };
        node.require_parts().map_err(|fault| fault.within(name))?;
        match node.take(item) {
            Some(node) => {
                items(node, &format!("{item}."), dialect).map_err(|fault: Fault| fault.within(name))
            }
            None => Vec::decode(node, dialect).map_err(|fault| fault.within(name)),
        }
    }

    /// Refuses what the structure does not have (EC2 does, the query services ignore it), and then the lack of
    /// what it requires: in this order, as EC2 does.
    pub(crate) fn check(&self, known: &[&str], required: &[&str], dialect: Dialect) -> Result<(), Fault> {
        if dialect == Dialect::Ec2
            && let Some(name) = self.names().find(|name| !known.contains(name))
        {
            return Err(Fault::Unknown { name: name.to_owned() });
        }
        self.require_parts()?;
        self.require(required)
    }

    fn require(&self, required: &[&str]) -> Result<(), Fault> {
        match required.iter().find(|name| !self.names().any(|present| present == **name)) {
            Some(name) => Err(Fault::Missing { path: (*name).to_owned() }),
            None => Ok(()),
        }
    }
}

/// Says how a generated structure's members are spelled in requests, and the items of lists that have a name of
/// their own; and which members it cannot be without.
macro_rules! decode {
    (@member $node:ident, $dialect:ident, $name:literal) => {
        $node.member($name, $dialect)?
    };
    (@member $node:ident, $dialect:ident, $name:literal, $item:literal) => {
        $node.list($name, $item, $dialect)?
    };
    (@spell $value:expr, $form:ident, $name:expr) => {
        crate::tests::Asked::spell($value, &$name, $form)
    };
    (@spell $value:expr, $form:ident, $name:expr, $item:literal) => {
        $form.list($value, &$name, $item)
    };
    ($ty:ident { $($field:ident: $name:literal $(of $item:literal)?,)* } requires [$($required:literal),*]) => {
        impl crate::decode::Decode for $ty {
            fn decode(
                #[allow(unused_mut)] mut node: crate::params::Node,
                dialect: crate::Dialect,
            ) -> Result<Self, crate::decode::Fault> {
                node.check(&[$($name),*], &[$($required),*], dialect)?;
                Ok(Self { $($field: crate::decode::decode!(@member node, dialect, $name $(, $item)?),)* })
            }
        }

        #[cfg(test)]
        impl crate::tests::Asked for $ty {
            fn draw(_draw: &mut crate::tests::Draw, _: bool) -> Self {
                const _REQUIRED: &[&str] = &[$($required),*];
                Self { $($field: crate::tests::Asked::draw(_draw, _REQUIRED.contains(&$name)),)* }
            }

            fn spell(&self, name: &str, form: &mut crate::tests::Form) {
                form.structure(name, |_form| {
                    $(crate::decode::decode!(
                        @spell &self.$field, _form, crate::tests::within(name, $name) $(, $item)?
                    );)*
                });
            }
        }
    };
}
pub(crate) use decode;
