use linkway_policy::{AnyActions, Context, Policy, Principal, PrincipalKind, Request, Severity};
use proptest::prelude::*;
use serde_json::json;

use super::*;

const ENDPOINT: &str = "vpce-0123456789abcdef0";
const ACCOUNT: &str = "111122223333";

fn wanted() -> Wanted {
    Wanted { endpoint: ENDPOINT.parse().unwrap(), since: None, denied_too: false }
}

/// A record, as the gateway writes it.
fn record(identity: &Value, needs: &[(&str, &[&str])]) -> Value {
    let needs: Vec<_> =
        needs.iter().map(|(action, resources)| json!({"action": action, "resources": resources})).collect();
    json!({
        "eventTime": "2026-06-01T00:00:00Z",
        "eventCategory": "NetworkActivity",
        "vpcEndpointId": ENDPOINT,
        "userIdentity": identity,
        "additionalEventData": {"policyDecision": "Allow", "needs": needs},
    })
}

fn user(name: &str) -> Value {
    json!({"type": "IAMUser", "arn": format!("arn:aws:iam::{ACCOUNT}:user/{name}"), "accountId": ACCOUNT})
}

fn seen(records: &[Value]) -> Seen {
    let mut seen = Seen::default();
    records.iter().for_each(|record| seen.add(&record.to_string(), &wanted()));
    seen
}

fn statements(records: &[Value]) -> Value {
    let learnt = seen(records).learn().unwrap();
    serde_json::from_str::<Value>(&learnt.document).unwrap()["Statement"].clone()
}

/// Whether a policy allows all that a record needs.
fn allows(policy: &Policy, record: &Value) -> bool {
    let identity = &record["userIdentity"];
    let text = |name: &str| identity[name].as_str();
    let kind = match text("type").unwrap() {
        "IAMUser" => PrincipalKind::User,
        "AssumedRole" => PrincipalKind::AssumedRole,
        "Root" | "AWSAccount" => PrincipalKind::Root,
        _ => PrincipalKind::Anonymous,
    };
    let principal = match kind {
        PrincipalKind::Anonymous => Principal::default(),
        kind => Principal { kind, arn: text("arn"), account: text("accountId"), canonical_user: None },
    };
    let context = Context::new();
    record["additionalEventData"]["needs"].as_array().unwrap().iter().all(|need| {
        need["resources"].as_array().unwrap().iter().all(|resource| {
            let request = Request {
                principal,
                action: need["action"].as_str().unwrap(),
                resource: resource.as_str().unwrap(),
                resource_account: None,
                context: &context,
            };
            policy.evaluate(&request).is_allowed()
        })
    })
}

#[test]
fn statements_are_grouped_by_who_asked_for_what() {
    let database = "arn:aws:rds:us-east-1:111122223333:db:one";
    let found = statements(&[
        record(
            &user("a"),
            &[("rds:DescribeDBInstances", &[database]), ("rds:ListTagsForResource", &[database])],
        ),
        record(
            &user("b"),
            &[("rds:DescribeDBInstances", &[database]), ("rds:ListTagsForResource", &[database])],
        ),
        record(&user("b"), &[("rds:DescribeEvents", &["*"])]),
    ]);
    let arn = |name: &str| format!("arn:aws:iam::{ACCOUNT}:user/{name}");
    let expected = json!([
        {"Sid": "Learnt1", "Effect": "Allow", "Principal": {"AWS": [arn("a"), arn("b")]},
         "Action": ["rds:DescribeDBInstances", "rds:ListTagsForResource"], "Resource": database},
        {"Sid": "Learnt2", "Effect": "Allow", "Principal": {"AWS": arn("b")},
         "Action": "rds:DescribeEvents", "Resource": "*"},
    ]);
    assert_eq!(found, expected);
}

