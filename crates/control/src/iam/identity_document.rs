//! What IAM takes for a policy of an identity, and in which order it says what is wrong with one.
//!
//! Source: the documents and messages of moto's `test_iam_policies.py`, whose words are AWS's. The first rule
//! that any statement breaks decides, whichever statement that is.

use linkway_policy::document::{Document, Statement, Values, Version};
use linkway_policy::{ParseError, Policy, Test};

use super::document::{malformed, said, unique_names};
use crate::Error;

/// What the ids of IAM's resources begin with.
const IAM_PATHS: [&str; 13] = [
    "user/",
    "federated-user/",
    "role/",
    "group/",
    "instance-profile/",
    "mfa/",
    "server-certificate/",
    "policy/",
    "sms-mfa/",
    "saml-provider/",
    "oidc-provider/",
    "report/",
    "access-report/",
];

/// Check a document that an identity has of its own, or a session is restricted to.
pub(crate) fn check_identity(text: &str) -> Result<(), Error> {
    check(text, false)
}

/// Check a document of a managed policy, which must say the language's version.
pub(super) fn check_managed(text: &str) -> Result<(), Error> {
    check(text, true)
}

fn check(text: &str, managed: bool) -> Result<(), Error> {
    let outdated = || malformed("Policy document must be version 2012-10-17 or greater.");
    let policy = Policy::parse_identity(text).map_err(|error| {
        if !wrong_case(&error) {
            return malformed(&said(&error).unwrap_or_else(|| "Syntax errors in policy.".to_owned()));
        }
        let says_version = serde_json::from_str::<serde_json::Value>(text)
            .is_ok_and(|document| document.get("Version").is_some_and(|version| version == "2012-10-17"));
        if managed && !says_version { outdated() } else { unreadable() }
    })?;
    let document = policy.document();
    if managed && document.version != Version::V2012 {
        return Err(outdated());
    }
    each(document, legacy)?;
    unique_names(document)?;
    each(document, |statement| match statement.action.values.is_empty() {
        true => Err(malformed("Policy statement must contain actions.")),
        false => strings(&statement.action).try_for_each(vendor_is_there),
    })?;
    each(document, |statement| match statement.resource.values.is_empty() {
        true => Err(malformed("Policy statement must contain resources.")),
        false => strings(&statement.resource).try_for_each(resource),
    })?;
    each(document, |statement| strings(&statement.action).try_for_each(action))
}

/// Check what holds for policies of every kind: each Sid names one statement, and actions are of a service.
pub(crate) fn check_names(document: &Document) -> Result<(), Error> {
    unique_names(document)?;
    each(document, |statement| strings(&statement.action).try_for_each(vendor_is_there))
}

fn each(document: &Document, rule: impl FnMut(&Statement) -> Result<(), Error>) -> Result<(), Error> {
    document.statements.iter().try_for_each(rule)
}

fn strings(values: &Values) -> impl Iterator<Item = &str> {
    values.values.iter().map(|value| value.value.as_str())
}

fn unreadable() -> Error {
    malformed("The policy failed legacy parsing")
}

/// Whether a document cannot be read for the case of an effect, such as `allow`, which is no error of syntax to AWS.
fn wrong_case(error: &ParseError) -> bool {
    ["Effect is \"allow\"", "Effect is \"deny\""].iter().any(|words| error.reason.eq_ignore_ascii_case(words))
}

/// What an older reader of AWS's cannot read: ARNs with nothing where something must be, and dates that are none.
fn legacy(statement: &Statement) -> Result<(), Error> {
    for resource in strings(&statement.resource) {
        let parts: Vec<&str> = resource.split(':').collect();
        let gap = parts.len() < 6 && parts.iter().any(|part| part.is_empty());
        if parts.len() > 2 && is_partition(parts[1]) && (gap || parts[2].is_empty()) {
            return Err(unreadable());
        }
    }
    let dates =
        statement.conditions.iter().filter(|found| matches!(found.operator.value.test, Test::Date(_)));
    let mut values = dates.flat_map(|condition| &condition.values);
    if values.all(|date| is_date(&date.value)) { Ok(()) } else { Err(unreadable()) }
}

fn is_partition(text: &str) -> bool {
    text == "aws" || text.starts_with("aws-") || text == "*"
}

fn vendor_is_there(action: &str) -> Result<(), Error> {
    let prefaced =
        action.split_once(':').is_some_and(|(vendor, name)| !vendor.is_empty() && !name.is_empty());
    if prefaced || action == "*" {
        return Ok(());
    }
    Err(malformed("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."))
}

