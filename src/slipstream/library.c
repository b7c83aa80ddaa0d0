/* SPDX-License-Identifier: Apache-2.0 */
#include "slipstream/lane.h"
#include "slipstream/program.h"

void library_init(struct library *library)
{
    *library = (struct library){ 0 };
    pthread_mutex_init(&library->lock, NULL);
}

void library_done(struct library *library)
{
    for (unsigned i = 0; i < LIBRARY_FUNCTIONS_MAX; i++)
        program_close(library->rows[i].program);
    pthread_mutex_destroy(&library->lock);
}

static struct library_row *library_row(struct library *library, uint32_t function)
{
    for (unsigned i = 0; i < LIBRARY_FUNCTIONS_MAX; i++)
        if (library->rows[i].program != NULL && library->rows[i].function == function)
            return &library->rows[i];
    return NULL;
}

const struct library_row *library_row_of(const struct library *library, uint32_t version)
{
    for (unsigned i = 0; i < LIBRARY_FUNCTIONS_MAX; i++)
        if (library->rows[i].program != NULL && library->rows[i].version == version)
            return &library->rows[i];
    return NULL;
}

uint32_t library_count(const struct library *library)
{
    return __atomic_load_n(&library->count, __ATOMIC_RELAXED);
}

static struct library_row *library_free_row(struct library *library)
{
    for (unsigned i = 0; i < LIBRARY_FUNCTIONS_MAX; i++)
        if (library->rows[i].program == NULL)
            return &library->rows[i];
    return NULL;
}

/* Tells lanes, which read it without the lock, that something changed. */
static uint32_t library_advance(struct library *library)
{
    return __atomic_add_fetch(&library->version, 1, __ATOMIC_RELAXED);
}

bool library_put(struct library *library, uint32_t function, struct program *program,
                 const struct settings *settings, struct error *error)
{
    struct program *replaced = NULL;
    pthread_mutex_lock(&library->lock);
    struct library_row *row = library_row(library, function);
    if (row == NULL)
        row = library_free_row(library);
    if (row != NULL) {
        replaced = row->program;
        library->count += replaced == NULL;
        *row = (struct library_row){ .program = program_share(program),
                                     .function = function,
                                     .version = library_advance(library),
                                     .settings = *settings };
    }
    pthread_mutex_unlock(&library->lock);
    program_close(replaced);
    return row != NULL ||
           error_set(error, ERROR_LIMIT, "at most %d functions", LIBRARY_FUNCTIONS_MAX);
}

bool library_remove(struct library *library, uint32_t function, struct error *error)
{
    struct program *removed = NULL;
    pthread_mutex_lock(&library->lock);
    struct library_row *row = library_row(library, function);
    if (row != NULL) {
        removed = TAKE(row->program);
        library->count--;
        library_advance(library);
    }
    pthread_mutex_unlock(&library->lock);
    program_close(removed);
    return removed != NULL ||
           error_set(error, ERROR_NOT_FOUND, "function %u is not loaded", function);
}

bool library_has(struct library *library, uint32_t version)
{
    bool has = false;
    pthread_mutex_lock(&library->lock);
    for (unsigned i = 0; i < LIBRARY_FUNCTIONS_MAX; i++)
        has = has || (library->rows[i].program != NULL && library->rows[i].version == version);
    pthread_mutex_unlock(&library->lock);
    return has;
}

bool library_find(struct library *library, uint32_t function, struct library_row *found)
{
    pthread_mutex_lock(&library->lock);
    const struct library_row *row = library_row(library, function);
    if (row != NULL) {
        *found = *row;
        program_share(found->program);
    }
    pthread_mutex_unlock(&library->lock);
    return row != NULL;
}
