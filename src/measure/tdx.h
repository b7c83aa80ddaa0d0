/* SPDX-License-Identifier: Apache-2.0 */
/* MRTD: what the TDX module measures of a firmware image while a trust domain is built.
 *
 * A SHA-384 over one 128-byte record per page added (MEM.PAGE.ADD, its address) and per 256 bytes
 * of content extended (MR.EXTEND, their address, then the bytes): TDX module ABI, TDH.MEM.PAGE.ADD
 * and TDH.MR.EXTEND.  Which pages, the TDVF metadata in the image says (TDVF design guide, section
 * 11). The order is the launcher's: Linux KVM adds and extends page by page; older kernels add all
 * pages of a section before they extend them. */
#ifndef MEASURE_TDX_H
#define MEASURE_TDX_H

#include "crypto/hash.h"
#include "measure/firmware.h"

enum tdvf_section_type {
    TDVF_BFV,    /* code */
    TDVF_CFV,    /* variables */
    TDVF_TD_HOB, /* what the launcher tells the firmware */
    TDVF_TEMP_MEM,
    TDVF_PERM_MEM,
    TDVF_PAYLOAD,
    TDVF_PAYLOAD_PARAM,
    TDVF_TD_INFO
};

enum {
    TDVF_MR_EXTEND = 1 << 0, /* its content is measured */
    TDVF_PAGE_AUG = 1 << 1   /* its pages are not there at launch */
};

struct tdvf_section {
    uint32_t data_offset;
    uint32_t raw_size;
    uint64_t address;
    uint64_t memory_size;
    uint32_t type; /* enum tdvf_section_type, or another number */
    uint32_t attributes;
};

struct tdvf {
    struct tdvf_section sections[FIRMWARE_SECTION_COUNT_MAX];
    size_t section_count;
};

const char *tdvf_section_name(uint32_t type);
/* INVALID for an image without TDVF metadata, or with sections that leave the image, are not made
 * of pages, or are too large. */
MUST_CHECK bool tdvf_parse(struct tdvf *tdvf, struct bytes image, struct error *error);
/* Of a parsed image. */
struct digest48 tdx_mrtd(struct bytes image, const struct tdvf *tdvf, bool is_two_pass);

#endif
