//! What commands ask of the daemon, and its answers: one type each, used by both sides.
//!
//! A request is a POST of its JSON to its path. The answer is JSON with status 200, or [`Refusal`] with another.
//! [`FollowDrops`] alone answers with a stream: one JSON object a line.

mod status;

use std::net::Ipv4Addr;
use std::path::PathBuf;

use linkway_model::account::{AccessKey, Account};
use linkway_model::image::Image;
use linkway_model::instance::Process;
use linkway_model::network_interface::{ContainerDevice, NetworkInterface};
use linkway_model::service_backend::{ServiceBackend, Tls, UnknownKeys};
use linkway_model::vpc_endpoint::VpcEndpoint;
use linkway_model::{
    AccountId, ImageId, InstanceId, NetworkInterfaceId, SecurityGroupId, SubnetId, Tags, VpcEndpointId,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::advise::Finding;

pub(crate) use status::{Decider, DropCount, DropEvent, FlowShare, Status, Traffic, Ways};

/// A topic's webhook as it is listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ListedWebhook {
    /// The topic's ARN.
    pub(crate) topic: String,
    /// Where messages are posted.
    pub(crate) url: String,
    /// Messages that are not delivered yet.
    pub(crate) waiting: usize,
}

/// Something that the daemon can be asked.
pub(crate) trait Request: Serialize + DeserializeOwned {
    /// Where it is posted.
    const PATH: &'static str;
    /// What comes back.
    type Answer: Serialize + DeserializeOwned;
}

