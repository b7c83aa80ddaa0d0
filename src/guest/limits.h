/* SPDX-License-Identifier: Apache-2.0 */
/* Every limit of the module, in one place. */
#ifndef GUEST_LIMITS_H
#define GUEST_LIMITS_H

enum {
    DESCRIPTOR_COUNT_MAX = 1024, /* open at a time; beyond: EMFILE */
    BUFFER_COUNT_MAX = 1024,     /* of one gathered write or scattered read; beyond: EINVAL */
    PATH_SIZE_MAX = 4096,        /* beyond: ENAMETOOLONG */
    LINK_HOPS_MAX = 40,          /* symbolic links on one path; beyond: ELOOP */
    LINK_COUNT_MAX = 65000,      /* names of one file; beyond: EMLINK */
    NODE_COUNT_MAX = 1 << 16     /* files in the scratch area; beyond: ENOSPC */
};

#define FILE_SIZE_MAX 0x100000000ull /* beyond: EFBIG */

#endif
