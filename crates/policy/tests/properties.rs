//! What holds for any input.

use linkway_policy::{Context, Policy, Principal, Request, action_matches};
use proptest::prelude::*;

/// The obvious matcher: exponential, and right.
fn naive(pattern: &[char], text: &[char]) -> bool {
    match pattern {
        [] => text.is_empty(),
        ['*', rest @ ..] => (0..=text.len()).any(|taken| naive(rest, &text[taken..])),
        ['?', rest @ ..] => !text.is_empty() && naive(rest, &text[1..]),
        [c, rest @ ..] => text.first() == Some(c) && naive(rest, &text[1..]),
    }
}

fn naive_match(pattern: &str, text: &str) -> bool {
    let chars = |text: &str| text.chars().collect::<Vec<_>>();
    naive(&chars(pattern), &chars(text))
}

/// Whether `StringLike` (or another operator) with this value holds for this value of the key.
fn holds(operator: &str, wanted: &str, value: &str) -> bool {
    let policy = serde_json::json!({"Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*",
        "Condition": {operator: {"k:key": wanted}},
    }});
    let mut context = Context::new();
    context.insert("k:key", value);
    let policy = Policy::parse(&policy.to_string()).expect("a policy");
    policy.evaluate(&request(&context, "*")).is_allowed()
}

fn request<'a>(context: &'a Context<'a>, resource: &'a str) -> Request<'a> {
    Request {
        principal: Principal::default(),
        action: "s3:GetObject",
        resource,
        resource_account: None,
        context,
    }
}

/// Text that looks like a policy, or nearly.
fn nearly_a_policy() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\"",
        "\"Statement\"",
        "\"Effect\":\"Allow\"",
        "\"Principal\":\"*\"",
        "\"Action\":\"*\"",
        "\"Resource\":\"*\"",
        "\"Condition\":{",
        "\"StringLike\":",
        "\"a:b\":",
        "\"${a:b,'\"",
        "\\u",
        "\\ud83d",
        "-1",
        "1e",
        "true",
        "null",
        "é",
        "\n",
        " ",
        "\"Version\":\"2012-10-17\"",
    ]);
    prop::collection::vec(pieces, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_the_parser_panic(text in any::<String>()) {
        let _ = Policy::parse(&text);
    }

    #[test]
    fn no_bytes_make_the_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Policy::parse(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn no_near_policy_makes_it_panic(text in nearly_a_policy()) {
        if let Ok(policy) = Policy::parse(&text) {
            policy.validate(&linkway_policy::AnyActions);
        }
    }

    #[test]
    fn a_cut_policy_is_refused_where_it_ends(cut in 1_usize..75) {
        let text = &linkway_policy::DEFAULT_POLICY[..cut];
        let error = Policy::parse(text).expect_err(text);
        prop_assert!(error.at.line == 1 && error.at.column as usize <= cut + 1);
    }

    #[test]
    fn the_matcher_agrees_with_the_naive_one(pattern in "[ab*?é]{0,8}", text in "[abé]{0,8}") {
        prop_assert_eq!(holds("StringLike", &pattern, &text), naive_match(&pattern, &text));
        prop_assert_eq!(holds("StringNotLike", &pattern, &text), !naive_match(&pattern, &text));
    }

    #[test]
    fn actions_match_in_any_case(pattern in "[abAB*?:]{0,8}", text in "[abAB:]{0,8}") {
        let expected = naive_match(&pattern.to_ascii_lowercase(), &text.to_ascii_lowercase());
        prop_assert_eq!(action_matches(&pattern, &text), expected);
    }

    #[test]
    fn a_value_equals_itself_whatever_is_in_it(value in any::<String>()) {
        // The escape ${$} makes any text literal.
        let literal = value.replace('$', "${$}");
        prop_assert!(holds("StringEquals", &literal, &value));
        prop_assert!(holds("StringEqualsIgnoreCase", &literal, &value));
    }

    #[test]
    fn any_values_evaluate(operator in 0_usize..8, wanted in any::<String>(), value in any::<String>()) {
        let operators = ["StringLike", "ArnLike", "NumericEquals", "DateLessThan", "IpAddress", "Bool", "BinaryEquals", "Null"];
        holds(operators[operator], &wanted, &value);
    }

    #[test]
    fn resources_match_as_one_text_unless_a_part_has_an_inner_wildcard(
        pattern in "arn:aws:[ab*]{0,1}:[ab]{0,1}:[ab]{0,2}:[ab*?:]{0,5}", resource in "arn:aws:[ab]{0,2}:[ab]{0,1}:[ab]{0,2}:[ab:]{0,4}"
    ) {
        let policy = linkway_policy::DEFAULT_POLICY.replace("\"Resource\":\"*\"", &format!("\"Resource\":\"{pattern}\""));
        let context = Context::new();
        let allowed = Policy::parse(&policy).expect("a policy").evaluate(&request(&context, &resource)).is_allowed();
        prop_assert_eq!(allowed, naive_match(&pattern, &resource));
    }
}

#[test]
fn many_stars_take_no_time() {
    let (pattern, text) = ("a*".repeat(5000) + "b", "a".repeat(9000));
    assert!(!holds("StringLike", &pattern, &text));
}
