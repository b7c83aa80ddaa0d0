/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/trust_anchor.h"

#include "attest/evidence_text.h"
#include "base/buffer.h"

bool trust_anchor_read(struct x509_chain *anchor, struct bytes file, struct error *error)
{
    AUTO_BUFFER struct buffer space;
    buffer_init(&space, 2 * file.size + 1);
    uint8_t *room = buffer_reserve(&space, 2 * file.size + 1);
    if (room == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a certificate");
    struct bytes certificate = collateral_text_is(file) ? collateral_text_read(room, file) : file;
    if (!x509_chain_parse(anchor, certificate, error)) {
        error->code = ERROR_USAGE;
        return error_within(error, "no certificate, DER or PEM or text of these");
    }
    return anchor->count == 1 ||
           error_set(error, ERROR_USAGE, "exactly one certificate is wanted, and it has %zu",
                     anchor->count);
}
