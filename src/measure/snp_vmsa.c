/* SPDX-License-Identifier: Apache-2.0 */
/* What differs between launchers in a virtual processor's first state, as a table. */
#include "measure/snp.h"

#include "core/writer.h"

#include <string.h>

enum {
    VMSA_ES = 0x00,
    VMSA_CS = 0x10,
    VMSA_SS = 0x20,
    VMSA_DS = 0x30,
    VMSA_FS = 0x40,
    VMSA_GS = 0x50,
    VMSA_GDTR = 0x60,
    VMSA_LDTR = 0x70,
    VMSA_IDTR = 0x80,
    VMSA_TR = 0x90,
    VMSA_EFER = 0xd0,
    VMSA_CR4 = 0x148,
    VMSA_CR0 = 0x158,
    VMSA_DR7 = 0x160,
    VMSA_DR6 = 0x168,
    VMSA_RFLAGS = 0x170,
    VMSA_RIP = 0x178,
    VMSA_G_PAT = 0x268,
    VMSA_RDX = 0x310,
    VMSA_SEV_FEATURES = 0x3b0,
    VMSA_XCR0 = 0x3e8,
    VMSA_MXCSR = 0x408,
    VMSA_FCW = 0x410
};

struct segment {
    uint16_t selector;
    uint16_t attributes;
    uint32_t limit;
    uint64_t base;
};

static const struct variant {
    uint16_t boot_cs, cs, ss, tr;
    uint64_t g_pat;
    bool passes_signature; /* in RDX */
    uint64_t rdx;          /* otherwise, where a signature is named at all */
    uint32_t mxcsr;
    uint16_t fcw;
} variants[] = {
    [SNP_VMM_QEMU] = { 0x9b, 0x9b, 0x93, 0x8b, 0x0007040600070406, true, 0, 0x1f80, 0x37f },
    [SNP_VMM_EC2] = { 0x9a, 0x9b, 0x92, 0x83, 0x0007040600070406, false, 0x600, 0, 0 },
    [SNP_VMM_GCE] = { 0x9b, 0x9b, 0x93, 0x8b, 0x0000000000070106, false, 0x600, 0, 0 },
};

static void put(struct snp_vmsa *vmsa, size_t offset, uint64_t number, size_t size)
{
    for (size_t i = 0; i < size; i++)
        vmsa->bytes[offset + i] = (uint8_t)(number >> (8 * i));
}

static void put_segment(struct snp_vmsa *vmsa, size_t offset, struct segment segment)
{
    put(vmsa, offset, segment.selector, 2);
    put(vmsa, offset + 2, segment.attributes, 2);
    put(vmsa, offset + 4, segment.limit, 4);
    put(vmsa, offset + 8, segment.base, 8);
}

static void put_common(struct snp_vmsa *vmsa, const struct variant *variant, uint64_t rdx)
{
    put_segment(vmsa, VMSA_GDTR, (struct segment){ .limit = 0xffff });
    put_segment(vmsa, VMSA_LDTR, (struct segment){ .attributes = 0x82, .limit = 0xffff });
    put_segment(vmsa, VMSA_IDTR, (struct segment){ .limit = 0xffff });
    put_segment(vmsa, VMSA_TR, (struct segment){ .attributes = variant->tr, .limit = 0xffff });
    put(vmsa, VMSA_EFER, 0x1000, 8);
    put(vmsa, VMSA_CR4, 0x40, 8);
    put(vmsa, VMSA_DR7, 0x400, 8);
    put(vmsa, VMSA_DR6, 0xffff0ff0, 8);
    put(vmsa, VMSA_RFLAGS, 2, 8);
    put(vmsa, VMSA_G_PAT, variant->g_pat, 8);
    put(vmsa, VMSA_RDX, rdx, 8);
    put(vmsa, VMSA_XCR0, 1, 8);
    put(vmsa, VMSA_MXCSR, variant->mxcsr, 4);
}

/* The tools disagree about EC2: 0x600, or nothing.  Whoever names no signature gets the latter. */
static uint64_t rdx_of(const struct snp_launch *launch)
{
    const struct variant *variant = &variants[launch->vmm];
    if (variant->passes_signature)
        return launch->vcpu_signature;
    return launch->vmm == SNP_VMM_EC2 && launch->vcpu_signature == 0 ? 0 : variant->rdx;
}

struct snp_vmsa snp_vmsa_of(const struct snp_launch *launch, uint64_t entry, bool is_boot)
{
    const struct variant *variant = &variants[launch->vmm];
    struct snp_vmsa vmsa = { 0 };
    static const size_t data[] = { VMSA_ES, VMSA_DS, VMSA_FS, VMSA_GS };
    for (size_t i = 0; i < ARRAY_COUNT(data); i++)
        put_segment(&vmsa, data[i], (struct segment){ .attributes = 0x93, .limit = 0xffff });
    put_segment(&vmsa, VMSA_SS, (struct segment){ .attributes = variant->ss, .limit = 0xffff });
    put_segment(&vmsa, VMSA_CS,
                (struct segment){ .selector = 0xf000,
                                  .attributes = is_boot ? variant->boot_cs : variant->cs,
                                  .limit = 0xffff,
                                  .base = entry & 0xffff0000 });
    put_common(&vmsa, variant, rdx_of(launch));
    put(&vmsa, VMSA_CR0, 0x10, 8);
    put(&vmsa, VMSA_RIP, entry & 0xffff, 8);
    put(&vmsa, VMSA_SEV_FEATURES, launch->sev_features, 8);
    put(&vmsa, VMSA_FCW, variant->fcw, 2);
    return vmsa;
}

/* An SVSM starts in 32-bit protected mode with flat segments, whatever launches it; the known
 * answers have neither further SEV features nor an x87 control word. */
struct snp_vmsa snp_vmsa_of_svsm(const struct snp_launch *launch, uint64_t entry)
{
    const struct variant *variant = &variants[SNP_VMM_QEMU];
    struct snp_vmsa vmsa = { 0 };
    static const size_t data[] = { VMSA_ES, VMSA_SS, VMSA_DS, VMSA_FS };
    for (size_t i = 0; i < ARRAY_COUNT(data); i++)
        put_segment(&vmsa, data[i],
                    (struct segment){ .selector = 16, .attributes = 0xc93, .limit = 0xffffffff });
    put_segment(&vmsa, VMSA_GS, (struct segment){ .attributes = 0x93, .limit = 0xffff });
    put_segment(&vmsa, VMSA_CS,
                (struct segment){ .selector = 8, .attributes = 0xc9b, .limit = 0xffffffff });
    put_common(&vmsa, variant, launch->vcpu_signature);
    put(&vmsa, VMSA_CR0, 0x11, 8);
    put(&vmsa, VMSA_RIP, entry, 8);
    put(&vmsa, VMSA_SEV_FEATURES, 1, 8);
    return vmsa;
}
