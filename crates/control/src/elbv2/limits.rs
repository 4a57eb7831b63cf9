//! `DescribeAccountLimits`: the quotas of Network Load Balancers that hold here, under AWS's names.

use linkway_wire::elbv2::{DescribeAccountLimitsInput, DescribeAccountLimitsOutput, Limit};

use super::page;
use crate::elbv2::listener::MAX_LISTENERS;
use crate::elbv2::load_balancer::MAX_BALANCERS;
use crate::elbv2::target::MAX_TARGETS;
use crate::elbv2::target_group::MAX_GROUPS;
use crate::{Caller, Control, Error};

/// In the order of their names, which is that of pages.
const LIMITS: &[(&str, usize)] = &[
    ("listeners-per-network-load-balancer", MAX_LISTENERS),
    ("network-load-balancers", MAX_BALANCERS),
    ("target-groups", MAX_GROUPS),
    // A listener forwards to one group.
    ("target-groups-per-action-on-network-load-balancer", 1),
    ("targets-per-target-group", MAX_TARGETS),
];

pub(crate) fn describe(
    _: &Control,
    _: &Caller,
    input: DescribeAccountLimitsInput,
) -> Result<DescribeAccountLimitsOutput, Error> {
    let (found, next_marker) =
        page::cut(input.page_size, &input.marker, LIMITS, |(name, _)| (*name).to_owned())?;
    let limits = found
        .into_iter()
        .map(|(name, max)| Limit { max: Some(max.to_string()), name: Some((*name).to_owned()) })
        .collect();
    Ok(DescribeAccountLimitsOutput { limits, next_marker })
}
