/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3nd/config.h"
#include "base/file.h"
#include "base/options.h"
#include "base/toml.h"
#include "cmd/s3nd/spares.h"
#include "crypto/base64.h"
#include "functions/limits.h"
#include "keys/kbs.h"
#include "operations/configuration.h"
#include "platform/platform.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool text_set(char *target, size_t size, const char *text, const char *what,
                     struct error *error)
{
    size_t length = strlen(text);
    if (length == 0 || length >= size)
        return error_set(error, ERROR_INVALID, "%s must have 1 to %zu characters", what, size - 1);
    memcpy(target, text, length + 1);
    return true;
}

static bool defaults_set(struct config *config, struct error *error)
{
    *config = (struct config){
        .listen = "127.0.0.1:8443",
        .admin = "127.0.0.1:0",
        .tee = "auto",
        .backend = "auto",
        .restoring = "auto",
        .handover = "auto",
        .first_owner_claims = true,
        .uses_optimiser = true,
        .uid_base = 63000,
        .input_kib_max = 8 << 10,
        .blob_kib_max = 64 << 10,
        .drain_ms = 30000,
        .worker_count_max = 64,
        .worker_idle_s = 60,
        .worker_idle_s_min = 10,
        .lane_count_min = 1,
        .lane_count_max = LANE_COUNT_DEFAULT,
        .spare_count_min = 1,
        .spare_count_max = 8,
        .root = { .protocol = "0.4.0", .key = "p256", .timeout_ms = 5000 },
        .retention_s = 7 * 86400,
        .outbound = { .concurrency = 8 },
        .logs = { .retention_s = 7 * 86400,
                  .mib = 32,
                  .total_mib = 1024,
                  .kib_per_s = 256,
                  .burst_kib = 4096 },
        .worker_group = { .pids = 512, .weight = 100 },
        .telemetry = config_telemetry_defaults(),
        .compiler_group = { .memory_mib = 4096, .pids = 256, .weight = 20 },
    };
    const char *home = getenv("HOME");
    static const char root_file[] = "/etc/s3n/s3nd.toml";
    if (geteuid() == 0 && access(root_file, F_OK) == 0)
        memcpy(config->file, root_file, sizeof(root_file));
    if (geteuid() == 0)
        return text_set(config->data_folder, sizeof(config->data_folder), "/var/lib/s3n",
                        "the data folder", error);
    int size = snprintf(config->data_folder, sizeof(config->data_folder), "%s/.local/state/s3n",
                        home == NULL ? "." : home);
    return size < (int)sizeof(config->data_folder) ||
           error_set(error, ERROR_INVALID, "$HOME is too long");
}

static bool environment_apply(struct config *config, struct error *error)
{
    const char *file = getenv("S3N_CONFIG"), *data = getenv("S3N_DATA_DIR");
    const char *tee = getenv("S3N_TEE");
    if (file != NULL && file[0] != '\0' &&
        !text_set(config->file, sizeof(config->file), file, "S3N_CONFIG", error))
        return false;
    if (data != NULL && data[0] != '\0' &&
        !text_set(config->data_folder, sizeof(config->data_folder), data, "S3N_DATA_DIR", error))
        return false;
    return (tee == NULL || tee[0] == '\0' ||
            text_set(config->tee, sizeof(config->tee), tee, "S3N_TEE", error)) &&
           config_telemetry_environment(&config->telemetry, error);
}

static bool owner_read(struct config *config, const json_t *value, struct error *error)
{
    if (config->owner_count == CONFIG_OWNER_COUNT_MAX)
        return error_set(error, ERROR_LIMIT, "owners: at most %d", CONFIG_OWNER_COUNT_MAX);
    uint8_t spki[ECDSA_SPKI_SIZE];
    size_t size = 0;
    if (!json_is_string(value) ||
        !base64_decode(spki, sizeof(spki), &size, bytes_of_string(json_string_value(value))))
        return error_set(error, ERROR_INVALID,
                         "owners: each is a P-256 public key, base64 of its SubjectPublicKeyInfo "
                         "(`s3n login` prints it)");
    if (!ecdsa_public_from_spki(&config->owners[config->owner_count], bytes_of(spki, size), error))
        return error_within(error, "owners");
    config->owner_count++;
    return true;
}