macro_rules! requests {
    ($($(#[$doc:meta])* $path:literal $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* } -> $answer:ty;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        pub(crate) struct $name {
            $($(#[$field_doc])* pub(crate) $field: $type,)*
        }

        impl Request for $name {
            const PATH: &'static str = $path;
            type Answer = $answer;
        }
    )*};
}

requests! {
    /// Make an account.
    "/accounts/create" CreateAccount {
        /// Its number; the next free one if none is given.
        id: Option<AccountId>,
        /// A name for people.
        name: String,
        /// Its organization.
        organization: Option<String>,
    } -> Account;

    /// Change what is given of an account's quotas.
    "/accounts/quotas" SetQuotas {
        /// Its number.
        account: AccountId,
        /// Interface endpoints of a VPC.
        endpoints_per_vpc: Option<usize>,
        /// Network interfaces in a region.
        interfaces_per_region: Option<usize>,
    } -> Account;

    /// All accounts.
    "/accounts/list" ListAccounts {} -> Vec<Account>;

    /// Make an access key for an account's root, or for a user of its.
    "/keys/create" CreateKey {
        /// Whose.
        account: AccountId,
        /// Its id; one at random if none is given.
        access_key_id: Option<String>,
        /// Its secret; one at random if none is given.
        secret_access_key: Option<String>,
        /// Name of the user.
        user: Option<String>,
        /// The user's tags.
        tags: Tags,
    } -> AccessKey;

    /// All access keys, or an account's, with their secrets: whoever may use this socket may read them anyway.
    "/keys/list" ListKeys {
        /// Whose.
        account: Option<AccountId>,
    } -> Vec<AccessKey>;

    /// Delete an access key.
    "/keys/delete" DeleteKey {
        /// Which.
        access_key_id: String,
    } -> ();

    /// Make an image, whose files are to be in a directory of its id.
    "/images/add" AddImage {
        /// Whose; for all accounts to use if none is given.
        account: Option<AccountId>,
        /// Where it is.
        region: String,
        /// Its name.
        name: String,
        /// What it is, for people.
        description: String,
    } -> Image;

    /// An image's files are there.
    "/images/available" ImageAvailable {
        /// Which.
        image: ImageId,
    } -> Image;

    /// Forget an image. Its files go when no instance is made of it any more.
    "/images/remove" RemoveImage {
        /// Which.
        image: ImageId,
    } -> ();

    /// All images that were imported, and the host's own in a region.
    "/images/list" ListImages {
        /// The region.
        region: String,
    } -> ImageList;

    /// Make an instance without a process. Answered when its namespace and its interface are there.
    "/instances/launch" Launch {
        /// Where.
        subnet: SubnetId,
        /// Its security groups; the VPC's default one if none is given.
        groups: Vec<SecurityGroupId>,
        /// Its address; a free one if none is given.
        private_ip: Option<Ipv4Addr>,
        /// Its tag `Name`.
        name: Option<String>,
        /// What it will run.
        command: Vec<String>,
        /// Who launches it: the instance ends if this process does before it has reported [`Started`].
        launcher: Process,
    } -> Launched;

    /// The instance's first process runs.
    "/instances/started" Started {
        /// The instance.
        instance: InstanceId,
        /// Its first process.
        process: Process,
    } -> ();

    /// The instance's first process has ended, or never ran.
    "/instances/ended" Ended {
        /// The instance.
        instance: InstanceId,
        /// Why, for people.
        reason: String,
    } -> ();

    /// An instance's first process.
    "/instances/find" FindInstance {
        /// The instance.
        instance: InstanceId,
    } -> Process;

    /// End an instance. Answered when it has ended.
    "/instances/terminate" Terminate {
        /// The instance.
        instance: InstanceId,
    } -> ();

    /// Give an interface to a network namespace. Answered when it is in there.
    "/interfaces/attach" Attach {
        /// Where.
        subnet: SubnetId,
        /// Its security groups; the VPC's default one if none is given.
        groups: Vec<SecurityGroupId>,
        /// Its address; a free one if none is given.
        private_ip: Option<Ipv4Addr>,
        /// The namespace.
        path: PathBuf,
        /// The device's name inside.
        device: String,
    } -> NetworkInterface;

    /// Take an interface out of its namespace, and delete it. Answered when it is gone.
    "/interfaces/detach" Detach {
        /// Which.
        interface: NetworkInterfaceId,
    } -> ();

    /// Give a container an interface. Answered when it is in there.
    "/containers/attach" AttachContainer {
        /// The container, and the device's name inside.
        device: ContainerDevice,
        /// Its namespace.
        path: PathBuf,
        /// A name: the interface's tag `Name`.
        name: Option<String>,
        /// Whose the subnet has to be; anybody's if none is given.
        account: Option<AccountId>,
        /// Where.
        subnet: SubnetId,
        /// Its security groups; the VPC's default one if none is given.
        groups: Vec<SecurityGroupId>,
        /// Its address; a free one if none is given.
        private_ip: Option<Ipv4Addr>,
    } -> ContainerNetwork;

    /// A container's interface. Refused if packets do not get there.
    "/containers/find" FindContainer {
        /// The container, and the device's name inside.
        device: ContainerDevice,
    } -> ContainerNetwork;

    /// Take a container's interface away, if it is there. Answered when it is gone.
    "/containers/detach" DetachContainer {
        /// The container, and the device's name inside.
        device: ContainerDevice,
    } -> ();

    /// Take away all interfaces of a network's containers but some. Answered when they are gone.
    "/containers/collect" CollectContainers {
        /// The network's name.
        network: String,
        /// Which stay.
        kept: Vec<ContainerDevice>,
    } -> Vec<NetworkInterfaceId>;

    /// Whether containers can be given interfaces. Refused if a subnet is not there or full.
    "/containers/readiness" GetReadiness {
        /// Whose the subnet has to be; anybody's if none is given.
        account: Option<AccountId>,
        /// A subnet that they would be in.
        subnet: Option<SubnetId>,
    } -> Readiness;

    /// Say where an AWS service is served, instead of what was said before.
    "/services/set" SetService {
        /// The service's full name.
        service: String,
        /// A URL, or `aws`.
        backend: String,
        /// Certificates that an HTTPS backend's own must lead to, in PEM.
        ca: Option<String>,
        /// What becomes of requests that are signed with a key that is not known.
        unknown_keys: UnknownKeys,
        /// Who ends TLS.
        tls: Tls,
    } -> ();

    /// Forget where an AWS service is served.
    "/services/unset" UnsetService {
        /// The service's full name.
        service: String,
    } -> ();

    /// Where AWS services are served, by their names.
    "/services/list" ListServices {} -> Vec<ServiceBackend>;

    /// Say where messages to a notification topic are sent, instead of what was said before. Answers the secret.
    "/webhooks/set" SetWebhook {
        /// The topic's ARN.
        topic: String,
        /// Where.
        url: String,
        /// Certificates that an HTTPS receiver's own must lead to, in PEM.
        ca: Option<String>,
        /// What messages are signed with; one at random if none is given.
        secret: Option<String>,
    } -> String;

    /// Forget where messages to a topic are sent.
    "/webhooks/unset" UnsetWebhook {
        /// The topic's ARN.
        topic: String,
    } -> ();

    /// Where messages to topics are sent, by topic.
    "/webhooks/list" ListWebhooks {} -> Vec<ListedWebhook>;

    /// An endpoint, with its policy.
    "/endpoints/find" FindEndpoint {
        /// Which.
        endpoint: VpcEndpointId,
    } -> VpcEndpoint;

    /// What is wrong or weak in endpoints.
    "/endpoints/advise" GetAdvice {
        /// Which; all of them if none is given.
        endpoint: Option<VpcEndpointId>,
    } -> Vec<Finding>;

    /// How the daemon and the packet path are.
    "/status" GetStatus {} -> Status;

    /// Counters of drops.
    "/drops" ListDrops {} -> Vec<DropCount>;

    /// A stream of [`DropEvent`].
    "/drops/follow" FollowDrops {} -> DropEvent;

    /// End the daemon. Answered at once; it has ended when its socket is gone.
    "/stop" Stop {} -> ();
}

/// Why the daemon does not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{error}")]
pub(crate) struct Refusal {
    /// For people.
    pub(crate) error: String,
}

/// Images, and where they are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ImageList {
    /// The images.
    pub(crate) images: Vec<Image>,
    /// Where each has a directory of its id.
    pub(crate) directory: PathBuf,
}

/// An instance whose namespace is there and empty.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Launched {
    /// The instance.
    pub(crate) instance: InstanceId,
    /// Its network namespace.
    pub(crate) network_namespace: PathBuf,
    /// A directory for its files that anyone may read.
    pub(crate) run_directory: PathBuf,
    /// What its own files say.
    pub(crate) identity: Identity,
}

