/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3nd/config_telemetry.h"
#include "metrics/otlp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ENVIRONMENT_PREFIX "OTEL_"

extern char **environ;

struct config_telemetry config_telemetry_defaults(void)
{
    /* OpenTelemetry's own. */
    return (struct config_telemetry){ .service = "s3n",
                                      .timeout_ms = 10000,
                                      .metrics_interval_ms = 60000,
                                      .traces_delay_ms = 5000,
                                      .queue_max = 2048,
                                      .batch_max = 512,
                                      .sample = 1,
                                      .trusts_callers = true };
}

static bool is_url(const char *text)
{
    return strncmp(text, "http://", 7) == 0 || strncmp(text, "https://", 8) == 0;
}

static bool text_take(char *target, size_t size, const char *value, const char *what,
                      struct error *error)
{
    if (snprintf(target, size, "%s", value) < (int)size)
        return true;
    return error_set(error, ERROR_INVALID, "%s: longer than %zu characters", what, size - 1);
}

/* `path` is added to an endpoint for both kinds; NULL: the URL is whole. */
static bool url_take(char target[TELEMETRY_URL_SIZE_MAX + 1], const char *value, const char *path,
                     const char *what, struct error *error)
{
    char url[TELEMETRY_URL_SIZE_MAX + 1];
    size_t size = strlen(value);
    if (!is_url(value))
        return error_set(error, ERROR_INVALID, "%s: %s is not http://... or https://...", what,
                         error_quote(bytes_of_string(value)).text);
    while (path != NULL && size > 0 && value[size - 1] == '/')
        size--;
    if (snprintf(url, sizeof(url), "%.*s%s", (int)size, value, path == NULL ? "" : path) >=
        (int)sizeof(url))
        return error_set(error, ERROR_INVALID, "%s: a URL has at most %d characters", what,
                         TELEMETRY_URL_SIZE_MAX);
    memcpy(target, url, sizeof(url));
    return true;
}

static bool endpoint_take(struct config_telemetry *telemetry, const char *value, const char *what,
                          struct error *error)
{
    return url_take(telemetry->traces_url, value, "/v1/traces", what, error) &&
           url_take(telemetry->metrics_url, value, "/v1/metrics", what, error);
}

/* --- the file --- */

static bool sample_read(struct config_telemetry *telemetry, const json_t *table,
                        struct error *error)
{
    const json_t *value = json_object_get(table, "sample");
    if (value == NULL)
        return true;
    telemetry->sample = json_number_value(value);
    return (json_is_number(value) && telemetry->sample >= 0 && telemetry->sample <= 1) ||
           error_set(error, ERROR_INVALID, "telemetry.sample: must be a number from 0 to 1");
}

static bool number_read(uint32_t *target, const json_t *table, const char *key, int64_t min,
                        int64_t max, struct error *error)
{
    int64_t number = 0;
    if (json_object_get(table, key) == NULL)
        return true;
    if (!json_get_integer(table, key, min, max, &number, error))
        return error_within(error, "telemetry");
    *target = (uint32_t)number;
    return true;
}

static bool string_read(char *target, size_t size, const json_t *table, const char *key,
                        struct error *error)
{
    const char *value = NULL;
    if (json_object_get(table, key) == NULL)
        return true;
    return (json_get_string(table, key, &value, error) &&
            text_take(target, size, value, key, error)) ||
           error_within(error, "telemetry");
}

/* "off" takes one of both away. */
static bool part_read(bool *is_off, const json_t *table, const char *key, struct error *error)
{
    const char *value = "on";
    if (json_object_get(table, key) != NULL && !json_get_string(table, key, &value, error))
        return error_within(error, "telemetry");
    *is_off = strcmp(value, "off") == 0;
    return *is_off || strcmp(value, "on") == 0 ||
           error_set(error, ERROR_INVALID, "telemetry.%s: must be \"on\" or \"off\"", key);
}

static bool compression_read(struct config_telemetry *telemetry, const json_t *table,
                             struct error *error)
{
    const char *value = "none";
    if (json_object_get(table, "compression") != NULL &&
        !json_get_string(table, "compression", &value, error))
        return error_within(error, "telemetry");
    bool is_gzip = strcmp(value, "gzip") == 0;
    telemetry->compresses_traces = telemetry->compresses_metrics = is_gzip;
    return is_gzip || strcmp(value, "none") == 0 ||
           error_set(error, ERROR_INVALID, "telemetry.compression: must be \"none\" or \"gzip\"");
}