static bool string_read(char *target, size_t size, const json_t *object, const char *key,
                        struct error *error)
{
    if (json_object_get(object, key) == NULL)
        return true;
    const char *text;
    return json_get_string(object, key, &text, error) && text_set(target, size, text, key, error);
}

static bool number_read(uint32_t *target, const json_t *object, const char *key, int64_t max,
                        struct error *error)
{
    if (json_object_get(object, key) == NULL)
        return true;
    int64_t number;
    if (!json_get_integer(object, key, 1, max, &number, error))
        return false;
    *target = (uint32_t)number;
    return true;
}

static bool owners_read(struct config *config, const json_t *root, struct error *error)
{
    const char *first = NULL;
    if (json_object_get(root, "first_owner") != NULL) {
        if (!json_get_string(root, "first_owner", &first, error))
            return false;
        if (strcmp(first, "claim") != 0 && strcmp(first, "none") != 0)
            return error_set(error, ERROR_INVALID, "first_owner: must be \"claim\" or \"none\"");
        config->first_owner_claims = strcmp(first, "claim") == 0;
    }
    if (json_object_get(root, "owners") == NULL)
        return true;
    json_t *owners;
    if (!json_get_array(root, "owners", &owners, error))
        return false;
    for (size_t i = 0; i < json_array_size(owners); i++) {
        if (!owner_read(config, json_array_get(owners, i), error))
            return false;
    }
    return true;
}

/* One of two words: the default, or the strict one. */
static bool demand_read(bool *is_demanded, const json_t *table, const char *key, const char *strict,
                        struct error *error)
{
    const char *value = "any";
    if (json_object_get(table, key) == NULL)
        return true;
    if (!json_get_string(table, key, &value, error))
        return false;
    *is_demanded = strcmp(value, strict) == 0;
    return *is_demanded || strcmp(value, "any") == 0 ||
           error_set(error, ERROR_INVALID, "processor.%s: must be \"any\" or \"%s\"", key, strict);
}

static bool processor_table_read(struct config *config, const json_t *root, struct error *error)
{
    static const char *const keys[] = { "smt", "mitigations", NULL };
    json_t *table;
    if (json_object_get(root, "processor") == NULL)
        return true;
    return json_get_object(root, "processor", &table, error) &&
           json_check_keys(table, keys, "processor", error) &&
           demand_read(&config->wants_no_smt, table, keys[0], "off", error) &&
           demand_read(&config->wants_mitigations, table, keys[1], "required", error);
}

static bool groups_table_read(struct config *config, const json_t *root, struct error *error)
{
    static const char *const keys[] = {
        "use",           "worker_memory_mib", "worker_pids", "worker_weight", "compiler_memory_mib",
        "compiler_pids", "compiler_weight",   NULL
    };
    static const char *const uses[] = { [CONFIG_GROUPS_AUTO] = "auto",
                                        [CONFIG_GROUPS_REQUIRED] = "required",
                                        [CONFIG_GROUPS_OFF] = "off" };
    struct config_child *worker = &config->worker_group, *compiler = &config->compiler_group;
    json_t *table;
    const char *use = uses[CONFIG_GROUPS_AUTO];
    unsigned chosen = 0;
    if (json_object_get(root, "cgroup") == NULL)
        return true;
    if (!json_get_object(root, "cgroup", &table, error) ||
        !json_check_keys(table, keys, "cgroup", error) ||
        (json_object_get(table, "use") != NULL && !json_get_string(table, "use", &use, error)))
        return false;
    while (chosen < ARRAY_COUNT(uses) && strcmp(uses[chosen], use) != 0)
        chosen++;
    if (chosen == ARRAY_COUNT(uses))
        return error_set(error, ERROR_INVALID,
                         "cgroup.use: must be \"auto\", \"required\" or \"off\"");
    config->groups = (enum config_groups)chosen;
    return number_read(&worker->memory_mib, table, "worker_memory_mib", 1 << 24, error) &&
           number_read(&worker->pids, table, "worker_pids", 1 << 20, error) &&
           number_read(&worker->weight, table, "worker_weight", 10000, error) &&
           number_read(&compiler->memory_mib, table, "compiler_memory_mib", 1 << 24, error) &&
           number_read(&compiler->pids, table, "compiler_pids", 1 << 20, error) &&
           number_read(&compiler->weight, table, "compiler_weight", 10000, error);
}

