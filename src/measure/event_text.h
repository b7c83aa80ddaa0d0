/* SPDX-License-Identifier: Apache-2.0 */
/* What an event of a TCG log says, for people.  Internal to measure. */
#ifndef MEASURE_EVENT_TEXT_H
#define MEASURE_EVENT_TEXT_H

#include "measure/event_log.h"

/* As the TCG specification names it, "unknown" otherwise. */
const char *event_type_name(uint32_t type);
/* Prints what the data says as far as it is understood, and tells what the digest is of. */
enum event_digest event_text(char text[EVENT_TEXT_SIZE], uint32_t type, struct bytes data,
                             const struct digest48 *digest);

#endif
