/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/admission.h"

#include <string.h>

static bool list_read(const json_t **list, const json_t *table, const char *key,
                      struct error *error)
{
    json_t *given;
    if (json_object_get(table, key) == NULL)
        return true;
    if (!json_get_array(table, key, &given, error))
        return false;
    for (size_t i = 0; i < json_array_size(given); i++) {
        if (!json_is_string(json_array_get(given, i)))
            return error_set(error, ERROR_INVALID, "policy.%s: must be a list of strings", key);
    }
    *list = given;
    return true;
}

static bool size_read(int64_t *size, const json_t *table, const char *key, struct error *error)
{
    return json_object_get(table, key) == NULL ||
           json_get_integer(table, key, 1, INT64_C(1) << 40, size, error);
}

bool admission_parse(struct admission *policy, const json_t *table, struct error *error)
{
    static const char *const keys[] = { "kinds",     "imports",       "no_imports",
                                        "features",  "deterministic", "module_kib",
                                        "image_kib", "memory_mib",    NULL };
    struct admission parsed = { 0 };
    const json_t *deterministic = json_object_get(table, "deterministic");
    if (!json_check_keys(table, keys, "policy", error) ||
        !list_read(&parsed.kinds, table, "kinds", error) ||
        !list_read(&parsed.imports, table, "imports", error) ||
        !list_read(&parsed.no_imports, table, "no_imports", error) ||
        !list_read(&parsed.features, table, "features", error) ||
        !size_read(&parsed.module_kib, table, "module_kib", error) ||
        !size_read(&parsed.image_kib, table, "image_kib", error) ||
        !size_read(&parsed.memory_mib, table, "memory_mib", error))
        return false;
    if (deterministic != NULL && !json_is_boolean(deterministic))
        return error_set(error, ERROR_INVALID, "policy.deterministic: must be true or false");
    for (size_t i = 0; i < json_array_size(parsed.kinds); i++) {
        const char *kind = json_string_value(json_array_get(parsed.kinds, i));
        if (strcmp(kind, "wasm") != 0 && strcmp(kind, "native") != 0)
            return error_set(error, ERROR_INVALID, "policy.kinds: there are wasm and native");
    }
    parsed.wants_deterministic = json_is_true(deterministic);
    parsed.tree = json_incref((json_t *)(uintptr_t)table);
    *policy = parsed;
    return true;
}

void admission_done(struct admission *policy)
{
    json_decref(policy->tree);
    *policy = (struct admission){ 0 };
}

static bool matches(const char *pattern, const char *text)
{
    size_t size = strlen(pattern);
    return size > 0 && pattern[size - 1] == '*' ? strncmp(pattern, text, size - 1) == 0
                                                : strcmp(pattern, text) == 0;
}

static bool is_listed(const json_t *patterns, const char *text)
{
    for (size_t i = 0; i < json_array_size(patterns); i++) {
        if (matches(json_string_value(json_array_get(patterns, i)), text))
            return true;
    }
    return false;
}

static bool refuse(struct error *error, const char *rule, const struct manifest_function *function,
                   const char *why, const char *what)
{
    return error_set(error, ERROR_DENIED, "policy.%s: function %s %s%s%s", rule, function->name,
                     why, what[0] == '\0' ? "" : " ", what);
}

static bool size_check(int64_t limit, uint64_t size, const char *rule,
                       const struct manifest_function *function, struct error *error)
{
    if (limit == 0 || size <= (uint64_t)limit)
        return true;
    return error_set(error, ERROR_DENIED,
                     "policy.%s: function %s has %llu, at most %lld are allowed", rule,
                     function->name, (unsigned long long)size, (long long)limit);
}

static bool imports_check(const struct admission *policy, const struct manifest_function *function,
                          const json_t *report, struct error *error)
{
    const json_t *imports = json_object_get(report, "imports");
    int64_t count = json_integer_value(json_object_get(report, "imports_count"));
    if (policy->imports == NULL && policy->no_imports == NULL)
        return true;
    if (count != (int64_t)json_array_size(imports))
        return refuse(error, policy->imports != NULL ? "imports" : "no_imports", function,
                      "imports more than a report lists", "");
    for (size_t i = 0; i < json_array_size(imports); i++) {
        const char *import = json_string_value(json_array_get(imports, i));
        if (policy->imports != NULL && !is_listed(policy->imports, import))
            return refuse(error, "imports", function, "imports", import);
        if (is_listed(policy->no_imports, import))
            return refuse(error, "no_imports", function, "imports", import);
    }
    return true;
}

static bool features_check(const struct admission *policy, const struct manifest_function *function,
                           const json_t *report, struct error *error)
{
    const json_t *features = json_object_get(report, "features");
    for (size_t i = 0; policy->features != NULL && i < json_array_size(features); i++) {
        const char *feature = json_string_value(json_array_get(features, i));
        if (!is_listed(policy->features, feature))
            return refuse(error, "features", function, "uses", feature);
    }
    return true;
}

bool admission_check(const struct admission *policy, const struct manifest_function *function,
                     const struct function_image *image, const json_t *report, struct error *error)
{
    bool is_native = function->kind == FUNCTION_NATIVE;
    bool about_modules = policy->imports != NULL || policy->no_imports != NULL ||
                         policy->features != NULL || policy->wants_deterministic;
    if (policy->kinds != NULL && !is_listed(policy->kinds, is_native ? "native" : "wasm"))
        return refuse(error, "kinds", function, "is of kind", is_native ? "native" : "wasm");
    if (!size_check(policy->module_kib, (image->code_size + 1023) >> 10, "module_kib", function,
                    error) ||
        !size_check(policy->image_kib, (image->image_size + 1023) >> 10, "image_kib", function,
                    error) ||
        !size_check(policy->memory_mib, function->limits.memory_mib, "memory_mib", function, error))
        return false;
    if (!about_modules || is_native)
        return !about_modules ||
               refuse(error, policy->wants_deterministic ? "deterministic" : "imports", function,
                      "is native: nobody knows what it does", "");
    if (report == NULL)
        return refuse(error, "imports", function, "has no verification report", "");
    if (policy->wants_deterministic && !json_is_true(json_object_get(report, "deterministic")))
        return refuse(error, "deterministic", function, "imports clocks or random numbers", "");
    return imports_check(policy, function, report, error) &&
           features_check(policy, function, report, error);
}

bool admission_check_version(const struct admission *policy, const struct manifest *manifest,
                             const struct function_image *images, const json_t *reports,
                             struct error *error)
{
    for (size_t i = 0; policy != NULL && i < manifest->function_count; i++) {
        const struct manifest_function *function = &manifest->functions[i];
        if (!admission_check(policy, function, &images[i], json_object_get(reports, function->name),
                             error))
            return false;
    }
    return true;
}
