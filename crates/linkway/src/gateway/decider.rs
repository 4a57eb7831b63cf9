//! What a request asks for, by the tables of `linkway_actions`.

use std::collections::BTreeMap;

use linkway_actions as actions;
use linkway_gateway::{Asked, Call, Decider, Need, RequestHead, Resource, Service};
use linkway_policy::ContextValue;

/// The partition of ARNs: AWS's standard one, whose regions are the only ones here.
const PARTITION: &str = "aws";

/// Knows what the tables know.
pub(crate) struct ByTables;

impl Decider for ByTables {
    fn reads_body(&self, _: &Service, head: &RequestHead<'_>) -> bool {
        with(head, None, |head| {
            actions::wants_body(head)
                || actions::identify(head).is_some_and(|operation| operation.reads_body())
        })
    }

    fn call(&self, asked: &Asked<'_>) -> Option<Call> {
        call(asked, |operation, parameters, scope| {
            actions::authorize(operation, parameters, scope).into_iter().map(need).collect()
        })
    }
}

/// What a request asks for: its operation, and what `needs` says that it needs.
pub(crate) fn call(
    asked: &Asked<'_>,
    needs: impl FnOnce(&actions::Operation, &actions::Parameters<'_>, &actions::Scope<'_>) -> Vec<Need>,
) -> Option<Call> {
    with(&asked.head, asked.body, |head| {
        let operation = actions::identify(head)?;
        let parameters = actions::Parameters::read(&operation, head);
        let scope = actions::Scope { partition: PARTITION, region: asked.region, account: asked.account };
        // A body that cannot be read leaves open what is asked for: conditions on it could neither allow nor deny. It
        // is the same as an operation that is not known.
        let needs = match parameters.is_complete() {
            true => needs(&operation, &parameters, &scope),
            false => Vec::new(),
        };
        Some(Call { operation: operation.name().to_owned(), needs })
    })
}

/// Hands a request over in the form that the tables are asked with.
fn with<R>(
    head: &RequestHead<'_>,
    body: Option<&[u8]>,
    ask: impl FnOnce(&actions::RequestHead<'_>) -> R,
) -> R {
    let headers: Vec<(&str, &[u8])> =
        head.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    ask(&actions::RequestHead {
        method: head.method,
        host: head.host,
        path: head.path,
        query: head.query,
        headers: &headers,
        signing_name: head.signing_name,
        body,
    })
}

fn need(need: actions::Need) -> Need {
    let resource = |resource: actions::Resource| Resource {
        arn: resource.arn,
        unknown: resource.unknown,
        account: None,
        keys: Vec::new(),
    };
    Need {
        action: need.action,
        resources: need.resources.into_iter().map(resource).collect(),
        context: context(need.context),
    }
}

/// The keys that a request carries, as the gateway has them.
pub(crate) fn context(keys: BTreeMap<String, Vec<String>>) -> Vec<(String, ContextValue<'static>)> {
    keys.into_iter().map(|(key, values)| (key, value(values))).collect()
}

/// A key that has one value is taken for single-valued: the operators for sets take it as well.
fn value(mut values: Vec<String>) -> ContextValue<'static> {
    match (values.pop(), values.is_empty()) {
        (Some(only), true) => ContextValue::One(only.into()),
        (last, _) => ContextValue::Many(values.into_iter().chain(last).map(Into::into).collect()),
    }
}

#[cfg(test)]
mod tests {
    use hyper::HeaderMap;
    use hyper::header::{CONTENT_TYPE, HeaderValue};
    use linkway_gateway::{Backend, Protocol, Tls, UnknownKeys};

    use super::*;

    #[test]
    fn a_call_to_rds_is_understood() {
        let service = Service {
            name: "com.amazonaws.us-east-1.rds".into(),
            event_source: "rds.amazonaws.com".into(),
            signing_names: vec!["rds".into()],
            global: false,
            protocol: Protocol::Query,
            backend: Backend::None,
            tls: Tls::Terminate,
            unknown_keys: UnknownKeys::Reject,
            anonymous: false,
        };
        let mut headers = HeaderMap::new();
        let form = HeaderValue::from_static("application/x-www-form-urlencoded; charset=utf-8");
        headers.insert(CONTENT_TYPE, form);
        let head = RequestHead {
            method: "POST",
            host: "rds.us-east-1.amazonaws.com",
            path: "/",
            query: "",
            headers: &headers,
            signing_name: Some("rds"),
        };
        assert!(ByTables.reads_body(&service, &head));
        let body: &[u8] = b"Action=DeleteDBInstance&Version=2014-10-31&DBInstanceIdentifier=shop";
        let asked = Asked {
            service: &service,
            region: "us-east-1",
            account: Some("111122223333"),
            head,
            body: Some(body),
        };
        let call = ByTables.call(&asked).unwrap();
        assert_eq!(call.operation, "DeleteDBInstance");
        let twice = [body, b"&DBInstanceIdentifier=other"].concat();
        let unread = ByTables.call(&Asked { body: Some(&twice), ..asked }).unwrap();
        assert!(unread.needs.is_empty() && unread.operation == "DeleteDBInstance", "{unread:?}");
        let need = &call.needs[0];
        assert_eq!(need.action, "rds:DeleteDBInstance");
        assert_eq!(need.resources[0].arn, "arn:aws:rds:us-east-1:111122223333:db:shop");
    }
}
