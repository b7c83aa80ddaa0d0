/* SPDX-License-Identifier: Apache-2.0 */
/* The launch digest of a SEV-SNP guest: SHA-384 chained over what the launcher hands to the secure
 * processor, page by page (SEV-SNP firmware ABI, SNP_LAUNCH_UPDATE, PAGE_INFO), as QEMU, Amazon's
 * and Google's launchers order it. */
#ifndef MEASURE_SNP_H
#define MEASURE_SNP_H

#include "crypto/hash.h"
#include "measure/firmware.h"

enum snp_vmm {
    SNP_VMM_QEMU,
    SNP_VMM_EC2,
    SNP_VMM_GCE
};

struct snp_launch {
    struct bytes firmware; /* OVMF: to the end at 4 GiB */
    uint32_t vcpu_count;
    uint32_t vcpu_signature; /* CPUID 1 EAX of the processor model */
    uint64_t sev_features;
    enum snp_vmm vmm;
    /* A kernel that the firmware checks against hashes in its image; without `has_kernel` the hash
     * page is zeros. */
    bool has_kernel;
    struct bytes kernel;
    struct bytes initrd;
    struct bytes command_line; /* without NUL */
    /* An SVSM (Coconut) below the firmware and its variables; empty: none. */
    struct bytes svsm;
    struct bytes svsm_page_hashes;       /* instead of the image: SHA-384 of each page, in order */
    struct snp_svsm_layout *svsm_layout; /* with svsm_page_hashes: what the image would say */
    uint64_t variables_size;
};

/* What is needed of an SVSM image when only its page hashes are known. */
struct snp_svsm_layout {
    uint64_t address;
    uint64_t entry;
    struct snp_section {
        uint32_t address;
        uint32_t size;
        uint32_t type;
    } sections[FIRMWARE_SECTION_COUNT_MAX];
    size_t section_count;
};

MUST_CHECK bool snp_vmm_find(enum snp_vmm *vmm, const char *name);
/* INVALID when the firmware lacks what the launch needs: the metadata table, the reset vector of
 * further processors, or the page for a kernel's hashes. */
MUST_CHECK bool snp_launch_digest(struct digest48 *digest, const struct snp_launch *launch,
                                  struct error *error);

/* The saved state of a virtual processor at launch; for tests and snp.c. */
struct snp_vmsa {
    uint8_t bytes[MEASURE_PAGE_SIZE];
};
struct snp_vmsa snp_vmsa_of(const struct snp_launch *launch, uint64_t entry, bool is_boot);
struct snp_vmsa snp_vmsa_of_svsm(const struct snp_launch *launch, uint64_t entry);

#endif
