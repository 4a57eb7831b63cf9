//! From JSON to a [`Document`]: the grammar of the language.
//!
//! What the grammar refuses is refused here. What it takes but AWS advises against, or what can never match,
//! is for [`validate`](crate::Policy::validate).

use crate::decision::Statements;
use crate::document::{
    At, Condition, Document, Effect, NamedPrincipal, PrincipalType, Principals, Statement, Values, Version,
};
use crate::error::{ParseError, ParseErrorKind, Position};
use crate::json::{self, Json, Member, Value};
use crate::operators::{Operator, distance};

/// The most characters an endpoint policy may have, white space included (a quota of Amazon VPC).
pub const MAX_CHARACTERS: usize = 20_480;

const POLICY: [&str; 3] = ["Version", "Id", "Statement"];
const STATEMENT: [&str; 9] = [
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
];
const PRINCIPAL: [(&str, PrincipalType); 4] = [
    ("AWS", PrincipalType::Aws),
    ("Service", PrincipalType::Service),
    ("Federated", PrincipalType::Federated),
    ("CanonicalUser", PrincipalType::CanonicalUser),
];

/// What a policy is written for, which says what its statements name and what goes without saying.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// An endpoint: who may do what to what.
    Endpoint,
    /// A principal: what it may do to what. Who is not said.
    Identity,
    /// A role: who may assume it. What to is not said.
    Trust,
}

pub(crate) fn document(text: &str, form: Form) -> Result<Document, ParseError> {
    if form == Form::Endpoint {
        check_size(text)?;
    }
    let json = json::read(text)?;
    let at = json.at;
    let members = object(json, "a policy")?;
    let (mut version, mut id, mut statements) = (Version::V2008, None, None);
    for member in members {
        match member.name.as_str() {
            "Version" => version = read_version(member.value)?,
            "Id" => id = Some(string(member.value, "Id")?.value),
            "Statement" => statements = Some(read_statements(member.value, form)?),
            _ => return Err(unknown(&member, &POLICY, "a policy")),
        }
    }
    let statements = statements.ok_or_else(|| missing(at, "the policy has no Statement", "add one"))?;
    Ok(Document { version, id, statements })
}

/// Refuses a document that is too long, at its first character too many.
fn check_size(text: &str) -> Result<(), ParseError> {
    if text.len() <= MAX_CHARACTERS || text.chars().count() <= MAX_CHARACTERS {
        return Ok(());
    }
    let mut at = Position { line: 1, column: 1 };
    for c in text.chars().take(MAX_CHARACTERS) {
        if c == '\n' {
            at = Position { line: at.line + 1, column: 1 };
        } else {
            at.column += 1;
        }
    }
    Err(ParseError::new(
        at,
        ParseErrorKind::TooLarge,
        format!("the policy has {} characters", text.chars().count()),
        format!("an endpoint policy has at most {MAX_CHARACTERS}, white space included"),
    ))
}

fn read_version(json: Json) -> Result<Version, ParseError> {
    let version = string(json, "Version")?;
    match version.value.as_str() {
        "2012-10-17" => Ok(Version::V2012),
        "2008-10-17" => Ok(Version::V2008),
        other => Err(invalid(
            version.at,
            format!("there is no version {other:?} of the language"),
            "the current version is \"2012-10-17\"",
        )),
    }
}

fn read_statements(json: Json, form: Form) -> Result<Vec<Statement>, ParseError> {
    let at = json.at;
    let items = match json.value {
        Value::Array(items) => items,
        Value::Object(_) => vec![json],
        other => {
            let reason = format!("Statement is {}", other.kind());
            return Err(invalid(at, reason, "it is a list of objects"));
        }
    };
    if items.is_empty() {
        return Err(missing(at, "the policy has no statement", "add one"));
    }
    if items.len() > Statements::MOST {
        return Err(ParseError::new(
            at,
            ParseErrorKind::TooLarge,
            format!("the policy has {} statements", items.len()),
            format!("a policy has at most {}", Statements::MOST),
        ));
    }
    items.into_iter().map(|item| read_statement(item, form)).collect()
}