struct limit_row {
    const char *key;
    size_t offset; /* in struct config, uint32_t */
    int64_t max;
};

static const struct limit_row limit_rows[] = {
    { "input_kib", offsetof(struct config, input_kib_max), 64 << 10 },
    { "blob_kib", offsetof(struct config, blob_kib_max), 64 << 10 },
    { "drain_ms", offsetof(struct config, drain_ms), 600000 },
    { "workers", offsetof(struct config, worker_count_max), 512 },
    { "memory_mib", offsetof(struct config, worker_memory_mib), 1 << 24 },
    { "idle_min_s", offsetof(struct config, worker_idle_s_min), 86400 },
    { "idle_s", offsetof(struct config, worker_idle_s), 86400 },
    { "ready_min", offsetof(struct config, spare_count_min), SPARE_COUNT_MAX },
    { "ready_max", offsetof(struct config, spare_count_max), SPARE_COUNT_MAX },
    { "lanes_min", offsetof(struct config, lane_count_min), LANE_COUNT_MAX },
    { "lanes_max", offsetof(struct config, lane_count_max), LANE_COUNT_MAX },
};

/* Floors, and the ceilings that they must not exceed. */
static const struct {
    const char *floor, *ceiling;
} limit_pairs[] = { { "idle_min_s", "idle_s" },
                    { "ready_min", "ready_max" },
                    { "lanes_min", "lanes_max" } };

static uint32_t *limit_of(struct config *config, const char *key)
{
    for (size_t i = 0; i < ARRAY_COUNT(limit_rows); i++)
        if (strcmp(limit_rows[i].key, key) == 0)
            return (uint32_t *)(void *)((uint8_t *)config + limit_rows[i].offset);
    ASSERT(false);
}

/* A floor that nobody gave follows its ceiling. */
static bool pairs_check(struct config *config, const json_t *table, struct error *error)
{
    for (size_t i = 0; i < ARRAY_COUNT(limit_pairs); i++) {
        uint32_t *floor = limit_of(config, limit_pairs[i].floor);
        uint32_t ceiling = *limit_of(config, limit_pairs[i].ceiling);
        if (json_object_get(table, limit_pairs[i].floor) == NULL)
            *floor = MIN(*floor, ceiling);
        if (*floor > ceiling)
            return error_set(error, ERROR_INVALID, "limits.%s (%u) must not exceed limits.%s (%u)",
                             limit_pairs[i].floor, *floor, limit_pairs[i].ceiling, ceiling);
    }
    return true;
}

static bool limits_read(struct config *config, const json_t *table, struct error *error)
{
    const char *keys[ARRAY_COUNT(limit_rows) + 1] = { NULL };
    for (size_t i = 0; i < ARRAY_COUNT(limit_rows); i++)
        keys[i] = limit_rows[i].key;
    if (!json_check_keys(table, keys, "limits", error))
        return false;
    for (size_t i = 0; i < ARRAY_COUNT(limit_rows); i++)
        if (!number_read(limit_of(config, keys[i]), table, keys[i], limit_rows[i].max, error))
            return false;
    return pairs_check(config, table, error);
}

/* A word of a list that ends with NULL. */
static bool word_read(char *target, size_t size, const json_t *object, const char *key,
                      const char *const *words, struct error *error)
{
    if (json_object_get(object, key) == NULL)
        return true;
    if (!string_read(target, size, object, key, error))
        return false;
    char list[64] = "";
    for (; *words != NULL; words++) {
        if (strcmp(*words, target) == 0)
            return true;
        snprintf(list + strlen(list), sizeof(list) - strlen(list), " %s", *words);
    }
    return error_set(error, ERROR_INVALID, "%s: must be one of%s", key, list);
}

