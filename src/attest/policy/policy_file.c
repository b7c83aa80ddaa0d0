/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/policy/policy_file.h"

#include "base/toml.h"
#include "core/hex.h"
#include "core/time.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    PATH_SIZE = 256,
    DAY_S = 86400,
    DAYS_MAX = 36500
};

/* One table of the file. */
struct table {
    const struct toml_document *document;
    const char *file_name;
    const json_t *json; /* NULL: absent, every key is as by default */
    char path[PATH_SIZE];
};

/* Puts "FILE:LINE: KEY: " before an error; returns false. */
static bool fail_at(const struct table *table, const char *key, struct error *error)
{
    char path[PATH_SIZE + 128];
    snprintf(path, sizeof(path), "%s%s%.100s", table->path,
             table->path[0] != '\0' && key[0] != '\0' ? "." : "", key);
    return error_within(error, "%s:%u: %s", table->file_name, toml_line(table->document, path),
                        path[0] == '\0' ? "policy" : path);
}

static bool PRINTF_LIKE(4, 5)
    refuse(const struct table *table, const char *key, struct error *error, const char *format, ...)
{
    char text[sizeof(error->text)];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    error_set(error, ERROR_INVALID, "%s", text);
    return fail_at(table, key, error);
}

static bool check_keys(const struct table *table, const char *const *keys, struct error *error)
{
    return table->json == NULL || json_check_keys(table->json, keys, table->path, error) ||
           error_within(error, "%s:%u", table->file_name, toml_line(table->document, table->path));
}

static bool table_enter(struct table *inner, const struct table *outer, const char *key,
                        struct error *error)
{
    *inner = (struct table){ .document = outer->document, .file_name = outer->file_name };
    snprintf(inner->path, sizeof(inner->path), "%s", key);
    inner->json = json_object_get(outer->json, key);
    return inner->json == NULL || json_is_object(inner->json) ||
           refuse(outer, key, error, "must be a table");
}

static bool read_bool(const struct table *table, const char *key, bool *value, struct error *error)
{
    const json_t *json = json_object_get(table->json, key);
    if (json == NULL)
        return true;
    if (!json_is_boolean(json))
        return refuse(table, key, error, "must be true or false");
    *value = json_is_true(json);
    return true;
}

static bool read_number(const struct table *table, const char *key, int64_t max, int64_t *value,
                        struct error *error)
{
    const json_t *json = json_object_get(table->json, key);
    if (json == NULL)
        return true;
    if (!json_is_integer(json) || json_integer_value(json) < 0 || json_integer_value(json) > max)
        return refuse(table, key, error, "must be a number from 0 to %lld", (long long)max);
    *value = json_integer_value(json);
    return true;
}

static bool read_choice(const struct table *table, const char *key, enum policy_choice *choice,
                        struct error *error)
{
    static const char *const names[] = { "any", "forbidden", "required" };
    const json_t *json = json_object_get(table->json, key);
    if (json == NULL)
        return true;
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        if (json_is_string(json) && strcmp(json_string_value(json), names[i]) == 0) {
            *choice = (enum policy_choice)i;
            return true;
        }
    return refuse(table, key, error, "must be \"any\", \"forbidden\" or \"required\"");
}

/* The array at `key`; NULL when absent. */
static bool read_array(const struct table *table, const char *key, size_t count_max,
                       const json_t **array, struct error *error)
{
    *array = json_object_get(table->json, key);
    if (*array == NULL)
        return true;
    if (!json_is_array(*array))
        return refuse(table, key, error, "must be an array");
    return json_array_size(*array) <= count_max ||
           refuse(table, key, error, "at most %zu entries", count_max);
}

static bool read_text(const struct table *table, const char *key, const json_t *json, char *text,
                      size_t size_max, struct error *error)
{
    size_t size = json_string_length(json);
    if (!json_is_string(json) || size == 0 || size > size_max)
        return refuse(table, key, error, "must be text of 1 to %zu bytes", size_max);
    memcpy(text, json_string_value(json), size + 1);
    return true;
}

static bool read_tees(struct policy *policy, const struct table *root, struct error *error)
{
    const json_t *array;
    if (!read_array(root, "tee", 8, &array, error))
        return false;
    if (array == NULL)
        return true;
    policy->tees = 0;
    for (size_t i = 0; i < json_array_size(array); i++) {
        enum attest_tee tee;
        const char *name = json_string_value(json_array_get(array, i));
        if (name == NULL || !attest_tee_find(&tee, name))
            return refuse(root, "tee", error,
                          "each must be \"tdx\", \"sgx\", \"snp\" or \"nitro\"");
        policy->tees |= 1u << tee;
    }
    return true;
}

