//! DynamoDB: operations on several tables, indexes, PartiQL, and the keys of items.

use std::collections::BTreeMap;

use super::{Asked, Need, Resource, conditions};
use crate::parameters::Value;

/// What must be allowed; `None` for operations that the tables know enough of.
pub(crate) fn needs(asked: &Asked<'_>) -> Option<Vec<Need>> {
    let name = asked.name();
    match name {
        "BatchGetItem" | "BatchWriteItem" => {
            let tables = asked.parameters.nodes("b.RequestItems");
            let tables = tables.iter().filter_map(|items| items.members()).flat_map(BTreeMap::keys);
            let resources: Vec<_> = tables.map(|name| table(asked, Some(name), None)).collect();
            Some(vec![need(asked, name, resources)])
        }
        "TransactGetItems" | "TransactWriteItems" => Some(transaction(asked)),
        "ExecuteStatement" => Some(statements(asked, asked.parameters.values("b.Statement"))),
        "BatchExecuteStatement" => Some(statements(asked, asked.parameters.values("b.Statements.Statement"))),
        "ExecuteTransaction" => {
            Some(statements(asked, asked.parameters.values("b.TransactStatements.Statement")))
        }
        "Query" | "Scan" | "GetItem" | "PutItem" | "UpdateItem" | "DeleteItem" => {
            let text = |path| asked.parameters.value(path);
            Some(vec![need(asked, name, vec![table(asked, text("b.TableName"), text("b.IndexName"))])])
        }
        _ => None,
    }
}

/// An action with the keys that every operation on items has.
fn need(asked: &Asked<'_>, action: &str, resources: Vec<Resource>) -> Need {
    let rules = asked.rows().first().map_or("", |row| row.conditions);
    let mut context = conditions::read(asked, rules);
    conditions::add(&mut context, "dynamodb:LeadingKeys", leading_keys(asked));
    let attributes = attributes(asked);
    conditions::add(&mut context, "dynamodb:Attributes", attributes.iter().map(String::as_str).collect());
    let resources = if resources.is_empty() { vec![Resource::unknown()] } else { resources };
    Need { action: format!("dynamodb:{action}"), resources, context }
}

/// A table, or an index of it: by name or by ARN.
fn table(asked: &Asked<'_>, name: Option<&str>, index: Option<&str>) -> Resource {
    let Some(name) = name.filter(|name| !name.is_empty()) else { return Resource::unknown() };
    let mut arn = match (name.starts_with("arn:"), asked.scope.account) {
        (true, _) => name.to_owned(),
        (false, Some(account)) => {
            format!("arn:{}:dynamodb:{}:{account}:table/{name}", asked.scope.partition, asked.scope.region)
        }
        (false, None) => return Resource::unknown(),
    };
    if let Some(index) = index.filter(|index| !index.is_empty()) {
        arn.push_str("/index/");
        arn.push_str(index);
    }
    Resource::known(arn)
}

/// Each part of a transaction needs the action that it is.
fn transaction(asked: &Asked<'_>) -> Vec<Need> {
    let actions = [
        ("Get", "GetItem"),
        ("Put", "PutItem"),
        ("Update", "UpdateItem"),
        ("Delete", "DeleteItem"),
        ("ConditionCheck", "ConditionCheckItem"),
    ];
    let named = |member: &str| asked.parameters.values(&format!("b.TransactItems.{member}.TableName"));
    let needs = actions.iter().filter_map(|(member, action)| {
        let tables: Vec<_> = named(member).into_iter().map(|name| table(asked, Some(name), None)).collect();
        (!tables.is_empty()).then(|| need(asked, action, tables))
    });
    let needs: Vec<_> = needs.collect();
    match needs.is_empty() {
        true => vec![need(asked, "PutItem", Vec::new()), need(asked, "GetItem", Vec::new())],
        false => needs,
    }
}

/// PartiQL: what a statement does is its first word.
fn statements(asked: &Asked<'_>, statements: Vec<&str>) -> Vec<Need> {
    let mut needs: Vec<Need> = Vec::new();
    for statement in &statements {
        let (action, resource) = statement_of(asked, statement);
        match needs.iter_mut().find(|need| need.action.ends_with(action)) {
            Some(need) => need.resources.push(resource),
            None => needs.push(need(asked, action, vec![resource])),
        }
    }
    if needs.is_empty() {
        let all = ["PartiQLSelect", "PartiQLInsert", "PartiQLUpdate", "PartiQLDelete"];
        needs.extend(all.iter().map(|action| need(asked, action, Vec::new())));
    }
    needs
}

