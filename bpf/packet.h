/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known of the packet under way. It lies in a table of one entry a CPU, as the stack of a program
 * has 512 bytes; nothing else runs a packet program on the CPU meanwhile.
 *
 * Functions that decide return an enum drop_reason, DROP_NONE to go on.
 */
#ifndef LINKWAY_PACKET_H
#define LINKWAY_PACKET_H

#include <linux/in.h>
#include <linux/in6.h>
#include <bpf/bpf_endian.h>

#include "maps.h"

#define SECOND 1000000000ULL
#define MAX_TRANSPORT 256 /* so that an offset can be masked */

/* From linux/icmp.h and linux/icmpv6.h, which drag in the C library. */
#define ICMP_ECHO 8
#define ICMP_ECHO_REPLY 0
#define ICMPV6_ECHO 128
#define ICMPV6_ECHO_REPLY 129

/* A search through the rules of a set of groups, or the entries of a network ACL: see rules.h. */
struct rule_search {
	struct address peer;
	__u64 peer_groups;
	__u64 rules;    /* the list */
	__u32 count;    /* its length */
	__u32 port;     /* of the destination, host order; ICMP: the type, as the code is 0 */
	__u32 protocol;
	__u32 found;    /* 1: a rule matches */
	__u32 id;       /* which */
	__u32 denies;   /* 1: it refuses what it matches */
};

/* A packet's step from one interface of a VPC to another: see subnet.h. */
struct hop {
	__u64 from;                 /* subnet */
	__u64 to;                   /* subnet; 0: of nothing that stands there; or SUBNET_OUTSIDE */
	struct address source;
	struct address destination;
	__u32 sender;               /* number of the interface that it comes from */
	__u32 receiver;             /* number of the interface that it goes to; 0: nothing stands there */
	__u32 redirects;            /* 1: a route may lead to what sends on, or out, which is then the receiver */
	__u32 pad;
};

/*
 * Where a flow leads, worked out from its first packet: what the receiver will see, who that is, and the
 * rules that allow it.
 */
struct course {
	struct flow_key key;        /* given: the direction that opens the flow */
	__u32 sender;               /* given: number of its interface; 0: the service namespace */
	__u32 client;               /* who the service namespace is told sends: the sender, or a NAT gateway */
	__u64 sender_groups;        /* given */
	__u64 sender_subnet;        /* given */
	struct address source;      /* of the packet as the receiver sees it */
	struct address destination;
	__u16 destination_port;
	__u8 shared_source;         /* others use this source too: its port may have to be another */
	__u8 opened;                /* given: the flow exists, so `destination` is given as well */
	__u32 vpc;                  /* the receiver's */
	__u32 receiver;
	__u32 via;
	__u32 counter;
	__u32 device;
	__u32 idle_seconds;
	__u32 egress_rule;
	__u32 ingress_rule;
	__u8 mac[6];
	__u8 refused;               /* enum drop_reason: of a flow that exists, why packets this way are dropped now */
	__u8 redirected;            /* a route leads to the receiver, which sends on what is not for itself */
	struct hop first;           /* from the sender to what stands at the destination */
	struct hop second;          /* from a balancer's node to its target, or from a NAT gateway out, if there is one */
	struct hop back;            /* one of them, turned round */
	struct rule_search search;
	struct address service;     /* an address of the service namespace that the destination is held against */
};

/* Is the refusal of a TCP packet answered with RST? */
enum reset_answer {
	RESET_NEVER = 0,
	RESET_TOWARDS_ENDPOINT = 1, /* where the destination is an endpoint, or the sender the service namespace */
	RESET_ALWAYS = 2
};

enum fragment_place {
	FRAGMENT_NONE = 0, /* a whole packet */
	FRAGMENT_FIRST = 1,
	FRAGMENT_LATER = 2
};

/* Of an ICMP error: see error.h. */
struct inside {
	struct flow_key key;   /* of the packet that would answer the one inside */
	struct address teller; /* whose error it is */
	__u32 header;          /* offset of the IP header inside */
	__u32 transport;       /* offset of the transport header inside */
};

