/* SPDX-License-Identifier: Apache-2.0 */
/* The hello of the warm and cold rows: real libc, reads a line, greets. */
#include <stdio.h>

int main(void)
{
    char name[128];
    if (fgets(name, sizeof(name), stdin) == NULL)
        return 1;
    printf("hello, %s", name);
    return 0;
}
