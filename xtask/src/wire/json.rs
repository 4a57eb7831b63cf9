//! Structures of services that speak JSON: serde reads and writes them.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use anyhow::{Context as _, bail};

use super::model::{Model, Shape};
use super::names::field;
use super::operations::Service;

/// A structure, with each member under its own name.
pub(super) fn structure(out: &mut String, model: &Model, name: &str) -> anyhow::Result<()> {
    let Shape::Structure { members, .. } = model.shape(name)? else { bail!("{name} is no structure") };
    writeln!(
        out,
        "#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]\n#[serde(default)]\npub struct {name} {{"
    )?;
    for (member, reference) in members {
        let kind = model.member_type(reference)?;
        let mut attributes = format!("rename = {member:?}");
        if kind.starts_with("Option<") {
            attributes.push_str(", skip_serializing_if = \"Option::is_none\"");
        }
        if matches!(model.shape(&reference.shape)?, Shape::Timestamp) {
            attributes.push_str(", with = \"crate::json::seconds\"");
        } else if kind.contains("Timestamp") {
            bail!("{name}: a list of timestamps is not supported");
        }
        writeln!(out, "#[serde({attributes})]\npub {}: {kind},", field(member))?;
    }
    let fields: String = members.keys().map(|member| format!("{}, ", field(member))).collect();
    writeln!(out, "}}\n\njson_sample! {{ {name} {{ {fields} }} }}\n")?;
    Ok(())
}

/// What the operations' inputs cannot be without.
pub(super) fn inputs(out: &mut String, model: &Model, service: &Service) -> anyhow::Result<()> {
    let input = |name: &String| model.operations.get(name)?.input.as_ref().map(|input| input.shape.as_str());
    let inputs: BTreeSet<&str> = service.operations.iter().filter_map(input).collect();
    for name in inputs {
        let Shape::Structure { required, .. } = model.shape(name)? else { bail!("{name} is no structure") };
        let name_in_messages = |member: &String| {
            let mut letters = member.chars();
            let first = letters.next().context("a member has a name")?.to_lowercase();
            anyhow::Ok(format!("{}: {:?}", field(member), first.chain(letters).collect::<String>()))
        };
        let required = required.iter().map(name_in_messages).collect::<anyhow::Result<Vec<_>>>()?;
        writeln!(out, "json_input! {{ {name} requires [{}] }}\n", required.join(", "))?;
    }
    Ok(())
}
