/* SPDX-License-Identifier: Apache-2.0 */
/* A platform gives evidence: what the processor signs about this node.  One provider per kernel
 * interface, each behind the same struct of functions.
 *
 *     tdx    configfs-tsm, or /dev/tdx_guest with a quote generation service over vsock
 *     snp    configfs-tsm
 *     nitro  /dev/nsm
 *     sgx    Gramine's /dev/attestation
 *     sim    a development root in a file: proves nothing about hardware
 *
 * Opening a provider opens what it needs of the system, so that a jailed process can go on using
 * it, and asks for evidence once: an interface that lies, hangs or gives nothing that parses is
 * refused.  Nothing here was run on TEE hardware; the kernel's interfaces are tested against a file
 * system that behaves as they do. */
#ifndef PLATFORM_PLATFORM_H
#define PLATFORM_PLATFORM_H

#include "attest/attest.h"
#include "base/buffer.h"
#include "base/error.h"
#include "crypto/hash.h"

#include <sys/types.h>

enum {
    PLATFORM_NODE_SIZE = 32,         /* hexadecimal digits of a node's id */
    PLATFORM_BOOT_SIZE = 36,         /* characters of a boot's id */
    PLATFORM_EVIDENCE_MAX = 64 << 10 /* with what is carried beside it */
};

struct platform {
    const char *name;                  /* as in receipts: "tdx", "snp", "nitro", "sgx", "sim" */
    const char *interface;             /* of the kernel, for people: "configfs-tsm" */
    char node[PLATFORM_NODE_SIZE + 1]; /* id made of the platform's identity */
    void *context;
    /* The one folder that it opens files in; NULL: none.  A jail makes it the root, and then
     * platform_jailed must be called: a descriptor opened before would lead out. */
    char *folder;
    /* Appends evidence over the report data (Nitro carries it as user data), alone or in a
     * conceptual message wrapper with its collateral. */
    bool (*evidence)(void *context, const struct digest64 *report_data, struct buffer *evidence,
                     struct error *error);
    /* The register of run-time events, which lives until the machine starts again: its name
     * ("rtmr3", "pcr16"), how it is extended and read; all NULL when there is none. */
    const char *event_register;
    bool (*extend)(void *context, const struct digest48 *digest, struct error *error);
    bool (*read_register)(void *context, struct digest48 *value, struct error *error);
    bool (*jailed)(void *context, struct error *error);
    void (*close)(void *context);
};

struct platform_options {
    const char *folder;      /* where sim keeps its root */
    const char *system_root; /* in front of the kernel's paths; NULL: none.  For tests. */
    unsigned timeout_ms;     /* of one piece of evidence; 0: PLATFORM_TIMEOUT_MS */
    uid_t user;              /* who will ask, when that is not root; 0: whoever opens */
};

enum {
    PLATFORM_TIMEOUT_MS = 20000 /* TDX hosts are polled once a second */
};

/* `tee`: a platform's name, or "auto" for the first that is there, in the order above; never sim
 * unless asked for by name.  UNAVAILABLE says what was looked for. */
MUST_CHECK bool platform_open(struct platform *platform, const char *tee,
                              const struct platform_options *options, struct error *error);
/* After a jail has made platform->folder the root. */
MUST_CHECK bool platform_jailed(struct platform *platform, struct error *error);
void platform_close(struct platform *platform);
/* Whether `tee` is something that platform_open takes. */
bool platform_is_name(const char *tee);

/* What the kernel calls the present start of the machine; zeros where it does not tell. */
void platform_boot(char boot[PLATFORM_BOOT_SIZE + 1]);

/* The node's id: SHA-256 over what the evidence says about the machine (PPID, chip id, instance),
 * shortened.  INVALID when it does not parse as evidence over this report data. */
MUST_CHECK bool platform_identify(struct platform *platform, enum attest_tee tee,
                                  struct bytes evidence, const struct digest64 *report_data,
                                  struct error *error);

/* One provider each; UNAVAILABLE when its interface is not there. */
MUST_CHECK bool platform_open_tsm(struct platform *platform, enum attest_tee tee,
                                  const struct platform_options *options, struct error *error);
MUST_CHECK bool platform_open_tdx_guest(struct platform *platform,
                                        const struct platform_options *options,
                                        struct error *error);
MUST_CHECK bool platform_open_nsm(struct platform *platform, const struct platform_options *options,
                                  struct error *error);
MUST_CHECK bool platform_open_gramine(struct platform *platform,
                                      const struct platform_options *options, struct error *error);
/* Loads the development root from the folder, making it at the first start.  Its RTMR3 is the file
 * sim-rtmr3 there: the boot's id and 48 bytes, zeros in another boot. */
MUST_CHECK bool platform_open_sim(struct platform *platform, const char *folder,
                                  struct error *error);

#endif
