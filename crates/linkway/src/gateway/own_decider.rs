//! What a request to one of the daemon's own services asks for: by the tables, and by the state, which knows the
//! resources that it is about.

use std::sync::Arc;

use linkway_gateway::{Asked, Backend, Call, Decider, Need, RequestHead, Resource, Service};
use linkway_store::Store;

use crate::gateway::decider::{ByTables, call, context};

/// Knows what the tables know; of resources here also their tags and properties, as they are now.
pub(crate) struct ByState(pub(crate) Arc<Store>);

impl Decider for ByState {
    fn reads_body(&self, service: &Service, head: &RequestHead<'_>) -> bool {
        ByTables.reads_body(service, head)
    }

    fn call(&self, asked: &Asked<'_>) -> Option<Call> {
        if !matches!(asked.service.backend, Backend::Local(_)) {
            return ByTables.call(asked);
        }
        let state = self.0.snapshot();
        call(asked, |operation, parameters, scope| {
            linkway_control::needs_of(&state, operation, parameters, scope).into_iter().map(need).collect()
        })
    }
}

fn need(need: linkway_control::Need) -> Need {
    let resource = |resource: linkway_control::Resource| Resource {
        keys: resource.keys.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
        arn: resource.arn,
        unknown: resource.unknown,
        account: None,
    };
    Need {
        action: need.action,
        resources: need.resources.into_iter().map(resource).collect(),
        context: context(need.context),
    }
}
