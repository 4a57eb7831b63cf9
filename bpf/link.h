/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a workload's own system says on its link without being asked: which multicast groups it is in (IGMP, MLD),
 * whether a router is there, whether an address is still free. A network of AWS's answers none of it, and neither does
 * this one. It is dropped for a reason of its own, so that it is not taken for something that a rule has denied, and
 * is counted, but not told among the samples of drops.
 *
 * Only what is as it has to be: from the sender's own MAC; of IPv6 from its link, to groups on its link. All else that
 * looks like it is an unsupported protocol, as before.
 */
#ifndef LINKWAY_LINK_H
#define LINKWAY_LINK_H

#include "parse.h"
#include "subnet.h"

/* From RFC 2710, RFC 4861 and RFC 3810. */
#define LISTENER_REPORT 131
#define LISTENER_DONE 132
#define ROUTER_SOLICITATION 133
#define LISTENER_REPORT_2 143

#define GROUP_ON_LINK6 0xff020000 /* ff02::/16 */

static __always_inline int is_unspecified(const struct address *address)
{
	return !(address->word[0] | address->word[1] | address->word[2] | address->word[3]);
}

/* Is the sender itself what stands there? */
static __always_inline int is_own(const struct packet *p, const struct place *place)
{
	return place->kind == PLACE_INTERFACE && place->interface == p->interface;
}

/* Asked of what could not be parsed further. */
static __always_inline int is_housekeeping(struct __sk_buff *skb, const struct packet *p)
{
	const struct address *source = &p->key.source, *destination = &p->key.destination;

	if (skb->vlan_present || !from_own_mac(skb, p))
		return 0;
	if (p->key.protocol == IPPROTO_IGMP)
		return is_ipv4(destination) && bpf_ntohl(destination->word[3]) >= MULTICAST;
	if (p->key.protocol != IPPROTO_ICMPV6 || (bpf_ntohl(destination->word[0]) & 0xffff0000) != GROUP_ON_LINK6)
		return 0;
	if (!is_unspecified(source) && !is_link_local6(source))
		return 0;
	switch (p->icmp_type) {
	case LISTENER_REPORT:
	case LISTENER_DONE:
	case ROUTER_SOLICITATION:
	case LISTENER_REPORT_2:
		return 1;
	default:
		return 0;
	}
}

#endif