#[test]
fn everyone_is_let_in_only_where_somebody_unknown_asked() {
    let anonymous = json!({"type": "AWSAccount", "principalId": "", "accountId": "ANONYMOUS_PRINCIPAL"});
    let other = json!({"type": "AWSAccount", "principalId": "AKIA", "accountId": "444455556666"});
    let session =
        json!({"type": "AssumedRole", "arn": format!("arn:aws:sts::{ACCOUNT}:assumed-role/App/i-1")});
    let found = statements(&[
        record(&anonymous, &[("s3:GetObject", &["arn:aws:s3:::b/public"])]),
        record(&user("a"), &[("s3:GetObject", &["arn:aws:s3:::b/public"])]),
        record(&other, &[("s3:GetObject", &["arn:aws:s3:::b/one"])]),
        record(&session, &[("s3:GetObject", &["arn:aws:s3:::b/two"])]),
    ]);
    let principals: Vec<_> = found.as_array().unwrap().iter().map(|one| one["Principal"].clone()).collect();
    let expected = [
        json!("*"),
        json!({"AWS": format!("arn:aws:iam::{ACCOUNT}:role/App")}),
        json!({"AWS": "arn:aws:iam::444455556666:root"}),
    ];
    assert_eq!(principals, expected);
}

#[test]
fn what_was_denied_counts_only_where_it_passed() {
    let denied = |passed: bool| {
        let mut record = record(&user("a"), &[("rds:DeleteDBInstance", &["*"])]);
        let added = &mut record["additionalEventData"];
        added["policyDecision"] = json!("ImplicitDeny");
        added["denied"] = json!({"action": "rds:DeleteDBInstance", "resource": "*", "passed": passed});
        record
    };
    let both = seen(&[denied(true), denied(false)]);
    assert_eq!((both.counted, both.denied), (1, 1));
    assert!(seen(&[denied(false)]).learn().is_none());
    let mut all = Seen::default();
    all.add(&denied(false).to_string(), &Wanted { denied_too: true, ..wanted() });
    assert_eq!(all.counted, 1);
}

#[test]
fn what_is_no_request_of_the_endpoint_is_left_out_and_said() {
    let mut other = record(&user("a"), &[("rds:DescribeEvents", &["*"])]);
    other["vpcEndpointId"] = json!("vpce-0123456789abcdef1");
    let lost = json!({"eventSource": "linkway", "eventName": "RecordsLost",
        "additionalEventData": {"tooFast": 2, "notWritten": 3}});
    let mut unknown = record(&user("a"), &[]);
    unknown["additionalEventData"] = json!({"needs": []});
    let mut refused = unknown.clone();
    refused["errorCode"] = json!("SignatureDoesNotMatch");
    let mut seen = seen(&[other.clone(), lost, unknown, refused]);
    seen.add("{\"cut", &wanted());
    assert_eq!((seen.counted, seen.lost, seen.unknown, seen.unreadable), (0, 5, 1, 1));

    let since = Wanted { since: Some("2026-06-01T00:00:01Z".parse().unwrap()), ..wanted() };
    other["vpcEndpointId"] = json!(ENDPOINT);
    seen.add(&other.to_string(), &since);
    assert_eq!(seen.counted, 0);
    seen.add(&other.to_string(), &wanted());
    assert_eq!(seen.counted, 1);
}

#[test]
fn names_with_letters_of_the_language_are_allowed_as_they_are() {
    let odd = "arn:aws:s3:::b/what*is?${this}";
    let records = [record(&user("a"), &[("s3:GetObject", &[odd])])];
    let learnt = seen(&records).learn().unwrap();
    let policy = Policy::parse(&learnt.document).unwrap();
    assert!(allows(&policy, &records[0]));
    assert!(!allows(&policy, &record(&user("a"), &[("s3:GetObject", &["arn:aws:s3:::b/whatXisYthis"])])));
    // All databases is what was asked for.
    let all = "arn:aws:rds:us-east-1:111122223333:db:*";
    assert_eq!(statements(&[record(&user("a"), &[("rds:DescribeDBInstances", &[all])])])[0]["Resource"], all);
}

