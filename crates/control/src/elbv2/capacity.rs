//! Capacity reservations. There are none: capacity is the machine's.

use linkway_model::load_balancer::LoadBalancer;
use linkway_wire::elbv2::{DescribeCapacityReservationInput, DescribeCapacityReservationOutput};

use super::arn;
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
