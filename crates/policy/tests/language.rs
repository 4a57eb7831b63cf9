//! The language, element by element and operator by operator.

use linkway_policy::{Context, DEFAULT_POLICY, Policy, Principal, PrincipalKind, Request, Verdict};

const ALICE: Principal<'static> = Principal {
    kind: PrincipalKind::User,
    arn: Some("arn:aws:iam::111122223333:user/alice"),
    account: Some("111122223333"),
    canonical_user: None,
};

/// What a policy says to a request for an object of S3.
fn ask(policy: &str, context: &Context<'_>) -> Verdict {
    let policy = Policy::parse(policy).expect(policy);
    policy.evaluate(&request(context)).verdict
}

fn request<'a>(context: &'a Context<'a>) -> Request<'a> {
    Request {
        principal: ALICE,
        action: "s3:GetObject",
        resource: "arn:aws:s3:::bucket/a/b.txt",
        resource_account: Some("111122223333"),
        context,
    }
}

/// Whether a condition holds for a key with these values; without values it is absent.
fn holds(operator: &str, wanted: &str, values: &[&str]) -> bool {
    let mut context = Context::new();
    match values {
        [] => {}
        [value] => context.insert("k:key", *value),
        values => context.insert_many("k:key", values.iter().copied()),
    }
    context.insert("k:blue", "blue");
    context.insert("k:empty", "");
    condition(&format!(r#"{{"{operator}":{{"K:Key":{wanted}}}}}"#), &context)
}

fn condition(condition: &str, context: &Context<'_>) -> bool {
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":
            {{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":{condition}}}}}"#
    );
    ask(&policy, context) == Verdict::Allow
}

/// Asserts what a pair of opposite operators says to a value, with and without `IfExists`.
fn pair(operator: &str, opposite: &str, wanted: &str, value: &str, matches: bool) {
    for suffix in ["", "IfExists"] {
        assert_eq!(
            holds(&format!("{operator}{suffix}"), wanted, &[value]),
            matches,
            "{operator} {wanted} {value}"
        );
        assert_eq!(
            holds(&format!("{opposite}{suffix}"), wanted, &[value]),
            !matches,
            "{opposite} {wanted} {value}"
        );
    }
}

#[test]
fn the_default_policy_is_full_access() {
    let policy = Policy::parse(DEFAULT_POLICY).expect("a policy");
    assert!(policy.is_full_access());
    let context = Context::new();
    let mut request = request(&context);
    request.principal = Principal::default();
    assert_eq!(policy.evaluate(&request).verdict, Verdict::Allow);
}

#[test]
fn one_deny_outweighs_all_allows() {
    let statement =
        |effect| format!(r#"{{"Effect":"{effect}","Principal":"*","Action":"*","Resource":"*"}}"#);
    let (allow, deny) = (statement("Allow"), statement("Deny"));
    let policy =
        Policy::parse(&format!(r#"{{"Statement":[{allow},{deny},{allow},{deny}]}}"#)).expect("a policy");
    let context = Context::new();
    let decision = policy.evaluate(&request(&context));
    assert_eq!(decision.verdict, Verdict::ExplicitDeny);
    assert_eq!(decision.statements.iter().collect::<Vec<_>>(), [1, 3]);
    assert!(!policy.is_full_access());
    let denial = decision.denial("s3:GetObject").expect("a denial");
    assert_eq!(denial, "with an explicit deny in a VPC endpoint policy");
}

#[test]
fn as_many_statements_as_fit_can_decide() {
    let shortest = r#"{"Effect":"Deny","Principal":{},"Action":[],"Resource":[]},"#;
    let last = r#"{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}"#;
    let frame = r#"{"Statement":[]}"#.len() + last.len();
    let count = (linkway_policy::MAX_CHARACTERS - frame) / shortest.len();
    let statements = shortest.repeat(count);
    let policy = Policy::parse(&format!(r#"{{"Statement":[{statements}{last}]}}"#)).expect("a policy");
    let context = Context::new();
    let decision = policy.evaluate(&request(&context));
    assert!(count > 300 && decision.statements.contains(count));
    assert_eq!(decision.statements.iter().collect::<Vec<_>>(), [count]);
}

#[test]
fn what_nobody_allows_is_denied() {
    let policy = DEFAULT_POLICY.replace("\"Action\":\"*\"", "\"Action\":\"sqs:*\"");
    let context = Context::new();
    let decision = Policy::parse(&policy).expect("a policy").evaluate(&request(&context));
    assert_eq!(decision.verdict, Verdict::ImplicitDeny);
    let denial = decision.denial("s3:GetObject").expect("a denial");
    assert_eq!(denial, "because no VPC endpoint policy allows the s3:GetObject action");
}

#[test]
fn strings() {
    pair("StringEquals", "StringNotEquals", r#""a""#, "a", true);
    pair("StringEquals", "StringNotEquals", r#"["b","a"]"#, "a", true);
    pair("StringEquals", "StringNotEquals", r#""a""#, "A", false);
    pair("StringEquals", "StringNotEquals", r#""a*""#, "ab", false);
    pair("StringEquals", "StringNotEquals", "12", "12", true);
    pair("StringEquals", "StringNotEquals", r#""""#, "", true);
    pair("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", r#""Ärger""#, "äRGER", true);
    pair("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", r#""${k:blue}-A""#, "BLUE-a", true);
    pair("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", r#""a""#, "b", false);
    pair("StringLike", "StringNotLike", r#""a*c?""#, "abbcd", true);
    pair("StringLike", "StringNotLike", r#""a*c?""#, "abbc", false);
    pair("StringLike", "StringNotLike", r#""?""#, "日", true);
    pair("StringLike", "StringNotLike", r#""*??""#, "日", false);
    pair("StringLike", "StringNotLike", r#""*""#, "", true);
}

#[test]
fn numbers() {
    pair("NumericEquals", "NumericNotEquals", r#""10""#, "10.0", true);
    pair("NumericEquals", "NumericNotEquals", "10", "11", false);
    pair("NumericEquals", "NumericNotEquals", "10", "ten", false);
    for (operator, below, same, above) in [
        ("NumericLessThan", true, false, false),
        ("NumericLessThanEquals", true, true, false),
        ("NumericGreaterThan", false, false, true),
        ("NumericGreaterThanEquals", false, true, true),
    ] {
        for (value, expected) in [("9.99", below), ("10", same), ("10.01", above), ("x", false)] {
            assert_eq!(holds(operator, "10", &[value]), expected, "{value} {operator} 10");
        }
    }
}

#[test]
fn dates() {
    pair("DateEquals", "DateNotEquals", r#""2026-06-01T00:00:00Z""#, "1780272000", true);
    for (operator, before, same, after) in [
        ("DateLessThan", true, false, false),
        ("DateLessThanEquals", true, true, false),
        ("DateGreaterThan", false, false, true),
        ("DateGreaterThanEquals", false, true, true),
    ] {
        let times =
            [("2026-05-31T23:59:59Z", before), ("2026-06-01", same), ("2026-06-01T00:00:00.1Z", after)];
        for (value, expected) in times {
            assert_eq!(
                holds(operator, r#""2026-06-01T00:00:00Z""#, &[value]),
                expected,
                "{value} {operator}"
            );
        }
    }
}

#[test]
fn booleans_binaries_addresses() {
    for (wanted, value, expected) in [
        ("true", "True", true),
        (r#""TRUE""#, "true", true),
        ("false", "true", false),
        (r#"["true","false"]"#, "yes", false),
        ("true", "1", false),
    ] {
        assert_eq!(holds("Bool", wanted, &[value]), expected, "{wanted} {value}");
    }
    assert!(holds("BinaryEquals", r#""QUJD""#, &["QUJD"]) && !holds("BinaryEquals", r#""QUJD""#, &["qujd"]));
    pair("IpAddress", "NotIpAddress", r#"["192.0.2.0/24","2001:db8::/32"]"#, "2001:db8::1", true);
    pair("IpAddress", "NotIpAddress", r#""10.0.0.0/8""#, "11.0.0.1", false);
    pair("IpAddress", "NotIpAddress", r#""10.0.0.0/33""#, "10.0.0.1", false);
}

#[test]
fn arns_are_matched_part_by_part() {
    for (operator, opposite) in [("ArnEquals", "ArnNotEquals"), ("ArnLike", "ArnNotLike")] {
        let role = "arn:aws:iam::111122223333:role/a/B";
        pair(operator, opposite, r#""arn:aws:iam::111122223333:role/a/B""#, role, true);
        pair(operator, opposite, r#""arn:*:iam::1111*:role/*""#, role, true);
        pair(operator, opposite, r#""arn:aws:iam:*:role/a/B""#, role, false);
        pair(operator, opposite, r#""arn:aws:iam::*""#, role, false);
        pair(operator, opposite, r#""arn:aws:iam::111122223333:role/A/B""#, role, false);
        pair(operator, opposite, r#""*""#, role, true);
        pair(operator, opposite, r#""*""#, "no ARN", false);
        pair(operator, opposite, r#""arn:aws:logs:*:*:*:y""#, "arn:aws:logs:r:1:x:y", true);
    }
}

#[test]
fn absent_keys() {
    for (operator, wanted) in [
        ("StringEquals", "1"),
        ("StringEqualsIgnoreCase", "1"),
        ("StringLike", "1"),
        ("NumericEquals", "1"),
        ("NumericLessThan", "1"),
        ("DateEquals", "1"),
        ("DateGreaterThan", "1"),
        ("Bool", "true"),
        ("BinaryEquals", "1"),
        ("IpAddress", "1"),
        ("ArnLike", "1"),
    ] {
        assert!(!holds(operator, wanted, &[]), "{operator}");
        assert!(holds(&format!("{operator}IfExists"), wanted, &[]), "{operator}IfExists");
        assert!(holds(&format!("ForAllValues:{operator}"), wanted, &[]), "ForAllValues:{operator}");
        assert!(!holds(&format!("ForAnyValue:{operator}IfExists"), wanted, &[]), "ForAnyValue:{operator}");
    }
    for negated in ["StringNotEquals", "StringNotLike", "NumericNotEquals", "NotIpAddress", "ArnNotEquals"] {
        assert!(holds(negated, "1", &[]), "{negated}");
        assert!(!holds(&format!("ForAnyValue:{negated}"), "1", &[]), "ForAnyValue:{negated}");
    }
    assert!(
        holds("Null", "true", &[])
            && !holds("Null", "false", &[])
            && holds("Null", r#"["false","True"]"#, &[])
    );
    assert!(!holds("Null", "true", &["x"]) && holds("null", "false", &[""]));
}

#[test]
fn sets() {
    let list = r#"["a","b"]"#;
    for (values, all, any) in [
        (&["a", "b"][..], true, true),
        (&["a", "c"], false, true),
        (&["c", "d"], false, false),
        (&["a"], true, true),
        (&[""], true, false),
        (&["a", ""], false, true),
    ] {
        assert_eq!(holds("ForAllValues:StringEquals", list, values), all, "all of {values:?}");
        assert_eq!(holds("forAnyValue:stringequals", list, values), any, "any of {values:?}");
    }
    assert!(holds("ForAnyValue:StringNotEquals", list, &["a", "c"]));
    assert!(!holds("ForAllValues:StringNotEquals", list, &["a", "c"]));
    assert!(!holds("ForAnyValue:StringNotEquals", list, &[""]), "an empty string is no value");
    assert!(holds("StringEquals", list, &["a", "b"]) && !holds("StringEquals", list, &["a", "c"]));
}

#[test]
fn an_empty_list_of_values_is_an_absent_key() {
    let mut context = Context::new();
    context.insert_many("k:key", Vec::<String>::new());
    for (text, expected) in [
        (r#"{"Null":{"k:key":"true"}}"#, true),
        (r#"{"StringNotEquals":{"k:key":"a"}}"#, true),
        (r#"{"ForAllValues:StringEquals":{"k:key":"a"}}"#, true),
        (r#"{"ForAnyValue:StringEquals":{"k:key":"a"}}"#, false),
    ] {
        assert_eq!(condition(text, &context), expected, "{text}");
    }
}

#[test]
fn variables() {
    for (wanted, value, expected) in [
        (r#""${k:blue}""#, "blue", true),
        (r#""x-${ K:BLUE }-x""#, "x-blue-x", true),
        (r#""${k:none}""#, "", false),
        (r#""${k:none, 'it''s, } fine'}""#, "it's, } fine", true),
        (r#""${k:empty,'default'}""#, "default", true),
        (r#""${k:blue,'default'}""#, "blue", true),
        (r#""${*}${?}${$}{k:blue}""#, "*?${k:blue}", true),
        (r#""${k:blue""#, "${k:blue", true),
        (r#""${k:blue, unquoted}""#, "${k:blue, unquoted}", true),
        (r#""$k:blue""#, "$k:blue", true),
    ] {
        assert_eq!(holds("StringEquals", wanted, &[value]), expected, "{wanted} {value}");
        assert_eq!(holds("StringNotEquals", wanted, &[value]), !expected, "not {wanted} {value}");
    }
    assert!(holds("StringLike", r#""*${*}*""#, &["a*b"]) && !holds("StringLike", r#""*${*}*""#, &["ab"]));
    let mut context = Context::new();
    context.insert("k:star", "*");
    context.insert("k:arn", "arn:aws:iam::111122223333:role/a");
    context.insert("k:key", "anything");
    assert!(!condition(r#"{"StringLike":{"k:key":"${k:star}"}}"#, &context), "a value's wildcards are text");
    assert!(condition(r#"{"ArnEquals":{"k:arn":"${k:arn}"}}"#, &context));
    let old = r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*",
        "Condition":{"StringEquals":{"k:key":"${k:key}"}}}}"#;
    assert_eq!(ask(old, &context), Verdict::ImplicitDeny, "no variables without Version 2012-10-17");
}

#[test]
fn resources() {
    let allowed = |element: &str, resource: &str| {
        let policy = format!(
            r#"{{"Version":"2012-10-17","Statement":
                {{"Effect":"Allow","Principal":"*","Action":"*","{element}":"{resource}"}}}}"#
        );
        let mut context = Context::new();
        context.insert("k:name", "b");
        ask(&policy, &context) == Verdict::Allow
    };
    for (resource, expected) in [
        ("arn:aws:s3:::bucket/a/b.txt", true),
        ("arn:aws:s3:::bucket/?/${k:name}.*", true),
        ("arn:aws:s3:::bucket/*.txt", true),
        ("arn:aws:s3:*", true),
        ("arn:aws:s?:::*", true),
        ("arn:*:s3:::bucket/*", true),
        ("arn:aws:s3:::Bucket/*", false),
        ("arn:aws:s3:::bucket", false),
        ("arn:aws:s3", false),
        ("arn:a*3:::bucket/*", false),
        ("arn:a*3:*", false),
        ("arn:aws:s?:*", true),
        ("arn:aws:${k:name, 's3'}:::bucket/*", false),
    ] {
        assert_eq!(allowed("Resource", resource), expected, "{resource}");
        assert_eq!(allowed("NotResource", resource), !expected, "not {resource}");
    }
    assert!(
        !allowed("Resource", "arn:aws:s3:::${k:none}*") && !allowed("NotResource", "arn:aws:s3:::${k:none}*")
    );
}

#[test]
fn actions() {
    let allowed = |element: &str, action: &str| {
        let policy = DEFAULT_POLICY.replace("\"Action\":\"*\"", &format!("\"{element}\":{action}"));
        ask(&policy, &Context::new()) == Verdict::Allow
    };
    for (action, expected) in [
        (r#""S3:getOBJECT""#, true),
        (r#"["sqs:*","s3:*Object"]"#, true),
        (r#""s3:G?t*""#, true),
        (r#""s3:GetObject?""#, false),
        (r#""*:GetObject""#, true),
        ("[]", false),
    ] {
        assert_eq!(allowed("Action", action), expected, "{action}");
        assert_eq!(allowed("NotAction", action), !expected, "not {action}");
    }
}

#[test]
fn principals() {
    let session = Principal {
        kind: PrincipalKind::AssumedRole,
        arn: Some("arn:aws:sts::111122223333:assumed-role/App/i-1"),
        account: Some("111122223333"),
        canonical_user: Some("79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"),
    };
    let service =
        Principal { kind: PrincipalKind::Service, arn: Some("ec2.amazonaws.com"), ..Principal::default() };
    let token = Principal {
        kind: PrincipalKind::Federated,
        arn: Some("arn:aws:iam::111122223333:saml-provider/Corp"),
        ..Principal::default()
    };
    for (named, expected) in [
        (r#""*""#, [true, true, true, true, true]),
        (r#"{"AWS":["*"]}"#, [true, true, true, true, true]),
        (r#"{"AWS":"111122223333"}"#, [true, true, false, false, false]),
        (r#"{"AWS":"arn:aws:iam::111122223333:root"}"#, [true, true, false, false, false]),
        (r#"{"AWS":"arn:aws:iam::111122223333:user/alice"}"#, [true, false, false, false, false]),
        (r#"{"AWS":"arn:aws:iam::111122223333:user/*"}"#, [false; 5]),
        (r#"{"AWS":"arn:aws:iam::111122223333:role/App"}"#, [false, true, false, false, false]),
        (r#"{"AWS":"arn:aws:iam::111122223333:role/path/App"}"#, [false, true, false, false, false]),
        (r#"{"AWS":"arn:aws:iam::111122223333:role/Ap"}"#, [false; 5]),
        (r#"{"AWS":"arn:aws:iam::444455556666:role/App"}"#, [false; 5]),
        (r#"{"AWS":"arn:aws:sts::111122223333:assumed-role/App/i-1"}"#, [false, true, false, false, false]),
        (r#"{"Service":"ec2.amazonaws.com"}"#, [false, false, true, false, false]),
        (r#"{"AWS":"ec2.amazonaws.com"}"#, [false; 5]),
        (
            r#"{"Federated":"arn:aws:iam::111122223333:saml-provider/Corp"}"#,
            [false, false, false, true, false],
        ),
        (
            r#"{"CanonicalUser":"79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"}"#,
            [false, true, false, false, false],
        ),
        (r#"{"AWS":"444455556666","Service":["ec2.amazonaws.com"]}"#, [false, false, true, false, false]),
        ("{}", [false; 5]),
    ] {
        let context = Context::new();
        let callers = [ALICE, session, service, token, Principal::default()];
        for (element, matches) in [("Principal", true), ("NotPrincipal", false)] {
            let text = DEFAULT_POLICY.replace("\"Principal\":\"*\"", &format!("\"{element}\":{named}"));
            let policy = Policy::parse(&text).expect(&text);
            for (caller, named_here) in callers.into_iter().zip(expected) {
                let request = Request { principal: caller, ..request(&context) };
                let allowed = policy.evaluate(&request).is_allowed();
                assert_eq!(allowed, named_here == matches, "{element} {named} {caller:?}");
            }
        }
    }
}

#[test]
fn an_explanation_names_every_element_that_did_not_match() {
    let text = r#"{"Version":"2012-10-17","Statement":[
        {"Sid":"One","Effect":"Allow","Principal":{"AWS":"444455556666"},"NotAction":"s3:*",
         "Resource":"arn:aws:s3:::${k:none}/*","Condition":{"StringEquals":{"aws:SourceVpc":"vpc-1"},
         "StringNotLike":{"k:blue":"b*"}}},
        {"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}]}"#;
    let mut context = Context::new();
    context.insert("k:blue", "blue");
    let explanation = Policy::parse(text).expect("a policy").explain(&request(&context));
    assert_eq!(explanation.decision.verdict, Verdict::ExplicitDeny);
    let expected = r#"ExplicitDeny
statement 0 (One), Allow: does not match
  Principal (line 2, column 39): arn:aws:iam::111122223333:user/alice is not AWS "444455556666"
  NotAction (line 2, column 74): s3:GetObject matches "s3:*"
  Resource (line 3, column 10): arn:aws:s3:::bucket/a/b.txt does not match "arn:aws:s3:::${k:none}/*" (the request has no single value for k:none)
  Condition StringEquals aws:SourceVpc (line 3, column 77): the request has no aws:SourceVpc; wanted: "vpc-1"
  Condition StringNotLike k:blue (line 4, column 27): the request has "blue"; must not be: "b*"
statement 1, Deny: matches"#;
    assert_eq!(explanation.to_string(), expected);
}

#[test]
fn identities_have_policies_without_principals_and_roles_without_resources() {
    let context = Context::new();
    let request = |principal| Request {
        principal,
        action: "sts:AssumeRole",
        resource: "arn:aws:iam::111122223333:role/app",
        resource_account: None,
        context: &context,
    };
    let bob =
        Principal { arn: Some("arn:aws:iam::444455556666:user/bob"), account: Some("444455556666"), ..ALICE };
    let own = r#"{"Statement":{"Effect":"Allow","Action":"sts:*","Resource":"arn:aws:iam::*:role/app"}}"#;
    let identity = Policy::parse_identity(own).unwrap();
    assert!(identity.evaluate(&request(ALICE)).is_allowed());
    let elsewhere = Request { resource: "arn:aws:iam::111122223333:role/db", ..request(ALICE) };
    assert!(!identity.evaluate(&elsewhere).is_allowed());
    let trusted =
        r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"sts:AssumeRole"}}"#;
    let trust = Policy::parse_trust(trusted).unwrap();
    assert!(trust.evaluate(&request(ALICE)).is_allowed());
    assert!(!trust.evaluate(&request(bob)).is_allowed());
    // Each is none of the others.
    for text in [own, trusted] {
        assert!(Policy::parse(text).is_err());
    }
    assert!(Policy::parse_identity(trusted).is_err() && Policy::parse_trust(own).is_err());
    // Gaps that IAM passes over in identities' policies; what a statement does not say matches nothing.
    let allows = |rest: &str| {
        let text = format!(r#"{{"Statement":{{"Effect":"Allow",{rest}}}}}"#);
        assert!(Policy::parse(&text.replace("Allow\"", "Allow\",\"Principal\":\"*\"")).is_err(), "{rest}");
        Policy::parse_identity(&text).unwrap().evaluate(&request(ALICE)).is_allowed()
    };
    assert!(allows(r#""Action":"sts:*","Resource":[null,"*"],"Condition":{"Unknown":{}}"#));
    assert!(!allows(r#""Action":"sts:*","Resource":[null]"#));
    assert!(!allows(r#""Action":"sts:*""#));
    assert!(!allows(r#""Resource":"*""#));
    // More statements than there is room for are refused, however short they are.
    let many = vec![r#"{"Effect":"Deny","Action":[],"Resource":[]}"#; 385].join(",");
    let error = Policy::parse_identity(&format!(r#"{{"Statement":[{many}]}}"#)).unwrap_err();
    assert_eq!(error.reason, "the policy has 385 statements");
}

#[test]
fn a_resource_that_nobody_knows_is_the_worst_one() {
    let context = Context::new();
    let request = Request {
        principal: Principal::default(),
        action: "s3:GetObject",
        resource: "*",
        resource_account: None,
        context: &context,
    };
    let verdict = |statement: &str| {
        let policy = Policy::parse_identity(&format!(r#"{{"Statement":[{statement}]}}"#)).unwrap();
        policy.evaluate_unknown_resource(&request).verdict
    };
    let all = r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"}"#;
    let some = r#"{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::shop/*"}"#;
    let none = r#"{"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::shop/*"}"#;
    assert_eq!(verdict(all), Verdict::Allow);
    assert_eq!(verdict(some), Verdict::ImplicitDeny);
    assert_eq!(verdict(&format!("{all},{none}")), Verdict::ExplicitDeny);
}
