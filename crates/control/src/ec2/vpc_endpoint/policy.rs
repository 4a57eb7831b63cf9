//! Endpoint policies. Services of customers know no policies, so that AWS takes only full access for them.

use serde_json::{Map, Value};

use crate::Error;
use crate::error::EndpointError;

/// What AWS gives an endpoint whose maker says nothing, letter by letter.
pub(crate) const FULL_ACCESS: &str = "{\n  \"Statement\": [\n    {\n      \"Action\": \"*\", \n      \"Effect\": \
                                      \"Allow\", \n      \"Principal\": \"*\", \n      \"Resource\": \"*\"\n    \
                                      }\n  ]\n}";

/// Characters of a policy. Source: "AWS PrivateLink quotas".
const MAX_LENGTH: usize = 20_480;

/// The policy of an endpoint to `service`: the caller's, if it gives full access, or the default.
pub(super) fn accepted(given: Option<&str>, service: &str) -> Result<String, Error> {
    let Some(text) = given.filter(|text| !text.is_empty()) else { return Ok(FULL_ACCESS.to_owned()) };
    if text.chars().count() > MAX_LENGTH {
        return Err(Error::InvalidParameter(format!(
            "The policy document is longer than {MAX_LENGTH} characters."
        )));
    }
    let document: Value = serde_json::from_str(text).map_err(|error| {
        Error::from(EndpointError::InvalidPolicyDocument { line: error.line(), column: error.column() })
    })?;
    let statements = document.as_object().and_then(|document| document.get("Statement"));
    let Some(statements) = statements else {
        return Err(EndpointError::InvalidPolicyDocument { line: 1, column: 1 }.into());
    };
    if is_full_access(statements) {
        Ok(text.to_owned())
    } else {
        Err(Error::InvalidParameter(format!(
            "Service {service} only supports the full-access endpoint policy."
        )))
    }
}

/// Whether the statements are one, or a list of one, that allows everything to everyone.
fn is_full_access(statements: &Value) -> bool {
    match only(statements) {
        Some(Value::Object(statement)) => allows_all(statement),
        _ => false,
    }
}

fn allows_all(statement: &Map<String, Value>) -> bool {
    statement.iter().all(|(key, value)| match key.as_str() {
        "Sid" => true,
        "Effect" => value == "Allow",
        "Action" | "Resource" => is_star(value),
        "Principal" => match value {
            Value::Object(principal) => principal.len() == 1 && principal.get("AWS").is_some_and(is_star),
            principal => is_star(principal),
        },
        _ => false,
    }) && ["Effect", "Action", "Resource", "Principal"].iter().all(|key| statement.contains_key(*key))
}

fn is_star(value: &Value) -> bool {
    only(value).is_some_and(|value| value == "*")
}

/// A value itself, or the one in a list of one: policies write both.
fn only(value: &Value) -> Option<&Value> {
    match value {
        Value::Array(list) => list.first().filter(|_| list.len() == 1),
        value => Some(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> (String, String) {
        let error = accepted(Some(text), "com.amazonaws.vpce.us-east-1.vpce-svc-1").unwrap_err();
        (error.code().to_owned(), error.to_string())
    }

    #[test]
    fn full_access_is_known_in_every_spelling() {
        for text in [
            FULL_ACCESS,
            r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"*"},"Action":["*"],"Resource":"*"}}"#,
            r#"{"Id":"x","Statement":[{"Sid":"s","Effect":"Allow","Principal":"*","Action":"*","Resource":["*"]}]}"#,
        ] {
            assert_eq!(accepted(Some(text), "s").unwrap(), text);
        }
        assert_eq!(accepted(None, "s").unwrap(), FULL_ACCESS);
    }

    #[test]
    fn less_than_full_access_is_refused() {
        for text in [
            r#"{"Statement":[{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}]}"#,
            r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}]}"#,
            r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":{}}]}"#,
            r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"*"}]}"#,
            r#"{"Statement":[]}"#,
        ] {
            let (code, message) = refusal(text);
            assert_eq!(code, "InvalidParameter", "{text}");
            assert_eq!(
                message,
                "Service com.amazonaws.vpce.us-east-1.vpce-svc-1 only supports the full-access endpoint policy."
            );
        }
    }

    #[test]
    fn errors_have_a_position() {
        let (code, message) = refusal("{\"Statement\": [\n  oops]}");
        assert_eq!(code, "InvalidPolicyDocument");
        assert_eq!(message, "The Policy Document is not valid. Syntax error at position (2,3)");
        assert_eq!(refusal("[]").0, "InvalidPolicyDocument");
    }
}
