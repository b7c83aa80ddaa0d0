/* SPDX-License-Identifier: Apache-2.0 */
#include "slipstream/worker.h"

const char *trap_reason_text(enum trap_reason reason)
{
    static const char *const texts[TRAP_COUNT] = {
#define TRAP_TEXT(name, text) [TRAP_##name] = (text),
        TRAP_REASONS(TRAP_TEXT)
#undef TRAP_TEXT
    };
    return reason < TRAP_COUNT ? texts[reason] : "unknown trap";
}

bool outcome_check(const struct outcome *outcome, struct error *error)
{
    switch (outcome->kind) {
    case OUTCOME_DONE:
        if (outcome->exit_code == 0)
            return true;
        return error_set(error, ERROR_TRAPPED, "the function exited with code %u",
                         outcome->exit_code);
    case OUTCOME_TRAPPED:
        if (!outcome->has_function)
            return error_set(error, ERROR_TRAPPED, "trap: %s", trap_reason_text(outcome->reason));
        if (outcome->wasm_offset == 0)
            return error_set(error, ERROR_TRAPPED, "trap: %s in wasm function %u",
                             trap_reason_text(outcome->reason), outcome->function_index);
        return error_set(error, ERROR_TRAPPED, "trap: %s in wasm function %u at offset 0x%x",
                         trap_reason_text(outcome->reason), outcome->function_index,
                         outcome->wasm_offset);
    case OUTCOME_TIMEOUT:
        return error_set(error, ERROR_TIMEOUT, "the function ran out of time (limits.timeout_ms)");
    case OUTCOME_LIMIT:
        if (outcome->exit_code == LIMIT_HOST_CALLS)
            return error_set(error, ERROR_LIMIT,
                             "the function called the host more often than it may "
                             "(limits.host_calls)");
        return error_set(error, ERROR_LIMIT, "the function wrote more to std%s than it may (%s)",
                         outcome->exit_code == LIMIT_ERRORS ? "err" : "out",
                         outcome->exit_code == LIMIT_ERRORS ? "limits.log_kib"
                                                            : "limits.output_kib");
    case OUTCOME_CRASHED:
        break;
    }
    if (outcome->exit_code == 0)
        return error_set(error, ERROR_CRASHED, "the micro-VM ended unexpectedly");
    return error_set(error, ERROR_CRASHED, "the micro-VM ended unexpectedly (reason %u)",
                     outcome->exit_code);
}