static bool choices_read(struct config *config, const json_t *root, struct error *error)
{
    static const char *const keys[] = { "reset", NULL };
    static const char *const resets[] = { "auto", "track", "copy", "discard", NULL };
    static const char *const handovers[] = { "auto", "block", "watch", NULL };
    json_t *table;
    if (!word_read(config->handover, sizeof(config->handover), root, "handover", handovers, error))
        return false;
    if (json_object_get(root, "process") == NULL)
        return true;
    return json_get_object(root, "process", &table, error) &&
           json_check_keys(table, keys, "process", error) &&
           word_read(config->restoring, sizeof(config->restoring), table, keys[0], resets, error);
}

static bool tables_read(struct config *config, const json_t *root, struct error *error)
{
    static const char *const users_keys[] = { "uid_base", NULL };
    json_t *table;
    if (json_object_get(root, "users") != NULL) {
        if (!json_get_object(root, "users", &table, error) ||
            !json_check_keys(table, users_keys, "users", error) ||
            !number_read(&config->uid_base, table, "uid_base", 1 << 30, error))
            return false;
    }
    return json_object_get(root, "limits") == NULL ||
           (json_get_object(root, "limits", &table, error) && limits_read(config, table, error));
}

/* [root]: all that concerns a broker is needed with one, and refused without. */
static bool root_table_read(struct config *config, const json_t *document, struct error *error)
{
    static const char *const keys[] = { "provider", "url", "resource",   "ca",
                                        "protocol", "key", "timeout_ms", NULL };
    static const char *const providers[] = { "file", "kbs", NULL };
    struct config_root *root = &config->root;
    enum kbs_version version;
    enum jwe_kind kind;
    char provider[8] = "file";
    json_t *table;
    if (json_object_get(document, "root") == NULL)
        return true;
    if (!json_get_object(document, "root", &table, error) ||
        !json_check_keys(table, keys, "root", error) ||
        !word_read(provider, sizeof(provider), table, keys[0], providers, error))
        return false;
    root->is_brokered = strcmp(provider, "kbs") == 0;
    if (!root->is_brokered && json_object_size(table) > 1)
        return error_set(error, ERROR_INVALID, "root: provider \"file\" has no other keys");
    if (!string_read(root->url, sizeof(root->url), table, "url", error) ||
        !string_read(root->resource, sizeof(root->resource), table, "resource", error) ||
        !string_read(root->roots, sizeof(root->roots), table, "ca", error) ||
        !string_read(root->protocol, sizeof(root->protocol), table, "protocol", error) ||
        !string_read(root->key, sizeof(root->key), table, "key", error) ||
        !number_read(&root->timeout_ms, table, "timeout_ms", 8000, error))
        return error_within(error, "root");
    if (!root->is_brokered)
        return true;
    if (root->url[0] == '\0' || root->resource[0] == '\0' || root->roots[0] == '\0')
        return error_set(error, ERROR_INVALID, "root: provider \"kbs\" needs url, resource and ca");
    return (kbs_resource_check(root->resource, error) &&
            kbs_version_parse(&version, root->protocol, error) &&
            kbs_key_parse(&kind, root->key, error)) ||
           error_within(error, "root");
}

