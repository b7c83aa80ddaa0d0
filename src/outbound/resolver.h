/* SPDX-License-Identifier: Apache-2.0 */
/* Names to addresses, without blocking and without files: what stood in the system's files is given
 * to it before the jail.
 *
 * "localhost" and names below it are loopback addresses (RFC 6761); then come the hosts file and
 * the name servers: A and AAAA at once, each question from a socket of its own that is connected to
 * one server, with an id from the system's random numbers, over TCP when an answer was cut. Nothing
 * is kept: each lookup asks anew.  There are no search domains.  One thread. */
#ifndef OUTBOUND_RESOLVER_H
#define OUTBOUND_RESOLVER_H

#include "net/transfer.h"
#include "outbound/dns.h"

struct resolver;
struct lookup;

struct name_server {
    struct address address;
    uint16_t port;
};

struct resolver_options {
    struct name_server servers[NAME_SERVER_COUNT_MAX];
    size_t server_count;
    struct bytes hosts; /* text of a hosts file, borrowed for resolver_new */
};
/* The name servers of a resolv.conf; 127.0.0.1 when it names none. */
void resolver_read_servers(struct resolver_options *options, struct bytes text);
/* "ADDRESS", "IPV4:PORT" or "[IPV6]:PORT". */
MUST_CHECK bool name_server_parse(struct name_server *server, struct bytes text,
                                  struct error *error);

MUST_CHECK bool resolver_new(struct resolver **resolver, const struct resolver_options *options,
                             struct error *error);
/* All lookups must have gone. */
void resolver_free(struct resolver *resolver);
DEFINE_AUTO(resolver, resolver_free)

/* All the addresses of the name, at least one; NULL: NOT_FOUND or UNAVAILABLE or TIMEOUT. */
typedef void lookup_done(void *context, const struct dns_answer *answer, const struct error *error);
/* `done` once, from resolver_work, unless cancelled. */
MUST_CHECK bool lookup_start(struct lookup **lookup, struct resolver *resolver, const char *name,
                             lookup_done *done, void *context, struct error *error);
/* When it fails with TIMEOUT; without a word, when all servers were asked in vain. */
void lookup_limit(struct lookup *lookup, uint64_t deadline_ns);
void lookup_cancel(struct lookup *lookup);

/* What to wait for; at most 2 * LOOKUP_COUNT_MAX. */
unsigned resolver_watches(struct resolver *resolver, struct transfers_watch *watches);
/* CLOCK_MONOTONIC; UINT64_MAX: nothing is due. */
uint64_t resolver_due_ns(const struct resolver *resolver);
/* After the wait: reads what came, asks again what got no answer in time. */
void resolver_work(struct resolver *resolver, uint64_t now_ns);

#endif
