//! Which service a request is meant for.

use crate::{Protocol, acm, ec2, elbv2, iam, rds, sts};

/// A service that is spoken here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Service {
    /// Certificate Manager: certificates for listeners.
    Acm,
    /// EC2: VPCs and what is in them.
    Ec2,
    /// Elastic Load Balancing, version 2.
    Elbv2,
    /// Identity and Access Management: users, roles, and what they may do.
    Iam,
    /// The Relational Database Service.
    Rds,
    /// The Security Token Service.
    Sts,
}

impl Service {
    const ALL: [Self; 6] = [Self::Acm, Self::Ec2, Self::Elbv2, Self::Iam, Self::Rds, Self::Sts];

    /// The service that a signature's credential scope names: one address answers for all of them, so this is
    /// what tells them apart.
    pub fn from_signing_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|service| service.signing_name() == name)
    }

    /// What a signature's credential scope names the service.
    pub fn signing_name(self) -> &'static str {
        match self {
            Self::Acm => "acm",
            Self::Ec2 => "ec2",
            Self::Elbv2 => "elasticloadbalancing",
            Self::Iam => "iam",
            Self::Rds => "rds",
            Self::Sts => "sts",
        }
    }

    /// The service whose API has this version: the way to answer a request that is not signed in its own protocol.
    pub fn from_version(version: &str) -> Option<Self> {
        let has =
            |service: &Self| matches!(service.protocol(), Protocol::Form(form) if form.version == version);
        Self::ALL.into_iter().find(has)
    }

    /// How it is spoken.
    pub fn protocol(self) -> Protocol {
        match self {
            Self::Acm => Protocol::Json(acm::PROTOCOL),
            Self::Ec2 => Protocol::Form(ec2::PROTOCOL),
            Self::Elbv2 => Protocol::Form(elbv2::PROTOCOL),
            Self::Iam => Protocol::Form(iam::PROTOCOL),
            Self::Rds => Protocol::Form(rds::PROTOCOL),
            Self::Sts => Protocol::Form(sts::PROTOCOL),
        }
    }
}
