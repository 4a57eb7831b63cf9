//! The whole state at one revision.

use std::sync::Arc;

use imbl::ordmap::DiffItem;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::account::{AccessKey, Account};
use crate::account_region::AccountRegion;
use crate::certificate::Certificate;
use crate::connection_notification::ConnectionNotification;
use crate::database::{DbInstance, DbParameterGroup, DbSubnetGroup};
use crate::dhcp_options::DhcpOptions;
use crate::elastic_address::ElasticAddress;
use crate::endpoint_service::EndpointService;
use crate::flow_log::FlowLog;
use crate::iam::{AccountAlias, Group, InstanceProfile, ManagedPolicy, Role, User};
use crate::idempotency::ClientToken;
use crate::image::Image;
use crate::index::{self, Index, Term};
use crate::instance::Instance;
use crate::interface_permission::NetworkInterfacePermission;
use crate::internet_gateway::{EgressOnlyInternetGateway, InternetGateway};
use crate::key_pair::KeyPair;
use crate::load_balancer::{Listener, LoadBalancer, TargetGroup};
use crate::nat_gateway::NatGateway;
use crate::network_acl::NetworkAcl;
use crate::network_interface::NetworkInterface;
use crate::notice::{Notice, Webhook};
use crate::own_region::OwnRegion;
use crate::prefix_list::PrefixList;
use crate::route_table::RouteTable;
use crate::security_group::{SecurityGroup, SecurityGroupRule};
use crate::service_backend::ServiceBackend;
use crate::session::Session;
use crate::subnet::Subnet;
use crate::vpc::Vpc;
use crate::vpc_endpoint::VpcEndpoint;

/// All resources of one kind, by id, in the order of ids. Cloning it is cheap: clones share what is equal.
pub type Table<T> = imbl::OrdMap<String, Arc<T>>;

/// A kind of document that the state holds.
pub trait Resource: Serialize + DeserializeOwned + Clone + PartialEq + Send + Sync + 'static {
    /// The kind's name in the store.
    const KIND: &'static str;

    /// The document's id, unique in its kind.
    fn id(&self) -> &str;

    /// What the document is found by besides its id.
    fn terms(&self, add: &mut dyn FnMut(Term, &str));

    /// The kind's table.
    fn table(snapshot: &Snapshot) -> &Table<Self>;

    /// The kind's table, to change. It is for [`Snapshot::put`] and [`Snapshot::remove`], which keep the index.
    #[doc(hidden)]
    fn table_mut(snapshot: &mut Snapshot) -> &mut Table<Self>;
}

