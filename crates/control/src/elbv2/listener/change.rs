//! `CreateListener`, `ModifyListener`, `DeleteListener`.

use std::collections::BTreeMap;

use linkway_model::load_balancer::{Listener, LoadBalancer, TargetGroup, TargetHealth};
use linkway_model::random_hex;
use linkway_store::Transaction;
use linkway_wire::elbv2::{
    CreateListenerInput, CreateListenerOutput, DeleteListenerInput, DeleteListenerOutput,
    ModifyListenerInput, ModifyListenerOutput, MutualAuthenticationAttributes,
};

use super::describe::shape;
use super::{forward, tls};
use crate::elbv2::target::port;
use crate::elbv2::target_group::listeners_of;
use crate::elbv2::{arn, invalid, tags};
use crate::error::LoadBalancingError;
use crate::{Caller, Control, Error};

/// Listeners of a balancer. Source: "Quotas for your Network Load Balancers".
pub(crate) const MAX_LISTENERS: usize = 50;

/// What a request says of TLS.
macro_rules! given {
    ($input:ident) => {
        tls::Given {
            certificates: &$input.certificates,
            policy: $input.ssl_policy.as_deref(),
            alpn: &$input.alpn_policy,
        }
    };
}

/// `CreateListener`. One that is there with all of the settings is answered without an error, as on AWS.
pub(crate) fn create(
    control: &Control,
    caller: &Caller,
    input: CreateListenerInput,
) -> Result<CreateListenerOutput, Error> {
    no_mutual_authentication(input.mutual_authentication.as_ref())?;
    control.write(None, |tx| {
        let balancer = arn::required::<LoadBalancer>(tx, caller, input.load_balancer_arn.as_deref())?.clone();
        let protocol = forward::protocol(input.protocol.as_deref())?;
        let port = port(input.port.ok_or_else(|| invalid("A listener port must be specified"))?)?;
        let action = forward::only(&input.default_actions)?;
        let target_group = forward::target_group(action)?;
        forward::check(tx, caller, &balancer, protocol, target_group)?;
        let (_, path) =
            balancer.arn.split_once("loadbalancer/net/").expect("ARNs of balancers have this path");
        let listener = Listener {
            arn: arn::made::<Listener>(caller, &format!("{path}/{}", random_hex(16))),
            owner: caller.account.clone(),
            region: caller.region.clone(),
            load_balancer: balancer.arn.clone(),
            protocol,
            port,
            target_group: target_group.to_owned(),
            order: action.order,
            tls: given!(input).settle(tx, caller, protocol, None)?,
            attributes: BTreeMap::new(),
            tags: tags::of_new(&input.tags)?,
        };
        let there = on_port(tx, &listener).cloned();
        let listener = match there {
            Some(there) if is_as_asked(&there, &listener) => there,
            Some(_) => return Err(LoadBalancingError::DuplicateListener(balancer.arn.clone()).into()),
            None => {
                if tx.all::<Listener>().filter(|l| l.load_balancer == balancer.arn).count() >= MAX_LISTENERS {
                    return Err(LoadBalancingError::TooManyListeners(MAX_LISTENERS).into());
                }
                begin_to_use(tx, &listener.target_group);
                tx.put(listener.clone());
                listener
            }
        };
        Ok(CreateListenerOutput { listeners: vec![shape(&listener)] })
    })
}

/// `ModifyListener`.
pub(crate) fn modify(
    control: &Control,
    caller: &Caller,
    input: ModifyListenerInput,
) -> Result<ModifyListenerOutput, Error> {
    no_mutual_authentication(input.mutual_authentication.as_ref())?;
    control.write(None, |tx| {
        let before = arn::required::<Listener>(tx, caller, input.listener_arn.as_deref())?;
        let mut listener = Listener::clone(before);
        if let Some(given) = input.port {
            listener.port = port(given)?;
        }
        if input.protocol.is_some() {
            listener.protocol = forward::protocol(input.protocol.as_deref())?;
        }
        listener.tls = given!(input).settle(tx, caller, listener.protocol, listener.tls)?;
        if !input.default_actions.is_empty() {
            let action = forward::only(&input.default_actions)?;
            listener.target_group = forward::target_group(action)?.to_owned();
            listener.order = action.order;
        }
        let balancer = arn::find::<LoadBalancer>(tx, caller, &listener.load_balancer)?.clone();
        forward::check(tx, caller, &balancer, listener.protocol, &listener.target_group)?;
        if on_port(tx, &listener).is_some() {
            return Err(LoadBalancingError::DuplicateListener(balancer.arn.clone()).into());
        }
        begin_to_use(tx, &listener.target_group);
        tx.update::<Listener>(listener.arn.clone(), |kept| *kept = listener.clone());
        Ok(ModifyListenerOutput { listeners: vec![shape(&listener)] })
    })
}

/// `DeleteListener`.
pub(crate) fn delete(
    control: &Control,
    caller: &Caller,
    input: DeleteListenerInput,
) -> Result<DeleteListenerOutput, Error> {
    control.write(None, |tx| {
        let arn = arn::required::<Listener>(tx, caller, input.listener_arn.as_deref())?.arn.clone();
        tx.delete::<Listener>(arn);
        Ok(DeleteListenerOutput {})
    })
}

/// Another listener on the port of this one. A port has one, whatever it speaks: TCP and UDP on one port are a
/// listener of both.
fn on_port<'a>(tx: &'a Transaction, listener: &Listener) -> Option<&'a Listener> {
    tx.all::<Listener>().map(|other| &**other).find(|other| {
        other.load_balancer == listener.load_balancer
            && other.port == listener.port
            && other.arn != listener.arn
    })
}

/// A group that nothing used is checked from now on: what was known of its targets' health is of another time.
fn begin_to_use(tx: &mut Transaction, group: &str) {
    let unused = tx.get::<TargetGroup>(group).is_some_and(|group| listeners_of(tx, group).next().is_none());
    if unused {
        tx.update::<TargetGroup>(group, |group| {
            group.targets.iter_mut().for_each(|target| target.health = TargetHealth::Initial);
        });
    }
}

/// Whether a listener that is there has what is asked for; its list of further certificates is of no account.
fn is_as_asked(there: &Listener, asked: &Listener) -> bool {
    let tls = |listener: &Listener| {
        listener.tls.as_ref().map(|tls| (tls.certificate.clone(), tls.policy.clone(), tls.alpn))
    };
    (there.protocol, &there.target_group, tls(there)) == (asked.protocol, &asked.target_group, tls(asked))
}

/// Clients' certificates are not verified, nor are they by AWS's Network Load Balancers.
fn no_mutual_authentication(given: Option<&MutualAuthenticationAttributes>) -> Result<(), Error> {
    match given.and_then(|given| given.mode.as_deref()) {
        None | Some("off") => Ok(()),
        Some(_) => {
            Err(invalid("Mutual authentication is not supported by listeners of network load balancers"))
        }
    }
}