bool config_telemetry_read(struct config_telemetry *telemetry, const json_t *root,
                           struct error *error)
{
    static const char *const keys[] = {
        "endpoint",    "traces",   "metrics",    "ca",         "headers_file", "sample", "service",
        "interval_ms", "delay_ms", "timeout_ms", "attributes", "compression",  NULL
    };
    const char *endpoint = NULL;
    json_t *table;
    if (json_object_get(root, "telemetry") == NULL)
        return true;
    if (!json_get_object(root, "telemetry", &table, error) ||
        !json_check_keys(table, keys, "telemetry", error))
        return false;
    if (json_object_get(table, "endpoint") != NULL &&
        (!json_get_string(table, "endpoint", &endpoint, error) ||
         !endpoint_take(telemetry, endpoint, "endpoint", error)))
        return error_within(error, "telemetry");
    return part_read(&telemetry->no_traces, table, "traces", error) &&
           part_read(&telemetry->no_metrics, table, "metrics", error) &&
           string_read(telemetry->authorities, sizeof(telemetry->authorities), table, "ca",
                       error) &&
           string_read(telemetry->headers_file, sizeof(telemetry->headers_file), table,
                       "headers_file", error) &&
           string_read(telemetry->service, sizeof(telemetry->service), table, "service", error) &&
           string_read(telemetry->attributes, sizeof(telemetry->attributes), table, "attributes",
                       error) &&
           otlp_attributes_check(telemetry->attributes, error) &&
           sample_read(telemetry, table, error) && compression_read(telemetry, table, error) &&
           number_read(&telemetry->metrics_interval_ms, table, "interval_ms", 100, 3600000,
                       error) &&
           number_read(&telemetry->traces_delay_ms, table, "delay_ms", 0, 600000, error) &&
           number_read(&telemetry->timeout_ms, table, "timeout_ms", 100, TELEMETRY_TIMEOUT_MS_MAX,
                       error);
}

/* --- the environment --- */

/* NULL: not set; empty counts as not set. */
static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value == NULL || value[0] == '\0' ? NULL : value;
}

static bool number_variable(uint32_t *target, const char *name, unsigned long min,
                            unsigned long max, struct error *error)
{
    const char *value = variable(name);
    char *end = NULL;
    if (value == NULL)
        return true;
    unsigned long number = strtoul(value, &end, 10);
    if (value[0] < '0' || value[0] > '9' || *end != '\0' || number < min || number > max)
        return error_set(error, ERROR_INVALID, "%s: must be a number from %lu to %lu", name, min,
                         max);
    *target = (uint32_t)number;
    return true;
}

/* One of a list that ends with NULL, the first when it is not set. */
static bool choice_variable(const char **chosen, const char *name, const char *const *choices,
                            struct error *error)
{
    const char *value = variable(name);
    *chosen = choices[0];
    for (size_t i = 0; value != NULL && choices[i] != NULL; i++)
        if (strcmp(value, choices[i]) == 0)
            *chosen = choices[i];
    if (value == NULL || strcmp(value, *chosen) == 0)
        return true;
    (void)error_set(error, ERROR_INVALID, "%s: %s is not supported", name,
                    error_quote(bytes_of_string(value)).text);
    for (size_t i = 0; choices[i] != NULL; i++) {
        size_t size = strlen(error->text);
        snprintf(error->text + size, sizeof(error->text) - size, "%s%s", i == 0 ? "; use " : ", ",
                 choices[i]);
    }
    return false;
}

static bool endpoints_apply(struct config_telemetry *telemetry, struct error *error)
{
    static const struct {
        const char *url, *exporter;
    } rows[] = { { "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_TRACES_EXPORTER" },
                 { "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "OTEL_METRICS_EXPORTER" } };
    static const char *const exporters[] = { "otlp", "none", NULL };
    char *const urls[] = { telemetry->traces_url, telemetry->metrics_url };
    bool *const offs[] = { &telemetry->no_traces, &telemetry->no_metrics };
    const char *both = variable("OTEL_EXPORTER_OTLP_ENDPOINT");
    if (both != NULL && !endpoint_take(telemetry, both, "OTEL_EXPORTER_OTLP_ENDPOINT", error))
        return false;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        const char *url = variable(rows[i].url), *exporter;
        if ((url != NULL && !url_take(urls[i], url, NULL, rows[i].url, error)) ||
            !choice_variable(&exporter, rows[i].exporter, exporters, error))
            return false;
        *offs[i] = *offs[i] || strcmp(exporter, "none") == 0;
    }
    const char *disabled = variable("OTEL_SDK_DISABLED");
    if (disabled != NULL && strcasecmp(disabled, "true") == 0)
        telemetry->no_traces = telemetry->no_metrics = true;
    return true;
}

static bool protocol_check(struct error *error)
{
    static const char *const names[] = { "OTEL_EXPORTER_OTLP_PROTOCOL",
                                         "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
                                         "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL" };
    static const char *const protocols[] = { "http/protobuf", NULL };
    const char *chosen;
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        if (!choice_variable(&chosen, names[i], protocols, error))
            return false;
    return true;
}

/* That of a signal wins over that of both. */
static bool compression_apply(struct config_telemetry *telemetry, struct error *error)
{
    static const char *const compressions[] = { "none", "gzip", NULL };
    static const struct {
        const char *name;
        bool of_traces, of_metrics;
    } rows[] = { { "OTEL_EXPORTER_OTLP_COMPRESSION", true, true },
                 { "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", true, false },
                 { "OTEL_EXPORTER_OTLP_METRICS_COMPRESSION", false, true } };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        const char *chosen;
        if (!choice_variable(&chosen, rows[i].name, compressions, error))
            return false;
        bool is_gzip = strcmp(chosen, "gzip") == 0;
        if (variable(rows[i].name) != NULL && rows[i].of_traces)
            telemetry->compresses_traces = is_gzip;
        if (variable(rows[i].name) != NULL && rows[i].of_metrics)
            telemetry->compresses_metrics = is_gzip;
    }
    return true;
}

