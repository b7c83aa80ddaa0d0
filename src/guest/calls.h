/* SPDX-License-Identifier: Apache-2.0 */
/* Host calls from inside: imports of module `s3n`, and what native functions get.  Arguments become
 * a list of requests in the mailbox's call area (abi/call.h), one exit fetches the answers, which
 * stay there until the next call.  A bad pointer is an error of the call, never a trap. */
#ifndef GUEST_CALLS_H
#define GUEST_CALLS_H

#include "abi/call.h"
#include "guest/guest.h"

/* calls.c: one import per row of CALLS, and what belongs to them. */
#define CALL_FUNCTION(number, name, field, type, shape, permission, scope, idempotent)             \
    binding_function s3n_##name;
CALLS(CALL_FUNCTION)
#undef CALL_FUNCTION
binding_function s3n_rest, s3n_error_message, s3n_batch;
/* calls_local.c: what needs no exit. */
binding_function s3n_abi, s3n_random, s3n_time, s3n_hash, s3n_log;

/* Nothing was called yet. */
void calls_rewind(void);
/* Notes what error_message will say of a call that did not get out; returns `error`. */
int64_t calls_fail(enum call_error error, const char *text);

/* A whole list, as it stands.  Answers: their size, of which as much as `capacity` was copied, or
 * an enum call_error. */
int64_t calls_batch(const void *requests, uint64_t size, void *answers, uint64_t capacity);
/* What is behind `offset` in the data of answer `index` of the last list (UINT32_MAX: in the list
 * itself): bytes copied, 0 at the end. */
int64_t calls_rest(uint32_t index, uint64_t offset, void *target, uint64_t capacity);
/* Of the last call that failed: the text's size, of which as much as `capacity` was copied. */
int64_t calls_error_message(void *target, uint64_t capacity);
/* Lines of `text` to the log. */
int64_t calls_log(uint32_t level, const uint8_t *text, uint64_t size);

#endif
