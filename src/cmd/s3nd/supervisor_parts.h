/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the supervisor: its state, what supervisor.c has for its parts, and the server's life
 * (supervisor_server.c). */
#ifndef S3ND_SUPERVISOR_PARTS_H
#define S3ND_SUPERVISOR_PARTS_H

#include "base/ipc.h"
#include "base/log.h"
#include "cmd/s3nd/children.h"
#include "cmd/s3nd/groups.h"
#include "cmd/s3nd/launcher.h"
#include "cmd/s3nd/spares.h"

enum {
    REQUEST_TIMEOUT_MS = 1000, /* the rest of a frame that began */
    RESTART_DELAY_MS_MAX = 5000
};
static const uint64_t second_ns = 1000000000u;

struct supervisor {
    const struct config *config;
    struct launcher launcher;
    struct children children;
    struct groups groups;
    struct ipc *server; /* NULL while it does not run */
    pid_t server_pid;
    struct successor {
        struct ipc *ipc; /* NULL: there is none */
        pid_t pid;
        uint32_t standby_id;  /* of its request */
        bool is_standing_by;  /* the server was told to make room */
        uint64_t deadline_ns; /* until it stands by; then until the server is gone */
    } next;
    bool has_upgraded;     /* the server is a successor, this program the one before */
    bool replaces_program; /* now */
    bool upgrades_again;   /* somebody asked for another one in between */
    char *const *arguments;
    int signals;
    int listen, admin, control;
    int lock; /* held on the data folder */
    struct spares spares;
    struct spare keeper_ahead; /* of the successor, until that one begins; pid 0: none */
    bool was_ready;            /* a server has served once */
    bool stopping;
    int exit_code;
    uint64_t restart_at_ns;
    unsigned restart_delay_ms;
    uint64_t stop_deadline_ns;
};

/* supervisor.c */
MUST_CHECK bool supervisor_request_serve(struct supervisor *supervisor,
                                         const struct ipc_message *message, struct error *error);

/* supervisor_children.c */
void child_log(enum log_level level, const char *event, const struct child *child,
               const char *note);
/* Around a launch: before it, since the child starts in its own control group; once it runs; and
 * after it, whether it started or not. */
MUST_CHECK bool child_begin(struct supervisor *supervisor, struct child *child,
                            struct error *error);
MUST_CHECK bool child_add(struct supervisor *supervisor, const struct child *child,
                          struct error *error);
void child_began(struct supervisor *supervisor, const struct child *child, bool started);
/* A child that speaks over one socket; `socket` is our end of it. */
MUST_CHECK bool child_start(struct supervisor *supervisor, struct child *child, int *socket,
                            struct error *error);
MUST_CHECK bool server_launch(struct supervisor *supervisor, struct ipc **ipc, pid_t *pid,
                              struct error *error);
/* A keeper without a server: it touches nothing before somebody speaks to it. */
MUST_CHECK bool keeper_start(struct supervisor *supervisor, struct spare *keeper,
                             struct error *error);
MUST_CHECK bool worker_start(struct supervisor *supervisor, pid_t *pid, int *socket,
                             struct error *error);
/* A worker or a process for outbound requests. */
void worker_end_soon(struct supervisor *supervisor, pid_t pid);
/* One a turn: requests come first.  What is too many ends as its socket closes. */
void spares_follow(struct supervisor *supervisor);
/* All of a kind, but what was started ahead for a successor. */
void belongings_kill(struct supervisor *supervisor, enum child_kind kind);

/* supervisor_server.c */
MUST_CHECK bool server_start(struct supervisor *supervisor, struct error *error);
/* One of them has ended. */
void server_gone(struct supervisor *supervisor, pid_t pid, const struct spawn_end *end);
void server_restart_if_due(struct supervisor *supervisor);
void server_read(struct supervisor *supervisor);
/* Starts a successor, from the program as it lies on the disk now; the server makes room when that
 * one stands by, and this program is replaced when it serves. */
void server_upgrade(struct supervisor *supervisor);
/* The node stops: there will be no successor. */
void server_upgrade_drop(struct supervisor *supervisor);
void server_next_read(struct supervisor *supervisor);
/* What is due: a successor that takes too long, a server that does not go, the new program. */
void server_upgrade_follow(struct supervisor *supervisor);
/* In the place of the program that was here before: everything runs already. */
struct carried;
MUST_CHECK bool server_take_over(struct supervisor *supervisor, const struct carried *carried,
                                 struct error *error);
/* A server serves. */
void server_upgraded(struct supervisor *supervisor);

#endif
