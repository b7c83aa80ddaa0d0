/* SPDX-License-Identifier: Apache-2.0 */
/* A reactor that opens and writes files before its snapshot, and goes on with them in every request. */
#include "s3n.h"

#include <stdio.h>
#include <string.h>

static FILE *words;

static void copy(struct s3n_response *response, FILE *file)
{
    char text[256];
    size_t size = file == NULL ? 0 : fread(text, 1, sizeof(text), file);
    s3n_write(response, text, size);
}

void s3n_setup(void)
{
    char line[64];
    words = fopen("/words.txt", "r");
    if (words != NULL && fgets(line, sizeof(line), words) != NULL) {
        FILE *file = fopen("/prepared", "w");
        fputs(line, file);
        fclose(file);
    }
}

int s3n_main(const struct s3n_request *request, struct s3n_response *response)
{
    (void)request;
    s3n_print(response, "rest: ");
    copy(response, words);
    s3n_print(response, "prepared: ");
    copy(response, fopen("/prepared", "r"));
    FILE *later = fopen("/later", "r");
    s3n_print(response, later == NULL ? "fresh\n" : "stale\n");
    later = fopen("/later", "w");
    fputs("secret", later);
    fclose(later);
    FILE *again = fopen("/prepared", "a");
    fputs("changed\n", again);
    fclose(again);
    return 0;
}
