//! Where an endpoint leads, and on which ports that listens.

use linkway_model::endpoint_service::EndpointService;
use linkway_model::load_balancer::{Listener, TargetGroup};

use super::Subject;

/// HTTPS, which all of AWS's services listen on.
const HTTPS: Port = Port { protocol: 6, number: 443 };

/// A port of a protocol: 6 is TCP, 17 is UDP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Port {
    pub(super) protocol: u8,
    pub(super) number: u16,
}

impl Port {
    /// The protocol's name, as the AWS CLI takes it.
    pub(super) fn protocol_name(self) -> &'static str {
        if self.protocol == 17 { "udp" } else { "tcp" }
    }
}

impl<'a> Subject<'a> {
    /// The endpoint service, if it is one that an account here provides.
    pub(super) fn endpoint_service(&self) -> Option<&'a EndpointService> {
        self.state.get::<EndpointService>(&self.endpoint.service).map(AsRef::as_ref)
    }

    /// The listeners of the endpoint service's balancers.
    pub(super) fn listeners(&self) -> Vec<&'a Listener> {
        let Some(service) = self.endpoint_service() else { return Vec::new() };
        let listeners = self.state.all::<Listener>().map(AsRef::as_ref);
        listeners.filter(|listener| service.load_balancers.contains(&listener.load_balancer)).collect()
    }

    /// A listener's target group.
    pub(super) fn target_group(&self, listener: &Listener) -> Option<&'a TargetGroup> {
        self.state.get::<TargetGroup>(&listener.target_group).map(AsRef::as_ref)
    }

    /// What the service listens on.
    pub(super) fn ports(&self) -> Vec<Port> {
        if self.endpoint.aws_service().is_some() {
            return vec![HTTPS];
        }
        let of = |listener: &'a Listener| {
            let protocols = listener.protocol.numbers().iter();
            protocols.map(|protocol| Port { protocol: *protocol, number: listener.port })
        };
        let mut ports: Vec<_> = self.listeners().into_iter().flat_map(of).collect();
        ports.sort();
        ports.dedup();
        ports
    }
}

/// Ports, for people: `tcp 443, udp 53`.
pub(super) fn list(ports: &[Port]) -> String {
    let ports: Vec<_> =
        ports.iter().map(|port| format!("{} {}", port.protocol_name(), port.number)).collect();
    ports.join(", ")
}