fn action(action: &str) -> Result<(), Error> {
    let Some((vendor, name)) = action.split_once(':') else { return Ok(()) };
    if name.contains(':') {
        return Err(malformed("Actions/Condition can contain only one colon."));
    }
    if !vendor.chars().all(|letter| letter.is_ascii_alphanumeric() || "-._".contains(letter)) {
        return Err(malformed(&format!("Vendor {vendor} is not valid")));
    }
    Ok(())
}

/// Check one resource: `*`, or an ARN, of which parts may be missing at the end.
fn resource(resource: &str) -> Result<(), Error> {
    if resource == "*" {
        return Ok(());
    }
    let Some((_, rest)) = resource.split_once(':') else {
        return Err(malformed(&format!("Resource {resource} must be in ARN format or \"*\".")));
    };
    let mut parts: Vec<&str> = rest.splitn(5, ':').collect();
    if !is_partition(parts[0]) {
        parts.resize(parts.len().max(5), "*");
        let (partition, whole) = (parts[0], parts.join(":"));
        return Err(malformed(&format!(
            "Partition \"{partition}\" is not valid for resource \"arn:{whole}\"."
        )));
    }
    let Some(service) = parts.get(1) else {
        return Err(malformed("Resource vendor must be fully qualified and cannot contain regexes."));
    };
    let part = |index: usize| parts.get(index).copied().unwrap_or("*");
    let (region, account, named) = (part(2), part(3), part(4));
    let of_a_region = !matches!(region, "" | "*");
    match *service {
        "iam" if of_a_region => {
            Err(malformed(&format!("IAM resource {resource} cannot contain region information.")))
        }
        "iam" if named != "*" && !IAM_PATHS.iter().any(|path| named.starts_with(path)) => {
            let paths = IAM_PATHS.join(", ");
            Err(malformed(&format!("IAM resource path must either be \"*\" or start with {paths}.")))
        }
        // Access points and jobs have regions, and accounts.
        "s3" if of_a_region && account.is_empty() => {
            Err(malformed(&format!("Resource {resource} can not contain region information.")))
        }
        _ => Ok(()),
    }
}