static bool read_statuses(struct policy *policy, const struct table *tcb, struct error *error)
{
    const json_t *array;
    if (!read_array(tcb, "status", INTEL_TCB_REVOKED, &array, error))
        return false;
    if (array == NULL)
        return true;
    policy->statuses = 0;
    for (size_t i = 0; i < json_array_size(array); i++) {
        enum intel_tcb_status status;
        const char *name = json_string_value(json_array_get(array, i));
        if (name == NULL || !intel_tcb_status_find(&status, bytes_of_string(name)))
            return refuse(tcb, "status", error, "\"%s\" is no TCB status; one is \"UpToDate\"",
                          error_quote(bytes_of_string(name == NULL ? "?" : name)).text);
        if (status == INTEL_TCB_REVOKED)
            return refuse(tcb, "status", error, "Revoked can't be accepted");
        policy->statuses |= 1u << status;
    }
    return true;
}

static bool read_date(struct policy *policy, const struct table *tcb, struct error *error)
{
    const json_t *json = json_object_get(tcb->json, "date_min");
    if (json == NULL)
        return true;
    char text[64];
    if (!read_text(tcb, "date_min", json, text, sizeof(text) - 12, error))
        return false;
    if (strlen(text) == strlen("2024-03-13"))
        snprintf(text + strlen("2024-03-13"), sizeof(text) - strlen("2024-03-13"), "T00:00:00Z");
    return time_parse(&policy->tcb_date_min_s, bytes_of_string(text)) ||
           refuse(tcb, "date_min", error, "must be a date: \"2024-03-13\"");
}

static bool read_floor(const struct table *tcb, const char *key, struct policy_floor *floor,
                       struct error *error)
{
    const json_t *array;
    if (!read_array(tcb, key, POLICY_SVN_COUNT, &array, error))
        return false;
    if (array == NULL)
        return true;
    floor->is_set = true;
    if (json_array_size(array) != POLICY_SVN_COUNT)
        return refuse(tcb, key, error, "must be %d numbers", POLICY_SVN_COUNT);
    for (size_t i = 0; i < POLICY_SVN_COUNT; i++) {
        const json_t *json = json_array_get(array, i);
        if (!json_is_integer(json) || json_integer_value(json) < 0 ||
            json_integer_value(json) > UINT8_MAX)
            return refuse(tcb, key, error, "each must be a number from 0 to 255");
        floor->svn[i] = (uint8_t)json_integer_value(json);
    }
    return true;
}

static bool read_advisories(struct policy *policy, const struct table *tcb, struct error *error)
{
    const json_t *array;
    if (!read_array(tcb, "advisories", POLICY_ADVISORY_COUNT_MAX, &array, error))
        return false;
    if (array == NULL)
        return true;
    policy->has_advisories = true;
    for (size_t i = 0; i < json_array_size(array); i++)
        if (!read_text(tcb, "advisories", json_array_get(array, i),
                       policy->advisories[policy->advisory_count++], INTEL_ADVISORY_SIZE_MAX,
                       error))
            return false;
    return true;
}

static bool read_tcb(struct policy *policy, const struct table *root, struct error *error)
{
    static const char *const keys[] = { "status",      "grace_days",  "date_min",
                                        "sgx_svn_min", "tdx_svn_min", "evaluation_number_min",
                                        "pce_svn_min", "advisories",  NULL };
    struct table tcb;
    int64_t grace_days = 0, evaluation_number = 0, pce_svn = 0;
    if (!table_enter(&tcb, root, "tcb", error) || !check_keys(&tcb, keys, error) ||
        !read_statuses(policy, &tcb, error) || !read_date(policy, &tcb, error) ||
        !read_number(&tcb, "grace_days", DAYS_MAX, &grace_days, error) ||
        !read_number(&tcb, "evaluation_number_min", UINT32_MAX, &evaluation_number, error) ||
        !read_number(&tcb, "pce_svn_min", UINT16_MAX, &pce_svn, error) ||
        !read_floor(&tcb, "sgx_svn_min", &policy->sgx_svn_min, error) ||
        !read_floor(&tcb, "tdx_svn_min", &policy->tdx_svn_min, error) ||
        !read_advisories(policy, &tcb, error))
        return false;
    policy->grace_s = grace_days * DAY_S;
    policy->evaluation_number_min = (uint32_t)evaluation_number;
    policy->pce_svn_min = (uint16_t)pce_svn;
    return true;
}

