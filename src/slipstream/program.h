/* SPDX-License-Identifier: Apache-2.0 */
/* What the engine knows of a program besides the public part: the template that every instance
 * starts from.  Built from the image; when something initialises the module (its start function, a
 * reactor's exports), replaced once by what the first instance looked like after it. */
#ifndef SLIPSTREAM_PROGRAM_H
#define SLIPSTREAM_PROGRAM_H

#include "slipstream/backend.h"
#include "slipstream/room.h"

#include <pthread.h>

struct profile_samples;

struct program {
    struct image image;
    struct bytes mapping; /* of the image file, page-aligned */
    unsigned references;  /* atomic */
    pthread_mutex_t lock; /* held while the first instance is initialised */
    bool is_frozen;
    struct program_text text; /* host NULL: small */
    struct part_template memory;
    struct part_template instance;
    struct part_template scratch; /* what an initialisation left; empty as a rule */
    struct room *room;            /* not NULL: program_freeze leaves the snapshot there */
    struct profile *profile;      /* NULL: none is kept */
    struct bytes files;           /* the archive, page-aligned; empty: none */
};

/* Its profile uses samples that outlive it, and that other processes have, too. */
void program_share_samples(struct program *program, struct profile_samples *samples);

/* For an entry that begins, and for each of its interruptions. */
void program_sample_begin(const struct program *program);
void program_sample(struct program *program, uint64_t code_address);

/* Takes the machine's present state as the template. */
MUST_CHECK bool program_freeze(struct program *program, const struct backend *backend,
                               const struct machine *machine, struct error *error);

/* Takes the snapshot that another process left in the room, if it left one. */
MUST_CHECK bool program_adopt(struct program *program, const struct room *room,
                              struct error *error);

#endif