/// Whether AWS's reader takes a text for a date: seconds or milliseconds since 1970, or a date of ISO 8601 of which
/// all but a beginning may be missing, as in `01T`.
fn is_date(text: &str) -> bool {
    if text.parse::<i64>().is_ok() {
        return true;
    }
    let (date, time) = match text.split_once(['T', 't']) {
        Some((date, time)) => (date, time),
        None => (text, ""),
    };
    let number = |text: &str, digits: usize, most: u32| {
        let right =
            !text.is_empty() && text.len() <= digits && text.bytes().all(|byte| byte.is_ascii_digit());
        right && text.parse::<u32>().is_ok_and(|number| number <= most)
    };
    let fields = |text: &str, by: char, rules: &[(usize, u32)]| {
        let count = text.split(by).count();
        count <= rules.len()
            && text.split(by).zip(rules).all(|(field, (digits, most))| number(field, *digits, *most))
    };
    let (clock, offset) = match (time.strip_suffix(['Z', 'z']), time.find(['+', '-'])) {
        (Some(clock), _) => (clock, "00"),
        (None, Some(at)) => (&time[..at], &time[at + 1..]),
        (None, None) => (time, "00"),
    };
    let (clock, fraction) = clock.split_once(['.', ',']).unwrap_or((clock, "0"));
    let (hours, minutes) = offset.split_at_checked(2).unwrap_or((offset, ""));
    let minutes = minutes.strip_prefix(':').unwrap_or(minutes);
    fields(date, '-', &[(9, u32::MAX), (2, 12), (2, 31)])
        && (clock.is_empty() || fields(clock, ':', &[(2, 24), (2, 59), (2, 59)]))
        && number(fraction, 9, u32::MAX)
        && hours.len() == 2
        && number(hours, 2, 23)
        && (minutes.is_empty() || minutes.len() == 2 && number(minutes, 2, 59))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(statement: &str) -> String {
        let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#);
        check_managed(&text).map_or_else(|error| error.to_string(), |()| "taken".to_owned())
    }

    fn of_resource(resource: &str) -> String {
        said(&format!(r#"{{"Effect":"Allow","Action":"s3:Get*","Resource":"{resource}"}}"#))
    }

    #[test]
    fn resources() {
        for taken in ["*", "arn:aws:s3:::b", "arn:aws:sqs", "arn:aws-cn:s3:::b", "arn:aws:iam::1:user/u"] {
            assert_eq!(of_resource(taken), "taken", "{taken}");
        }
        let point = "arn:aws:s3:us-west-2:123456789012:accesspoint/p";
        assert_eq!(of_resource(point), "taken");
        for (resource, words) in [
            ("bucket", "Resource bucket must be in ARN format or \"*\"."),
            ("a:b:c", "Partition \"b\" is not valid for resource \"arn:b:c:*:*:*\"."),
            ("a:b:c:d:e:f:g", "Partition \"b\" is not valid for resource \"arn:b:c:d:e:f:g\"."),
            ("arn:aws", "Resource vendor must be fully qualified and cannot contain regexes."),
            ("arn:aws:s3::b", "The policy failed legacy parsing"),
            ("arn:aws::::b", "The policy failed legacy parsing"),
            (
                "arn:aws:iam:us-east-1::b",
                "IAM resource arn:aws:iam:us-east-1::b cannot contain region information.",
            ),
            (
                "arn:aws:s3:us-east-1::b",
                "Resource arn:aws:s3:us-east-1::b can not contain region information.",
            ),
        ] {
            assert_eq!(of_resource(resource), words);
        }
        assert!(
            of_resource("arn:aws:iam:::b")
                .starts_with("IAM resource path must either be \"*\" or start with")
        );
    }

    #[test]
    fn actions() {
        let of = |action: &str| said(&format!(r#"{{"Effect":"Allow","Action":"{action}","Resource":"*"}}"#));
        assert_eq!(of("s3-s:List"), "taken");
        assert_eq!(of("a a:List"), "Vendor a a is not valid");
        assert_eq!(of("s3:List:Bucket"), "Actions/Condition can contain only one colon.");
        assert!(of("List").starts_with("Actions/Conditions must be prefaced by a vendor"));
    }

    #[test]
    fn what_is_said_first() {
        for (statement, words) in [
            (r#"{"Effect":"denY","Action":"s3:A","Resource":"*"}"#, "The policy failed legacy parsing"),
            (r#"{"Effect":"Allow","Resource":"arn:aws:s3::b"}"#, "The policy failed legacy parsing"),
            (
                r#"{"Sid":"a","Effect":"Allow","Action":"s3:A","Resource":"*"},{"Sid":"a","Effect":"Allow"}"#,
                "Statement IDs (SID) in a single policy must be unique.",
            ),
            (
                r#"{"Sid":"","Effect":"Allow","Action":"s3:A","Resource":"*"},{"Sid":"","Effect":"Allow"}"#,
                "Policy statement must contain actions.",
            ),
            (r#"{"Effect":"Allow","Action":"s3:A"}"#, "Policy statement must contain resources."),
            (
                r#"{"Effect":"Allow","Action":"s:3:A","Resource":"b"}"#,
                "Resource b must be in ARN format or \"*\".",
            ),
            (r#"{"Effect":"Allow","Action":"s3:A","Resource":["*",null],"Condition":{"x":{}}}"#, "taken"),
            (
                r#"{"Effect":"Allow","Action":"s3:A","Resource":"*","Condition":{"x":{"a":"1"}}}"#,
                "Syntax errors in policy.",
            ),
        ] {
            assert_eq!(said(statement), words, "{statement}");
        }
        assert!(
            said(r#"{"Effect":"Allow","Action":"A"}"#).starts_with("Actions/Conditions must be prefaced")
        );
    }

    #[test]
    fn managed_policies_say_the_version() {
        let outdated = "Policy document must be version 2012-10-17 or greater.";
        for effect in ["Allow", "aLLow"] {
            let statement = format!(r#"{{"Effect":"{effect}","Action":"s3:A","Resource":"*"}}"#);
            for version in ["", r#""Version":"2008-10-17","#] {
                let text = format!(r#"{{{version}"Statement":{statement}}}"#);
                assert_eq!(check_managed(&text).unwrap_err().to_string(), outdated, "{text}");
                assert_eq!(check_identity(&text).is_ok(), effect == "Allow", "{text}");
            }
        }
    }

    #[test]
    fn dates() {
        for date in [
            "2017-07-01T00:00:00Z",
            "2016-12-13T21:20:37.593194+00:00",
            "2016-12-13t2:00:00.593194+23",
            "-292275054",
            "01T",
            "2017",
        ] {
            assert!(is_date(date), "{date}");
        }
        for text in [
            "",
            "text",
            "234-13",
            "2016-12-13t2:00:00.593194+1",
            "2016-12-13t2:00:00.1999999999+10:59",
            "9223372036854775808",
        ] {
            assert!(!is_date(text), "{text}");
        }
        let dated =
            r#"{"Effect":"Allow","Action":"s3:A","Resource":"*","Condition":{"DateLessThan":{"a":"b"}}}"#;
        assert_eq!(said(dated), "The policy failed legacy parsing");
    }
}