static bool read_tdx(struct policy *policy, const struct table *root, struct error *error)
{
    static const char *const keys[] = { "sept_ve_disable", NULL };
    struct table tdx;
    return table_enter(&tdx, root, "tdx", error) && check_keys(&tdx, keys, error) &&
           read_choice(&tdx, "sept_ve_disable", &policy->sept_ve_disable, error);
}

static bool read_amd_floor(struct policy_amd_floor *floor, const struct table *snp,
                           struct error *error)
{
    static const char *const keys[] = { "boot_loader", "tee", "snp", "microcode", "fmc", NULL };
    uint8_t *const targets[] = { &floor->boot_loader, &floor->tee, &floor->snp, &floor->microcode,
                                 &floor->fmc };
    struct table minimum;
    if (!table_enter(&minimum, snp, "tcb_min", error))
        return false;
    snprintf(minimum.path, sizeof(minimum.path), "snp.tcb_min");
    if (!check_keys(&minimum, keys, error))
        return false;
    floor->is_set = minimum.json != NULL;
    for (size_t i = 0; i < ARRAY_COUNT(targets); i++) {
        int64_t number = 0;
        if (!read_number(&minimum, keys[i], UINT8_MAX, &number, error))
            return false;
        *targets[i] = (uint8_t)number;
    }
    return true;
}

static bool read_snp(struct policy *policy, const struct table *root, struct error *error)
{
    static const char *const keys[] = { "tcb_min", "vmpl_max", "guest_svn_min", NULL };
    struct table snp;
    int64_t vmpl = policy->vmpl_max, guest_svn = 0;
    if (!table_enter(&snp, root, "snp", error) || !check_keys(&snp, keys, error) ||
        !read_amd_floor(&policy->amd_tcb_min, &snp, error) ||
        !read_number(&snp, "vmpl_max", 3, &vmpl, error) ||
        !read_number(&snp, "guest_svn_min", UINT32_MAX, &guest_svn, error))
        return false;
    policy->vmpl_max = (int)vmpl;
    policy->guest_svn_min = (uint32_t)guest_svn;
    return true;
}

static bool read_ages(struct policy *policy, const struct table *root, struct error *error)
{
    static const char *const collateral_keys[] = { "revocation", "age_max_days", NULL };
    static const char *const evidence_keys[] = { "age_max_s", NULL };
    struct table collateral, evidence;
    int64_t days = -1, seconds = -1;
    if (!table_enter(&collateral, root, "collateral", error) ||
        !check_keys(&collateral, collateral_keys, error) ||
        !read_choice(&collateral, "revocation", &policy->revocation, error) ||
        !read_number(&collateral, "age_max_days", DAYS_MAX, &days, error) ||
        !table_enter(&evidence, root, "evidence", error) ||
        !check_keys(&evidence, evidence_keys, error) ||
        !read_number(&evidence, "age_max_s", (int64_t)DAYS_MAX * DAY_S, &seconds, error))
        return false;
    if (policy->revocation == POLICY_FORBIDDEN)
        return refuse(&collateral, "revocation", error, "must be \"any\" or \"required\"");
    if (days >= 0)
        policy->collateral_age_max_s = days * DAY_S;
    if (seconds >= 0)
        policy->evidence_age_max_s = seconds;
    return true;
}

/* A claim's expected value: digits, or text for claims that are. */
static bool read_field(struct policy_field *field, const struct table *entry, const char *key,
                       const json_t *json, bool is_pin, struct error *error)
{
    field->kind = policy_field_find(key, is_pin);
    if (field->kind == NULL)
        return refuse(entry, key, error, "no such claim can be named here");
    size_t size = field->kind->size;
    const char *text = json_string_value(json);
    if (text == NULL)
        return refuse(entry, key, error, "must be text");
    field->value.size = size;
    if (size != 0)
        return hex_decode(field->value.bytes, size, bytes_of_string(text)) ||
               refuse(entry, key, error, "must be %zu hexadecimal digits", 2 * size);
    field->value.size = json_string_length(json);
    if (field->value.size == 0 || field->value.size > sizeof(field->value.bytes))
        return refuse(entry, key, error, "must be text of 1 to %zu bytes",
                      sizeof(field->value.bytes));
    memcpy(field->value.bytes, text, field->value.size);
    return true;
}

