/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/amd/certificate_table.h"
#include "fuzz/fuzz.h"

static void check(struct bytes source, struct bytes part)
{
    ASSERT(part.size == 0 ||
           (part.data > source.data && part.data + part.size <= source.data + source.size));
}

void fuzz_one(struct bytes input)
{
    struct error error;
    struct certificate_table table;
    if (!certificate_table_read(&table, input, &error))
        return;
    check(input, table.ark);
    check(input, table.ask);
    check(input, table.vcek);
    check(input, table.vlek);
    check(input, table.crl);
}
