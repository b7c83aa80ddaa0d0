/* SPDX-License-Identifier: Apache-2.0 */
/* The calls that `s3n run` passes on to the process beside it (cmd/s3n/run_services.h), which has
 * secrets, keys and a way to the network; here there is none of them, but a guest.
 *
 * Over a stream socket, one after the other: a list of one request as in abi/call.h, answered by a
 * list of one; CALL_REST for what had no room. */
#ifndef SLIPSTREAM_LOCAL_SERVICES_H
#define SLIPSTREAM_LOCAL_SERVICES_H

#include "abi/call.h"
#include "base/buffer.h"

enum local_services_end {
    LOCAL_SERVICES_ANSWERED,
    LOCAL_SERVICES_GONE, /* nobody is there, or it answers what is no answer */
    LOCAL_SERVICES_TIMEOUT
};

/* Waits for the answer until `deadline_ns` of CLOCK_MONOTONIC; 0: for ever.  Appends its data, of
 * at most data->size_max bytes.  After anything but ANSWERED the socket is of no use. */
enum local_services_end local_services_ask(int socket, const struct call_request *request,
                                           uint64_t deadline_ns, int64_t *value,
                                           struct buffer *data);
/* What `s3n run` has to be started with for the call to be served. */
const char *local_services_hint(uint16_t call);

#endif
