//! Documents that are refused: the place, the sort of mistake, and a hint.

use linkway_policy::{MAX_CHARACTERS, ParseError, ParseErrorKind, Policy};

fn error(text: &str) -> ParseError {
    Policy::parse(text).expect_err(text)
}

/// Asserts the place as (line, column), the sort, and a word of the reason.
fn refused(text: &str, at: (u32, u32), kind: ParseErrorKind, word: &str) -> ParseError {
    let error = error(text);
    assert_eq!((error.at.line, error.at.column), at, "{error}\n{text}");
    assert_eq!(error.kind, kind, "{error}\n{text}");
    assert!(error.reason.contains(word), "{error}\n{text}");
    error
}

/// A policy of one statement with these members.
fn statement(members: &str) -> String {
    format!("{{\"Statement\":[{{{members}}}]}}")
}

const REST: &str = r#""Effect":"Allow","Principal":"*","Action":"*","Resource":"*""#;

#[test]
fn aws_tells_line_and_column() {
    let error = error(r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*",}]}"#);
    let message = "The Policy Document is not valid. Syntax error at position (1,77)";
    assert_eq!(error.aws_message(), message);
}

#[test]
fn json_mistakes() {
    use ParseErrorKind::Json;
    refused("", (1, 1), Json, "ends too early");
    refused("  \n ", (2, 2), Json, "ends too early");
    refused("{\n  \"Statement\": [,]}", (2, 17), Json, "unexpected ','");
    refused("{\"Version\" \"2012-10-17\"}", (1, 12), Json, "unexpected '\"'");
    refused("{\"Id\": \"a", (1, 8), Json, "without an end");
    refused("{\"Id\": \"a\nb\"}", (1, 10), Json, "control character");
    refused(r#"{"Id": "\q"}"#, (1, 9), Json, "escape");
    refused(r#"{"Id": "\ud800"}"#, (1, 9), Json, "surrogate");
    refused("{\"Id\": 01}", (1, 8), Json, "number");
    refused("{'Id': 1}", (1, 2), Json, "unexpected '\\''");
    refused("{} x", (1, 4), Json, "after the end");
    refused("{\"Id\": tru}", (1, 8), Json, "unexpected");
    refused(&"[".repeat(20_000), (1, 34), Json, "nested");
}

#[test]
fn columns_count_characters() {
    refused("{\"日本\" 1}", (1, 7), ParseErrorKind::Json, "unexpected '1'");
}

#[test]
fn unicode_escapes_are_read() {
    let policy =
        Policy::parse(&statement(&format!(r#""Sid":"\u00e9\ud83d\ude00\n",{REST}"#))).expect("a policy");
    assert_eq!(policy.document().statements[0].sid.as_ref().expect("a Sid").value, "é😀\n");
}

#[test]
fn what_is_missing() {
    use ParseErrorKind::MissingElement;
    refused("{}", (1, 1), MissingElement, "no Statement");
    refused(r#"{"Statement":[]}"#, (1, 14), MissingElement, "no statement");
    let without = |name: &str| {
        let members: Vec<_> = REST.split(',').filter(|member| !member.contains(name)).collect();
        refused(&statement(&members.join(",")), (1, 15), MissingElement, name);
    };
    ["Effect", "Principal", "Action", "Resource"].into_iter().for_each(without);
}

#[test]
fn what_is_too_much() {
    use ParseErrorKind::{DuplicateElement, TooLarge, UnknownElement};
    refused(&statement(&format!(r#"{REST},"Effect":"Deny""#)), (1, 77), DuplicateElement, "twice");
    refused(&statement(&format!(r#"{REST},"NotAction":"*""#)), (1, 77), DuplicateElement, "NotAction");
    let twins = r#""Condition":{"Bool":{"a:b":"true"},"bool":{"a:b":"true"}}"#;
    refused(&statement(&format!("{REST},{twins}")), (1, 112), DuplicateElement, "but for case");
    let twins = r#""Condition":{"Bool":{"a:b":"true","A:B":"true"}}"#;
    refused(&statement(&format!("{REST},{twins}")), (1, 111), DuplicateElement, "but for case");

    let error = refused(&statement(&format!(r#"{REST},"effect":"Deny""#)), (1, 77), UnknownElement, "effect");
    assert_eq!(error.hint, "did you mean \"Effect\"?");
    let error = refused(r#"{"Statment":[]}"#, (1, 2), UnknownElement, "Statment");
    assert_eq!(error.hint, "did you mean \"Statement\"?");
    let members = REST.replace("\"*\",\"Action\"", "{\"aws\":\"*\"},\"Action\"");
    refused(&statement(&members), (1, 46), UnknownElement, "aws");

    let fits = format!("{}{}", statement(REST), " ".repeat(MAX_CHARACTERS - statement(REST).len()));
    Policy::parse(&fits).expect("the largest policy");
    refused(&format!("{fits} "), (1, 20_481), TooLarge, "20481 characters");
}

#[test]
fn values_that_cannot_be() {
    use ParseErrorKind::{InvalidValue, UnknownOperator};
    refused("[]", (1, 1), InvalidValue, "an array");
    refused(r#"{"Version":"2012-10-18"}"#, (1, 12), InvalidValue, "no version");
    refused(r#"{"Statement":"*"}"#, (1, 14), InvalidValue, "a string");
    refused(&statement(&REST.replace("Allow", "allow")), (1, 25), InvalidValue, "allow");
    refused(
        &statement(&REST.replace("\"Action\":\"*\"", "\"Action\":[1]")),
        (1, 59),
        InvalidValue,
        "a number",
    );
    refused(
        &statement(&REST.replace("\"Principal\":\"*\"", "\"Principal\":\"1\"")),
        (1, 45),
        InvalidValue,
        "Principal",
    );
    refused(
        &statement(&format!(r#"{REST},"Condition":{{"Bool":true}}"#)),
        (1, 97),
        InvalidValue,
        "a Boolean",
    );
    refused(
        &statement(&format!(r#"{REST},"Condition":{{"Bool":{{"a:b":null}}}}"#)),
        (1, 104),
        InvalidValue,
        "null",
    );
    let misspelt = statement(&format!(r#"{REST},"Condition":{{"StringEqual":{{"a:b":"c"}}}}"#));
    let error = refused(&misspelt, (1, 90), UnknownOperator, "StringEqual");
    assert_eq!(error.hint, "did you mean StringEquals?");
    for wrong in [
        "NullIfExists",
        "ForAnyValue:Null",
        "ForSomeValues:Bool",
        "IfExists",
        "",
        "StringEqualsIfExistsIfExists",
    ] {
        let text = statement(&format!(r#"{REST},"Condition":{{"{wrong}":{{"a:b":"c"}}}}"#));
        refused(&text, (1, 90), UnknownOperator, wrong);
    }
}
