/* SPDX-License-Identifier: Apache-2.0 */
/* Questions to a name server and its answers (RFC 1035, EDNS of RFC 6891): addresses of one name.
 *
 * An answer counts only if it repeats the question with its id; addresses count only if they belong
 * to the name asked for, or to what its aliases lead to.  Everything is bounded; pointers lead
 * backwards only.  Never allocates. */
#ifndef OUTBOUND_DNS_H
#define OUTBOUND_DNS_H

#include "core/writer.h"
#include "outbound/address.h"

enum {
    DNS_TYPE_A = 1,
    DNS_TYPE_AAAA = 28,
    DNS_NAME_SIZE_MAX = 253,
    DNS_MESSAGE_SIZE_MAX = 4096, /* of an answer; longer ones are none */
    DNS_DATAGRAM_SIZE = 1232,    /* that we say we take */
    DNS_ADDRESS_COUNT_MAX = 16,  /* of one name; more are left out */
    DNS_RECORD_COUNT_MAX = 64,
    DNS_ALIAS_COUNT_MAX = 8
};

struct dns_question {
    uint16_t id;
    uint16_t type;
    char name[DNS_NAME_SIZE_MAX + 1]; /* as url.h has hosts */
};

enum dns_outcome {
    DNS_ANSWERED, /* perhaps without any address */
    DNS_NO_NAME,  /* there is no such name */
    DNS_FAILED,   /* the server can't say */
    DNS_CUT,      /* ask again over TCP */
    DNS_FOREIGN   /* not an answer to this question */
};

struct dns_answer {
    struct address addresses[DNS_ADDRESS_COUNT_MAX];
    size_t count;
};

void dns_question_write(struct writer *writer, const struct dns_question *question);
MUST_CHECK enum dns_outcome dns_answer_read(struct dns_answer *answer,
                                            const struct dns_question *question,
                                            struct bytes message);

#endif
