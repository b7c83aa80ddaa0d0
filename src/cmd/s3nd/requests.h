/* SPDX-License-Identifier: Apache-2.0 */
/* What the server may ask the supervisor for, over its one socket (base/ipc.h frames), and the one
 * thing the supervisor tells it.  Nothing else passes between them. */
#ifndef S3ND_REQUESTS_H
#define S3ND_REQUESTS_H

enum supervisor_request {
    /* A keeper for this server (the one before is ended).  Answer: its socket. */
    SUPERVISOR_KEEPER = 1,
    /* A jailed worker that waits for its first application.  Answer: its control socket and u32
     * process id. */
    SUPERVISOR_WORKER,
    /* Payload: SHA-256 of the module, u32 enum compile_flag, for the optimiser the list of
     * functions (empty: all).  Descriptors: module, image, messages. Runs s3n-compile with these as
     * stdin, stdout and stderr.  Answered when it has ended: u32 exit code, or 256 + signal. */
    SUPERVISOR_COMPILE,
    /* Payload: the one-time code for `claim-code` in the data folder; empty removes the file. */
    SUPERVISOR_CLAIM_CODE,
    /* Payload: PEM text for `tls.crt` in the data folder. */
    SUPERVISOR_CERTIFICATE,
    /* A jailed process for one application's outbound requests.  Answer: its socket and u32 process
     * id. */
    SUPERVISOR_OUTBOUND,
    /* Payload: u32 process id of a worker, or of a process for outbound requests, that is not
     * needed any more: dead a second later. */
    SUPERVISOR_WORKER_END,
    /* Descriptors: evidence, and an empty file for what is found (node_collateral.h).  Asks the
     * makers' services.  Answered when that has ended, as a compilation is. */
    SUPERVISOR_COLLATERAL,
    /* Descriptors: what to export, and an empty file for the outcome (exporter.h).  Answered when
     * that has ended, as a compilation is. */
    SUPERVISOR_TELEMETRY,
    /* Descriptors: a URL, and an empty file for the answer (key_fetcher.h).  Answered when the
     * process that asks has ended, as a compilation is. */
    SUPERVISOR_KEYS,
    /* The server has done what it can without keeper and store.  Answered when both are its own: at
     * once, or when its predecessor is gone; then the answer has the socket of its keeper, which
     * was started ahead, if it could be. */
    SUPERVISOR_STANDBY,
    /* The server serves. */
    SUPERVISOR_READY,
    SUPERVISOR_REQUEST_END,

    /* From the supervisor, without an answer: stop gracefully. */
    SUPERVISOR_STOP = 100,
    /* The same: a successor stands by. */
    SUPERVISOR_HANDOVER,
    /* The same: there will be none. */
    SUPERVISOR_NO_HANDOVER
};

enum {
    SUPERVISOR_PAYLOAD_MAX = 64 << 10,
    SUPERVISOR_COMPILE_SIZE = 32 + 4,
    SUPERVISOR_SIGNALLED = 256,
    SUPERVISOR_TIMED_OUT = 1024 /* the supervisor ended it */
};

/* Descriptors that the server is started with. */
enum server_descriptor {
    SERVER_SUPERVISOR_FD = 3,
    SERVER_LISTEN_FD = 4,
    SERVER_ADMIN_FD = 5,
    SERVER_CONTROL_FD = 6 /* the operator's; may be missing */
};

#endif
