/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the packet programs and the daemon share: every table's key and value, and every enum.
 * Rust's side of it is generated from the compiled program's type information, so this is the one
 * definition. Bump LAYOUT_VERSION when anything here changes shape: pinned tables are kept under a
 * directory of that name, and tables of another version are never opened.
 *
 * Conventions: addresses are 16 bytes, IPv4 as ::ffff:a.b.c.d. Ports are in network byte order, as in
 * the packet. Everything else is in host order. All padding is explicit and zero, as keys are hashed
 * byte by byte.
 */
#ifndef LINKWAY_LAYOUT_H
#define LINKWAY_LAYOUT_H

#define LAYOUT_VERSION 9

/* The VPC number of the daemon's own namespace, where the resolver, the health checker and the gateway live. */
#define SERVICE_VPC 0

/* Of what is beyond the uplink: the number of its VPC, and of the interface that its packets come from. */
#define UPLINK_VPC (~0U)
#define UPLINK_INTERFACE (~0U)

struct address {
	__u32 word[4]; /* network byte order */
};

/* Why a packet was dropped. Kept in the order of the packet's way; 0 is not a reason. */
enum drop_reason {
	DROP_NONE = 0,
	DROP_UNKNOWN_PORT,          /* the device belongs to no network interface */
	DROP_MALFORMED,             /* headers cut short, or lengths that contradict each other */
	DROP_UNSUPPORTED_PROTOCOL,  /* neither ARP nor IP, or a transport that cannot be tracked */
	DROP_LINK_HOUSEKEEPING,     /* what a system says on its link by itself, and nobody answers: nothing that was denied */
	DROP_FRAGMENT,              /* a fragment whose first one is not known, or that overlaps it */
	DROP_SPOOFED_SOURCE,        /* source MAC or address is not the interface's */
	DROP_NO_FLOW,               /* TCP without SYN, an ICMP reply or error, that belongs to no flow */
	DROP_EGRESS_DENIED,         /* no rule of the sender's security groups allows it out */
	DROP_ACL_EGRESS_DENIED,     /* the network ACL of the subnet that it leaves does not allow it out */
	DROP_NO_ROUTE,              /* no route leads there, or the VPC has nothing at this address */
	DROP_BLACKHOLE_ROUTE,       /* the route's target is gone, or detached */
	DROP_PRIVATE_DESTINATION,   /* the route leads out of the VPC, to an address that is nobody's on the internet */
	DROP_NO_UPLINK,             /* the route leads out of the VPC by a gateway, and no packet goes that way */
	DROP_NO_PUBLIC_ADDRESS,     /* the route leads to an internet gateway, and the source has no elastic address */
	DROP_NOT_FORWARDED,         /* the route leads to an interface that cannot send this packet on */
	DROP_ACL_INGRESS_DENIED,    /* the network ACL of the subnet that it enters does not allow it in */
	DROP_INGRESS_DENIED,        /* no rule of the receiver's security groups allows it in */
	DROP_ENDPOINT_UNAVAILABLE,  /* the endpoint is not in state available */
	DROP_BALANCER_DENIED,       /* the balancer's security groups do not let the endpoint's client in */
	DROP_NO_LISTENER,           /* the balancer does not listen on this port */
	DROP_NO_HEALTHY_TARGET,     /* the listener's target group has nothing registered */
	DROP_TARGET_DENIED,         /* the target's security groups do not let the balancer in */
	DROP_FLOW_TABLE_SHARE,      /* the sender has as many flows open as an interface may have */
	DROP_HALF_OPEN_SHARE,       /* the sender has as many connections unanswered as an interface may have */
	DROP_SOURCE_PORTS_EXHAUSTED,/* no free port of the balancer's towards this target */
	DROP_FLOW_TABLE_FULL,       /* no room for another flow */
	DROP_FLOW_TABLE_BUSY,       /* the flow table would not take the entry just now */
	DROP_FLOW_EXPIRED,          /* idle for longer than its time-out; answered with RST */
	DROP_FLOW_REVOKED,          /* what had let the flow in does so no more */
	DROP_NOT_DELIVERED,         /* the destination's device is not there */
	DROP_REASONS                /* how many there are */
};

/* What kind of thing a network interface is to the packet path. */
enum interface_kind {
	INTERFACE_WORKLOAD = 1, /* a veth with something behind it */
	INTERFACE_ENDPOINT = 2, /* an interface endpoint's: an address and no device */
	INTERFACE_BALANCER = 3, /* a Network Load Balancer's node: an address and no device */
	INTERFACE_SERVICE = 4,  /* the daemon's namespace */
	INTERFACE_INTERNET = 5, /* an internet gateway: neither an address nor a device */
	INTERFACE_NAT = 6       /* a NAT gateway's: an address and no device */
};

