//! `DescribeListeners`.

use std::collections::BTreeMap;

use linkway_model::load_balancer::{Listener, LoadBalancer};
use linkway_wire::elbv2;
use linkway_wire::elbv2::{DescribeListenersInput, DescribeListenersOutput};

use super::{forward, tls};
use crate::elbv2::{arn, invalid, page};
use crate::{Caller, Control, Error};

pub(crate) fn describe(
    control: &Control,
    caller: &Caller,
    input: DescribeListenersInput,
) -> Result<DescribeListenersOutput, Error> {
    let state = control.read(None)?;
    let mut found = BTreeMap::new();
    match (&input.load_balancer_arn, input.listener_arns.as_slice()) {
        (Some(balancer), []) => {
            let balancer = arn::find::<LoadBalancer>(&state, caller, balancer)?;
            let its = state.all::<Listener>().filter(|listener| listener.load_balancer == balancer.arn);
            found.extend(its.map(|listener| (listener.arn.as_str(), listener)));
        }
        (None, arns @ [_, ..]) => {
            for arn in arns {
                let listener = arn::find::<Listener>(&state, caller, arn)?;
                found.insert(&listener.arn, listener);
            }
        }
        _ => return Err(invalid("You must specify either listener ARNs or a load balancer ARN")),
    }
    let (found, next_marker) =
        page::cut(input.page_size, &input.marker, found.into_values(), |listener| listener.arn.clone())?;
    let listeners = found.into_iter().map(|listener| shape(listener)).collect();
    Ok(DescribeListenersOutput { listeners, next_marker })
}

pub(super) fn shape(listener: &Listener) -> elbv2::Listener {
    let tls = tls::shown(listener);
    elbv2::Listener {
        alpn_policy: tls.alpn,
        certificates: tls.certificates,
        ssl_policy: tls.policy,
        default_actions: vec![forward::action(listener)],
        listener_arn: Some(listener.arn.clone()),
        load_balancer_arn: Some(listener.load_balancer.clone()),
        port: Some(listener.port.into()),
        protocol: Some(listener.protocol.name().into()),
        ..elbv2::Listener::default()
    }
}
