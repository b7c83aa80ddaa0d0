/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's attestation interfaces as a FUSE file system, for tests: configfs-tsm with its
 * generations, /dev/tdx_guest and /dev/nsm with their ioctls, the sysfs file of RTMR3, Gramine's
 * files.  What it answers parses as evidence over what was asked and is signed by nobody.
 *
 * It runs in a process of its own; the script is shared with it and may change at any time. */
#ifndef TESTS_PLATFORM_FAKE_KERNEL_H
#define TESTS_PLATFORM_FAKE_KERNEL_H

#include "crypto/hash.h"

#include <stdatomic.h>
#include <sys/types.h>

enum fake_provider {
    FAKE_NONE,
    FAKE_TSM_TDX,
    FAKE_TSM_SNP,
    FAKE_TDX_GUEST,
    FAKE_NSM,
    FAKE_GRAMINE
};

/* Answers that no kernel gives. */
enum fake_nonsense {
    FAKE_SENSE,
    FAKE_NSM_LONG,        /* longer than the room that was given */
    FAKE_NSM_NO_CBOR,     /* nothing at all */
    FAKE_NSM_OTHER_KIND,  /* to another request */
    FAKE_NSM_NO_DOCUMENT, /* an empty one */
    FAKE_REGISTER_SHORT,  /* one byte is missing */
    FAKE_GENERATION_NO_NUMBER,
    FAKE_GENERATION_LONG /* two hundred digits */
};

struct fake_script {
    _Atomic int provider;        /* enum fake_provider: what is there */
    _Atomic int busy_count;      /* so many reads of evidence fail with EBUSY first */
    _Atomic int foreign_count;   /* so many times somebody else writes in between */
    _Atomic int failure;         /* errno of every read of evidence, 0 none */
    _Atomic bool hangs;          /* reads of evidence sleep until they are interrupted */
    _Atomic bool lies;           /* evidence is about something else */
    _Atomic bool is_short;       /* one byte per read */
    _Atomic bool is_cut;         /* half of the evidence */
    _Atomic int nonsense;        /* enum fake_nonsense */
    _Atomic bool refuses;        /* NSM answers with an error */
    _Atomic bool takes_half;     /* writes are taken by half */
    _Atomic bool has_no_driver;  /* configfs is there, no provider registered: mkdir gives ENXIO */
    _Atomic unsigned read_count; /* of evidence, so far */
    _Atomic unsigned extend_count;
    _Atomic bool extend_fails;      /* with EIO, nothing is extended */
    uint8_t extended[48];           /* the last digest that was extended with */
    struct digest48 event_register; /* RTMR3 or PCR16 */
};

struct fake_kernel {
    char folder[256]; /* in front of the kernel's paths */
    struct fake_script *script;
    pid_t process;
};

/* Makes TDX quotes that hold, instead of the recorded one with other report data: at most
 * `capacity` bytes, over report data and the register of run-time events.  Set before the start. */
extern size_t (*fake_quote_make)(uint8_t *target, size_t capacity, const uint8_t report_data[64],
                                 const uint8_t event_register[48]);

/* False, with a reason to skip, where there is no FUSE. */
bool fake_kernel_start(struct fake_kernel *kernel, const char **reason);
void fake_kernel_stop(struct fake_kernel *kernel);

#endif
