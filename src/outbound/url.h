/* SPDX-License-Identifier: Apache-2.0 */
/* URLs of outbound requests (RFC 3986, http and https alone), read strictly and into one form, so
 * that what is checked is what is asked.
 *
 * Refused rather than repaired: user information, fragments, white space, characters that a URL
 * must encode, incomplete escapes, empty or over-long labels, hosts that only look like an address
 * ("127.1", "0x7f000001", "017700000001"), zones, dot segments however they are written.
 * Owns its text; never allocates. */
#ifndef OUTBOUND_URL_H
#define OUTBOUND_URL_H

#include "base/error.h"
#include "outbound/address.h"
#include "outbound/limits.h"

struct url {
    bool is_secure; /* https */
    bool is_address;
    struct address address;           /* of a host that is one */
    char host[URL_HOST_SIZE_MAX + 1]; /* lower case; an address without brackets, canonical */
    uint16_t port;                    /* the scheme's when none is given */
    char target[URL_SIZE_MAX + 1];    /* path and query: starts with '/' */
    size_t path_size;                 /* of the path in it */
};

enum {
    URL_ORIGIN_SIZE = URL_HOST_SIZE_MAX + 24,
    URL_TEXT_SIZE = URL_ORIGIN_SIZE + URL_SIZE_MAX
};

/* INVALID says what is wrong with it. */
MUST_CHECK bool url_parse(struct url *url, struct bytes text, struct error *error);
/* scheme://host, and :port unless it is the scheme's.  Addresses of version 6 in brackets. */
void url_origin_write(char text[URL_ORIGIN_SIZE], const struct url *url);
/* The whole, as url_parse would read it again. */
void url_write(char text[URL_TEXT_SIZE], const struct url *url);
bool url_same_origin(const struct url *a, const struct url *b);
/* Where a `Location` leads (RFC 3986 section 5.2): absolute or relative.  Its dot segments are
 * taken out, its fragment is dropped; then it is read as strictly as any URL. */
MUST_CHECK bool url_resolve(struct url *url, const struct url *base, struct bytes reference,
                            struct error *error);

/* For rules: a host as it may stand in a URL, in its one form. */
MUST_CHECK bool url_host_parse(struct url *url, struct bytes text, struct error *error);
/* A decimal port, 1 to 65535. */
MUST_CHECK bool url_port_parse(uint16_t *port, struct bytes text, struct error *error);
/* A path alone: starts with '/', no query. */
MUST_CHECK bool url_path_check(struct bytes path, struct error *error);

#endif
