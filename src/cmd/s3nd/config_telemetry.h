/* SPDX-License-Identifier: Apache-2.0 */
/* Where metrics and traces go: [telemetry], and OpenTelemetry's environment variables, which win
 * (docs/metrics.md lists both).  Nothing is sent unless an endpoint is given. */
#ifndef S3ND_CONFIG_TELEMETRY_H
#define S3ND_CONFIG_TELEMETRY_H

#include "base/json.h"

#include <limits.h>

enum {
    TELEMETRY_URL_SIZE_MAX = 255,
    TELEMETRY_NAME_SIZE_MAX = 63,
    TELEMETRY_ATTRIBUTES_SIZE_MAX = 1023,
    TELEMETRY_TIMEOUT_MS_MAX = 20000
};

struct config_telemetry {
    char traces_url[TELEMETRY_URL_SIZE_MAX + 1]; /* empty: no traces */
    char metrics_url[TELEMETRY_URL_SIZE_MAX + 1];
    bool no_traces, no_metrics;
    bool compresses_traces, compresses_metrics; /* gzip */
    char authorities[PATH_MAX];                 /* certificates for TLS, PEM; empty: the system's */
    char headers_file[PATH_MAX];                /* lines "Name: value", for the exporter alone */
    char service[TELEMETRY_NAME_SIZE_MAX + 1];
    char attributes[TELEMETRY_ATTRIBUTES_SIZE_MAX + 1];
    uint32_t timeout_ms; /* of one request */
    uint32_t metrics_interval_ms;
    uint32_t traces_delay_ms; /* the oldest span waits at most so long */
    uint32_t queue_max;       /* spans */
    uint32_t batch_max;       /* of one request */
    double sample;            /* share of traces that begin here */
    bool trusts_callers;      /* traces that began elsewhere are sampled as they say */
};

struct config_telemetry config_telemetry_defaults(void);
/* The file's table. */
MUST_CHECK bool config_telemetry_read(struct config_telemetry *telemetry, const json_t *root,
                                      struct error *error);
/* OTEL_*; INVALID names the variable. */
MUST_CHECK bool config_telemetry_environment(struct config_telemetry *telemetry,
                                             struct error *error);
/* The variables that a child needs: `with_headers` also those that hold credentials. Appends at
 * most `room` to the list; they are our environment's own. */
size_t config_telemetry_pass(const char **list, size_t room, bool with_headers);

static inline bool config_telemetry_has_traces(const struct config_telemetry *telemetry)
{
    return telemetry->traces_url[0] != '\0' && !telemetry->no_traces;
}
static inline bool config_telemetry_has_metrics(const struct config_telemetry *telemetry)
{
    return telemetry->metrics_url[0] != '\0' && !telemetry->no_metrics;
}
static inline bool config_telemetry_is_on(const struct config_telemetry *telemetry)
{
    return config_telemetry_has_traces(telemetry) || config_telemetry_has_metrics(telemetry);
}

#endif
