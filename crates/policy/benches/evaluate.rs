//! Evaluations a second, on one core: `cargo bench -p linkway-policy`.
//!
//! The policy is a data perimeter as it is written for real endpoints: four statements, seven conditions.

#[path = "../../../bench/rate.rs"]
mod rate;

use std::hint::black_box;

use linkway_policy::{Context, Policy, Principal, PrincipalKind, Request, Verdict};
use rate::report;

const POLICY: &str = include_str!("perimeter.json");

fn main() {
    let policy = Policy::parse(POLICY).expect("a policy");
    let arn = "arn:aws:iam::111122223333:user/alice";
    let principal = Principal {
        kind: PrincipalKind::User,
        arn: Some(arn),
        account: Some("111122223333"),
        ..Principal::default()
    };
    for (name, action, resource, vpc, expected) in [
        (
            "allowed",
            "rds:DescribeDBInstances",
            "arn:aws:rds:us-east-1:111122223333:db:*",
            "vpc-0a1b2c3d",
            Verdict::Allow,
        ),
        (
            "allowed twice",
            "s3:GetObject",
            "arn:aws:s3:::examplebucket/home/alice/a",
            "vpc-0a1b2c3d",
            Verdict::Allow,
        ),
        (
            "not allowed",
            "sqs:SendMessage",
            "arn:aws:sqs:us-east-1:111122223333:jobs",
            "vpc-0a1b2c3d",
            Verdict::ImplicitDeny,
        ),
        (
            "denied",
            "s3:DeleteObject",
            "arn:aws:s3:::examplebucket/home/alice/a",
            "vpc-0a1b2c3d",
            Verdict::ExplicitDeny,
        ),
    ] {
        let context = context(arn, vpc);
        let request = Request {
            principal,
            action,
            resource,
            resource_account: Some("111122223333"),
            context: &context,
        };
        assert_eq!(policy.evaluate(&request).verdict, expected, "{name}");
        report(name, || policy.evaluate(black_box(&request)));
    }
    report("parse and compile", || Policy::parse(black_box(POLICY)));
    report("make a context", || context(black_box(arn), black_box("vpc-0a1b2c3d")));
}

/// A request's keys as a gateway has them.
fn context<'a>(arn: &'a str, vpc: &'a str) -> Context<'a> {
    let mut context = Context::new();
    for (key, value) in [
        ("aws:CurrentTime", "2026-06-01T12:00:00Z"),
        ("aws:EpochTime", "1780315200"),
        ("aws:SecureTransport", "true"),
        ("aws:UserAgent", "Boto3/1.43.0"),
        ("aws:SourceVpc", vpc),
        ("aws:SourceVpce", "vpce-0123456789abcdef0"),
        ("aws:VpcSourceIp", "10.0.7.9"),
        ("aws:PrincipalArn", arn),
        ("aws:PrincipalAccount", "111122223333"),
        ("aws:PrincipalOrgID", "o-a1b2c3d4e5"),
        ("aws:PrincipalTag/team", "blue"),
        ("aws:username", "alice"),
        ("aws:ViaAWSService", "false"),
        ("aws:ResourceAccount", "111122223333"),
    ] {
        context.insert(key, value);
    }
    context
}
