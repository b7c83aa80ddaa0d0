/* SPDX-License-Identifier: Apache-2.0 */
/* What a node's operator may ask the running node for, over the socket `control` in its data folder
 * (mode 0600: whoever may open it is the operator).  base/ipc.h frames, one request at a time.
 *
 *     STATUS   -                                         (JSON)
 *     BACKUP   descriptor: an empty file for the backup  (JSON; PROGRESS before it)
 *     CHECK    -                                         (JSON, check_tree; PROGRESS before it)
 *
 * PROGRESS: u64 done, u64 all, the name of what is done. */
#ifndef OPERATIONS_CONTROL_H
#define OPERATIONS_CONTROL_H

enum control_request {
    CONTROL_STATUS = 1,
    CONTROL_BACKUP,
    CONTROL_CHECK,
    CONTROL_PROGRESS = 100
};
enum {
    CONTROL_PAYLOAD_MAX = 64 << 10
};
#define CONTROL_NAME "control"

#endif