enum interface_flag {
	INTERFACE_SOURCE_CHECK = 1, /* drop what does not come from its own addresses */
};

/* What stands at an address of a VPC. */
enum place_kind {
	PLACE_INTERFACE = 1, /* `interface` says which */
	PLACE_RESOLVER = 2,  /* the VPC's DNS resolver */
	PLACE_ROUTER = 3,    /* a subnet's router: answers only who asks for its MAC */
	PLACE_METADATA = 4   /* what tells instances about themselves */
};

enum place_flag {
	PLACE_PUBLIC = 1, /* an elastic address stands for it */
};

/* In place of a subnet's row: what is beyond a gateway endpoint, or an internet gateway, is in no subnet. */
#define SUBNET_OUTSIDE (~0ULL)

/* Where a route leads. */
enum route_kind {
	ROUTE_LOCAL = 1,     /* to addresses of the VPC */
	ROUTE_INTERFACE = 2, /* `interface` says which; what is behind it sends on */
	ROUTE_UPLINK = 3,    /* to an internet or NAT gateway: `interface` is its number; 0: one that none goes through */
	ROUTE_BLACKHOLE = 4, /* to what is not there any more */
	ROUTE_ENDPOINT = 5   /* to a service's public addresses: `interface` is the gateway endpoint's number */
};

enum rule_direction {
	RULE_INGRESS = 0,
	RULE_EGRESS = 1
};

enum peer_kind {
	PEER_CIDR = 1,
	PEER_GROUP = 2
};

enum endpoint_state {
	ENDPOINT_UNAVAILABLE = 0,
	ENDPOINT_AVAILABLE = 1
};

enum endpoint_flag {
	ENDPOINT_ASKS_BALANCER = 1, /* the node's security groups are asked about clients, too */
};

enum listener_flag {
	LISTENER_GATEWAY = 1, /* new flows go to the gateway in the service namespace; targets keep theirs */
};

/* One word for all tables: settings that every packet reads. Table `settings`, key 0. */
struct settings {
	__u64 epoch;               /* raised by every change of rules, endpoints, listeners or targets */
	__u32 service_device;      /* interface index of the service namespace's host end */
	__u32 resolver;            /* IPv4 of the resolver in the service range, network order */
	__u32 client_base;         /* first address of the client range (/8), host order: base + interface number */
	__u32 probe_base;          /* first address of the probe range (/10), host order */
	__u8 router_mac[6];        /* the one MAC of every subnet's router */
	__u8 service_mac[6];       /* the service namespace's end of its veth */
	__u32 endpoint_base;       /* first address of the endpoint range (/8), host order: base + interface number */
	__u32 metadata;            /* IPv4 of the metadata service in the service range, network order */
	__u32 flow_share;          /* flows that an interface may have open */
	__u32 half_open_share;     /* how many of them may be TCP without an answer yet */
	__u32 service_prefix[3];   /* network order: what goes by IPv6 has these, and then its IPv4 address, there */
	__u32 uplink_device;       /* interface index of the uplink pair's end in the fabric's namespace; 0: no uplink */
	__u32 uplink_source;       /* IPv4 that all that leaves comes from, network order: see uplink.h */
	__u32 uplink_address;      /* IPv4 that answers to it come to, network order */
	__u8 uplink_mac[6];        /* the uplink pair's end in the host's namespace */
	__u8 pad[6];
};

/* Table `ports`: interface index of a host end -> who is behind it. */
struct port {
	__u32 interface; /* number of the network interface; 0 for the service namespace */
	__u32 vpc;
	__u64 groups;    /* its set of security groups */
	__u64 subnet;    /* its row of table `subnets`; 0: none */
	__u8 mac[6];
	__u8 kind;       /* enum interface_kind */
	__u8 flags;      /* enum interface_flag */
	__u32 prefix;    /* its subnet's: bits of the 16-byte address that all addresses there share */
	__u32 pad;
};

/* Table `interfaces`: number -> the interface. */
struct interface {
	struct address address; /* primary private address */
	struct address address6;/* first IPv6 address; all zero: none */
	__u64 groups;           /* its set of security groups; 0: none, everything is allowed */
	__u64 subnet;           /* its row of table `subnets` */
	__u32 vpc;
	__u32 device;           /* interface index of its host end; 0: none */
	__u8 mac[6];
	__u8 kind;              /* enum interface_kind */
	__u8 flags;             /* enum interface_flag */
};

/* Table `places`: (VPC, address) -> what stands there. */
struct place_key {
	__u32 vpc;
	struct address address;
};
struct place {
	__u32 interface; /* number; 0 unless PLACE_INTERFACE */
	__u32 kind;      /* enum place_kind */
	__u32 flags;     /* enum place_flag */
};