static bool sampler_apply(struct config_telemetry *telemetry, struct error *error)
{
    static const char *const samplers[] = { "parentbased_always_on",
                                            "always_on",
                                            "always_off",
                                            "traceidratio",
                                            "parentbased_always_off",
                                            "parentbased_traceidratio",
                                            NULL };
    const char *sampler, *share = variable("OTEL_TRACES_SAMPLER_ARG");
    char *end = NULL;
    double ratio = 1;
    if (!choice_variable(&sampler, "OTEL_TRACES_SAMPLER", samplers, error))
        return false;
    if (variable("OTEL_TRACES_SAMPLER") == NULL)
        return true;
    if (share != NULL)
        ratio = strtod(share, &end);
    if (share != NULL && (*end != '\0' || !(ratio >= 0 && ratio <= 1)))
        return error_set(error, ERROR_INVALID,
                         "OTEL_TRACES_SAMPLER_ARG: must be a number from 0 to 1");
    telemetry->trusts_callers = strncmp(sampler, "parentbased_", 12) == 0;
    telemetry->sample = strstr(sampler, "ratio") != NULL       ? ratio
                        : strstr(sampler, "always_on") != NULL ? 1.0
                                                               : 0.0;
    return true;
}

bool config_telemetry_environment(struct config_telemetry *telemetry, struct error *error)
{
    const char *ca = variable("OTEL_EXPORTER_OTLP_CERTIFICATE");
    const char *service = variable("OTEL_SERVICE_NAME");
    const char *attributes = variable("OTEL_RESOURCE_ATTRIBUTES");
    if (!endpoints_apply(telemetry, error) ||
        (config_telemetry_is_on(telemetry) &&
         (!protocol_check(error) || !compression_apply(telemetry, error))) ||
        !sampler_apply(telemetry, error) ||
        (ca != NULL && !text_take(telemetry->authorities, sizeof(telemetry->authorities), ca,
                                  "OTEL_EXPORTER_OTLP_CERTIFICATE", error)) ||
        (service != NULL && !text_take(telemetry->service, sizeof(telemetry->service), service,
                                       "OTEL_SERVICE_NAME", error)) ||
        (attributes != NULL && !text_take(telemetry->attributes, sizeof(telemetry->attributes),
                                          attributes, "OTEL_RESOURCE_ATTRIBUTES", error)))
        return false;
    if (!otlp_attributes_check(telemetry->attributes, error))
        return error_within(error, "OTEL_RESOURCE_ATTRIBUTES");
    return number_variable(&telemetry->timeout_ms, "OTEL_EXPORTER_OTLP_TIMEOUT", 100,
                           TELEMETRY_TIMEOUT_MS_MAX, error) &&
           number_variable(&telemetry->metrics_interval_ms, "OTEL_METRIC_EXPORT_INTERVAL", 100,
                           3600000, error) &&
           number_variable(&telemetry->traces_delay_ms, "OTEL_BSP_SCHEDULE_DELAY", 0, 600000,
                           error) &&
           number_variable(&telemetry->queue_max, "OTEL_BSP_MAX_QUEUE_SIZE", 1, SPANS_MAX, error) &&
           number_variable(&telemetry->batch_max, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 1, 8192, error);
}

size_t config_telemetry_pass(const char **list, size_t room, bool with_headers)
{
    size_t count = 0;
    for (char **at = environ; at != NULL && *at != NULL && count < room; at++) {
        const char *end = strchr(*at, '=');
        bool has_headers = end != NULL && end - *at > 8 && memcmp(end - 7, "HEADERS", 7) == 0;
        if (strncmp(*at, ENVIRONMENT_PREFIX, strlen(ENVIRONMENT_PREFIX)) == 0 &&
            (with_headers || !has_headers))
            list[count++] = *at;
    }
    return count;
}
