//! Endpoint policies. Services of customers know no policies, nor do some of AWS's own, so that AWS takes only full
//! access for them.

use linkway_model::Snapshot;
use linkway_model::aws_service::AwsService;
use linkway_model::service_backend::{ServiceBackend, Tls};
use linkway_policy::{MAX_CHARACTERS, ParseErrorKind, Policy};

use crate::Error;
use crate::error::EndpointError;
use crate::iam::check_names;

/// What AWS gives an endpoint whose maker says nothing, letter by letter.
pub(crate) const FULL_ACCESS: &str = "{\n  \"Statement\": [\n    {\n      \"Action\": \"*\", \n      \"Effect\": \
                                      \"Allow\", \n      \"Principal\": \"*\", \n      \"Resource\": \"*\"\n    \
                                      }\n  ]\n}";

/// The same for a gateway endpoint.
const FULL_ACCESS_OF_GATEWAY: &str = r#"{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}"#;

/// The policy of an endpoint whose maker says nothing.
pub(super) fn default(is_gateway: bool) -> &'static str {
    if is_gateway { FULL_ACCESS_OF_GATEWAY } else { FULL_ACCESS }
}

/// The policy of an endpoint to `service`: the caller's, if the service can have it. `None`: the default.
pub(super) fn accepted(
    state: &Snapshot,
    given: Option<&str>,
    service: &str,
) -> Result<Option<String>, Error> {
    let Some(text) = given.filter(|text| !text.is_empty()) else { return Ok(None) };
    let policy = Policy::parse(text).map_err(|error| match error.kind {
        ParseErrorKind::TooLarge => Error::InvalidParameter(format!(
            "The policy document is longer than {MAX_CHARACTERS} characters."
        )),
        _ => EndpointError::InvalidPolicyDocument(error.aws_message()).into(),
    })?;
    // In which words EC2 says it is not recorded; these are IAM's.
    check_names(policy.document())
        .map_err(|error| EndpointError::InvalidPolicyDocument(error.to_string()))?;
    if policy.is_full_access() {
        return Ok(Some(text.to_owned()));
    }
    let because = match AwsService::find(service) {
        Some((aws, _)) if aws.policies => match state.get::<ServiceBackend>(service) {
            Some(backend) if backend.tls == Tls::Passthrough => {
                ": its TLS is passed through to its backend, where no request can be held against a policy"
            }
            _ => return Ok(Some(text.to_owned())),
        },
        _ => "",
    };
    Err(Error::InvalidParameter(format!(
        "Service {service} only supports the full-access endpoint policy{because}."
    )))
}

/// Whether an endpoint's policy lets everything pass.
pub(crate) fn is_full_access(policy: &str) -> bool {
    Policy::parse(policy).is_ok_and(|policy| policy.is_full_access())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> (String, String) {
        let error = accepted(&Snapshot::default(), Some(text), "com.amazonaws.vpce.us-east-1.vpce-svc-1")
            .unwrap_err();
        (error.code().to_owned(), error.to_string())
    }

    #[test]
    fn full_access_is_known_in_every_spelling() {
        for text in [
            FULL_ACCESS,
            r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"*"},"Action":["*"],"Resource":"*"}}"#,
            r#"{"Id":"x","Statement":[{"Sid":"s","Effect":"Allow","Principal":"*","Action":"*","Resource":["*"]}]}"#,
        ] {
            assert_eq!(accepted(&Snapshot::default(), Some(text), "s").unwrap().as_deref(), Some(text));
        }
        assert_eq!(accepted(&Snapshot::default(), None, "s").unwrap(), None);
    }

    #[test]
    fn less_than_full_access_is_refused() {
        for text in [
            r#"{"Statement":[{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}]}"#,
            r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}]}"#,
            r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"true"}}}]}"#,
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
        let incomplete = r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"*"}]}"#;
        for text in ["[]", "{}", incomplete] {
            assert_eq!(refusal(text).0, "InvalidPolicyDocument", "{text}");
        }
        let statement = |sid: &str, action: &str| {
            format!(
                r#"{{"Sid":"{sid}","Effect":"Allow","Principal":"*","Action":"{action}","Resource":"*"}}"#
            )
        };
        let document = |statements: [String; 2]| format!(r#"{{"Statement":[{}]}}"#, statements.join(","));
        let (code, message) = refusal(&document([statement("a", "s3:*"), statement("b", "GetObject")]));
        assert_eq!(code, "InvalidPolicyDocument");
        assert!(message.starts_with("Actions/Conditions must be prefaced by a vendor"), "{message}");
        let (code, message) = refusal(&document([statement("a", "s3:*"), statement("a", "*")]));
        assert_eq!(code, "InvalidPolicyDocument");
        assert_eq!(message, "Statement IDs (SID) in a single policy must be unique.");
        let (code, message) = refusal(&" ".repeat(MAX_CHARACTERS + 1));
        assert_eq!(code, "InvalidParameter");
        assert_eq!(message, "The policy document is longer than 20480 characters.");
    }
}
