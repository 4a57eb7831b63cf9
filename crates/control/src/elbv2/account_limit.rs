//! `DescribeAccountLimits`: the quotas that hold here, under AWS's names.

use linkway_wire::elbv2::{DescribeAccountLimitsInput, DescribeAccountLimitsOutput, Limit};

use super::{listener, load_balancer, page, target_group};
use crate::{Caller, Control, Error};

pub(crate) fn describe(
    control: &Control,
    _: &Caller,
    input: DescribeAccountLimitsInput,
) -> Result<DescribeAccountLimitsOutput, Error> {
    control.read(None)?;
    let limits = [
        ("listeners-per-network-load-balancer", listener::MAX_LISTENERS),
        ("network-load-balancers", load_balancer::MAX_BALANCERS),
        ("target-groups", target_group::MAX_GROUPS),
        ("target-groups-per-action-on-network-load-balancer", 1),
    ];
    let shape =
        |(name, max): (&str, usize)| Limit { max: Some(max.to_string()), name: Some(name.to_owned()) };
    let (limits, next_marker) = page::cut(input.page_size, &input.marker, limits.map(shape), |limit| {
        limit.name.clone().unwrap_or_default()
    })?;
    Ok(DescribeAccountLimitsOutput { limits, next_marker })
}
