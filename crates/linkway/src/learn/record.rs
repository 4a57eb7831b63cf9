//! What a record says was asked, and whether that counts.

use linkway_model::{Timestamp, VpcEndpointId};
use serde_json::Value;

use super::{Asked, Caller};

/// Which records are looked at.
#[derive(Debug)]
pub(crate) struct Wanted {
    /// Those of requests through this endpoint.
    pub(crate) endpoint: VpcEndpointId,
    /// Not those before this.
    pub(crate) since: Option<Timestamp>,
    /// Whether those of requests that were denied, and did not pass, count as well.
    pub(crate) denied_too: bool,
}

/// What a record is good for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is to be allowed.
    Counts(Vec<Asked>),
    /// It was denied.
    Denied,
    /// It passed, but nobody knows what it asks for.
    Unknown,
    /// Some records are lost.
    Lost(u64),
    /// It is about something else.
    Another,
}

/// What passed the policy counts, whatever came of it then; so does what would have been denied in audit mode.
pub(super) fn read(record: &Value, wanted: &Wanted) -> Outcome {
    let time = record["eventTime"].as_str().and_then(|time| time.parse::<Timestamp>().ok());
    if wanted.since.is_some_and(|since| time.is_none_or(|time| time < since)) {
        return Outcome::Another;
    }
    let added = &record["additionalEventData"];
    if record["eventName"] == "RecordsLost" && record["eventSource"] == "linkway" {
        let count = |name: &str| added[name].as_u64().unwrap_or_default();
        return Outcome::Lost(count("tooFast") + count("notWritten"));
    }
    if record["vpcEndpointId"] != wanted.endpoint.as_str() {
        return Outcome::Another;
    }
    let allowed = added["policyDecision"] == "Allow";
    match (allowed, &added["denied"]["passed"]) {
        (true, _) | (_, Value::Bool(true)) => {}
        (_, Value::Bool(false)) if wanted.denied_too => {}
        (_, Value::Bool(false)) => return Outcome::Denied,
        // Refused before the policy was asked: nobody knows by whom, or nothing is wanted. Or full access passed
        // what is not known.
        _ if record.get("errorCode").is_none() => return Outcome::Unknown,
        _ => return Outcome::Another,
    }
    let Some(caller) = caller(&record["userIdentity"]) else { return Outcome::Unknown };
    let mut asked = Vec::new();
    for need in added["needs"].as_array().into_iter().flatten() {
        let Some(action) = need["action"].as_str() else { continue };
        let resources = need["resources"].as_array().into_iter().flatten().filter_map(Value::as_str);
        asked.extend(resources.map(|resource| Asked {
            caller: caller.clone(),
            action: action.to_owned(),
            resource: literal(resource),
        }));
    }
    if asked.is_empty() { Outcome::Unknown } else { Outcome::Counts(asked) }
}

/// Who asked, as a policy names them. A session is named by its role: its own name is another one the next time.
fn caller(identity: &Value) -> Option<Caller> {
    let text = |name: &str| identity[name].as_str();
    Some(match text("type")? {
        // Of another account's callers, records tell the account only.
        "AWSAccount" => match text("accountId")? {
            account if account.bytes().all(|byte| byte.is_ascii_digit()) => {
                Caller::Aws(format!("arn:aws:iam::{account}:root"))
            }
            _ => Caller::Everyone,
        },
        "Unknown" => Caller::Everyone,
        "AWSService" => Caller::Service(text("arn")?.to_owned()),
        "WebIdentityUser" => Caller::Federated(text("arn")?.to_owned()),
        _ => {
            let arn = text("arn")?;
            Caller::Aws(role(arn).unwrap_or_else(|| arn.to_owned()))
        }
    })
}

/// The role of a session: `arn:aws:iam::…:role/ROLE` of `arn:aws:sts::…:assumed-role/ROLE/SESSION`.
fn role(arn: &str) -> Option<String> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", partition, "sts", "", account, session] = parts[..] else { return None };
    let (role, _) = session.strip_prefix("assumed-role/")?.split_once('/')?;
    Some(format!("arn:{partition}:iam::{account}:role/{role}"))
}

/// A resource as a policy writes it: what the language reads as a wildcard or a variable is spelled out, but for the
/// asterisk that stands for all of a kind, which is what the request is about.
fn literal(resource: &str) -> String {
    if resource == "*" {
        return resource.to_owned();
    }
    let header = resource.match_indices(':').nth(4).map_or(resource.len(), |(at, _)| at + 1);
    let (header, name) = resource.split_at(header);
    let is_all = |name: &str| name == "*" || name.ends_with("/*") || name.ends_with(":*");
    // An object's key may end so.
    let (name, all) = match is_all(name) && !header.starts_with("arn:aws:s3:") {
        true => (&name[..name.len() - 1], "*"),
        false => (name, ""),
    };
    let mut literal = header.to_owned();
    for letter in name.chars() {
        match letter {
            '*' | '?' | '$' => literal.extend(['$', '{', letter, '}']),
            letter => literal.push(letter),
        }
    }
    literal + all
}