/* Table `members`: is a group in a set? Present or not; the value is 1. */
struct member_key {
	__u64 groups; /* the set */
	__u32 group;  /* number of the security group */
	__u32 pad;
};

/* Table `rulesets`: (set of groups, direction) -> the rules, by the hash of their contents. */
struct ruleset_key {
	__u64 groups;
	__u32 direction; /* enum rule_direction */
	__u32 pad;
};
struct ruleset {
	__u64 rules; /* content hash: a changed list is a new list, switched to in one write */
	__u32 count;
	__u32 pad;
};

/* Table `rules`: (content hash, chunk) -> eight rules of security groups, or entries of a network ACL. */
#define RULES_PER_CHUNK 8
struct rule {
	struct address address; /* PEER_CIDR */
	__u32 prefix;           /* PEER_CIDR: bits of the 16-byte address, so 96 more than IPv4's */
	__u32 group;            /* PEER_GROUP */
	__u32 id;               /* number of the security-group rule, for counters, events and explain; of the ACL's entry */
	__u16 from;             /* first port, or ICMP type (0xffff: any); host order */
	__u16 to;               /* last port, or ICMP code (0xffff: any); host order */
	__u8 protocol;          /* 0: any */
	__u8 peer;              /* enum peer_kind */
	__u8 denies;            /* 1: what it matches is refused; entries of network ACLs only */
	__u8 pad;
};
struct rule_key {
	__u64 rules;
	__u32 chunk;
	__u32 pad;
};
struct rule_chunk {
	struct rule rule[RULES_PER_CHUNK];
};

/* Table `subnets`: what is asked where packets leave and enter a subnet. The key is a hash of the subnet's id. */
struct subnet {
	struct ruleset acl[2]; /* its network ACL, by enum rule_direction; `rules` 0: everything passes */
	struct address address;
	struct address address6;
	__u32 prefix;          /* bits of the 16-byte address that all addresses in it share */
	__u32 prefix6;         /* the same of its IPv6 range; 0: it has none */
	__u32 routes[2];       /* its route table */
};

/*
 * Table `routes`, a trie: (route table, destination) -> where to; the longest prefix that matches. A route table
 * is known by a hash of its id, in two halves, as nothing may be between `bits` and what they count; routes of IPv6
 * have the last bit of it the other way, so that ::/0 leads no IPv4 packet, whose addresses it would hold.
 */
struct route_key {
	__u32 bits; /* those of `table`, and those of the destination that count */
	__u32 table[2];
	struct address destination;
};
struct route {
	__u32 kind;      /* enum route_kind */
	__u32 interface; /* number; 0 unless ROUTE_INTERFACE, ROUTE_ENDPOINT or ROUTE_UPLINK */
};

/*
 * Table `endpoints`: number of an endpoint's interface, or of a gateway endpoint -> where it leads. Internet and NAT
 * gateways have rows, too, for their state and their counter.
 */
struct endpoint {
	__u32 node;    /* whose listeners it has: the balancer's interface in its zone; its own, of an AWS service; or 0 */
	__u32 state;   /* enum endpoint_state */
	__u32 counter; /* its row of table `traffic`; 0: none */
	__u32 flags;   /* enum endpoint_flag */
};

/* Table `listeners`: a balancer's node listens here, or an endpoint of an AWS service. */
struct listener_key {
	__u32 node;    /* number of the balancer's interface, or of the endpoint's */
	__u16 port;    /* network order */
	__u8 protocol;
	__u8 pad;
};
struct listener {
	__u64 targets;      /* content hash of the list of targets */
	__u32 count;        /* targets that new flows go to: 0 .. count */
	__u32 total;        /* count .. total: draining ones, which keep the flows that they have */
	__u32 idle_seconds; /* 0: the protocol's default */
	__u32 flags;        /* enum listener_flag */
};

/* Table `targets`: (content hash, index) -> a target. */
struct target_key {
	__u64 targets;
	__u32 index;
	__u32 pad;
};
struct target {
	struct address address;
	__u32 interface; /* number of the interface that holds the address */
	__u16 port;      /* network order */
	__u16 pad;
};

/* Table `probes`: offset in the probe range -> the target that a health check means, or the gateway. */
struct probe {
	struct address address; /* the target's */
	__u32 interface;        /* the target's interface */
	__u32 node;             /* the balancer's interface whose address the packets come from */
	__u32 idle_seconds;     /* 0: the protocol's default */
};

