/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates: whatever parses must be found again by its own views. */
#include "crypto/x509.h"
#include "fuzz/fuzz.h"

void fuzz_one(struct bytes input)
{
    struct error error;
    enum x509_fault fault;
    struct x509_chain chain;
    if (!x509_chain_parse(&chain, input, &error))
        return;
    struct bytes value;
    bool is_critical;
    (void)x509_extension_find(&chain.certificates[0], BYTES_LITERAL("\x55\x1d\x13"), &value,
                              &is_critical);
    const struct x509_certificate *last = &chain.certificates[chain.count - 1];
    ASSERT(!x509_chain_verify(chain.certificates, chain.count, last, last->not_after_s + 1, &fault,
                              &error));
}
