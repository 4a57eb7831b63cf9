//! What the checker finds, and that it is silent on sound policies.

use linkway_policy::{Actions, AnyActions, Finding, Policy, Severity, action_matches};

const ACTIONS: [&str; 4] = ["s3:GetObject", "s3:ListBucket", "rds:DescribeDBInstances", "sqs:SendMessage"];

/// Four actions, each about its own service's resources.
struct Known;

impl Actions for Known {
    fn exists(&self, pattern: &str) -> bool {
        !self.matching(pattern).is_empty()
    }

    fn matching(&self, pattern: &str) -> Vec<String> {
        ACTIONS
            .iter()
            .filter(|action| action_matches(pattern, action))
            .map(|&action| action.to_owned())
            .collect()
    }

    fn is_about(&self, pattern: &str, resource: &str) -> bool {
        let service = resource.split(':').nth(2).unwrap_or("*");
        service == "*" || pattern == "*" || pattern.to_ascii_lowercase().starts_with(service)
    }
}

fn findings(policy: &str) -> Vec<Finding> {
    Policy::parse(policy).expect(policy).validate(&Known)
}

/// The codes found, in the document's order.
fn codes(policy: &str) -> Vec<&'static str> {
    let findings = findings(policy);
    findings.iter().for_each(|finding| assert!(!finding.hint.is_empty() && finding.at.line > 0));
    findings.into_iter().map(|finding| finding.code).collect()
}

/// The codes found in a policy with these elements in the place of full access.
fn of(elements: &[(&str, &str)]) -> Vec<&'static str> {
    let names = |name: &str| elements.iter().any(|(element, _)| element.trim_start_matches("Not") == name);
    let rest = [("Effect", "\"Allow\""), ("Principal", "\"*\""), ("Action", "\"*\""), ("Resource", "\"*\"")];
    let rest = rest.into_iter().filter(|(name, _)| !names(name));
    let members: Vec<_> =
        elements.iter().copied().chain(rest).map(|(name, value)| format!("\"{name}\":{value}")).collect();
    codes(&format!(r#"{{"Version":"2012-10-17","Statement":[{{{}}}]}}"#, members.join(",")))
}

fn of_condition(condition: &str) -> Vec<&'static str> {
    of(&[("Condition", condition)])
}

#[test]
fn sound_policies_have_no_findings() {
    assert_eq!(codes(linkway_policy::DEFAULT_POLICY), [""; 0]);
    let policy = r#"{"Version":"2012-10-17","Statement":[
        {"Sid":"A","Effect":"Allow","Principal":{"AWS":["111122223333","arn:aws:iam::111122223333:role/x/App"]},
         "Action":["rds:Describe*","s3:GetObject"],"Resource":["arn:aws:s3:::bucket/${aws:username}/*","arn:aws:rds:*"],
         "Condition":{"StringEquals":{"aws:SourceVpc":["vpc-1","vpc-2"]},"Bool":{"aws:SecureTransport":true},
         "DateLessThan":{"aws:CurrentTime":"2030-01-01"},"IpAddress":{"aws:VpcSourceIp":"10.0.0.0/8"}}},
        {"Sid":"D","Effect":"Deny","Principal":"*","Action":"*","Resource":"*",
         "Condition":{"StringNotEquals":{"aws:PrincipalOrgID":"o-abc"},"Null":{"aws:PrincipalOrgID":"false"}}}]}"#;
    assert_eq!(codes(policy), [""; 0]);
}