struct packet {
	struct flow_key key;
	__u64 now;                  /* nanoseconds by CLOCK_MONOTONIC, to a tick of the kernel */
	struct settings settings;   /* one reading of them for the whole way */
	__u32 interface;            /* number of the sender's; 0: unknown, or the service namespace */
	__u64 groups;
	__u64 subnet;
	__u8 mac[6];                /* that the sender must have */
	__u8 flags;                 /* enum interface_flag */
	__u8 tcp_flags;
	__u8 icmp_type;
	__u8 ipv6;                  /* 1: it is IPv6, 0: IPv4 */
	__u8 reset;                 /* enum reset_answer */
	__u8 is_error;              /* 1: an ICMP error, so about a flow and no packet of one */
	__u8 fragment;              /* enum fragment_place: see fragment.h */
	__u16 fragment_offset;      /* in units of 8 bytes */
	__be32 fragment_id;         /* IPv4: the last two bytes */
	__be32 fragment_new_id;     /* as its receiver is to see it */
	__u32 fragment_at;          /* IPv6: offset of the identification */
	__u32 transport;            /* offset of the transport header; below MAX_TRANSPORT */
	__u32 left;                 /* bytes from there on, by the length in the IP header */
	__u32 segments;             /* packets on a wire that this frame stands for */
	__u32 other;                /* for events: interface on the other side */
	__u32 rule;                 /* for events: the rule that had let it in so far */
	__u32 prefix;               /* of the sender's subnet: bits of a 16-byte address */
	__u32 device;               /* where it goes: interface index of the receiver's host end */

	struct inside inside;

	/* Room to open a flow in. */
	struct course course;
	struct flow_key reverse_key;
	struct flow forward;
	struct flow reverse;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct packet);
} packets SEC(".maps");

static __always_inline void mapped(struct address *address, __be32 ipv4)
{
	address->word[0] = 0;
	address->word[1] = 0;
	address->word[2] = bpf_htonl(0xffff);
	address->word[3] = ipv4;
}

static __always_inline int same_address(const struct address *a, const struct address *b)
{
	return a->word[3] == b->word[3] && a->word[2] == b->word[2] && a->word[1] == b->word[1] &&
	       a->word[0] == b->word[0];
}

/* IPv4, as all tables have it? */
static __always_inline int is_ipv4(const struct address *address)
{
	return address->word[2] == bpf_htonl(0xffff) && !address->word[1] && !address->word[0];
}

#define LINK_LOCAL6 0xfe800000 /* fe80::/10 */

static __always_inline int is_link_local6(const struct address *address)
{
	return (address->word[0] & bpf_htonl(0xffc00000)) == bpf_htonl(LINK_LOCAL6);
}

static __always_inline int is_icmp(__u8 protocol)
{
	return protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6;
}

/* The type of an echo request, in rules. */
static __always_inline __u32 echo_request(__u8 protocol)
{
	return protocol == IPPROTO_ICMPV6 ? ICMPV6_ECHO : ICMP_ECHO;
}

static __always_inline __u32 echo_reply(__u8 protocol)
{
	return protocol == IPPROTO_ICMPV6 ? ICMPV6_ECHO_REPLY : ICMP_ECHO_REPLY;
}

/* What in the service namespace has this IPv4 address, for a flow of IPv4 or IPv6 as `like` is. */
static __always_inline void in_service(struct address *address, const struct settings *settings,
				       const struct address *like, __be32 ipv4)
{
	if (is_ipv4(like)) {
		mapped(address, ipv4);
		return;
	}
	address->word[0] = settings->service_prefix[0];
	address->word[1] = settings->service_prefix[1];
	address->word[2] = settings->service_prefix[2];
	address->word[3] = ipv4;
}

static __always_inline int same_key(const struct flow_key *a, const struct flow_key *b)
{
	return a->vpc == b->vpc && a->protocol == b->protocol && a->forwarded == b->forwarded &&
	       a->source_port == b->source_port &&
	       a->destination_port == b->destination_port && same_address(&a->source, &b->source) &&
	       same_address(&a->destination, &b->destination);
}

/* Do the first `prefix` bits agree? */
static __always_inline int in_prefix(const struct address *address, const struct address *network, __u32 prefix)
{
	__u32 word;

#pragma unroll
	for (word = 0; word < 4; word++) {
		__u32 start = word * 32;
		__u32 mask;

		if (prefix <= start)
			break;
		mask = prefix >= start + 32 ? ~0U : ~0U << (32 - (prefix - start));
		if ((address->word[word] ^ network->word[word]) & bpf_htonl(mask))
			return 0;
	}
	return 1;
}

static __always_inline int same_mac(const __u8 *a, const __u8 *b)
{
	return a[0] == b[0] && a[1] == b[1] && a[2] == b[2] && a[3] == b[3] && a[4] == b[4] && a[5] == b[5];
}

/*
 * By value, here and in subnet_of: Linux 6.1 takes no key from where a function that it checks by itself, one that is
 * not static, was pointed to.
 */
static __always_inline struct interface *interface_of(__u32 number)
{
	return bpf_map_lookup_elem(&interfaces, &number);
}

static __always_inline struct place *place_of(__u32 vpc, const struct address *address)
{
	struct place_key key = { .vpc = vpc, .address = *address };

	return bpf_map_lookup_elem(&places, &key);
}

static __always_inline int is_place_of(__u32 vpc, const struct address *address, __u32 interface)
{
	struct place *place = place_of(vpc, address);

	return place && place->kind == PLACE_INTERFACE && place->interface == interface;
}

#endif
