/* SPDX-License-Identifier: Apache-2.0 */
/* Inside HPKE: what its key encapsulations (hpke.c, hpke_p256.c) hand to the key schedule. */
#ifndef CRYPTO_HPKE_PARTS_H
#define CRYPTO_HPKE_PARTS_H

#include "crypto/hpke.h"

enum {
    HPKE_KEM_CONTEXT_SIZE_MAX = 2 * 65 /* two points of P-256, or three keys of X25519 */
};

/* Of section 4.1.  Keys as they are sent, borrowed. */
struct hpke_exchange {
    uint16_t kem;
    struct secret32 secrets[2]; /* one, or two in auth mode */
    size_t count;
    struct bytes encapsulated, recipient, sender;
};
void hpke_exchange_done(struct hpke_exchange *exchange);
#define AUTO_HPKE_EXCHANGE __attribute__((cleanup(hpke_exchange_done)))

void hpke_schedule(struct hpke_context *context, const struct hpke_setup *setup,
                   const struct hpke_exchange *exchange);
bool hpke_info_fits(const struct hpke_setup *setup, struct error *error);

#endif
