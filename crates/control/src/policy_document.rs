//! What AWS refuses in any policy document beyond its grammar, in IAM's words.

use linkway_policy::document::Document;

/// AWS's words if an action names no service, as `GetObject` for `s3:GetObject`.
pub(crate) fn unprefaced(document: &Document) -> Option<String> {
    let is_prefaced = |action: &str| {
        let parts = action.split_once(':');
        action == "*"
            || parts.is_some_and(|(vendor, name)| {
                !vendor.is_empty() && !name.is_empty() && !vendor.contains(['*', '?'])
            })
    };
    let mut actions = document.statements.iter().flat_map(|statement| &statement.action.values);
    actions
        .any(|action| !is_prefaced(&action.value))
        .then(|| "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.".to_owned())
}

/// AWS's words if two statements have one Sid.
pub(crate) fn repeated_name(document: &Document) -> Option<String> {
    let names: Vec<&str> = document
        .statements
        .iter()
        .filter_map(|statement| Some(statement.sid.as_ref()?.value.as_str()))
        .collect();
    let repeated = names.iter().enumerate().find(|(index, name)| names[..*index].contains(name));
    repeated.map(|(_, name)| format!("Statement IDs (SID) in a single policy must be unique: {name}"))
}