fn read_statement(json: Json, form: Form) -> Result<Statement, ParseError> {
    let at = json.at;
    let (mut sid, mut effect, mut conditions) = (None, None, Vec::new());
    let (mut principal, mut action, mut resource) = (None, None, None);
    for member in object(json, "a statement")? {
        match member.name.as_str() {
            "Sid" => sid = Some(string(member.value, "Sid")?),
            "Effect" => effect = Some(read_effect(member.value)?),
            "Principal" | "NotPrincipal" => fill(&mut principal, member, "Principal", read_principals)?,
            "Action" | "NotAction" => fill(&mut action, member, "Action", read_values)?,
            "Resource" | "NotResource" => fill(&mut resource, member, "Resource", |mut member, negated| {
                if form == Form::Identity {
                    drop_nulls(&mut member.value);
                }
                read_values(member, negated)
            })?,
            "Condition" => conditions = read_conditions(member.value, form)?,
            _ => return Err(unknown(&member, &STATEMENT, "a statement")),
        }
    }
    let lacks = |element: &str, hint: &str| missing(at, format!("the statement has no {element}"), hint);
    match form {
        Form::Endpoint => {}
        Form::Identity => {
            if let Some(Principals { at, .. }) = principal {
                return Err(invalid(at, "Policy document should not specify a principal", NOT_SAID));
            }
            let named = vec![NamedPrincipal { kind: PrincipalType::Aws, value: anything(at) }];
            principal = Some(Principals { at, negated: false, named });
            // IAM has more to say of such a statement, and an order to say it in.
            let none = || Values { at, negated: false, values: Vec::new() };
            action = action.or_else(|| Some(none()));
            resource = resource.or_else(|| Some(none()));
        }
        Form::Trust => {
            if let Some(Values { at, .. }) = resource {
                return Err(invalid(at, "Has prohibited field Resource", NOT_SAID));
            }
            resource = Some(Values { at, negated: false, values: vec![anything(at)] });
        }
    }
    Ok(Statement {
        at,
        sid,
        effect: effect.ok_or_else(|| lacks("Effect", "add \"Effect\": \"Allow\" or \"Deny\""))?,
        principal: principal
            .ok_or_else(|| lacks("Principal", "an endpoint policy needs one: add \"Principal\": \"*\""))?,
        action: action.ok_or_else(|| lacks("Action", "add Action or NotAction"))?,
        resource: resource.ok_or_else(|| lacks("Resource", "add Resource or NotResource"))?,
        conditions,
    })
}

/// What to do with an element that goes without saying.
const NOT_SAID: &str = "leave it out";

fn anything(at: Position) -> At<String> {
    At { at, value: "*".to_owned() }
}

/// Reads `Name` or `NotName` into its place, of which a statement has only one.
fn fill<T>(
    slot: &mut Option<T>,
    member: Member,
    name: &str,
    read: impl FnOnce(Member, bool) -> Result<T, ParseError>,
) -> Result<(), ParseError> {
    if slot.is_some() {
        return Err(ParseError::new(
            member.at,
            ParseErrorKind::DuplicateElement,
            format!("the statement has both {name} and Not{name}"),
            "keep one of them",
        ));
    }
    let negated = member.name.len() > name.len();
    *slot = Some(read(member, negated)?);
    Ok(())
}

fn read_effect(json: Json) -> Result<Effect, ParseError> {
    let effect = string(json, "Effect")?;
    match effect.value.as_str() {
        "Allow" => Ok(Effect::Allow),
        "Deny" => Ok(Effect::Deny),
        other => Err(invalid(
            effect.at,
            format!("Effect is {other:?}"),
            "it is \"Allow\" or \"Deny\", spelt like this",
        )),
    }
}

fn read_values(member: Member, negated: bool) -> Result<Values, ParseError> {
    let values = strings(member.value, &member.name)?;
    Ok(Values { at: member.at, negated, values })
}

fn read_principals(member: Member, negated: bool) -> Result<Principals, ParseError> {
    let mut named = Vec::new();
    let at = member.value.at;
    match member.value.value {
        Value::String(everyone) if everyone == "*" => {
            named.push(NamedPrincipal { kind: PrincipalType::Aws, value: At { at, value: everyone } });
        }
        Value::Object(members) => {
            for entry in members {
                let Some((_, kind)) = PRINCIPAL.into_iter().find(|(name, _)| *name == entry.name) else {
                    return Err(unknown(&entry, &PRINCIPAL.map(|(name, _)| name), "a principal"));
                };
                let values = strings(entry.value, &entry.name)?;
                named.extend(values.into_iter().map(|value| NamedPrincipal { kind, value }));
            }
        }
        _ => {
            return Err(invalid(
                at,
                format!("{} is neither \"*\" nor an object", member.name),
                "write \"*\", or for example {\"AWS\": \"111122223333\"}",
            ));
        }
    }
    Ok(Principals { at: member.at, negated, named })
}

