//! Whether an endpoint is in use at all.

use linkway_model::vpc_endpoint::EndpointState;

use super::{Findings, Subject};

pub(super) fn look(subject: Subject<'_>, findings: &mut Findings<'_>) {
    let endpoint = subject.endpoint;
    let answer = |verb: &str| {
        subject.aws(&format!(
            "ec2 {verb}-vpc-endpoint-connections --service-id {} --vpc-endpoint-ids {}",
            endpoint.service, endpoint.id
        ))
    };
    match endpoint.state {
        EndpointState::PendingAcceptance => {
            let message = "the provider has not accepted the connection yet, so nothing gets through";
            let remedy = "have the provider accept it, with the provider's key";
            findings.warn("pending-acceptance", message, remedy, answer("accept"));
        }
        EndpointState::Rejected => {
            let message = "the provider has rejected the connection, so nothing gets through";
            let remedy = "have the provider accept it, with the provider's key, or delete the endpoint";
            findings.error("rejected", message, remedy, answer("accept"));
        }
        EndpointState::Failed => {
            let why = endpoint
                .last_error
                .as_ref()
                .map_or_else(String::new, |(code, why)| format!(": {code}, {why}"));
            let message = format!("the endpoint could not be made available{why}");
            let command =
                subject.aws(&format!("ec2 delete-vpc-endpoints --vpc-endpoint-ids {}", endpoint.id));
            findings.error(
                "failed",
                message,
                "delete it, and make it again once the reason is gone",
                command,
            );
        }
        EndpointState::Pending
        | EndpointState::Available
        | EndpointState::Deleting
        | EndpointState::Deleted => {}
    }
}