/* [collateral] */
static bool collateral_table_read(struct config *config, const json_t *root, struct error *error)
{
    static const char *const keys[] = { "fetch",  "intel_url",  "root_crl_url", "amd_url",
                                        "update", "service_ca", "intel_key",    NULL };
    static const char *const fetches[] = { "on", "off", NULL };
    static const char *const updates[] = { "standard", "early", NULL };
    struct config_collateral *collateral = &config->collateral;
    char fetch[8] = "on";
    json_t *table;
    if (json_object_get(root, "collateral") == NULL)
        return true;
    bool read =
        json_get_object(root, "collateral", &table, error) &&
        json_check_keys(table, keys, "collateral", error) &&
        word_read(fetch, sizeof(fetch), table, "fetch", fetches, error) &&
        string_read(collateral->intel_url, sizeof(collateral->intel_url), table, "intel_url",
                    error) &&
        string_read(collateral->root_crl_url, sizeof(collateral->root_crl_url), table,
                    "root_crl_url", error) &&
        string_read(collateral->amd_url, sizeof(collateral->amd_url), table, "amd_url", error) &&
        word_read(collateral->update, sizeof(collateral->update), table, "update", updates,
                  error) &&
        string_read(collateral->authorities, sizeof(collateral->authorities), table, "service_ca",
                    error) &&
        string_read(collateral->intel_key, sizeof(collateral->intel_key), table, "intel_key",
                    error);
    collateral->is_off = strcmp(fetch, "off") == 0;
    return read || error_within(error, "collateral");
}

static bool optimiser_read(struct config *config, const json_t *root, struct error *error)
{
    const char *value = "on";
    if (json_object_get(root, "optimiser") == NULL)
        return true;
    if (!json_get_string(root, "optimiser", &value, error))
        return false;
    config->uses_optimiser = strcmp(value, "on") == 0;
    return config->uses_optimiser || strcmp(value, "off") == 0 ||
           error_set(error, ERROR_INVALID, "optimiser: must be \"on\" or \"off\"");
}

static bool file_apply(struct config *config, struct error *error)
{
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, CONFIG_SIZE_MAX);
    AUTO_TOML struct toml_document document = { 0 };
    if (!file_read(&text, config->file, error) ||
        !toml_parse(&document, config->file, buffer_view(&text), error))
        return false;
    const json_t *root = document.root;
    bool read =
        configuration_check(root, error) &&
        string_read(config->data_folder, sizeof(config->data_folder), root, "data_dir", error) &&
        string_read(config->listen, sizeof(config->listen), root, "listen", error) &&
        string_read(config->admin, sizeof(config->admin), root, "admin", error) &&
        string_read(config->tee, sizeof(config->tee), root, "tee", error) &&
        string_read(config->backend, sizeof(config->backend), root, "backend", error) &&
        owners_read(config, root, error) && tables_read(config, root, error) &&
        processor_table_read(config, root, error) && groups_table_read(config, root, error) &&
        choices_read(config, root, error) && optimiser_read(config, root, error) &&
        collateral_table_read(config, root, error) && root_table_read(config, root, error) &&
        config_telemetry_read(&config->telemetry, root, error) &&
        config_owned_read(config, root, error) && config_outbound_read(config, root, error);
    return read || error_within(error, "%s", config->file);
}

struct command_line {
    const char *file, *data_folder, *listen, *admin, *tee, *backend, *role, *restoring;
    bool version;
};

static const struct option_row rows[] = {
    { "config", 'c', OPTION_STRING, offsetof(struct command_line, file), "FILE",
      "configuration in TOML ($S3N_CONFIG; docs/configuration.md)", 0, 0 },
    { "data-dir", 0, OPTION_STRING, offsetof(struct command_line, data_folder), "DIR",
      "what must survive ($S3N_DATA_DIR; root: /var/lib/s3n, others: ~/.local/state/s3n)", 0, 0 },
    { "listen", 0, OPTION_STRING, offsetof(struct command_line, listen), "ADDR:PORT",
      "HTTPS for everyone (127.0.0.1:8443; port 0: a free one)", 0, 0 },
    { "admin", 0, OPTION_STRING, offsetof(struct command_line, admin), "ADDR:PORT",
      "health and metrics, loopback only (127.0.0.1:0)", 0, 0 },
    { "tee", 0, OPTION_STRING, offsetof(struct command_line, tee), "NAME",
      "platform ($S3N_TEE; the TEE that is here); `sim` simulates one and proves nothing", 0, 0 },
    { "backend", 0, OPTION_STRING, offsetof(struct command_line, backend), "NAME",
      "where functions run: kvm, process, or auto: kvm, but process inside a confidential VM", 0,
      0 },
    { "restoring", 0, OPTION_STRING, offsetof(struct command_line, restoring), "CHOICE",
      "for s3nd's own use", 0, 0 },
    { "role", 0, OPTION_STRING, offsetof(struct command_line, role), "NAME", "for s3nd's own use",
      0, 0 },
    { "version", 0, OPTION_FLAG, offsetof(struct command_line, version), NULL, "print the version",
      0, 0 },
};

