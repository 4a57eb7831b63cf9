//! Capacity reservations. There are none: capacity is the machine's.

use linkway_model::load_balancer::LoadBalancer;
use linkway_wire::elbv2::{
    DescribeCapacityReservationInput, DescribeCapacityReservationOutput, ModifyCapacityReservationInput,
    ModifyCapacityReservationOutput,
};

use super::{arn, invalid};
use crate::{Caller, Control, Error};

pub(crate) fn describe(
    control: &Control,
    caller: &Caller,
    input: DescribeCapacityReservationInput,
) -> Result<DescribeCapacityReservationOutput, Error> {
    let state = control.read(None)?;
    arn::required::<LoadBalancer>(&state, caller, input.load_balancer_arn.as_deref())?;
    Ok(DescribeCapacityReservationOutput::default())
}

/// Capacity can be given back, of which there is none, and not reserved.
pub(crate) fn modify(
    control: &Control,
    caller: &Caller,
    input: ModifyCapacityReservationInput,
) -> Result<ModifyCapacityReservationOutput, Error> {
    let state = control.read(None)?;
    arn::required::<LoadBalancer>(&state, caller, input.load_balancer_arn.as_deref())?;
    if input.minimum_load_balancer_capacity.is_some() {
        return Err(invalid("Capacity cannot be reserved: a load balancer has what its machine has"));
    }
    if input.reset_capacity_reservation != Some(true) {
        return Err(invalid("Specify a minimum load balancer capacity, or reset the capacity reservation"));
    }
    Ok(ModifyCapacityReservationOutput::default())
}
