/* SPDX-License-Identifier: Apache-2.0 */
/* The slipstream program's two roles.  `argv` is what follows the role; each returns the exit
 * code. */
#ifndef CMD_SLIPSTREAM_H
#define CMD_SLIPSTREAM_H

#include "base/jail.h"

/* `--run`: one image, whose streams are this process's own. */
int slipstream_run(char **argv);
/* `--worker`: many invocations over a control socket and a channel. */
int slipstream_worker(char **argv);

enum {
    JAIL_UID_DEFAULT = 63016 /* when started by root without --uid */
};

/* What each role may call once it is jailed. */
extern const struct jail_profile profile_run;
extern const struct jail_profile profile_run_process;
/* And from the first guest instruction on. */
extern const struct jail_profile profile_run_guest_kvm;
extern const struct jail_profile profile_run_guest;
/* A worker, and its cells from before the first guest instruction; with kvm, and with the process
 * backend. */
extern const struct jail_profile profile_worker;
extern const struct jail_profile profile_cell_kvm;
extern const struct jail_profile profile_worker_process;
extern const struct jail_profile profile_cell;

#endif
