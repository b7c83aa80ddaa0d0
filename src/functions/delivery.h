/* SPDX-License-Identifier: Apache-2.0 */
/* Results on their way to whoever asked: at once, or at the next multiple of the function's
 * `pad_time` since the request arrived, so that the time of an answer tells a class and not a
 * duration.  Internal to functions. */
#ifndef FUNCTIONS_DELIVERY_H
#define FUNCTIONS_DELIVERY_H

#include "functions/house.h"

/* Takes the invocation over; copies what it holds back.  Without memory for that it is delivered as
 * refused, late or not. */
void delivery_send(struct invoker *invoker, struct invocation *invocation,
                   const struct invocation_result *result, uint64_t pad_time_ns);
/* Forgets those held back, without a call. */
void deliveries_drop(struct invoker *invoker);

#endif
