/* SPDX-License-Identifier: Apache-2.0 */
/* The SGX extension of PCK certificates: what parses can be written and read back as the same. */
#include "attest/intel/pck.h"
#include "fuzz/fuzz.h"

#include <string.h>

void fuzz_one(struct bytes input)
{
    struct error error;
    struct pck_info info;
    if (!pck_parse(&info, input, &error))
        return;
    uint8_t space[1024];
    struct pck_info again;
    struct der_writer writer = der_writer_into(space, sizeof(space));
    pck_write(&writer, &info);
    ASSERT(pck_parse(&again, der_writer_view(&writer), &error));
    ASSERT(memcmp(again.fmspc, info.fmspc, sizeof(info.fmspc)) == 0);
    ASSERT(memcmp(again.tcb_component_svn, info.tcb_component_svn, 16) == 0);
    ASSERT(again.pce_svn == info.pce_svn && again.has_smt == info.has_smt);
}
