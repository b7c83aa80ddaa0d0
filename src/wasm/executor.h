/* SPDX-License-Identifier: Apache-2.0 */
/* Tests only: runs an image inside this process, at the addresses of abi/layout.h but for linear
 * memory.  No isolation whatever: the micro-VM is for that. */
#ifndef WASM_EXECUTOR_H
#define WASM_EXECUTOR_H

#include "abi/image.h"
#include "abi/instance.h"

struct executor {
    struct image image;
    struct instance *instance;
    uint8_t *memory;
    uint32_t fault_offset; /* where in the code the last trap was, 0: unknown */
};

/* False when the addresses can't be had (sanitizers use them). */
bool executor_open(struct executor *executor, struct bytes image, const char **reason);
void executor_close(struct executor *executor);
/* Calls the code at `offset`; arguments are taken from slots, results left there. */
enum trap_reason executor_call(struct executor *executor, uint32_t offset, uint64_t *slots,
                               uint32_t argument_count, uint32_t result_count);
/* What imported functions do; by default nothing. */
typedef void executor_binding(struct instance *instance, uint64_t *slots);
extern executor_binding *executor_bindings[];
/* For bindings: leaves executor_call with this outcome. */
NORETURN void executor_leave(enum trap_reason reason);

#endif
