//! An operation's members: their names and where a request carries them.

use super::botocore::{Model, Operation, Reference};

/// How deep a structure is looked into.
const MAX_DEPTH: usize = 3;

/// A member of an operation's input, or of a structure in it.
#[derive(Clone)]
pub(crate) struct Member {
    pub(crate) name: String,
    /// Where it stands: `l.` a label of the path, `q.` the query, `h.` a header, `b.` the body, then its name there;
    /// in the body a path of names, through lists.
    pub(crate) path: String,
    pub(crate) depth: usize,
    pub(crate) required: bool,
    /// A string, a list of strings, or another thing.
    pub(crate) kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    /// Numbers and booleans: never a name.
    Number,
    Map,
    Structure,
    /// A list of structures with members `Key` and `Value`, in any spelling, with the paths to them.
    Tags,
    Blob,
}

/// Every member down to [`MAX_DEPTH`].
pub(crate) fn members(model: &Model, operation: &Operation) -> anyhow::Result<Vec<Member>> {
    let mut found = Vec::new();
    let Some(input) = &operation.input else { return Ok(found) };
    let shape = model.shape(&input.shape)?;
    for (name, reference) in &shape.members {
        let wire = reference.location_name.as_deref().unwrap_or(name);
        let required = shape.required.contains(name);
        match reference.location.as_deref() {
            Some("uri") => found.push(scalar(model, name, format!("l.{wire}"), required, reference)?),
            Some("querystring") => found.push(scalar(model, name, format!("q.{wire}"), required, reference)?),
            Some("header") => {
                let wire = wire.to_ascii_lowercase();
                found.push(scalar(model, name, format!("h.{wire}"), required, reference)?);
            }
            Some(_) => {}
            None if shape.payload.as_ref() == Some(name) => {
                if model.shape(&reference.shape)?.kind == "structure" {
                    structure(model, &reference.shape, "b.", 1, &mut found)?;
                }
            }
            None => member(model, name, reference, "b.", 1, required, &mut found)?,
        }
    }
    Ok(found)
}

fn scalar(
    model: &Model,
    name: &str,
    path: String,
    required: bool,
    reference: &Reference,
) -> anyhow::Result<Member> {
    Ok(Member { name: name.to_owned(), path, depth: 1, required, kind: kind(model, &reference.shape)? })
}

fn structure(
    model: &Model,
    shape: &str,
    under: &str,
    depth: usize,
    found: &mut Vec<Member>,
) -> anyhow::Result<()> {
    let shape = model.shape(shape)?;
    for (name, reference) in &shape.members {
        member(model, name, reference, under, depth, shape.required.contains(name), found)?;
    }
    Ok(())
}

fn member(
    model: &Model,
    name: &str,
    reference: &Reference,
    under: &str,
    depth: usize,
    required: bool,
    found: &mut Vec<Member>,
) -> anyhow::Result<()> {
    let path = format!("{under}{}", wire_name(model, name, reference));
    let kind = kind(model, &reference.shape)?;
    found.push(Member { name: name.to_owned(), path: path.clone(), depth, required, kind });
    if depth < MAX_DEPTH && kind == Kind::Structure {
        structure(model, element(model, &reference.shape)?, &format!("{path}."), depth + 1, found)?;
    }
    Ok(())
}

/// A member's name in a request's body. EC2 prefers `queryName`, then `locationName` with a capital.
fn wire_name(model: &Model, name: &str, reference: &Reference) -> String {
    let located = reference.location_name.as_deref().unwrap_or(name);
    if model.metadata.protocol != "ec2" {
        return located.to_owned();
    }
    reference.query_name.clone().unwrap_or_else(|| {
        let mut letters = located.chars();
        letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
    })
}

/// Through lists, what is in them.
fn element<'a>(model: &'a Model, shape: &'a str) -> anyhow::Result<&'a str> {
    let mut shape = shape;
    while let Some(item) = model.shape(shape)?.member.as_ref() {
        shape = &item.shape;
    }
    Ok(shape)
}

fn kind(model: &Model, shape: &str) -> anyhow::Result<Kind> {
    let is_list = model.shape(shape)?.kind == "list";
    let shape = model.shape(element(model, shape)?)?;
    Ok(match shape.kind.as_str() {
        "string" => Kind::Text,
        "map" => Kind::Map,
        "blob" => Kind::Blob,
        "structure" if is_list && is_tag(shape.members.keys()) => Kind::Tags,
        "structure" => Kind::Structure,
        _ => Kind::Number,
    })
}

/// Whether a structure is a tag: a key, a value, and nothing of weight beside them.
fn is_tag<'a>(members: impl Iterator<Item = &'a String>) -> bool {
    let names: Vec<_> = members.map(|name| name.to_ascii_lowercase()).collect();
    names.len() <= 4
        && names.iter().any(|name| name == "key" || name == "tagkey")
        && names.iter().any(|name| name == "value" || name == "tagvalue")
}
