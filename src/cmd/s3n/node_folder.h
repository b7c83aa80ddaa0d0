/* SPDX-License-Identifier: Apache-2.0 */
/* A node's data folder in the hands of its operator, while no node runs on it: locked, with a
 * keeper of its own. */
#ifndef CMD_S3N_NODE_FOLDER_H
#define CMD_S3N_NODE_FOLDER_H

#include "cmd/s3n/cli.h"
#include "cmd/s3nd/launcher.h"
#include "keys/keeper.h"
#include "operations/check.h"

/* What all verbs of `s3n node` take. */
struct node_options {
    const char *data_folder, *settings, *tee; /* NULL: as s3nd would have it */
};
/* Where they are a field of the verb's own. */
#define NODE_OPTION_ROWS(type, field)                                                              \
    { "data-dir",                                                                                  \
      0,                                                                                           \
      OPTION_STRING,                                                                               \
      offsetof(type, field.data_folder),                                                           \
      "DIR",                                                                                       \
      "the node's data folder ($S3N_DATA_DIR; root: /var/lib/s3n, others: ~/.local/state/s3n)",    \
      0,                                                                                           \
      0 },                                                                                         \
        { "settings",                                                                              \
          0,                                                                                       \
          OPTION_STRING,                                                                           \
          offsetof(type, field.settings),                                                          \
          "FILE",                                                                                  \
          "the node's configuration ($S3N_CONFIG; s3nd.toml in its folder, or "                    \
          "/etc/s3n/s3nd.toml)",                                                                   \
          0,                                                                                       \
          0 },                                                                                     \
    {                                                                                              \
        "tee", 0, OPTION_STRING, offsetof(type, field.tee), "NAME",                                \
            "the node's platform ($S3N_TEE, or as configured)", 0, 0                               \
    }

/* Of a verb that takes nothing else, into a struct node_options. */
enum {
    NODE_ROW_COUNT = 3
};
extern const struct option_row node_rows[];

struct node_folder {
    struct config config;
    struct launcher launcher;
    int lock; /* -1: not held */
    pid_t keeper_pid;
    struct keeper *keeper;
    struct keeper_info info;
};

/* The configuration as s3nd would read it. */
MUST_CHECK bool node_config_read(struct config *config, const struct node_options *options,
                                 struct error *error);
/* To ask a node that runs.  Its configuration may have become one that can't be read: then all but
 * the data folder is left empty, where the command line or the environment names that (and the
 * command line no configuration). */
MUST_CHECK bool node_folder_find(struct config *config, const struct node_options *options,
                                 struct error *error);
/* The configuration file that a node on this folder has by itself: empty, there is none. */
void node_settings_find(char path[PATH_MAX], const struct node_options *options);
#define NODE_FOLDER_NONE                                                                           \
    {                                                                                              \
        .lock = -1                                                                                 \
    }
/* `folder` is NODE_FOLDER_NONE before.  BUSY: a node runs there. */
MUST_CHECK bool node_folder_lock(struct node_folder *folder, const struct node_options *options,
                                 struct error *error);
/* The same where a node has run; NOT_FOUND elsewhere, and nothing is made. */
MUST_CHECK bool node_folder_lock_used(struct node_folder *folder,
                                      const struct node_options *options, struct error *error);
/* Starts a keeper on the locked folder; it makes its root secret when there is none. */
MUST_CHECK bool node_folder_keeper(struct node_folder *folder, struct error *error);
/* With a keeper, before a store is opened: a backup when it gets a new form by that. */
MUST_CHECK bool node_folder_way_back(const struct node_folder *folder, struct error *error);
void node_folder_done(struct node_folder *folder);
#define AUTO_NODE_FOLDER __attribute__((cleanup(node_folder_done)))
/* Shows a person how a proof goes on and what it finds. */
struct check_listener node_listener(struct cli *cli);
void node_progress_show(void *cli, const char *part, uint64_t done, uint64_t all);
/* LIMIT: too long. */
MUST_CHECK bool node_folder_path(char path[PATH_MAX], const struct config *config, const char *name,
                                 struct error *error);

#endif