/* A name, and fields of one kind of evidence. */
static bool read_entry(const struct table *entry, char *name, struct policy_field *fields,
                       size_t field_count_max, size_t *field_count, bool is_pin,
                       struct error *error)
{
    if (!json_is_object(entry->json))
        return refuse(entry, "", error, "must be a table");
    uint32_t tees = UINT32_MAX;
    const char *key;
    json_t *json;
    if (!read_text(entry, "name", json_object_get(entry->json, "name"), name, POLICY_NAME_SIZE_MAX,
                   error))
        return false;
    json_object_foreach((json_t *)(uintptr_t)entry->json, key, json)
    {
        if (strcmp(key, "name") == 0)
            continue;
        if (*field_count == field_count_max)
            return refuse(entry, key, error, "at most %zu values", field_count_max);
        struct policy_field *field = &fields[(*field_count)++];
        if (!read_field(field, entry, key, json, is_pin, error))
            return false;
        tees &= field->kind->tees;
        if (tees == 0)
            return refuse(entry, key, error, "is of another kind of evidence than the rest");
    }
    return *field_count > 0 || refuse(entry, "", error, "names no value");
}

static bool entry_at(struct table *entry, const struct table *root, const char *key,
                     const json_t *array, size_t index)
{
    *entry = (struct table){ .document = root->document,
                             .file_name = root->file_name,
                             .json = json_array_get(array, index) };
    snprintf(entry->path, sizeof(entry->path), "%s[%zu]", key, index);
    return index < json_array_size(array);
}

static bool read_measurements(struct policy *policy, const struct table *root, struct error *error)
{
    const json_t *array;
    struct table entry;
    if (!read_array(root, "measurement", POLICY_MEASUREMENT_COUNT_MAX, &array, error))
        return false;
    for (size_t i = 0; array != NULL && entry_at(&entry, root, "measurement", array, i); i++) {
        struct policy_measurement *measurement = &policy->measurements[policy->measurement_count++];
        if (!read_entry(&entry, measurement->name, measurement->fields, POLICY_FIELD_COUNT_MAX,
                        &measurement->field_count, false, error))
            return false;
    }
    return true;
}

static bool read_pins(struct policy *policy, const struct table *root, struct error *error)
{
    const json_t *array;
    struct table entry;
    if (!read_array(root, "platform", POLICY_PIN_COUNT_MAX, &array, error))
        return false;
    for (size_t i = 0; array != NULL && entry_at(&entry, root, "platform", array, i); i++) {
        struct policy_pin *pin = &policy->pins[policy->pin_count++];
        size_t count = 0;
        if (!read_entry(&entry, pin->name, &pin->field, 1, &count, true, error))
            return false;
    }
    return true;
}

static bool read_version(const struct table *root, struct error *error)
{
    int64_t version = 0;
    if (!read_number(root, "s3n_policy_version", INT32_MAX, &version, error))
        return false;
    return version == POLICY_FILE_VERSION ||
           refuse(root, "s3n_policy_version", error, "must be %d", POLICY_FILE_VERSION);
}

static bool read_root(struct policy *policy, const struct table *root, struct error *error)
{
    static const char *const keys[] = {
        "s3n_policy_version",  "tee",      "simulated", "debug", "smt",        "migration",
        "require_platform_id", "tcb",      "tdx",       "snp",   "collateral", "evidence",
        "measurement",         "platform", NULL
    };
    return check_keys(root, keys, error) && read_version(root, error) &&
           read_tees(policy, root, error) &&
           read_bool(root, "simulated", &policy->allow_simulated, error) &&
           read_bool(root, "debug", &policy->allow_debug, error) &&
           read_choice(root, "smt", &policy->smt, error) &&
           read_choice(root, "migration", &policy->migration, error) &&
           read_bool(root, "require_platform_id", &policy->requires_platform_id, error) &&
           read_tcb(policy, root, error) && read_tdx(policy, root, error) &&
           read_snp(policy, root, error) && read_ages(policy, root, error) &&
           read_measurements(policy, root, error) && read_pins(policy, root, error);
}

bool policy_parse(struct policy *policy, const char *file_name, struct bytes text,
                  struct error *error)
{
    policy_default(policy);
    if (text.size > POLICY_FILE_SIZE_MAX)
        return error_set(error, ERROR_LIMIT, "%s: a policy has at most %d bytes", file_name,
                         POLICY_FILE_SIZE_MAX);
    AUTO_TOML struct toml_document document = { 0 };
    if (!toml_parse(&document, file_name, text, error))
        return false;
    struct table root = { .document = &document, .file_name = file_name, .json = document.root };
    return read_root(policy, &root, error);
}