fn statement_of(asked: &Asked<'_>, statement: &str) -> (&'static str, Resource) {
    let words: Vec<_> = statement.split_whitespace().collect();
    let after = |keyword: &str| {
        let at = words.iter().position(|word| word.eq_ignore_ascii_case(keyword))?;
        words.get(at + 1).copied()
    };
    let first = words.first().copied().unwrap_or_default().to_ascii_uppercase();
    let (action, name) = match first.as_str() {
        "SELECT" => ("PartiQLSelect", after("FROM")),
        "INSERT" => ("PartiQLInsert", after("INTO")),
        "UPDATE" => ("PartiQLUpdate", words.get(1).copied()),
        "DELETE" => ("PartiQLDelete", after("FROM")),
        // EXISTS( SELECT … ) in a transaction, and what is not understood.
        _ => return ("PartiQLSelect", Resource::unknown()),
    };
    // A keyword within a text or a second one would make the first found the wrong one.
    let keywords = words.iter().filter(|word| matches!(&*word.to_ascii_uppercase(), "FROM" | "INTO")).count();
    if keywords > 1 || statement.contains("--") || statement.contains("/*") {
        return (action, Resource::unknown());
    }
    (action, name.map_or_else(Resource::unknown, |name| named_in_statement(asked, name)))
}

/// `"table"`, `table`, or `"table"."index"`.
fn named_in_statement(asked: &Asked<'_>, name: &str) -> Resource {
    let plain = |text: &str| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
    };
    let quoted: Vec<_> = name.split('"').collect();
    match quoted[..] {
        [name] if plain(name) && !name.contains('.') => table(asked, Some(name), None),
        ["", name, ""] if plain(name) => table(asked, Some(name), None),
        ["", name, ".", index, ""] if plain(name) && plain(index) => table(asked, Some(name), Some(index)),
        _ => Resource::unknown(),
    }
}

/// The values of `dynamodb:LeadingKeys`. Which attribute of an item is its partition key only the table knows, so
/// that all that may be are here, and a condition for all values is stricter than AWS's and never weaker.
fn leading_keys<'a>(asked: &'a Asked<'_>) -> Vec<&'a str> {
    let parameters = asked.parameters;
    let items = [
        "b.Key",
        "b.Item",
        "b.ExpressionAttributeValues",
        "b.TransactItems.Get.Key",
        "b.TransactItems.Put.Item",
        "b.TransactItems.Update.Key",
        "b.TransactItems.Delete.Key",
        "b.TransactItems.ConditionCheck.Key",
    ];
    let mut found = Vec::new();
    for node in items.iter().filter(|_| asked.name() != "Scan").flat_map(|path| parameters.nodes(path)) {
        found.extend(node.members().into_iter().flat_map(BTreeMap::values).flat_map(scalar));
    }
    for node in parameters.nodes("b.RequestItems") {
        for requests in node.members().into_iter().flat_map(BTreeMap::values) {
            for path in ["Keys", "PutRequest.Item", "DeleteRequest.Key"] {
                let items = requests.at(path, false);
                let values = items.iter().filter_map(|item| item.members()).flat_map(BTreeMap::values);
                found.extend(values.flat_map(scalar));
            }
        }
    }
    found
}

/// An attribute's text: `{"S": "x"}`.
fn scalar(value: &Value) -> Option<&str> {
    let (kind, value) = value.members()?.iter().next()?;
    value.text().filter(|_| matches!(kind.as_str(), "S" | "N" | "B"))
}

/// The attributes that an operation names.
fn attributes(asked: &Asked<'_>) -> Vec<String> {
    let parameters = asked.parameters;
    let mut found: Vec<String> = Vec::new();
    for path in ["b.AttributesToGet", "b.ExpressionAttributeNames"] {
        for node in parameters.nodes(path) {
            found.extend(node.text().map(str::to_owned));
            found.extend(
                node.members()
                    .into_iter()
                    .flat_map(BTreeMap::values)
                    .filter_map(Value::text)
                    .map(str::to_owned),
            );
        }
    }
    for path in ["b.Key", "b.Item"] {
        for node in parameters.nodes(path) {
            found.extend(node.members().into_iter().flat_map(BTreeMap::keys).cloned());
        }
    }
    for expression in parameters.values("b.ProjectionExpression") {
        let names = expression.split(',').map(|name| name.split(['.', '[']).next().unwrap_or(name).trim());
        found.extend(names.filter(|name| !name.is_empty() && !name.starts_with('#')).map(str::to_owned));
    }
    found
}
