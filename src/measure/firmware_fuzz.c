/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as firmware: as a TDVF image, as OVMF with and without a kernel, as an SVSM. */
#include "fuzz/fuzz.h"
#include "measure/snp.h"
#include "measure/tdx.h"

#include <string.h>

enum {
    IMAGE_SIZE = 2 * MEASURE_PAGE_SIZE,
    MEASURED_SIZE_MAX = 1 << 20
};

void fuzz_one(struct bytes input)
{
    static uint8_t image[IMAGE_SIZE];
    struct error error;
    struct tdvf tdvf;
    struct digest48 digest;
    if (input.size > IMAGE_SIZE)
        return;
    memset(image, 0, sizeof(image)); /* metadata is at the end */
    if (input.size > 0)
        memcpy(image + IMAGE_SIZE - input.size, input.data, input.size);
    if (tdvf_parse(&tdvf, BYTES_OF(image), &error)) {
        uint64_t size = 0;
        for (size_t i = 0; i < tdvf.section_count; i++)
            size += tdvf.sections[i].memory_size;
        if (size <= MEASURED_SIZE_MAX)
            (void)tdx_mrtd(BYTES_OF(image), &tdvf, (input.size & 1) != 0);
    }
    struct snp_launch launch = { .firmware = BYTES_OF(image),
                                 .vcpu_count = 2,
                                 .has_kernel = (input.size & 2) != 0 };
    (void)!snp_launch_digest(&digest, &launch, &error);
    launch.svsm = BYTES_OF(image);
    launch.has_kernel = false;
    (void)!snp_launch_digest(&digest, &launch, &error);
}
