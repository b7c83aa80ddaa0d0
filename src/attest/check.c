/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool attest_refuse(struct attest_run *run, enum attest_reason reason, struct error *error,
                   const char *format, ...)
{
    char text[sizeof(error->text)];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    run->verdict->reason = reason;
    return error_set(error, ERROR_UNVERIFIED, "%s", text);
}

void attest_note(struct attest_run *run, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(run->step->detail, sizeof(run->step->detail), format, arguments);
    va_end(arguments);
}

bool attest_leave_out(struct attest_run *run, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(run->step->detail, sizeof(run->step->detail), format, arguments);
    va_end(arguments);
    run->step->state = ATTEST_STEP_LEFT_OUT;
    return true;
}

bool attest_run_checks(struct attest_run *run, const struct attest_check *checks, size_t count,
                       void *verification, struct error *error)
{
    struct attest_verdict *verdict = run->verdict;
    for (size_t i = 0; i < count; i++) {
        ASSERT(verdict->step_count < ATTEST_STEP_COUNT_MAX);
        struct attest_step *step = &verdict->steps[verdict->step_count++];
        *step = (struct attest_step){ .name = checks[i].name, .state = ATTEST_STEP_PASSED };
        run->step = step;
        struct error failure = { 0 };
        if (!checks[i].run(verification, &failure)) {
            step->state = ATTEST_STEP_FAILED;
            snprintf(step->detail, sizeof(step->detail), "%s", failure.text);
            return error_set(error, ERROR_UNVERIFIED, "%s: %s", step->name, failure.text);
        }
    }
    return true;
}

bool attest_check_report_data(struct attest_run *run, struct bytes found, struct error *error)
{
    struct bytes expected = run->options->report_data;
    if (expected.size == 0) {
        attest_note(run, "any: none was asked for");
        return true;
    }
    if (!bytes_equal(expected, found))
        return attest_refuse(run, ATTEST_REASON_REPORT_DATA_MISMATCH, error,
                             "evidence is about something else: its report data differs");
    attest_note(run, "as expected");
    return true;
}
