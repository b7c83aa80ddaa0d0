/* SPDX-License-Identifier: Apache-2.0 */
/* PCRs of a Nitro enclave image file (EIF, versions 2 to 4): big-endian header with the places of
 * up to 32 sections, each with a header of its own (aws-nitro-enclaves-image-format).
 *
 *     PCRn = SHA-384(48 zeros || SHA-384(sections))
 *     PCR0  kernel, command line, all ramdisks      PCR1  kernel, command line, first ramdisk
 *     PCR2  ramdisks but the first                  PCR8  the certificate that signs the image
 *
 * Nothing here was compared with an enclave that ran. */
#ifndef MEASURE_EIF_H
#define MEASURE_EIF_H

#include "crypto/hash.h"
#include "measure/limits.h"

enum eif_section_type {
    EIF_KERNEL = 1,
    EIF_COMMAND_LINE,
    EIF_RAMDISK,
    EIF_SIGNATURE,
    EIF_METADATA
};

struct eif_section {
    enum eif_section_type type;
    uint64_t offset;
    uint64_t size;
};

struct eif_measurement {
    uint16_t version;
    struct eif_section sections[EIF_SECTION_COUNT_MAX];
    size_t section_count;
    struct digest48 pcr[3];
    bool is_signed; /* then pcr8 is filled */
    struct digest48 pcr8;
};

const char *eif_section_name(enum eif_section_type type);
/* INVALID for a header, a checksum or a section that does not hold; for no kernel, command line or
 * ramdisk, or more than one of the first two. */
MUST_CHECK bool eif_measure(struct eif_measurement *measurement, struct bytes image,
                            struct error *error);

#endif