/// A container's interface, and what its files say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ContainerNetwork {
    /// The interface.
    pub(crate) interface: NetworkInterface,
    /// What the container's files say.
    pub(crate) identity: Identity,
}

/// Whether containers can be given interfaces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Readiness {
    /// Why the packet path does not follow the state, if so: containers that are there may notice.
    pub(crate) fault: Option<String>,
}

/// What an instance's `/etc/hosts`, `/etc/resolv.conf` and host name are made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    /// Its address.
    pub(crate) address: Ipv4Addr,
    /// The VPC's resolver. It answers only if the VPC has DNS support.
    pub(crate) resolver: Ipv4Addr,
    /// Its region.
    pub(crate) region: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_read_back() {
        let launch = Launch {
            subnet: "subnet-1a2b3c4d".parse().unwrap(),
            groups: vec!["sg-1a2b3c4d".parse().unwrap()],
            private_ip: Some(Ipv4Addr::new(10, 0, 0, 4)),
            name: None,
            command: vec!["sleep".into(), "1".into()],
            launcher: Process { pid: 1, start_time: 2 },
        };
        let json = serde_json::to_string(&launch).unwrap();
        assert_eq!(serde_json::from_str::<Launch>(&json).unwrap(), launch);
    }

    #[test]
    fn requests_without_fields_are_empty_objects() {
        assert_eq!(serde_json::to_string(&GetStatus {}).unwrap(), "{}");
        assert_eq!(serde_json::to_string(&()).unwrap(), "null");
    }
}
