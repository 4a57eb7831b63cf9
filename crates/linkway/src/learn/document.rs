//! From what is to be allowed to statements.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Value, json};

use super::{Asked, Caller};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    version: &'static str,
    statement: Vec<Statement>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    sid: String,
    effect: &'static str,
    principal: Value,
    action: Value,
    resource: Value,
}

/// The document for people, and the same without spaces. It allows what is asked and nothing else: a statement's
/// callers have all asked for all of its actions on all of its resources.
///
/// There is no condition on `aws:SourceVpc` or `aws:SourceVpce`: all requests through one endpoint have the same, so
/// that none would be kept out.
pub(super) fn write(asked: &BTreeSet<Asked>) -> [String; 2] {
    let mut callers: BTreeMap<(&str, &str), BTreeSet<&Caller>> = BTreeMap::new();
    for Asked { caller, action, resource } in asked {
        callers.entry((action, resource)).or_default().insert(caller);
    }
    // Everyone is everyone: whoever else asked for the same needs no mention. The same goes for resources.
    let mut resources: BTreeMap<(BTreeSet<&Caller>, &str), BTreeSet<&str>> = BTreeMap::new();
    for ((action, resource), mut callers) in callers {
        if callers.contains(&Caller::Everyone) {
            callers.retain(|caller| **caller == Caller::Everyone);
        }
        resources.entry((callers, action)).or_default().insert(resource);
    }
    let mut actions: BTreeMap<(BTreeSet<&Caller>, BTreeSet<&str>), BTreeSet<&str>> = BTreeMap::new();
    for ((callers, action), mut resources) in resources {
        if resources.contains("*") {
            resources.retain(|resource| *resource == "*");
        }
        actions.entry((callers, resources)).or_default().insert(action);
    }
    let statements =
        actions.into_iter().enumerate().map(|(number, ((callers, resources), actions))| Statement {
            sid: format!("Learnt{}", number + 1),
            effect: "Allow",
            principal: principal(&callers),
            action: one_or_many(actions),
            resource: one_or_many(resources),
        });
    let document = Document { version: "2012-10-17", statement: statements.collect() };
    [serde_json::to_string_pretty(&document), serde_json::to_string(&document)]
        .map(|text| text.expect("a policy is plain text"))
}

fn principal(callers: &BTreeSet<&Caller>) -> Value {
    let mut kinds: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for caller in callers {
        let (kind, name) = match caller {
            Caller::Everyone => return json!("*"),
            Caller::Aws(arn) => ("AWS", arn),
            Caller::Federated(provider) => ("Federated", provider),
            Caller::Service(name) => ("Service", name),
        };
        kinds.entry(kind).or_default().insert(name);
    }
    kinds.into_iter().map(|(kind, names)| (kind.to_owned(), one_or_many(names))).collect()
}

fn one_or_many(values: BTreeSet<&str>) -> Value {
    match values.len() {
        1 => json!(values.first()),
        _ => json!(values),
    }
}
