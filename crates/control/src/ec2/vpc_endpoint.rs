//! Endpoints: how a consumer's VPC reaches an endpoint service, or one of AWS's services.

mod associations;
mod create;
mod delete;
mod describe;
mod gateway;
mod modify;
mod options;
mod placement;
pub(crate) mod policy;
mod private_dns;
mod reconcile;
mod shape;

use linkway_model::vpc_endpoint::{EndpointState, VpcEndpoint};

use crate::error::EndpointError;
use crate::{Error, page};

pub(crate) use associations::describe_associations;
pub(crate) use create::create;
pub(crate) use delete::delete;
pub(crate) use describe::describe;
pub(crate) use gateway::{forget_route_table, routes};
pub(crate) use modify::modify;
pub(crate) use policy::is_full_access;
pub(crate) use reconcile::reconcile;
pub(crate) use shape::dns_entries;

/// The limits of describing endpoints and what is offered: AWS answers 1,000 to whoever asks for more.
pub(crate) const UP_TO_1000: page::Limits = page::Limits { least: 1, most: 1000, clamp: true };

/// Whether the endpoint holds on to its service: what has an end before it, or was rejected, does not.
pub(crate) fn holds_its_service(endpoint: &VpcEndpoint) -> bool {
    match endpoint.state {
        EndpointState::PendingAcceptance | EndpointState::Pending | EndpointState::Available => true,
        EndpointState::Rejected
        | EndpointState::Failed
        | EndpointState::Deleting
        | EndpointState::Deleted => false,
    }
}

/// Whether nothing goes through the endpoint any more, for good.
pub(crate) fn has_ended(endpoint: &VpcEndpoint) -> bool {
    matches!(endpoint.state, EndpointState::Deleting | EndpointState::Deleted | EndpointState::Failed)
}

/// In this family of operations AWS has a code of its own for filters that it does not know.
pub(crate) fn filter_errors(error: Error) -> Error {
    match error {
        Error::UnknownFilter(name) => EndpointError::InvalidFilter(name).into(),
        error => error,
    }
}