#[test]
fn a_long_policy_is_widened_until_it_fits_and_says_how() {
    let records: Vec<_> = (0..3000)
        .map(|number| {
            let key = format!("arn:aws:s3:::bucket/folder-{}/object-{number}", number % 3);
            record(&user("a"), &[("s3:GetObject", &[key.as_str()])])
        })
        .collect();
    let learnt = seen(&records).learn().unwrap();
    assert_eq!(learnt.widened.len(), 1, "{:?}", learnt.widened);
    let policy = Policy::parse(&learnt.document).unwrap();
    assert!(records.iter().all(|record| allows(&policy, record)));
    let outside = "arn:aws:s3:::bucket/folder-9/object-1";
    assert!(!allows(&policy, &record(&user("a"), &[("s3:GetObject", &[outside])])));
}

fn any_identity() -> impl Strategy<Value = Value> {
    let session = |name: String| {
        json!({"type": "AssumedRole", "arn": format!("arn:aws:sts::{ACCOUNT}:assumed-role/{name}/s"),
               "accountId": ACCOUNT})
    };
    prop_oneof![
        "[a-z]{1,3}".prop_map(|name| user(&name)),
        "[a-z]{1,12}".prop_map(session),
        Just(json!({"type": "Root", "arn": format!("arn:aws:iam::{ACCOUNT}:root"), "accountId": ACCOUNT})),
        "[0-9]{12}"
            .prop_map(|account| json!({"type": "AWSAccount", "principalId": "A", "accountId": account})),
        Just(json!({"type": "Unknown", "accessKeyId": "AKIA"})),
    ]
}

fn any_record() -> impl Strategy<Value = Value> {
    let action = prop_oneof!["s3:(Get|Put|List)[A-Z][a-z]{1,6}", "[a-z]{2,8}:[A-Z][a-z]{0,9}"];
    let resource = prop_oneof![
        Just("*".to_owned()),
        "arn:aws:s3:::[a-z]{1,4}(/[a-z*?$:{}]{0,5}){0,3}",
        "arn:aws:rds:us-east-1:111122223333:db:([a-z]{1,6}|\\*)",
    ];
    let needs = prop::collection::vec((action, prop::collection::vec(resource, 1..4)), 1..4);
    (any_identity(), needs).prop_map(|(identity, needs)| {
        let needs: Vec<(&str, Vec<&str>)> = needs
            .iter()
            .map(|(action, resources)| (action.as_str(), resources.iter().map(String::as_str).collect()))
            .collect();
        let needs: Vec<(&str, &[&str])> = needs.iter().map(|(action, all)| (*action, &all[..])).collect();
        record(&identity, &needs)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_learnt_is_a_sound_policy_that_allows_every_record(
        records in prop::collection::vec(any_record(), 1..250)
    ) {
        let learnt = seen(&records).learn().unwrap();
        prop_assert!(learnt.document.chars().count() <= MAX_CHARACTERS);
        let policy = Policy::parse(&learnt.document).unwrap();
        let errors: Vec<_> =
            policy.validate(&AnyActions).into_iter().filter(|f| f.severity == Severity::Error).collect();
        prop_assert!(errors.is_empty(), "{errors:?}");
        for record in &records {
            prop_assert!(allows(&policy, record), "{record} by {}", learnt.document);
        }
    }

    #[test]
    fn each_step_allows_what_the_one_before_it_did(records in prop::collection::vec(any_record(), 1..40)) {
        let mut asked = seen(&records).asked;
        for (_, step) in widen::STEPS {
            asked = step(&asked);
            let policy = Policy::parse(&document::write(&asked)[1]).unwrap();
            prop_assert!(records.iter().all(|record| allows(&policy, record)));
        }
    }
}
