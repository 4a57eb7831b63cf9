//! ClassicLink, which joined VPCs with a network that no region has any more. Clients still ask, and take AWS's
//! refusal for a no: Ansible's `ec2_vpc_net` does at every turn.

use linkway_wire::ec2::{
    DescribeVpcClassicLinkDnsSupportRequest, DescribeVpcClassicLinkDnsSupportResult,
    DescribeVpcClassicLinkRequest, DescribeVpcClassicLinkResult,
};

use crate::{Caller, Control, Error};

/// What AWS answers in regions that never had EC2-Classic.
fn refusal() -> Error {
    Error::Unsupported("The functionality you requested is not available in this region.".into())
}

pub(crate) fn describe(
    _: &Control,
    _: &Caller,
    _: DescribeVpcClassicLinkRequest,
) -> Result<DescribeVpcClassicLinkResult, Error> {
    Err(refusal())
}

pub(crate) fn describe_dns_support(
    _: &Control,
    _: &Caller,
    _: DescribeVpcClassicLinkDnsSupportRequest,
) -> Result<DescribeVpcClassicLinkDnsSupportResult, Error> {
    Err(refusal())
}
