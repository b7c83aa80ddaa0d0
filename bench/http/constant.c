/* SPDX-License-Identifier: Apache-2.0 */
/* Answers a constant, as /.well-known/s3n/health does without a function. */
#include <stdio.h>

int main(void)
{
    puts("{\"status\":\"ok\"}");
    return 0;
}
