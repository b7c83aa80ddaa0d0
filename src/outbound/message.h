/* SPDX-License-Identifier: Apache-2.0 */
/* What the server and the process for outbound requests tell each other, over base/ipc.
 *
 * The server asks with OUTBOUND_FETCH: no payload, one descriptor of a file with the request, so
 * that a process that does not read can't block the server.  Answers come in any order, with the
 * same id: IPC_ANSWER_OK with the answer, or IPC_ANSWER_ERROR.  OUTBOUND_CANCEL with the id of a
 * request that nobody waits for any more has no answer, and the request then has none either.
 *
 * Little-endian, nothing aligned.
 *   request: u32 OUTBOUND_REQUEST_MAGIC, u8 method (enum http_method), u8 1: redirects are not
 *     followed, u16 rules, u16 fields, u16 0, u32 timeout in ms, u32 largest body of the answer,
 *     u32 size of the URL, u32 size of the body; the URL; per rule u32 size and text; per field u32
 *     size of its name, u32 of its value, both; the body
 *   answer: u32 OUTBOUND_ANSWER_MAGIC, u16 status, u16 fields, u32 size of the URL (after
 *     redirects), u32 size of the body; the URL; fields as above; the body
 * Both are read strictly, and everything is checked again where it counts. */
#ifndef OUTBOUND_MESSAGE_H
#define OUTBOUND_MESSAGE_H

#include "base/buffer.h"
#include "base/error.h"
#include "net/transfer.h"
#include "outbound/limits.h"

#define OUTBOUND_REQUEST_MAGIC 0x31514853u /* "SHQ1" */
#define OUTBOUND_ANSWER_MAGIC  0x31414853u /* "SHA1" */

enum outbound_message {
    OUTBOUND_FETCH = 1,
    OUTBOUND_CANCEL = 2
};

struct outbound_request {
    enum http_method method;
    bool is_manual;
    uint32_t timeout_ms;
    uint32_t body_size_max; /* of the answer */
    struct bytes url;
    struct bytes rules[RULE_COUNT_MAX];
    size_t rule_count;
    struct http_field fields[HEAD_FIELD_COUNT_MAX];
    size_t field_count;
    struct bytes body;
};
void outbound_request_write(struct buffer *text, const struct outbound_request *request);
/* Borrows the text. */
MUST_CHECK bool outbound_request_read(struct outbound_request *request, struct bytes text,
                                      struct error *error);

struct outbound_answer {
    unsigned status; /* 200 to 599 */
    struct bytes url;
    struct http_field fields[TRANSFER_FIELD_COUNT_MAX];
    size_t field_count;
    struct bytes body;
};
void outbound_answer_write(struct buffer *text, const struct outbound_answer *answer);
/* Borrows the text; also checks that fields are fields and the URL has no line end. */
MUST_CHECK bool outbound_answer_read(struct outbound_answer *answer, struct bytes text,
                                     struct error *error);

#endif
