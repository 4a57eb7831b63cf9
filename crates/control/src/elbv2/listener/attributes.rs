//! A listener's attributes.

use linkway_model::load_balancer::{IDLE_TIMEOUT, Listener, Protocol};
use linkway_wire::elbv2::{
    DescribeListenerAttributesInput, DescribeListenerAttributesOutput, ListenerAttribute,
    ModifyListenerAttributesInput, ModifyListenerAttributesOutput,
};

use crate::elbv2::arn;
use crate::elbv2::attributes::{Accepts, Attribute, all, attribute, set};
use crate::{Caller, Control, Error};

/// The one attribute of listeners of Network Load Balancers. Connections through an endpoint end after AWS's fixed
/// 350 idle seconds whatever a listener says.
const KNOWN: &[Attribute] = &[attribute(IDLE_TIMEOUT, "350", Accepts::Number(60..=6000))];

/// Connections to a TLS listener end after the fixed time, too.
fn known(listener: &Listener) -> &'static [Attribute] {
    if listener.protocol == Protocol::Tls { &[] } else { KNOWN }
}

pub(crate) fn describe(
    control: &Control,
    caller: &Caller,
    input: DescribeListenerAttributesInput,
) -> Result<DescribeListenerAttributesOutput, Error> {
    let state = control.read(None)?;
    let listener = arn::required::<Listener>(&state, caller, input.listener_arn.as_deref())?;
    Ok(DescribeListenerAttributesOutput { attributes: shape(listener) })
}

pub(crate) fn modify(
    control: &Control,
    caller: &Caller,
    input: ModifyListenerAttributesInput,
) -> Result<ModifyListenerAttributesOutput, Error> {
    control.write(None, |tx| {
        let before = arn::required::<Listener>(tx, caller, input.listener_arn.as_deref())?;
        let mut listener = Listener::clone(before);
        let given = input.attributes.iter().map(|given| (given.key.clone(), given.value.clone()));
        set("Listener", known(before), &mut listener.attributes, given)?;
        let attributes = shape(&listener);
        tx.update::<Listener>(listener.arn.clone(), |kept| kept.attributes = listener.attributes);
        Ok(ModifyListenerAttributesOutput { attributes })
    })
}

fn shape(listener: &Listener) -> Vec<ListenerAttribute> {
    let shape = |(key, value)| ListenerAttribute { key: Some(key), value: Some(value) };
    all(known(listener), &listener.attributes).into_iter().map(shape).collect()
}
