//! From requests to actions.

use linkway_actions::{Parameters, RequestHead, Scope, authorize, identify, wants_body};

use crate::http::Request;

/// Asks which action a request is and on which resources. The service that it is signed for is the header
/// `signed-for`. What is identified must need something, and every need have a resource.
pub fn action(bytes: &[u8]) {
    let Some(request) = Request::read(bytes) else { return };
    let without = RequestHead {
        method: request.method,
        host: request.header("host").unwrap_or_default(),
        path: request.path,
        query: request.query,
        headers: &request.headers,
        signing_name: request.header("signed-for"),
        body: None,
    };
    let head = RequestHead { body: Some(request.body), ..without };
    let _ = wants_body(&without);
    for head in [without, head] {
        let Some(operation) = identify(&head) else { continue };
        let parameters = Parameters::read(&operation, &head);
        for account in [Some("111122223333"), None] {
            let scope = Scope { partition: "aws", region: "us-east-1", account };
            let needs = authorize(&operation, &parameters, &scope);
            assert!(!needs.is_empty(), "{operation:?} needs nothing");
            assert!(needs.iter().all(|need| !need.resources.is_empty()), "{operation:?}: {needs:?}");
        }
    }
}
