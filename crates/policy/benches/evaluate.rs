//! Evaluations a second, on one core: `cargo bench -p linkway-policy`.
//!
//! The policy is a data perimeter as it is written for real endpoints: four statements, seven conditions.

use std::hint::black_box;
use std::time::{Duration, Instant};

use linkway_policy::{Context, Policy, Principal, PrincipalKind, Request, Verdict};

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

/// Runs it for a second and prints how often it ran.
fn report<T>(name: &str, mut run: impl FnMut() -> T) {
    let (mut count, start) = (0_u64, Instant::now());
    let elapsed = loop {
        for _ in 0..1000 {
            black_box(run());
        }
        count += 1000;
        let elapsed = start.elapsed();
        if elapsed > Duration::from_secs(1) {
            break elapsed;
        }
    };
    let (rate, each) = (count as f64 / elapsed.as_secs_f64(), elapsed.as_nanos() as f64 / count as f64);
    println!("{name:20} {rate:>12.0} a second {each:>8.0} ns each");
}