/* Table `flows`. A flow is a pair of entries, one a direction, each naming the other. */
struct flow_key {
	__u32 vpc;
	__u8 protocol;
	__u8 forwarded;         /* 1: on its way from an interface that it is not from, but that sends it on */
	__u8 pad[2];
	struct address source;
	struct address destination;
	__u16 source_port;      /* ICMP echo: the identifier */
	__u16 destination_port; /* ICMP echo: 0 */
};

enum flow_flag {
	FLOW_FORWARD = 1,    /* the direction that opened it; holds the pair's state */
	FLOW_ESTABLISHED = 2,/* an answer was seen */
	FLOW_FIN = 4,        /* this direction has sent FIN */
	FLOW_CLOSING = 8     /* FIN both ways, or RST */
};

/* Seconds without a packet either way, after which a flow is gone. AWS's for endpoints. */
enum idle_seconds {
	IDLE_FRAGMENT = 30, /* of what is known of a first fragment: Linux's net.ipv4.ipfrag_time */
	IDLE_SHORT = 30, /* ICMP; and TCP that was never answered, or is closing */
	IDLE_UDP = 120,
	IDLE_TCP = 350,
	IDLE_UPLINK = 350 /* what goes out of a VPC, by whatever protocol: as of AWS's NAT gateways */
};

struct flow {
	struct flow_key peer;   /* the other direction; its addresses reversed are this one's rewrite */
	__u32 device;           /* where to: interface index of the receiver's host end */
	__u64 epoch;            /* forward: the rules' epoch under which it was last judged */
	__u64 seen;             /* nanoseconds by CLOCK_MONOTONIC, of the last packet this way */
	__u64 packets;
	__u64 bytes;
	__u32 sender;           /* number of the interface that packets this way come from */
	__u32 receiver;         /* number of the interface that they go to */
	__u32 via;              /* number of the endpoint's interface between them, or of the gateway; 0: none */
	__u32 counter;          /* row of table `traffic`; 0: none */
	__u32 idle_seconds;
	__u32 egress_rule;      /* ids of the rules that let it in; 0: none was needed */
	__u32 ingress_rule;
	__u8 mac[6];            /* the receiver's MAC */
	__u8 refused;           /* enum drop_reason: packets this way are dropped, by an ACL or a route, and the flow stays */
	__u8 pad;
	__u32 flags;            /* enum flow_flag */
};

/* What is in use is `taken` less `given`, as a signed number. */
struct tally {
	__u64 taken;
	__u64 given;
};

/* Table `shares`: number of an interface (0: the service namespace) -> what it has of the flow table. */
struct share {
	struct tally flows;
	struct tally half_open; /* TCP flows that were never answered */
};

/* What program `collect` is given: an entry of table `flows` to delete, with its other half, if its time is up. */
struct collection {
	struct flow_key key;
	__u32 pad;
	__u64 now; /* nanoseconds by CLOCK_MONOTONIC */
};

/* What program `settle` is given: by how much an interface's share says more than there is; less, if negative. */
struct correction {
	__u32 interface;
	__u32 pad;
	__s64 flows;
	__s64 half_open;
};

/* Table `fragments`: (sender, slot) -> a first fragment, for those that follow it. */
struct fragment_key {
	__u32 interface; /* number; 0: the service namespace */
	__u32 slot;
};
struct fragment {
	struct flow_key key;
	__be32 id;      /* of the datagram; IPv4: the last two bytes */
	__u64 seen;     /* nanoseconds by CLOCK_MONOTONIC */
	__be32 new_id;  /* as the receiver sees it */
	__u16 end;      /* where the first fragment ends, in units of 8 bytes */
	__u8 icmp_type; /* of an echo */
	__u8 pad;
};

/* Table `drops`, one value a CPU: (interface, reason) -> how much. Exact. */
struct drop_key {
	__u32 interface;
	__u32 reason; /* enum drop_reason */
};
struct count {
	__u64 packets;
	__u64 bytes;
};

/* Table `traffic`, one value a CPU: what went through an endpoint, or a gateway, in the row that it has. Exact.
 * What consumers sent is what it received. */
struct traffic {
	struct count sent;
	struct count received;
	__u64 flows; /* opened through it */
};

/* Ring buffer `events`: a sample of the drops, bounded to EVENTS_PER_SECOND a CPU. */
#define EVENTS_PER_SECOND 256
struct drop_event {
	__u64 time; /* nanoseconds by CLOCK_MONOTONIC */
	struct flow_key key;
	__u32 interface;
	__u32 reason;    /* enum drop_reason */
	__u32 other;     /* interface on the other side, where known */
	__u32 rule;      /* id of the rule concerned; 0: none, so the default */
	__u32 length;
	__u32 suppressed;/* events on this CPU left out since the last one */
};

#endif
