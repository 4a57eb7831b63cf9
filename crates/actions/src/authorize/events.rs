//! EventBridge: rules stand under their bus, except those of the default one.
//!
//! Source: "Resource types defined by Amazon EventBridge" in the Service Authorization Reference, and the members of
//! its API, where a bus is a name or an ARN and is `default` if it is left out.

use super::{Asked, Resource};

/// Operations on one rule, and the member with its name.
const ON_RULES: [(&str, &str); 8] = [
    ("DeleteRule", "b.Name"),
    ("DescribeRule", "b.Name"),
    ("DisableRule", "b.Name"),
    ("EnableRule", "b.Name"),
    ("ListTargetsByRule", "b.Rule"),
    ("PutRule", "b.Name"),
    ("PutTargets", "b.Rule"),
    ("RemoveTargets", "b.Rule"),
];

/// Operations on a bus that they call `Name`.
const ON_BUSES: [&str; 3] = ["DeleteEventBus", "DescribeEventBus", "UpdateEventBus"];

/// What an operation is about; `None` where the tables know it.
pub(crate) fn resources(asked: &Asked<'_>) -> Option<Vec<Resource>> {
    let parameters = asked.parameters;
    if !parameters.is_complete() {
        return None;
    }
    if ON_BUSES.contains(&asked.name()) {
        return Some(vec![bus(asked, parameters.value("b.Name"))]);
    }
    if asked.name() == "PutEvents" {
        // Each event names its own.
        let entries = parameters.nodes("b.Entries").into_iter();
        let named = entries.map(|entry| {
            let bus = entry.members().and_then(|members| members.get("EventBusName"));
            bus.map(|bus| bus.text().unwrap_or_default())
        });
        return Some(named.map(|name| bus(asked, name)).collect());
    }
    let (_, member) = ON_RULES.iter().find(|(operation, _)| *operation == asked.name())?;
    let bus = bus(asked, parameters.value("b.EventBusName"));
    let rule = parameters.value(member).filter(|rule| !rule.is_empty());
    Some(vec![match (bus.arn.split_once(":event-bus/"), rule) {
        (Some((start, "default")), Some(rule)) => Resource::known(format!("{start}:rule/{rule}")),
        (Some((start, bus)), Some(rule)) => Resource::known(format!("{start}:rule/{bus}/{rule}")),
        _ => Resource::unknown(),
    }])
}

/// A bus by its name or ARN.
fn bus(asked: &Asked<'_>, name: Option<&str>) -> Resource {
    let (partition, region) = (asked.scope.partition, asked.scope.region);
    match (name.unwrap_or("default"), asked.scope.account) {
        ("", _) => Resource::unknown(),
        (arn, _) if arn.starts_with("arn:") => {
            match arn.contains(":events:") && arn.contains(":event-bus/") {
                true => Resource::known(arn),
                false => Resource::unknown(),
            }
        }
        (name, Some(account)) => {
            Resource::known(format!("arn:{partition}:events:{region}:{account}:event-bus/{name}"))
        }
        _ => Resource::unknown(),
    }
}
