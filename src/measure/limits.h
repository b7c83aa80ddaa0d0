/* SPDX-License-Identifier: Apache-2.0 */
/* What this module accepts at most, by name. */
#ifndef MEASURE_LIMITS_H
#define MEASURE_LIMITS_H

enum {
    FIRMWARE_SIZE_MAX = 64 << 20,
    FIRMWARE_SECTION_COUNT_MAX = 64,
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
    FIRMWARE_MEASURED_SIZE_MAX = 64 << 10, /* further pages run the same code */
#else
    FIRMWARE_MEASURED_SIZE_MAX = 256 << 20, /* memory that one firmware has measured */
#endif
    VCPU_COUNT_MAX = 4096,
    EVENT_LOG_SIZE_MAX = 16 << 20,
    EVENT_COUNT_MAX = 65536,
    EVENT_TEXT_SIZE = 512,
    ENCLAVE_FILE_SIZE_MAX = 512 << 20,
    EIF_SIZE_MAX = 2000 << 20,
    EIF_SECTION_COUNT_MAX = 32 /* of the format */
};

#endif
