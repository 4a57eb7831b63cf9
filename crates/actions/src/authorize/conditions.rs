//! The condition keys that a request carries.

use std::collections::BTreeMap;

use super::Asked;
use crate::parameters::Value;

/// Reads `key=path` pairs: `#` stands for the tags, `~` for their keys alone, `@` before a path lets only ARNs
/// through, and a key that ends in `/` or `:` is one for each entry of a map.
pub(crate) fn read(asked: &Asked<'_>, rules: &str) -> BTreeMap<String, Vec<String>> {
    let mut context = BTreeMap::new();
    for rule in rules.split(',').filter(|rule| !rule.is_empty()) {
        let Some((key, path)) = rule.split_once('=') else { continue };
        match key {
            "#" => tags(&mut context, &pairs(&asked.parameters.nodes(path))),
            "~" => add(&mut context, "aws:TagKeys", asked.parameters.values(path)),
            _ if key.ends_with(['/', ':']) => {
                let pairs = pairs(&asked.parameters.nodes(path));
                // KMS has one more key with the names alone.
                if key == "kms:EncryptionContext:" {
                    let names = pairs.iter().map(|(name, _)| name.as_str()).collect();
                    add(&mut context, "kms:EncryptionContextKeys", names);
                }
                for (name, value) in pairs {
                    add(&mut context, &format!("{key}{name}"), vec![&value]);
                }
            }
            _ => {
                let (path, only_arns) = path.strip_prefix('@').map_or((path, false), |path| (path, true));
                let mut values = asked.parameters.values(path);
                values.retain(|value| !only_arns || value.starts_with("arn:"));
                add(&mut context, key, values);
            }
        }
    }
    if asked.operation.iam_prefix() == "kms" {
        add(&mut context, "kms:CallerAccount", asked.scope.account.into_iter().collect());
        let aliases =
            asked.parameters.values("b.KeyId").into_iter().filter_map(|key| match key.starts_with("arn:") {
                true => key.rsplit(':').next().filter(|name| name.starts_with("alias/")),
                false => Some(key).filter(|name| name.starts_with("alias/")),
            });
        add(&mut context, "kms:RequestAlias", aliases.collect());
    }
    context
}

/// The keys that tags make.
pub(crate) fn tags(context: &mut BTreeMap<String, Vec<String>>, tags: &[(String, String)]) {
    add(context, "aws:TagKeys", tags.iter().map(|(key, _)| key.as_str()).collect());
    for (key, value) in tags {
        add(context, &format!("aws:RequestTag/{key}"), vec![value]);
    }
}

/// Adds values to a key; none add nothing.
pub(crate) fn add(context: &mut BTreeMap<String, Vec<String>>, key: &str, values: Vec<&str>) {
    if !values.is_empty() {
        let known = context.entry(key.to_owned()).or_default();
        for value in values {
            if !known.iter().any(|known| known == value) {
                known.push(value.to_owned());
            }
        }
    }
}

/// Names and values: of a list of structures with a key and a value in any spelling, or of a map.
fn pairs(nodes: &[&Value]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for node in nodes {
        let Some(members) = node.members() else { continue };
        let named = |wanted: &[&str]| {
            let mut fitting =
                members.iter().filter(|(name, _)| wanted.contains(&&*name.to_ascii_lowercase()));
            fitting.next().and_then(|(_, value)| value.text())
        };
        if let Some(key) = named(&["key", "tagkey"]) {
            let value = named(&["value", "tagvalue"]).unwrap_or_default();
            found.push((key.to_owned(), value.to_owned()));
            continue;
        }
        for (name, value) in members {
            match value {
                Value::Text(value) => found.push((name.clone(), value.clone())),
                // A list's wrapper with one item in it.
                Value::Map(_) if members.len() == 1 => found.extend(pairs(&[value])),
                _ => {}
            }
        }
    }
    found
}