macro_rules! resources {
    ($($(#[$doc:meta])* $field:ident: $type:ty = $kind:literal, $id:expr $(, $terms:expr)?;)*) => {
        /// The whole state at one revision. Cloning it is cheap.
        #[derive(Debug, Clone, Default, PartialEq)]
        pub struct Snapshot {
            /// Rises by one with every transaction.
            pub revision: u64,
            $($(#[$doc])* pub $field: Table<$type>,)*
            /// What documents are found by besides their ids. It follows them: see [`Snapshot::put`].
            pub index: Index,
        }

        impl Snapshot {
            /// Put a document, of the kind named, from its JSON text. `Ok(false)`: no such kind.
            pub fn load(&mut self, kind: &str, json: &str) -> Result<bool, serde_json::Error> {
                match kind {
                    $($kind => {
                        let document: $type = serde_json::from_str(json)?;
                        self.put(Arc::new(document));
                        Ok(true)
                    })*
                    _ => Ok(false),
                }
            }

            /// Kind and id of every document.
            pub fn keys(&self) -> Vec<(&'static str, String)> {
                let mut keys = Vec::new();
                $(keys.extend(self.$field.keys().map(|id| ($kind, id.clone())));)*
                keys
            }

            /// Kind and id of something that is in this region: the first that is found.
            pub fn find_in_region(&self, region: &str) -> Option<(&'static str, String)> {
                $(if let Some(found) = self.$field.values().find(|document| is_in_region(&***document, region)) {
                    return Some(($kind, found.id().to_owned()));
                })*
                None
            }

            /// Take a document out, of the kind named.
            pub fn unload(&mut self, kind: &str, id: &str) {
                match kind {
                    $($kind => drop(self.remove::<$type>(id)),)*
                    _ => {}
                }
            }
        }

        $(impl Resource for $type {
            const KIND: &'static str = $kind;

            fn id(&self) -> &str {
                let id: fn(&Self) -> &str = $id;
                id(self)
            }

            fn terms(&self, _add: &mut dyn FnMut(Term, &str)) {
                $(
                    let terms: fn(&Self, &mut dyn FnMut(Term, &str)) = $terms;
                    terms(self, _add);
                )?
            }

            fn table(snapshot: &Snapshot) -> &Table<Self> {
                &snapshot.$field
            }

            fn table_mut(snapshot: &mut Snapshot) -> &mut Table<Self> {
                &mut snapshot.$field
            }
        })*
    };
}

resources! {
    /// Accounts.
    accounts: Account = "account", |d| d.id.as_str();
    /// Access keys, by access key id.
    access_keys: AccessKey = "access-key", |d| &d.id;
    /// Temporary credentials, by access key id.
    sessions: Session = "session", |d| &d.id;
    /// IAM users, by account and name.
    users: User = "iam-user", |d| &d.named.key;
    /// IAM groups, by account and name.
    groups: Group = "iam-group", |d| &d.named.key;
    /// IAM roles, by account and name.
    roles: Role = "iam-role", |d| &d.named.key;
    /// Instance profiles, by account and name.
    instance_profiles: InstanceProfile = "iam-instance-profile", |d| &d.named.key;
    /// Customers' managed policies, by ARN.
    managed_policies: ManagedPolicy = "iam-policy", |d| &d.arn;
    /// Aliases of accounts.
    account_aliases: AccountAlias = "iam-account-alias", |d| &d.alias;
    /// VPCs.
    vpcs: Vpc = "vpc", |d| d.id.as_str();
    /// Subnets.
    subnets: Subnet = "subnet", |d| d.id.as_str(), index::of_subnet;
    /// Security groups.
    security_groups: SecurityGroup = "security-group", |d| d.id.as_str();
    /// Rules of security groups.
    security_group_rules: SecurityGroupRule = "security-group-rule", |d| d.id.as_str(), index::of_rule;
    /// Network interfaces.
    network_interfaces: NetworkInterface = "network-interface", |d| d.id.as_str(), index::of_interface;
    /// Route tables.
    route_tables: RouteTable = "route-table", |d| d.id.as_str(), index::of_route_table;
    /// Network ACLs.
    network_acls: NetworkAcl = "network-acl", |d| d.id.as_str();
    /// Internet gateways.
    internet_gateways: InternetGateway = "internet-gateway", |d| d.id.as_str();
    /// Egress-only internet gateways.
    egress_only_gateways: EgressOnlyInternetGateway = "egress-only-internet-gateway", |d| d.id.as_str();
    /// Elastic addresses, by allocation.
    elastic_addresses: ElasticAddress = "elastic-ip", |d| d.id.as_str(), index::of_elastic_address;
    /// NAT gateways.
    nat_gateways: NatGateway = "natgateway", |d| d.id.as_str();
    /// Sets of DHCP options.
    dhcp_options: DhcpOptions = "dhcp-options", |d| d.id.as_str();
    /// Accounts in regions, by `ACCOUNT/REGION`.
    account_regions: AccountRegion = "account-region", |d| &d.key;
    /// The installation's own regions, by name.
    own_regions: OwnRegion = "region", |d| &d.name;
    /// Managed prefix lists.
    prefix_lists: PrefixList = "prefix-list", |d| d.id.as_str();
    /// Flow logs.
    flow_logs: FlowLog = "flow-log", |d| d.id.as_str();
    /// Permissions to network interfaces.
    interface_permissions: NetworkInterfacePermission = "network-interface-permission", |d| d.id.as_str();
    /// Instances.
    instances: Instance = "instance", |d| d.id.as_str();
    /// Images, but for those of the host itself, which [`Image::host`] makes.
    images: Image = "image", |d| d.id.as_str();
    /// Key pairs.
    key_pairs: KeyPair = "key-pair", |d| d.id.as_str();
    /// Load balancers, by ARN.
    load_balancers: LoadBalancer = "load-balancer", |d| &d.arn;
    /// Listeners, by ARN.
    listeners: Listener = "listener", |d| &d.arn, index::of_listener;
    /// Target groups, by ARN.
    target_groups: TargetGroup = "target-group", |d| &d.arn, index::of_target_group;
    /// Certificates, by ARN.
    certificates: Certificate = "certificate", |d| &d.arn;
    /// Endpoint services.
    endpoint_services: EndpointService = "vpc-endpoint-service", |d| d.id.as_str();
    /// VPC endpoints.
    vpc_endpoints: VpcEndpoint = "vpc-endpoint", |d| d.id.as_str(), index::of_endpoint;
    /// Connection notifications.
    connection_notifications: ConnectionNotification = "vpc-endpoint-connection-notification", |d| d.id.as_str();
    /// Notifications on their way, in the order of what happened.
    notices: Notice = "notice", |d| &d.id;
    /// Webhooks, by topic.
    webhooks: Webhook = "webhook", |d| &d.topic;
    /// Backends of AWS services, by the services' full names.
    service_backends: ServiceBackend = "service-backend", |d| &d.service;
    /// DB instances, by ARN.
    db_instances: DbInstance = "db-instance", |d| &d.arn;
    /// DB subnet groups, by ARN.
    db_subnet_groups: DbSubnetGroup = "db-subnet-group", |d| &d.arn;
    /// DB parameter groups, by ARN.
    db_parameter_groups: DbParameterGroup = "db-parameter-group", |d| &d.arn;
    /// Client tokens that were used.
    client_tokens: ClientToken = "client-token", |d| &d.key, index::of_token;
    /// Next numbers for the packet path's tables.
    counters: Counter = "counter", |d| &d.name;
}

/// A document as it was and as it is; `None`: it was not there, or is not.
pub type Change<'a, T> = (Option<&'a Arc<T>>, Option<&'a Arc<T>>);

/// What is in a region says so in a field of this name, whatever its kind.
fn is_in_region(document: &impl Serialize, region: &str) -> bool {
    serde_json::to_value(document)
        .is_ok_and(|document| document.get("region").is_some_and(|found| found == region))
}

/// The last number given out of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct Counter {
    /// Such as `vpc`.
    pub name: String,
    /// The last number given out.
    pub last: u32,
}

impl Snapshot {
    /// The document of this id.
    pub fn get<T: Resource>(&self, id: impl AsRef<str>) -> Option<&Arc<T>> {
        T::table(self).get(id.as_ref())
    }

    /// Put a document, new or in place of the one with its id.
    pub fn put<T: Resource>(&mut self, document: Arc<T>) {
        let before = T::table_mut(self).insert(document.id().to_owned(), Arc::clone(&document));
        self.index.change(before.as_deref(), Some(&*document));
    }

    /// Take a document out, if it is there.
    pub fn remove<T: Resource>(&mut self, id: impl AsRef<str>) -> Option<Arc<T>> {
        let document = T::table_mut(self).remove(id.as_ref())?;
        self.index.change(Some(&*document), None);
        Some(document)
    }

    /// What is different from `before` in the documents of a kind: as it was, and as it is. Costs what is different,
    /// where one snapshot came from the other.
    pub fn changes<'a, T: Resource>(&'a self, before: &'a Snapshot) -> Vec<Change<'a, T>> {
        let change = |item| match item {
            DiffItem::Add(_, new) => (None, Some(new)),
            DiffItem::Update { old: (_, old), new: (_, new) } => (Some(old), Some(new)),
            DiffItem::Remove(_, old) => (Some(old), None),
        };
        T::table(before).diff(T::table(self)).map(change).collect()
    }

    /// Whether the documents of a kind are those of `other`, never touched since.
    pub fn same<T: Resource>(&self, other: &Snapshot) -> bool {
        T::table(self).ptr_eq(T::table(other))
    }

    /// All documents of a kind, in the order of ids.
    pub fn all<T: Resource>(&self) -> impl Iterator<Item = &Arc<T>> {
        T::table(self).values()
    }
}
