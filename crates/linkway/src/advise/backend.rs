//! Whether an AWS service is served anywhere.

use linkway_model::service_backend::ServiceBackend;

use super::{Findings, Subject};

pub(super) fn look(subject: Subject<'_>, findings: &mut Findings<'_>) {
    let name = &subject.endpoint.service_name;
    let served = |service: &linkway_model::aws_service::AwsService| {
        service.served_here() || subject.state.get::<ServiceBackend>(name).is_some()
    };
    if subject.endpoint.aws_service().is_none_or(served) {
        return;
    }
    let message = format!("{name} is served nowhere: requests get an error that says so");
    let remedy = "say where it is served: a URL, or `aws` for the real one";
    let command = format!("linkway service set {name} --backend http://127.0.0.1:9000");
    findings.error("no-backend", message, remedy, Some(command));
}
