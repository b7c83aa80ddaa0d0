/* SPDX-License-Identifier: Apache-2.0 */
/* MRENCLAVE of an enclave as it is loaded: SHA-256 over one 64-byte record per ECREATE, EADD and
 * EEXTEND (Intel SDM volume 3D, chapter on enclave measurement), 256 bytes of content behind each
 * EEXTEND.
 *
 * The file form is the SGX stream (SGXS): just these records, in order; its enhanced form may carry
 * content that is loaded but not measured (UNMEASRD). */
#ifndef MEASURE_SGX_H
#define MEASURE_SGX_H

#include "crypto/hash.h"
#include "measure/limits.h"

struct sgx_measurement {
    struct digest32 mr_enclave;
    uint64_t size; /* of the enclave's address range */
    uint32_t ssa_frame_size;
    size_t page_count;
    size_t measured_chunk_count; /* of 256 bytes */
    size_t unmeasured_chunk_count;
};

/* INVALID for anything but a whole stream of a loadable enclave: size a power of two, pages within
 * it, content within pages that were added. */
MUST_CHECK bool sgx_measure(struct sgx_measurement *measurement, struct bytes stream,
                            struct error *error);

#endif
