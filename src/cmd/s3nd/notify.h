/* SPDX-License-Identifier: Apache-2.0 */
/* sd_notify(3)'s protocol: tells systemd, when it started us, how we are. */
#ifndef S3ND_NOTIFY_H
#define S3ND_NOTIFY_H

/* `state`: "READY=1", "STOPPING=1".  Without $NOTIFY_SOCKET, or when nobody listens, nothing. */
void notify_send(const char *state);

#endif
