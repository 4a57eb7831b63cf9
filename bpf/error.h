/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ICMP errors: what became of a packet, told to who sent it (RFC 792, RFC 4443).
 *
 * An error has the packet that it is about inside, as its teller got it. That one's reverse is a packet of the
 * teller's, so its key is looked up in the flow table: an error goes where packets of that flow go, to the flow's
 * other end, and nowhere else. One that is about no open flow of its sender's is dropped. It opens nothing, answers
 * nothing, and keeps no flow from its time-out; an ACL or a route that refuses the flow's packets this way refuses
 * it as well. How many there are the teller's kernel bounds.
 *
 * Who gets it must find the packet as it sent it (RFC 5508, section 4.2): the addresses, ports and checksums
 * inside are translated back, as are the addresses outside. Behind an endpoint all errors come from the endpoint.
 * Where no address is translated, a teller on the way, behind an interface that forwards, shows as itself.
 *
 * Of the packet inside as much may be missing as the standard lets (RFC 792: 8 bytes of its payload are there), so
 * a checksum that is not there is not changed. Checksums inside may be anything, as the hardware may have been to
 * fill them in; nobody looks at them.
 *
 * Not handled: errors about fragments but the first, and about packets with extension headers of IPv6.
 */
#ifndef LINKWAY_ERROR_H
#define LINKWAY_ERROR_H

#include "carry.h"

#define ERROR_HEADER 8
#define LEAST_INSIDE 8 /* bytes of the transport header */

/* The ports of the packet inside, or its echo's identifier, into the key of what would answer it. */
static __always_inline int key_of_inside(struct __sk_buff *skb, struct packet *p)
{
	struct flow_key *key = &p->inside.key;
	struct icmp_echo echo;
	__be16 ports[2];

	if (key->protocol == IPPROTO_TCP || key->protocol == IPPROTO_UDP) {
		if (bpf_skb_load_bytes(skb, p->inside.transport, ports, sizeof(ports)))
			return DROP_MALFORMED;
		key->source_port = ports[1];
		key->destination_port = ports[0];
		return DROP_NONE;
	}
	if (!is_icmp(key->protocol))
		return DROP_UNSUPPORTED_PROTOCOL;
	if (bpf_skb_load_bytes(skb, p->inside.transport, &echo, sizeof(echo)))
		return DROP_MALFORMED;
	if (echo.type == echo_request(key->protocol)) {
		key->destination_port = echo.id;
		p->icmp_type = echo_reply(key->protocol);
	} else if (echo.type == echo_reply(key->protocol)) {
		key->source_port = echo.id;
		p->icmp_type = echo_request(key->protocol);
	} else {
		return DROP_UNSUPPORTED_PROTOCOL;
	}
	return DROP_NONE;
}

/* Reads the packet inside. */
static __noinline int parse_inside(struct __sk_buff *skb, struct packet *p)
{
	__u32 at = p->transport + ERROR_HEADER, header;
	struct flow_key *key = &p->inside.key;
	struct ipv6hdr ipv6;
	struct iphdr ipv4;

	__builtin_memset(key, 0, sizeof(*key));
	key->vpc = p->key.vpc;
	if (p->ipv6) {
		if (bpf_skb_load_bytes(skb, at, &ipv6, sizeof(ipv6)) || ipv6.version != 6)
			return DROP_MALFORMED;
		__builtin_memcpy(&key->source, &ipv6.daddr, sizeof(key->source));
		__builtin_memcpy(&key->destination, &ipv6.saddr, sizeof(key->destination));
		key->protocol = ipv6.nexthdr;
		header = sizeof(ipv6);
	} else {
		if (bpf_skb_load_bytes(skb, at, &ipv4, sizeof(ipv4)) || ipv4.version != 4 || ipv4.ihl < 5)
			return DROP_MALFORMED;
		if (ipv4.frag_off & bpf_htons(IP_FRAGMENT_OFFSET))
			return DROP_UNSUPPORTED_PROTOCOL;
		mapped(&key->source, ipv4.daddr);
		mapped(&key->destination, ipv4.saddr);
		key->protocol = ipv4.protocol;
		header = ipv4.ihl * 4;
	}
	if (p->left < ERROR_HEADER + header + LEAST_INSIDE)
		return DROP_MALFORMED;
	p->inside.header = at;
	p->inside.transport = at + header;
	return key_of_inside(skb, p);
}

/* Writes a 16-bit word inside, if it is to change. What that adds to a sum that has it in it. */
static __always_inline int change_word(struct __sk_buff *skb, __u32 at, __be16 before, __be16 after, __u64 *sum)
{
	if (before == after)
		return 0;
	*sum += difference(before, after);
	return bpf_skb_store_bytes(skb, at, &after, sizeof(after), 0);
}

/*
 * The addresses inside become those of the packet as it was sent. `*change`: what that adds to a sum that has them
 * in it; `*sum` gets what it adds to that of all that is inside.
 */
