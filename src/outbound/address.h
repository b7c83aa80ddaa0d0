/* SPDX-License-Identifier: Apache-2.0 */
/* IP addresses and what kind of place each leads to: only what the IANA registries call globally
 * reachable is public, everything else has a name and is refused unless the operator's list has it.
 *
 * Addresses of version 6 that carry one of version 4 (mapped, NAT64, 6to4, Teredo) are never
 * public, whatever they carry.  Never allocates. */
#ifndef OUTBOUND_ADDRESS_H
#define OUTBOUND_ADDRESS_H

#include "base/error.h"
#include "outbound/limits.h"

struct address {
    uint8_t bytes[16]; /* 4 of them for version 4 */
    bool is_v6;
};

enum {
    ADDRESS_TEXT_SIZE = 48
};

/* What a text calls the class: "a loopback address". */
#define ADDRESS_CLASSES(X)                                                                         \
    X(PUBLIC, "a public address")                                                                  \
    X(METADATA, "a machine's metadata service")                                                    \
    X(LOOPBACK, "a loopback address")                                                              \
    X(PRIVATE, "a private address")                                                                \
    X(SHARED, "an address of a carrier's NAT")                                                     \
    X(LINK_LOCAL, "a link-local address")                                                          \
    X(MULTICAST, "a multicast address")                                                            \
    X(EMBEDDED, "an IPv6 address that stands for an IPv4 address")                                 \
    X(RESERVED, "a reserved address")

enum address_class {
#define ADDRESS_CLASS_ENUM(name, text) ADDRESS_##name,
    ADDRESS_CLASSES(ADDRESS_CLASS_ENUM)
#undef ADDRESS_CLASS_ENUM
};
const char *address_class_text(enum address_class class);
enum address_class address_classify(const struct address *address);

/* Dotted quad of four decimal numbers without leading zeros, or RFC 4291 text without a zone. */
MUST_CHECK bool address_parse(struct address *address, struct bytes text);
void address_write(char text[ADDRESS_TEXT_SIZE], const struct address *address);
bool address_equal(const struct address *a, const struct address *b);

/* A network: address and length of the prefix. */
struct prefix {
    struct address address;
    unsigned size; /* bits */
};
/* "10.0.0.0/8", or an address alone.  INVALID, also for bits behind the prefix. */
MUST_CHECK bool prefix_parse(struct prefix *prefix, struct bytes text, struct error *error);
bool prefix_has(const struct prefix *prefix, const struct address *address);

/* What the operator allows besides public addresses. */
struct prefixes {
    struct prefix list[PREFIX_COUNT_MAX];
    size_t count;
};
/* Public, or in a network of the list.  A metadata service must stand there as an address of its
 * own: a network around it is not enough. */
bool address_is_allowed(const struct address *address, const struct prefixes *allowed);

#endif