#[test]
fn actions() {
    assert_eq!(of(&[("Action", r#""s3:Get*""#)]), [""; 0]);
    assert_eq!(of(&[("Action", r#"["s3:Gte*","s3:Get*"]"#)]), ["unknown-action"]);
    assert_eq!(of(&[("NotAction", r#""s3:""#)]), ["unknown-action"]);
    assert_eq!(of(&[("Action", r#"["GetObject","*"]"#)]), ["no-service-prefix"]);
    assert_eq!(of(&[("NotAction", "[]")]), ["empty-list"]);
}

#[test]
fn an_action_that_may_be_meant_is_named() {
    let hint = |action: &str| {
        let policy = format!(
            r#"{{"Statement":{{"Effect":"Allow","Principal":"*","Action":"{action}","Resource":"*"}}}}"#
        );
        let unknown = findings(&policy).into_iter().find(|finding| finding.code == "unknown-action");
        unknown.expect(action).hint
    };
    assert_eq!(hint("rds:DescribeDBInstance"), "did you mean rds:DescribeDBInstances?");
    assert_eq!(hint("rds:DescrbeDB*"), "did you mean rds:DescribeDB*?");
    assert_eq!(hint("s3:SendMessage"), "see the Service Authorization Reference for the service's actions");
    assert_eq!(hint("squeues:SendMessage"), "did you mean sqs:SendMessage?");
}

#[test]
fn actions_that_are_never_about_the_resources() {
    let of = |action: &str, resource: &str| of(&[("Action", action), ("Resource", resource)]);
    let (bucket, queue) = (r#""arn:aws:s3:::b/*""#, r#""arn:aws:sqs:r:111122223333:q""#);
    assert_eq!(of(r#""s3:GetObject""#, queue), ["never-applies", "allows-nothing"]);
    assert_eq!(of(r#"["s3:GetObject","sqs:SendMessage"]"#, queue), ["action-without-resource"]);
    assert_eq!(of(r#"["s3:GetObject","sqs:SendMessage"]"#, &format!("[{bucket},{queue}]")), [""; 0]);
    assert_eq!(of(r#""s3:Nothing""#, queue), ["never-applies", "allows-nothing", "unknown-action"]);
    assert_eq!(of(r#"["s3:Nothing","sqs:SendMessage"]"#, queue), ["unknown-action"]);
    assert_eq!(of(r#"["*","s3:GetObject"]"#, queue), ["action-without-resource"]);
}

#[test]
fn resources() {
    assert_eq!(of(&[("Resource", r#""bucket""#)]), ["not-an-arn"]);
    assert_eq!(of(&[("Resource", r#""arn:aws:s3:bucket""#)]), ["short-arn"]);
    assert_eq!(of(&[("Resource", r#""arn:aws:sqs:r:1111*:q""#)]), ["partial-account"]);
    assert_eq!(
        of(&[("Resource", r#""arn:aws:sqs:r:${aws:PrincipalAccount}:q""#)]),
        ["variable-before-fifth-colon"]
    );
    assert_eq!(of(&[("Resource", r#""arn:aws:s3:::b/${aws:username""#)]), ["broken-variable"]);
    let old = r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"arn:aws:s3:::${aws:userid}"}}"#;
    assert_eq!(codes(old), ["variable-is-text"]);
}

#[test]
fn principals() {
    for (principal, code) in [
        (r#"{"AWS":"arn:aws:iam::111122223333:user/*"}"#, "wildcard-in-principal"),
        (r#"{"AWS":"arn:aws:iam::111122223333:group/g"}"#, "invalid-principal"),
        (r#"{"AWS":"1111222233"}"#, "invalid-principal"),
        (r#"{"AWS":"arn:aws:sts::111122223333:assumed-role/App"}"#, "invalid-principal"),
        (r#"{"AWS":"AIDAIOSFODNN7EXAMPLE"}"#, "deleted-principal"),
        (r#"{"Service":"ec2"}"#, "invalid-principal"),
        (r#"{"CanonicalUser":"abc"}"#, "invalid-principal"),
    ] {
        // Nobody else is named, so the statement applies to nobody.
        let found = of(&[("Principal", principal)]);
        assert_eq!(found, ["never-applies", "allows-nothing", code], "{principal}");
    }
    assert_eq!(of(&[("NotPrincipal", r#"{"AWS":"111122223333"}"#)]), ["allow-not-principal"]);
    let user = r#""arn:aws:iam::111122223333:user/a""#;
    let deny = |named: &str| {
        codes(&format!(
            r#"{{"Statement":[{{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}},
            {{"Effect":"Deny","NotPrincipal":{{"AWS":[{named}]}},"Action":"*","Resource":"*"}}]}}"#
        ))
    };
    assert_eq!(deny(user), ["not-principal-without-account"]);
    assert_eq!(deny(&format!(r#"{user},"111122223333""#)), [""; 0]);
}

#[test]
fn values_of_conditions() {
    for (condition, expected) in [
        (r#"{"NumericEquals":{"s3:max-keys":["ten",10]}}"#, "invalid-value"),
        (r#"{"DateLessThan":{"aws:CurrentTime":["soon","2026-01-01"]}}"#, "invalid-value"),
        (r#"{"Bool":{"aws:SecureTransport":["yes","true"]}}"#, "invalid-value"),
        (r#"{"IpAddress":{"aws:VpcSourceIp":["10.0.0.0/33","10.0.0.0/8"]}}"#, "invalid-value"),
        (r#"{"NotIpAddress":{"aws:VpcSourceIp":"10.0.0.0/33"}}"#, "invalid-value"),
        (
            r#"{"ArnLike":{"aws:PrincipalArn":["arn:aws:iam","arn:aws:iam::111122223333:role/App"]}}"#,
            "invalid-value",
        ),
        (r#"{"BinaryEquals":{"k:b":"a"}}"#, "invalid-value"),
        (r#"{"NumericNotEquals":{"s3:max-keys":"${aws:userid}"}}"#, "variable-not-supported"),
        (r#"{"StringEquals":{"aws:userid":"${aws:username, x}"}}"#, "broken-variable"),
        (r#"{"StringNotEquals":{"aws:userid":[]}}"#, "empty-list"),
        (r#"{"StringLike":{"aws:SourceVpc":"vpc-0a1b2c*"}}"#, "wildcard-in-system-id"),
        (r#"{"NumericEquals":{"aws:PrincipalAccount":111122223333}}"#, "number-for-system-id"),
        (r#"{"StringLike":{"s3:prefix":"a/*"}}"#, "short-wildcard"),
        (r#"{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::1*:role/App"}}"#, "partial-account"),
    ] {
        assert_eq!(of_condition(condition), [expected], "{condition}");
    }
}

#[test]
fn keys() {
    for (condition, expected) in [
        (r#"{"StringEquals":{"SourceVpc":"vpc-1"}}"#, &["invalid-key"][..]),
        (r#"{"StringEquals":{"aws:SourceVcp":"vpc-1"}}"#, &["unknown-key"]),
        (r#"{"StringEquals":{"aws:principaltag/Team":"a"}}"#, &[]),
        (r#"{"StringEquals":{"aws:TagKeys":"a"}}"#, &["needs-set-operator"]),
        (r#"{"ForAnyValue:StringEquals":{"aws:SourceVpc":"a"}}"#, &["set-operator-on-single-value"]),
        (r#"{"ForAllValues:StringEquals":{"aws:TagKeys":"a"}}"#, &["allows-without-key"]),
        (r#"{"ForAllValues:StringEquals":{"aws:TagKeys":"a"},"Null":{"aws:TagKeys":"false"}}"#, &[]),
        (r#"{"NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}}"#, &["absent-key"]),
    ] {
        assert_eq!(of_condition(condition), expected, "{condition}");
    }
    let absent = of_condition(r#"{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}"#);
    assert_eq!(absent, ["never-applies", "allows-nothing", "absent-key"], "in the document's order");
}

#[test]
fn statements_that_never_apply() {
    for condition in [
        r#"{"StringEquals":{"k:a":"1"},"Null":{"k:a":"true"}}"#,
        r#"{"StringEquals":{"k:a":"1"},"StringNotEquals":{"K:A":["1","2"]}}"#,
        r#"{"StringEquals":{"k:a":["one","two"]},"StringLike":{"k:a":"three*"}}"#,
        r#"{"StringEquals":{"k:a":"one"},"StringNotLike":{"k:a":"on*"}}"#,
        r#"{"Bool":{"k:a":"true"},"StringEquals":{"k:a":"false"}}"#,
        r#"{"NumericEquals":{"k:a":"5"},"NumericGreaterThan":{"k:a":"5"}}"#,
        r#"{"NumericLessThan":{"k:a":"5"},"NumericGreaterThanEquals":{"k:a":"5.0"}}"#,
        r#"{"DateGreaterThan":{"k:a":"2026-06-01T00:00:00Z"},"DateLessThan":{"k:a":"2026-05-01"}}"#,
        r#"{"IpAddress":{"k:a":"10.1.0.0/16"},"NotIpAddress":{"k:a":["192.168.0.0/16","10.0.0.0/8"]}}"#,
        r#"{"IpAddress":{"k:a":"10.1.2.3"},"NotIpAddress":{"k:a":"10.0.0.0/8"}}"#,
    ] {
        assert!(of_condition(condition).contains(&"never-applies"), "{condition}");
    }
    for condition in [
        r#"{"StringEquals":{"k:a":["one","three"]},"StringLike":{"k:a":"three*"}}"#,
        r#"{"StringEquals":{"k:a":"one"},"StringLike":{"k:b":"thr*"}}"#,
        r#"{"NumericLessThanEquals":{"k:a":"5"},"NumericGreaterThanEquals":{"k:a":"5"}}"#,
        r#"{"NumericLessThanIfExists":{"k:a":"5"},"NumericGreaterThanIfExists":{"k:a":"6"}}"#,
        r#"{"IpAddress":{"k:a":"10.0.0.0/8"},"NotIpAddress":{"k:a":"10.1.0.0/16"}}"#,
        r#"{"StringEquals":{"k:a":"${aws:username}"},"StringNotEquals":{"k:a":"x"}}"#,
        r#"{"StringEquals":{"k:a":"x"},"StringNotEquals":{"k:a":"${aws:username}"}}"#,
        r#"{"ForAnyValue:StringEquals":{"k:a":"x"},"ForAnyValue:StringNotEquals":{"k:a":"x"}}"#,
    ] {
        assert!(!of_condition(condition).contains(&"never-applies"), "{condition}");
    }
    assert!(of(&[("NotPrincipal", "\"*\"")]).contains(&"never-applies"));
    assert!(of(&[("NotAction", "\"*\"")]).contains(&"never-applies"));
    assert!(of(&[("Resource", "[]")]).contains(&"never-applies"));
    assert!(of_condition(r#"{"Bool":{"k:a":"maybe"}}"#).contains(&"never-applies"));
    let overlap = r#"{"StringEquals":{"k:a":["1","3"]},"StringNotEquals":{"k:a":["1","2"]}}"#;
    assert_eq!(of_condition(overlap), [""; 0]);
}

#[test]
fn a_deny_that_covers_an_allow() {
    let policy = |deny: &str, resource: &str| {
        codes(&format!(
            r#"{{"Statement":[{{"Effect":"Deny","Principal":"*","Action":"{deny}","Resource":"{resource}"}},
            {{"Effect":"Allow","Principal":"*","Action":["s3:GetObject","s3:List*"],"Resource":"arn:aws:s3:::b/*"}}]}}"#
        ))
    };
    assert_eq!(policy("S3:*", "*"), ["allows-nothing", "shadowed-by-deny"]);
    assert_eq!(policy("*", "arn:aws:s3:::*"), ["allows-nothing", "shadowed-by-deny"]);
    assert_eq!(policy("s3:Get*", "*"), [""; 0]);
    assert_eq!(policy("*", "arn:aws:s3:::b/a*"), [""; 0]);
}

#[test]
fn whole_policies() {
    assert_eq!(of(&[("Effect", "\"Deny\"")]), ["allows-nothing"]);
    let twice = r#"{"Sid":"A","Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}"#;
    let policy = Policy::parse(&format!(r#"{{"Statement":[{twice},{twice}]}}"#)).expect("a policy");
    let findings = policy.validate(&AnyActions);
    assert_eq!((findings[0].code, findings[0].statement), ("duplicate-sid", Some(1)));
    assert_eq!(findings[0].severity, Severity::Error);
    let text = "error[duplicate-sid]: two statements have the Sid \"A\" (line 1, column 95); give each its own, or none";
    assert_eq!(findings[0].to_string(), text);
}
