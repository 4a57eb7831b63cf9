//! DNS as a VPC sees it.
