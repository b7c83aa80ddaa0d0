/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's own view of a shell. */
#ifndef SLIPSTREAM_SHELL_H
#define SLIPSTREAM_SHELL_H

#include "slipstream/backend.h"
#include "slipstream/calls.h"

struct engine {
    const struct backend *backend;
    void *state;
    bool (*seal)(struct error *error); /* NULL: none, or done */
};

struct shell {
    struct engine *engine;
    const struct backend *backend;
    struct machine *machine;
    struct program *program; /* NULL: empty, or for linked instances */
    struct linked *linked;   /* the youngest; linked.h */
    uint8_t *window;         /* what the guest sees at LAYOUT_MAILBOX */
    uint64_t window_size;
    struct mailbox *mailbox; /* of the next entry: the window, or a part of it */
    uint64_t mailbox_size;
    bool owns_mailbox;
    bool is_broken;
    struct call_desk *desk; /* where host calls go; NULL: they are refused */
    struct settings settings;
};

/* One entry up to the guest's end: what to start, and who takes the streams. */
struct run {
    struct shell *shell;
    const struct console *console; /* NULL: streams stay in the mailbox */
    uint64_t start_ns;
    uint64_t tick_ns;     /* until the console is looked after again */
    uint64_t deadline_ns; /* 0: none */
    uint32_t host_call_count;
    bool is_initialisation;
    bool keeps_output;   /* stdout is not for the console */
    uint32_t drained[2]; /* bytes of stdout and stderr passed on already */
    /* A host call takes long; NULL: nobody is waiting behind it. */
    void (*is_long)(void *context);
    void *is_long_context;
    struct outcome *outcome;
};

/* Where an entry goes. */
struct entry_point {
    uint64_t code; /* 0: nothing is called */
    uint64_t instance;
    uint64_t memory_base;
    uint64_t memory_limit;
};

/* Fills the control page's clocks, seed and limits, enters at `code_offset` and serves exits until
 * the guest has ended.  control->entry, arguments and counts are the caller's. */
MUST_CHECK bool exits_serve(struct shell *shell, uint32_t code_offset,
                            const struct console *console, struct outcome *outcome,
                            struct error *error);
MUST_CHECK bool exits_serve_at(struct shell *shell, const struct entry_point *entry,
                               const struct console *console, struct outcome *outcome,
                               struct error *error);

/* linked.c: the image whose code stands at `address`, and where its code starts; NULL: none */
const struct image *linked_code_at(const struct shell *shell, uint64_t address, uint64_t *start);
/* Whether `address` lies in what is reserved for memories. */
bool linked_is_memory(uint64_t address);
/* Makes the memory at `base` `size` bytes long. */
bool linked_grow(const struct shell *shell, uint64_t base, uint64_t size);
void linked_close(struct linked *youngest);

/* The two halves of it.  Everything that every entry is told; entry and arguments are there. */
MUST_CHECK bool exits_prepare(struct run *run, const struct entry_point *entry, uint32_t flags,
                              struct error *error);
struct entry_point exits_entry(const struct shell *shell, uint32_t code_offset);
/* What the guest left for, but for EVENT_INTERRUPTED.  True: resume with *answer.  False:
 * run->outcome is final. */
bool exits_step(struct run *run, const struct event *event, uint64_t *answer);
/* Into run->outcome, when the program counts it. */
void exits_read_fuel(struct run *run);
/* Renews the clocks; returns CLOCK_MONOTONIC. */
uint64_t exits_set_clocks(const struct shell *shell);

/* The entry that the settings ask for; false when the image has none. */
MUST_CHECK bool shell_set_entry(struct control *control, const struct image_header *header,
                                enum settings_entry entry, uint32_t *code_offset,
                                struct error *error);
/* shell_open of a micro-VM that gets its mailbox later, before its program. */
MUST_CHECK bool shell_open_apart(struct shell **shell, struct engine *engine, struct error *error);
MUST_CHECK bool shell_attach(struct shell *shell, void *mailbox, size_t mailbox_size,
                             struct error *error);
MUST_CHECK bool shell_is_ready(const struct shell *shell, struct error *error);
/* The next entry's mailbox is this part of the window. */
void shell_use_station(struct shell *shell, uint64_t offset, uint64_t size);

/* What a shell would refuse the program for without running anything.  *runs: loading it into its
 * first shell runs guest code (an initialisation). */
MUST_CHECK bool program_check(struct program *program, const struct engine *engine,
                              const struct settings *settings, bool *runs, struct error *error);

/* Before any guest code. */
MUST_CHECK bool engine_seal(struct engine *engine, struct error *error);

#endif