static __always_inline int readdress_inside(struct __sk_buff *skb, const struct packet *p, const struct flow_key *peer,
					    __u32 *change, __u64 *sum)
{
	__u32 at = p->inside.header, check_at = at + __builtin_offsetof(struct iphdr, check), i;
	__be32 addresses[2] = { peer->source.word[3], peer->destination.word[3] };
	__u64 difference_of_all = 0;
	__be16 check;

#pragma unroll
	for (i = 0; i < 4; i++) {
		difference_of_all += difference(p->key.destination.word[i], peer->source.word[i]);
		difference_of_all += difference(p->key.source.word[i], peer->destination.word[i]);
	}
	*change = folded(difference_of_all);
	*sum += *change;
	if (p->ipv6) {
		at += __builtin_offsetof(struct ipv6hdr, saddr);
		return bpf_skb_store_bytes(skb, at, &peer->source, sizeof(peer->source), 0) ||
		       bpf_skb_store_bytes(skb, at + sizeof(peer->source), &peer->destination,
					   sizeof(peer->destination), 0);
	}
	return bpf_skb_load_bytes(skb, check_at, &check, sizeof(check)) ||
	       change_word(skb, check_at, check, changed_checksum(check, *change), sum) ||
	       bpf_skb_store_bytes(skb, at + __builtin_offsetof(struct iphdr, saddr), addresses, sizeof(addresses), 0);
}

/* So do its ports, and its checksum where that is there. */
static __always_inline int rewrite_transport_inside(struct __sk_buff *skb, const struct packet *p,
						    const struct flow_key *peer, __u32 addresses, __u64 *sum)
{
	__u32 at = p->inside.transport, check_at = at + __builtin_offsetof(struct udphdr, check);
	__u64 ports = 0;
	__be16 check;

	if (is_icmp(p->key.protocol))
		return 0;
	if (change_word(skb, at, p->key.destination_port, peer->source_port, &ports) ||
	    change_word(skb, at + sizeof(__be16), p->key.source_port, peer->destination_port, &ports))
		return -1;
	*sum += ports;
	if (p->key.protocol == IPPROTO_TCP)
		check_at = at + __builtin_offsetof(struct tcphdr, check);
	if (check_at + sizeof(check) > p->transport + p->left)
		return 0;
	if (bpf_skb_load_bytes(skb, check_at, &check, sizeof(check)))
		return -1;
	if (p->key.protocol == IPPROTO_UDP && !check)
		return 0;
	return change_word(skb, check_at, check, changed_checksum(check, folded(ports + addresses)), sum);
}

/* The addresses outside. What that adds to a sum that has them in it, in `*change`. */
static __always_inline int readdress_outside(struct __sk_buff *skb, struct packet *p, const struct flow_key *peer,
					     __u32 *change)
{
	int shows_teller = same_address(&p->key.source, &peer->destination), reason;
	struct flow_key *outer = &p->reverse_key;
	struct address source = p->key.source;

	/* As a flow's header is rewritten: from what the key says to what the other direction does. */
	outer->destination = shows_teller ? p->inside.teller : peer->destination;
	outer->source = peer->source;
	p->key.source = p->inside.teller;
	reason = p->ipv6 ? readdress6(skb, p, outer, change) : readdress4(skb, outer, change);
	p->key.source = source;
	return reason;
}

/* `peer` is the other direction of the flow that the error follows. */
static __noinline int rewrite_error(struct __sk_buff *skb, struct packet *p, const struct flow_key *peer)
{
	__u32 at = p->transport + __builtin_offsetof(struct icmp_echo, checksum), outside = 0, addresses = 0;
	__u64 inside = 0;

	if (same_address(&p->key.source, &peer->destination) && same_address(&p->key.destination, &peer->source) &&
	    p->key.source_port == peer->destination_port && p->key.destination_port == peer->source_port)
		return DROP_NONE;
	if (readdress_outside(skb, p, peer, &outside) || readdress_inside(skb, p, peer, &addresses, &inside) ||
	    rewrite_transport_inside(skb, p, peer, addresses, &inside))
		return DROP_MALFORMED;
	if (p->ipv6 && bpf_l4_csum_replace(skb, at, 0, outside, BPF_F_PSEUDO_HDR))
		return DROP_MALFORMED;
	return bpf_l4_csum_replace(skb, at, 0, folded(inside), 0) ? DROP_MALFORMED : DROP_NONE;
}

/* Takes an error to the other end of the flow that it is about. DROP_NONE: `p->device` says where that is. */
static __noinline int carry_error(struct __sk_buff *skb, struct packet *p)
{
	int reason = parse_inside(skb, p);
	struct flow *flow;

	if (reason)
		return reason;
	if ((p->flags & INTERFACE_SOURCE_CHECK) && !is_place_of(p->key.vpc, &p->key.source, p->interface))
		return DROP_SPOOFED_SOURCE;
	if (!same_address(&p->key.destination, &p->inside.key.destination))
		return DROP_NO_FLOW;
	p->inside.teller = p->key.source;
	p->key = p->inside.key;
	p->key.forwarded = is_forwarded(p);
	flow = flow_of(p, &reason);
	if (reason)
		return reason;
	if (!flow)
		return DROP_NO_FLOW;
	if (!flow->device)
		return DROP_NOT_DELIVERED;
	reason = address_frame(skb, p, flow->mac);
	if (!reason)
		reason = rewrite_error(skb, p, &flow->peer);
	if (!reason)
		deliver(skb, p, flow);
	return reason;
}

#endif
