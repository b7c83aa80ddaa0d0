/* SPDX-License-Identifier: Apache-2.0 */
/* The frame of the command line: its table of verbs, and how a verb speaks.
 *
 * A verb is one row of `verbs`: help, completion and parsing follow from it.  Data goes to stdout,
 * messages to stderr; a verb returns its error instead of printing it.  To add one: write
 * verb_NAME.c with a `const struct verb verb_NAME`, declare it here, add it to verbs.c. */
#ifndef CMD_S3N_CLI_H
#define CMD_S3N_CLI_H

#include "base/json.h"
#include "base/options.h"

/* What was said for all verbs. */
struct cli {
    bool json;
    bool quiet;
    bool verbose;
    const char *config; /* folder of key and profile; NULL: the usual one */
    bool wants_version; /* `s3n --version` */
    /* The rest is set by the frame. */
    bool has_terminal; /* stderr: steps are shown in place */
    bool has_color;    /* stderr is a terminal, NO_COLOR is not set */
    bool shows_step;   /* a step stands in the terminal's last line */
    char hint[256];    /* what may help with a verb's error; empty: nothing */
    int exit_code;     /* of a verb that succeeded, when not 0 (a function's own code) */
};

struct verb {
    const char *name;
    const char *summary; /* its line in `s3n help` */
    const struct option_table *table;
    const void *defaults; /* of the options struct; NULL: zeros */
    size_t options_size;
    /* NULL: it is nothing without one of its subverbs. */
    bool (*run)(struct cli *cli, const void *options, const struct option_arguments *arguments,
                struct error *error);
    /* What may follow its name and then is the verb: `s3n verify evidence`.  NULL-terminated, or
     * NULL. */
    const struct verb *const *subverbs;
};

/* NULL-terminated, in the order of `s3n help`. */
extern const struct verb *const verbs[];
/* Rows of struct cli that every verb has. */
extern const struct option_row cli_rows[];
extern const size_t cli_row_count;
/* For the `shared` fields of a verb's table. */
#define CLI_SHARED .shared = cli_rows, .shared_count = CLI_ROW_COUNT
enum {
    CLI_ROW_COUNT = 4
};

const struct verb *verb_find(const char *name);
/* NULL when `name` (which may be NULL) is no subverb. */
const struct verb *subverb_find(const struct verb *verb, const char *name);
/* Proposes the nearest verb. */
bool verb_unknown(const char *name, struct error *error);
/* The same below `verb`; `name` is NULL when none was said. */
bool subverb_unknown(const struct verb *verb, const char *name, struct error *error);

extern const struct verb verb_login, verb_deploy, verb_invoke, verb_ls, verb_rm, verb_kv, verb_logs;
extern const struct verb verb_versions, verb_rollout, verb_rollback, verb_release, verb_restore;
extern const struct verb verb_status;
extern const struct verb verb_audit, verb_owner;
extern const struct verb verb_token, verb_member, verb_secret;
extern const struct verb verb_inspect, verb_verify, verb_compile, verb_run, verb_doctor,
    verb_completion, verb_help, verb_version;
extern const struct verb verb_measure, verb_verify_evidence, verb_kbs;
extern const struct verb verb_node, verb_node_init, verb_node_run, verb_node_check,
    verb_node_accept, verb_node_backup, verb_node_restore, verb_node_status, verb_node_upgrade;

/* A message on stderr, unless --quiet. */
void cli_message(struct cli *cli, const char *format, ...) PRINTF_LIKE(2, 3);
/* One only with --verbose. */
void cli_detail(struct cli *cli, const char *format, ...) PRINTF_LIKE(2, 3);
/* Advice that is shown with the verb's error. */
void cli_hint(struct cli *cli, const char *hint);
/* What is being done now: replaces the last line of a terminal, nothing elsewhere. */
void cli_step(struct cli *cli, const char *format, ...) PRINTF_LIKE(2, 3);
/* Takes the step's line away; messages do so by themselves. */
void cli_step_done(struct cli *cli);
/* The escape sequence of a colour ("32"; "" ends), or nothing where there are no colours. */
const char *cli_color(const struct cli *cli, char text[16], const char *code);
/* Data for stdout. */
MUST_CHECK bool cli_write(struct bytes data, struct error *error);
/* Lines for people: nothing in them steers the terminal, whoever they quote. */
MUST_CHECK bool cli_write_lines(struct bytes text, struct error *error);
MUST_CHECK bool cli_write_json(const json_t *json, struct error *error);

#endif
