/* SPDX-License-Identifier: Apache-2.0 */
/* The compiler as the server has it: the supervisor starts a jailed s3n-compile for each module;
 * module, image and messages are anonymous files, so nothing here waits for a pipe. */
#ifndef S3ND_REMOTE_COMPILER_H
#define S3ND_REMOTE_COMPILER_H

#include "cmd/s3nd/supervisor_client.h"
#include "functions/compiler.h"

struct compiler remote_compiler(struct supervisor_client *supervisor);

#endif
