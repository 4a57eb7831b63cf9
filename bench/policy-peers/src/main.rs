//! Evaluations a second of other crates, on one core: the policy and the requests that `cargo bench -p linkway-policy`
//! has. Requests and policies are made beforehand, there as here.
//!
//! Cedar is another language: its policy says the same in its own words. Its resource's home is compared with what the
//! caller's would be, as Cedar has no variables within patterns.

#[path = "../../rate.rs"]
mod rate;

use std::hint::black_box;

use cedar_policy::{Authorizer, Entities, PolicySet};
use iam_rs::{Arn, Decision, IAMPolicy, IAMRequest, PolicyEvaluator, Principal, PrincipalId};
use rate::report;
use serde_json::json;

const POLICY: &str = include_str!("../../../crates/policy/benches/perimeter.json");

const CEDAR: &str = r#"
permit(principal, action, resource) when {
    (context.action like "rds:Describe*" || context.action == "s3:GetObject" || context.action == "s3:ListBucket" ||
        context.action == "dynamodb:Query") &&
    context.PrincipalOrgID == "o-a1b2c3d4e5" && context.ResourceAccount == "111122223333"
};
permit(principal, action, resource) when {
    context.PrincipalAccount == "111122223333" && context.action like "s3:*" &&
    context.resource like "arn:aws:s3:::examplebucket/home/*" && context.home == context.username &&
    (context.team like "blue*" || context.team like "green*")
};
forbid(principal, action, resource) when {
    !(context has SourceVpc && ["vpc-0a1b2c3d", "vpc-0e0f0a0b"].contains(context.SourceVpc)) &&
    (!(context has ViaAWSService) || !context.ViaAWSService) &&
    !(context.VpcSourceIp.isInRange(ip("10.0.0.0/16")) || context.VpcSourceIp.isInRange(ip("10.1.0.0/16")))
};
forbid(principal, action, resource) when {
    (context.action like "s3:Delete*" || context.action like "rds:Delete*" || context.action like "dynamodb:Delete*") &&
    !(context.PrincipalArn like "arn:aws:iam::111122223333:role/admin/*")
};
"#;

const ALICE: &str = "arn:aws:iam::111122223333:user/alice";
const HOME: &str = "arn:aws:s3:::examplebucket/home/alice/a";

/// Name, action, resource, and what is to come out: allowed, or denied.
const REQUESTS: [(&str, &str, &str, bool); 4] = [
    ("allowed", "rds:DescribeDBInstances", "arn:aws:rds:us-east-1:111122223333:db:*", true),
    ("allowed twice", "s3:GetObject", HOME, true),
    ("not allowed", "sqs:SendMessage", "arn:aws:sqs:us-east-1:111122223333:jobs", false),
    ("denied", "s3:DeleteObject", HOME, false),
];

fn main() {
    let run = match std::env::args().nth(1).as_deref() {
        Some("iam-rs") => iam_rs,
        Some("cedar-policy") => cedar,
        _ => panic!("usage: policy-peers iam-rs | cedar-policy"),
    };
    for (name, action, resource, allowed) in REQUESTS {
        run(name, action, resource, allowed);
    }
}

fn iam_rs(name: &str, action: &str, resource: &str, allowed: bool) {
    let policy = IAMPolicy::from_json(POLICY).expect("a policy");
    let evaluator = PolicyEvaluator::with_policies(vec![policy]);
    let context = json!({
        "aws:CurrentTime": "2026-06-01T12:00:00Z",
        "aws:EpochTime": "1780315200",
        "aws:SecureTransport": "true",
        "aws:UserAgent": "Boto3/1.43.0",
        "aws:SourceVpc": "vpc-0a1b2c3d",
        "aws:SourceVpce": "vpce-0123456789abcdef0",
        "aws:VpcSourceIp": "10.0.7.9",
        "aws:PrincipalArn": ALICE,
        "aws:PrincipalAccount": "111122223333",
        "aws:PrincipalOrgID": "o-a1b2c3d4e5",
        "aws:PrincipalTag/team": "blue",
        "aws:username": "alice",
        "aws:ViaAWSService": "false",
        "aws:ResourceAccount": "111122223333",
    });
    let request = IAMRequest::new_with_context(
        Principal::Aws(PrincipalId::String(ALICE.to_owned())),
        action,
        Arn::parse(resource).expect("an ARN"),
        serde_json::from_value(context).expect("a context"),
    );
    let decision = evaluator.evaluate(&request).map(|result| result.decision);
    if decision.as_ref().is_ok_and(|decision| (*decision == Decision::Allow) != allowed) || decision.is_err()
    {
        eprintln!("{name}: iam-rs does not decide as AWS does: {decision:?}");
    }
    report(name, || evaluator.evaluate(black_box(&request)));
}

fn cedar(name: &str, action: &str, resource: &str, allowed: bool) {
    let policies: PolicySet = CEDAR.parse().expect("a policy");
    let context = json!({
        "action": action,
        "resource": resource,
        "home": if resource == HOME { "alice" } else { "" },
        "CurrentTime": "2026-06-01T12:00:00Z",
        "SecureTransport": true,
        "UserAgent": "Boto3/1.43.0",
        "SourceVpc": "vpc-0a1b2c3d",
        "SourceVpce": "vpce-0123456789abcdef0",
        "VpcSourceIp": {"__extn": {"fn": "ip", "arg": "10.0.7.9"}},
        "PrincipalArn": ALICE,
        "PrincipalAccount": "111122223333",
        "PrincipalOrgID": "o-a1b2c3d4e5",
        "team": "blue",
        "username": "alice",
        "ViaAWSService": false,
        "ResourceAccount": "111122223333",
    });
    let request = cedar_policy::Request::new(
        r#"User::"alice""#.parse().expect("a principal"),
        r#"Action::"call""#.parse().expect("an action"),
        r#"Resource::"any""#.parse().expect("a resource"),
        cedar_policy::Context::from_json_value(context, None).expect("a context"),
        None,
    )
    .expect("a request");
    let (authorizer, entities) = (Authorizer::new(), Entities::empty());
    let decision = authorizer.is_authorized(&request, &policies, &entities);
    assert_eq!(decision.decision() == cedar_policy::Decision::Allow, allowed, "{name}: {decision:?}");
    report(name, || authorizer.is_authorized(black_box(&request), &policies, &entities));
}
