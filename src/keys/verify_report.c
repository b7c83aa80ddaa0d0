/* SPDX-License-Identifier: Apache-2.0 */
#include "keys/verify_report.h"

static void write_text(struct json_writer *json, const char *name, const char *text)
{
    json_write_name(json, name);
    json_write_string(json, text);
}

static void write_steps(struct json_writer *json, const struct verify_result *result)
{
    json_write_name(json, "steps");
    json_write_array_begin(json);
    for (int step = 0; step < VERIFY_STEP_COUNT; step++) {
        json_write_object_begin(json);
        write_text(json, "name", verify_step_name((enum verify_step)step));
        write_text(json, "verdict", verify_verdict_name(result->steps[step].verdict));
        write_text(json, "detail", result->steps[step].detail);
        json_write_object_end(json);
    }
    json_write_array_end(json);
}

static void write_evidence_steps(struct json_writer *json, const struct verify_result *result)
{
    json_write_name(json, "evidence_steps");
    json_write_array_begin(json);
    for (size_t i = 0; i < result->evidence_step_count; i++) {
        const struct attest_step *step = &result->evidence_steps[i];
        json_write_object_begin(json);
        write_text(json, "name", step->name);
        json_write_name(json, "ok");
        if (step->state == ATTEST_STEP_LEFT_OUT)
            json_write_null(json);
        else
            json_write_bool(json, step->state == ATTEST_STEP_PASSED);
        write_text(json, "detail", step->detail);
        json_write_object_end(json);
    }
    json_write_array_end(json);
}

void verify_report_write(struct json_writer *json, const struct verify_result *result, bool held,
                         const struct buffer *receipt)
{
    json_write_object_begin(json);
    json_write_name(json, "verified");
    json_write_bool(json, held);
    json_write_name(json, "simulated");
    json_write_bool(json, result->simulated);
    json_write_name(json, "judged_at");
    json_write_time(json, result->judged_at_s);
    write_steps(json, result);
    write_evidence_steps(json, result);
    if (result->has_appraisal) {
        json_write_name(json, "ear");
        json_write_object_begin(json);
        ear_write_json(json, &result->appraisal);
        json_write_object_end(json);
    }
    policy_report_write(json, result->has_policy ? &result->policy : NULL);
    if (receipt != NULL) {
        json_write_name(json, "receipt");
        json_write_raw(json, buffer_view(receipt));
    }
    json_write_object_end(json);
}
