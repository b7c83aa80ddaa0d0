/* SPDX-License-Identifier: Apache-2.0 */
/* One piece of collateral as a service answered it: brought into the form that verification reads,
 * and checked to be what was asked for.
 *
 * Form only: its signature is judged when evidence is, each time.  What is no JSON, no certificate
 * or no list, is about another platform or comes without its issuer chain is never kept. */
#ifndef COLLATERAL_PIECE_H
#define COLLATERAL_PIECE_H

#include "base/buffer.h"
#include "collateral/wish.h"

struct collateral_piece {
    struct buffer body;  /* JSON as served; lists and certificates in DER, PCK chains in PEM */
    struct buffer chain; /* PEM; of TCB info and QE identity */
    int64_t issued_s;
    int64_t next_update_s; /* of a certificate: the end of its validity */
};

void collateral_piece_init(struct collateral_piece *piece);
void collateral_piece_done(struct collateral_piece *piece);
#define AUTO_COLLATERAL_PIECE __attribute__((cleanup(collateral_piece_done)))

/* `body` and the issuer chain (PEM, empty without) as answered, into an initialised piece. INVALID
 * says what it is not. */
MUST_CHECK bool collateral_piece_read(struct collateral_piece *piece,
                                      const struct collateral_wish *wish, struct bytes body,
                                      struct bytes chain, struct error *error);
/* Percent-encoding of a response header undone; INVALID for what is none. */
MUST_CHECK bool collateral_chain_decode(struct buffer *pem, struct bytes value,
                                        struct error *error);
/* The response header that carries the issuer chain of a part, lower case; NULL: none does. */
const char *collateral_chain_field(enum collateral_part part);
/* The dates of a piece that came from elsewhere, for people; false when it has no known form. */
bool collateral_dates_of(enum collateral_part part, struct bytes body, int64_t *issued_s,
                         int64_t *next_update_s);

#endif