/// Lists of resources may have gaps, which IAM passes over.
fn drop_nulls(json: &mut Json) {
    if let Value::Array(items) = &mut json.value {
        items.retain(|item| !matches!(item.value, Value::Null));
    }
}

fn read_conditions(json: Json, form: Form) -> Result<Vec<Condition>, ParseError> {
    let mut conditions = Vec::new();
    let operators = object(json, "Condition")?;
    refuse_case_twins(&operators)?;
    for member in operators {
        if form == Form::Identity && matches!(&member.value.value, Value::Object(keys) if keys.is_empty()) {
            // IAM does not look at the name of what compares nothing.
            continue;
        }
        let Some(operator) = Operator::parse(&member.name) else {
            return Err(ParseError::new(
                member.at,
                ParseErrorKind::UnknownOperator,
                format!("there is no condition operator {:?}", member.name),
                format!("did you mean {}?", Operator::suggest(&member.name)),
            ));
        };
        let keys = object(member.value, &member.name)?;
        refuse_case_twins(&keys)?;
        for key in keys {
            conditions.push(Condition {
                operator: At { at: member.at, value: operator },
                values: scalars(key.value, &key.name)?,
                key: At { at: key.at, value: key.name },
            });
        }
    }
    Ok(conditions)
}

/// Operators and keys are the same in any case, so two that differ in nothing else are one twice.
fn refuse_case_twins(members: &[Member]) -> Result<(), ParseError> {
    for (i, member) in members.iter().enumerate() {
        if members[..i].iter().any(|earlier| earlier.name.eq_ignore_ascii_case(&member.name)) {
            return Err(ParseError::new(
                member.at,
                ParseErrorKind::DuplicateElement,
                format!("{:?} is here twice but for case", member.name),
                "keep one, with the values of both in one list",
            ));
        }
    }
    Ok(())
}

fn object(json: Json, what: &str) -> Result<Vec<Member>, ParseError> {
    match json.value {
        Value::Object(members) => Ok(members),
        other => {
            let reason = format!("{what} is {}", other.kind());
            Err(invalid(json.at, reason, "it is an object, in braces"))
        }
    }
}

fn string(json: Json, what: &str) -> Result<At<String>, ParseError> {
    match json.value {
        Value::String(value) => Ok(At { at: json.at, value }),
        other => {
            let reason = format!("a value of {what} is {}", other.kind());
            Err(invalid(json.at, reason, "it is a string, in quotation marks"))
        }
    }
}

/// A string or a list of strings.
fn strings(json: Json, what: &str) -> Result<Vec<At<String>>, ParseError> {
    match json.value {
        Value::Array(items) => items.into_iter().map(|item| string(item, what)).collect(),
        _ => Ok(vec![string(json, what)?]),
    }
}

/// A string, a number, a Boolean, or a list of these, all as text.
fn scalars(json: Json, what: &str) -> Result<Vec<At<String>>, ParseError> {
    let scalar = |json: Json| match json.value {
        Value::Bool(value) => Ok(At { at: json.at, value: value.to_string() }),
        Value::Number(value) => Ok(At { at: json.at, value }),
        _ => string(json, what),
    };
    match json.value {
        Value::Array(items) => items.into_iter().map(scalar).collect(),
        _ => Ok(vec![scalar(json)?]),
    }
}

fn invalid(at: Position, reason: impl Into<String>, hint: &str) -> ParseError {
    ParseError::new(at, ParseErrorKind::InvalidValue, reason, hint)
}

fn missing(at: Position, reason: impl Into<String>, hint: &str) -> ParseError {
    ParseError::new(at, ParseErrorKind::MissingElement, reason, hint)
}

fn unknown(member: &Member, known: &[&str], what: &str) -> ParseError {
    let wrong = member.name.as_bytes();
    let near = known.iter().find(|name| name.eq_ignore_ascii_case(&member.name));
    let near = near.or_else(|| known.iter().find(|name| distance(name.as_bytes(), wrong) <= 2));
    let hint = match near {
        Some(name) => format!("did you mean {name:?}?"),
        None => format!("it has {}", known.join(", ")),
    };
    let reason = format!("{what} has no element {:?}", member.name);
    ParseError::new(member.at, ParseErrorKind::UnknownElement, reason, hint)
}
