/* SPDX-License-Identifier: Apache-2.0 */
/* The requests that a slipstream process serves over its control socket, and their payloads
 * (little-endian).  The socket's end is the request to stop. */
#ifndef SLIPSTREAM_REQUESTS_H
#define SLIPSTREAM_REQUESTS_H

#include "abi/settings.h"

enum worker_request {
    WORKER_REQUEST_OPEN = 1,   /* descriptors: channel memory, eventfd */
    WORKER_REQUEST_LOAD,       /* u32 function, settings (abi/settings.h); the image */
    WORKER_REQUEST_UNLOAD,     /* u32 function */
    WORKER_REQUEST_LOAD_FILES, /* like LOAD; the image, and the archive of its files */
    WORKER_REQUEST_PROFILE,    /* u32 function; answer: u32 samples in all, u32 count, then function
                                  and samples, u32 each */
    WORKER_REQUEST_POOL        /* u32 lanes that shall have something ready */
};

enum {
    WORKER_LOAD_SIZE = 4 + SETTINGS_SIZE,
    WORKER_UNLOAD_SIZE = 4,
    WORKER_PROFILE_SIZE = 4,
    WORKER_POOL_SIZE = 4,
    WORKER_PAYLOAD_MAX = 4096
};

#endif
