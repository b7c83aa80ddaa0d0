/* SPDX-License-Identifier: Apache-2.0 */
/* Framed messages between S3N's processes, over Unix stream sockets.
 *
 * A frame: u32 size of the payload, u16 type, u16 count of descriptors, u32 id (chosen by whoever
 * asks, echoed in the answer), little-endian, then the payload.  Descriptors travel with the first
 * byte of their frame.  A receiver serves only the types in its table; anything else, or a size
 * over the row's limit, ends the connection.  Answers carry IPC_ANSWER_OK with a payload or
 * IPC_ANSWER_ERROR with code and text. */
#ifndef BASE_IPC_H
#define BASE_IPC_H

#include "base/buffer.h"
#include "base/error.h"

enum {
    IPC_DESCRIPTORS_MAX = 8,
    IPC_PAYLOAD_MAX = 64 << 20
};
enum {
    IPC_ANSWER_OK = 0xfffe,
    IPC_ANSWER_ERROR = 0xffff
};

struct ipc_message {
    uint16_t type;
    uint32_t id;
    struct bytes payload; /* borrows the connection's buffer until the next receive */
    int descriptors[IPC_DESCRIPTORS_MAX];
    unsigned descriptor_count; /* the receiver owns and closes them */
};

struct ipc;

/* Takes over a connected stream socket (blocking or not).  One thread at a time. */
MUST_CHECK bool ipc_new(struct ipc **ipc, int socket, size_t payload_max, struct error *error);
void ipc_free(struct ipc *ipc);
DEFINE_AUTO(ipc, ipc_free)
int ipc_descriptor(const struct ipc *ipc);
/* Whether the connection is over: tells a peer that answered UNAVAILABLE from one that is gone. */
bool ipc_is_broken(const struct ipc *ipc);

/* Blocks until all is written. */
MUST_CHECK bool ipc_send(struct ipc *ipc, uint16_t type, uint32_t id, struct bytes payload,
                         const int *descriptors, unsigned descriptor_count, struct error *error);
/* The next message; `timeout_ms` -1 waits for ever, 0 takes what is there.  TIMEOUT (half a frame
 * is kept for the next call), UNAVAILABLE (peer gone), INVALID (bad frame; the connection is over).
 */
MUST_CHECK bool ipc_receive(struct ipc *ipc, struct ipc_message *message, int timeout_ms,
                            struct error *error);
/* Sends and waits for the answer with the same id; the peer's error becomes ours. */
MUST_CHECK bool ipc_call(struct ipc *ipc, uint16_t type, struct bytes payload,
                         const int *descriptors, unsigned descriptor_count,
                         struct ipc_message *answer, int timeout_ms, struct error *error);
/* Closes the descriptors that are left (a taken one is set to -1). */
void ipc_message_done(struct ipc_message *message);
/* The answer to a message that failed, for whoever answers later than ipc_serve_one does. */
MUST_CHECK bool ipc_send_error(struct ipc *ipc, uint32_t id, const struct error *failure,
                               struct error *error);

/* What an IPC_ANSWER_ERROR says, for whoever receives answers out of order.  Returns false. */
bool ipc_answer_error(const struct ipc_message *answer, struct error *error);

/* One row per request that may be received. */
struct ipc_request {
    uint16_t type;
    const char *name;
    size_t payload_max;
    unsigned descriptor_count;
    /* Fills `answer` (and up to IPC_DESCRIPTORS_MAX descriptors, closed after sending) or fails.
     * The message's descriptors are closed afterwards: duplicate what is to stay open. */
    bool (*serve)(void *context, const struct ipc_message *message, struct buffer *answer,
                  int *descriptors, unsigned *descriptor_count, struct error *error);
};
/* Receives one message and answers it.  false: TIMEOUT when nothing came, else the connection is
 * over.  What `serve` fails with goes to the peer, not to the caller. */
MUST_CHECK bool ipc_serve_one(struct ipc *ipc, const struct ipc_request *table, size_t count,
                              void *context, int timeout_ms, struct error *error);

#endif