static const struct option_table table = {
    .program = "s3nd",
    .usage = "",
    .about = "Runs an S3N node.  Prints `ready url=https://... admin=http://...` when it serves; "
             "logs go to stderr.  SIGTERM and SIGINT stop it gracefully.",
    .rows = rows,
    .row_count = ARRAY_COUNT(rows),
};

static bool option_apply(char *target, size_t size, const char *value, const char *what,
                         struct error *error)
{
    return value == NULL || text_set(target, size, value, what, error);
}

static bool arguments_apply(struct config *config, const struct command_line *line,
                            struct error *error)
{
    config->show_version = line->version;
    static const char *const roles[] = { [NODE_ROLE_SERVER] = "server",
                                         [NODE_ROLE_COLLATERAL] = "collateral",
                                         [NODE_ROLE_TELEMETRY] = "telemetry",
                                         [NODE_ROLE_KEYS] = "keys" };
    config->role = NODE_ROLE_SUPERVISOR;
    for (unsigned i = NODE_ROLE_SERVER; line->role != NULL && i < ARRAY_COUNT(roles); i++)
        if (strcmp(line->role, roles[i]) == 0)
            config->role = (enum node_role)i;
    if ((line->role != NULL && config->role == NODE_ROLE_SUPERVISOR) ||
        (line->role == NULL && line->restoring != NULL))
        return error_set(error, ERROR_USAGE, "--role and --restoring are for s3nd's own use");
    return option_apply(config->file, sizeof(config->file), line->file, "--config", error) &&
           option_apply(config->data_folder, sizeof(config->data_folder), line->data_folder,
                        "--data-dir", error) &&
           option_apply(config->listen, sizeof(config->listen), line->listen, "--listen", error) &&
           option_apply(config->admin, sizeof(config->admin), line->admin, "--admin", error) &&
           option_apply(config->tee, sizeof(config->tee), line->tee, "--tee", error) &&
           option_apply(config->restoring, sizeof(config->restoring), line->restoring,
                        "--restoring", error) &&
           option_apply(config->backend, sizeof(config->backend), line->backend, "--backend",
                        error);
}

bool config_read(struct config *config, char **argv, struct error *error)
{
    struct command_line line = { 0 };
    struct option_arguments rest;
    struct config read;
    if (!options_parse(&table, argv, &line, NULL, &rest, error))
        return false;
    /* The command line is applied twice: first to find the file, last to win over it. */
    if (!defaults_set(&read, error) || !environment_apply(&read, error) ||
        !arguments_apply(&read, &line, error))
        return false;
    read.show_help = rest.wants_help;
    if (read.file[0] != '\0' && (!file_apply(&read, error) || !environment_apply(&read, error) ||
                                 !arguments_apply(&read, &line, error)))
        return false;
    if (strcmp(read.backend, "auto") != 0 && strcmp(read.backend, "kvm") != 0 &&
        strcmp(read.backend, "process") != 0)
        return error_set(error, ERROR_INVALID, "backend \"%s\": there are kvm, process and auto",
                         error_quote(bytes_of_string(read.backend)).text);
    if (!platform_is_name(read.tee))
        return error_set(error, ERROR_INVALID,
                         "tee %s: there are auto, tdx, snp, nitro, sgx and sim",
                         error_quote(bytes_of_string(read.tee)).text);
    *config = read;
    return true;
}

void config_print_help(void)
{
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, 16 << 10);
    options_help(&text, &table);
    fwrite(text.data, 1, text.size, stdout);
}
