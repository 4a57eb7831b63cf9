//! Instances that `linkway run` makes: what it and the daemon tell of their lives.

use std::net::Ipv4Addr;
use std::sync::Arc;

use linkway_model::instance::{Instance, InstanceState, Process, StateCause};
use linkway_model::network_interface::{InterfaceRole, NetworkInterface};
use linkway_model::subnet::Subnet;
use linkway_model::vpc::Vpc;
use linkway_model::{AttachmentId, InstanceId, ReservationId, SecurityGroupId, Snapshot, SubnetId, Tags};
use linkway_store::Transaction;

use crate::ec2::network_interface::{Allocation, Ipv6, allocate};
use crate::ec2::security_group::groups_of_vpc;
use crate::lookup::not_found;
use crate::{Caller, Control, Error};

/// What an instance is launched with.
#[derive(Debug, Clone)]
pub struct LaunchRequest {
    /// Where. The instance has the subnet's owner and region.
    pub subnet: SubnetId,
    /// Its security groups; none: the VPC's default one.
    pub groups: Vec<SecurityGroupId>,
    /// Its address; `None`: the first that is free.
    pub private_ip: Option<Ipv4Addr>,
    /// Its tag `Name`.
    pub name: Option<String>,
    /// What it runs.
    pub command: Vec<String>,
}

impl Control {
    /// Make an instance, `pending`, with its interface.
    pub fn launch(&self, request: LaunchRequest) -> Result<Instance, Error> {
        let LaunchRequest { subnet, groups, private_ip, name, command } = request;
        self.write(None, |tx| {
            let id = InstanceId::random();
            let subnet = subnet_of(tx, &subnet)?;
            let role = InterfaceRole::Instance {
                instance: id.clone(),
                attachment: AttachmentId::random(),
                device_index: 0,
                attached: self.now(),
                delete_on_termination: true,
            };
            let interface = self.interface(tx, &subnet, &groups, private_ip, role)?;
            let instance = Instance {
                id,
                reservation: ReservationId::random(),
                owner: subnet.owner.clone(),
                region: subnet.region.clone(),
                vpc: subnet.vpc.clone(),
                subnet: subnet.id.clone(),
                zone: subnet.zone.clone(),
                interface: interface.id,
                command,
                launch: None,
                process: None,
                state: InstanceState::Pending,
                cause: None,
                reason: String::new(),
                launched: self.now(),
                ended: None,
                tags: name.map(|name| ("Name".to_owned(), name)).into_iter().collect(),
            };
            tx.put(instance.clone());
            Ok(instance)
        })
    }

    /// Make an interface in `subnet`, in the name of the subnet's owner.
    pub(super) fn interface(
        &self,
        tx: &mut Transaction,
        subnet: &Subnet,
        groups: &[SecurityGroupId],
        address: Option<Ipv4Addr>,
        role: InterfaceRole,
    ) -> Result<NetworkInterface, Error> {
        let owner = Caller::root(subnet.owner.clone(), subnet.region.clone());
        let vpc = tx.get::<Vpc>(&subnet.vpc).ok_or_else(|| not_found::<Vpc>(subnet.vpc.as_str()))?;
        let groups: Vec<String> = groups.iter().map(ToString::to_string).collect();
        let groups = groups_of_vpc(tx, &owner, &groups, vpc, &format!("subnet {}", subnet.id))?;
        let description = String::new();
        let (ipv6, now) = (Ipv6::by_subnet(tx, subnet)?, self.now());
        allocate(tx, Allocation { subnet, address, ipv6, groups, description, role, now, tags: Tags::new() })
    }

    /// An instance's command runs. Returns whether it shall: not if the instance was terminated before.
    pub fn started(&self, id: &InstanceId, process: Process) -> Result<bool, Error> {
        self.write(None, |tx| {
            let mut wanted = true;
            let known = tx.update::<Instance>(id, |instance| {
                match instance.state {
                    InstanceState::Pending => instance.state = InstanceState::Running,
                    // To be terminated: the process is known, so that it can be ended.
                    InstanceState::Running | InstanceState::ShuttingDown => {}
                    InstanceState::Stopping | InstanceState::Stopped | InstanceState::Terminated => {
                        wanted = false;
                        return;
                    }
                }
                instance.process = Some(process);
            });
            if known { Ok(wanted) } else { Err(not_found::<Instance>(id.as_str())) }
        })
    }

    /// An instance's command has ended, or never ran. Its interfaces go, or become free.
    pub fn ended(&self, id: &InstanceId, reason: &str) -> Result<(), Error> {
        self.write(None, |tx| {
            let known = tx.update::<Instance>(id, |instance| {
                // Who terminated it has said why.
                if instance.cause.is_none() {
                    instance.cause = Some(StateCause::Instance);
                    instance.reason = reason.to_owned();
                }
                instance.process = None;
                instance.state = InstanceState::Terminated;
                instance.ended = instance.ended.or(Some(self.now()));
            });
            release_interfaces(tx, id);
            if known { Ok(()) } else { Err(not_found::<Instance>(id.as_str())) }
        })
    }
}

/// A subnet of whoever.
pub(super) fn subnet_of(state: &Snapshot, id: &SubnetId) -> Result<Arc<Subnet>, Error> {
    state.get::<Subnet>(id).cloned().ok_or_else(|| not_found::<Subnet>(id.as_str()))
}

pub(super) fn release_interfaces(tx: &mut Transaction, ended: &InstanceId) {
    let attached = |interface: &NetworkInterface| match &interface.role {
        InterfaceRole::Instance { instance, delete_on_termination, .. } if instance == ended => {
            Some((interface.id.clone(), *delete_on_termination))
        }
        _ => None,
    };
    let interfaces: Vec<_> = tx.all::<NetworkInterface>().filter_map(|found| attached(found)).collect();
    for (id, delete) in interfaces {
        if delete {
            tx.delete::<NetworkInterface>(&id);
        } else {
            tx.update::<NetworkInterface>(&id, |interface| interface.role = InterfaceRole::Available);
        }
    }
}
