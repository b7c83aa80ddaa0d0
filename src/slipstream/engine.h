/* SPDX-License-Identifier: Apache-2.0 */
/* Slipstream: runs one compiled module in a micro-VM, with fresh state whenever it is asked for.
 *
 * What for: an engine opens a backend (kvm, process), a program is a checked image, a shell is one
 * micro-VM made ahead of need; loading a program into a shell makes it an instance that can be
 * called, reset to its snapshot, and called again.  Owns: guest memory, vCPUs, the snapshot of each
 * program. Never: files, network, keys; never trusts what a guest leaves in registers, memory or
 * mailbox. Threads: one thread at a time per shell; programs and engines may be shared. */
#ifndef SLIPSTREAM_ENGINE_H
#define SLIPSTREAM_ENGINE_H

#include "abi/image.h"
#include "abi/instance.h"
#include "abi/mailbox.h"
#include "abi/settings.h"
#include "base/error.h"

struct engine;
struct program;
struct shell;

/* `backend`: "kvm" (UNAVAILABLE when /dev/kvm can't be used), "process" (guests run in this
 * process, kept in by its jail alone; one thread, mailboxes in shared memory), "auto" or NULL: kvm,
 * but process inside a confidential VM, where there is no kvm. */
MUST_CHECK bool engine_open(struct engine **engine, const char *backend, struct error *error);
/* The backend that a name ("auto" among them) stands for on this machine: kvm or process. */
const char *engine_choose(const char *backend);
const char *engine_backend(const struct engine *engine);
/* `seal` is called once, when a program is in place and before the first guest instruction runs:
 * the process backend needs fewer rights from then on.  Other programs can't be loaded later. */
void engine_set_seal(struct engine *engine, bool (*seal)(struct error *error));
/* How memory is restored (slipstream/restoring.h), before the first shell; the kvm backend has its
 * own ways. */
struct restoring;
MUST_CHECK bool engine_restore_by(struct engine *engine, const struct restoring *restoring,
                                  struct error *error);
void engine_close(struct engine *engine);
DEFINE_AUTO(engine, engine_close)

/* Maps and checks an image; the descriptor stays the caller's and must not change in content
 * (a sealed memfd, or a private file).  INVALID when it is not an image. */
MUST_CHECK bool program_open(struct program **program, int descriptor, struct error *error);
/* Shells keep what they loaded alive: closing is safe at any time. */
void program_close(struct program *program);
DEFINE_AUTO(program, program_close)
const struct image *program_image(const struct program *program);
/* Gives a program that no shell has loaded yet its files: maps and checks the archive
 * (abi/files.h), under the same conditions.  INVALID when it is none. */
MUST_CHECK bool program_add_files(struct program *program, int descriptor, struct error *error);
/* INVALID when the image does not have the entry that the settings ask for. */
MUST_CHECK bool program_check_entry(const struct program *program, const struct settings *settings,
                                    struct error *error);

/* A micro-VM without a program, entered once and prefaulted.  `mailbox` is page-aligned memory of
 * `mailbox_size` bytes (a multiple of the page size) that outlives the shell, or NULL to have one
 * made. */
MUST_CHECK bool shell_open(struct shell **shell, struct engine *engine, void *mailbox,
                           size_t mailbox_size, struct error *error);
void shell_close(struct shell *shell);
DEFINE_AUTO(shell, shell_close)

/* What had no room left. */
enum limit_kind {
    LIMIT_OUTPUT = 1, /* stdout; as GUEST_EXIT_LIMIT has them */
    LIMIT_ERRORS,     /* stderr */
    LIMIT_HOST_CALLS  /* settings.host_call_count_max */
};

enum outcome_kind {
    OUTCOME_DONE,    /* exit_code */
    OUTCOME_TRAPPED, /* reason, function, wasm_offset */
    OUTCOME_TIMEOUT,
    OUTCOME_LIMIT,  /* exit_code: enum limit_kind */
    OUTCOME_CRASHED /* the micro-VM or its worker broke; the shell must be closed; exit_code: the
                       backend's reason, or 0 */
};

struct outcome {
    enum outcome_kind kind;
    uint32_t exit_code;
    enum trap_reason reason;
    bool has_function;       /* the trap lies in compiled code */
    uint32_t function_index; /* of the module */
    uint32_t wasm_offset;    /* in the module file; 0: not known */
    uint64_t duration_ns;    /* wall time between entry and last exit */
    uint64_t memory_size;    /* linear memory at the end, in bytes */
    uint32_t exit_count;     /* how often the guest left */
    bool has_fuel;           /* the image is metered: fuel is what the call used */
    uint64_t fuel;
};

/* Puts the program into an empty shell: copies it in, runs what initialises it (its start function;
 * of a reactor also _initialize and s3n_init) and freezes the snapshot, both once per program.  A
 * shell takes one program in its life.  true with outcome->kind other than DONE: the
 * instantiation itself trapped or ran out of time, and the shell is of no use. */
MUST_CHECK bool shell_load(struct shell *shell, struct program *program,
                           const struct settings *settings, struct outcome *outcome,
                           struct error *error);
/* Back to the snapshot: nothing of earlier calls is left. */
MUST_CHECK bool shell_reset(struct shell *shell, struct error *error);

/* Calls the compiled function at `code_offset` (image_export.where) in the state that the last call
 * left.  Slots as abi/instance.h has them; at most CONTROL_SLOTS_MAX each. */
MUST_CHECK bool shell_call(struct shell *shell, uint32_t code_offset, const uint64_t *arguments,
                           uint32_t argument_count, uint64_t *results, uint32_t result_count,
                           struct outcome *outcome, struct error *error);
/* Slot of an exported global: image_export.where. */
MUST_CHECK bool shell_read_global(const struct shell *shell, uint32_t instance_offset,
                                  uint64_t *slot, struct error *error);

/* Where a command's streams go when they are not to stay in the mailbox.  `write` gets what the
 * guest printed (number 1 or 2); `read` fills at most `size` bytes and says how many, 0 at the end
 * of input, waiting no longer than `timeout_ms` (-1: for ever; false when that has passed). */
struct console {
    void *context;
    void (*write)(void *context, unsigned number, struct bytes bytes);
    bool (*read)(void *context, uint8_t *target, size_t size, size_t *filled, int timeout_ms);
};

/* Runs what settings.entry says with the mailbox as it is filled (mailbox_prepare): a command's
 * _start, or one request of a reactor, whose envelope is the input (abi/envelope.h).  `console`
 * NULL: streams stay in the mailbox, and output beyond its capacity ends the run; a reactor's
 * answer always stays there. */
MUST_CHECK bool shell_run(struct shell *shell, const struct console *console,
                          struct outcome *outcome, struct error *error);
struct mailbox *shell_mailbox(struct shell *shell);

/* Lays areas out in an empty mailbox of `size` bytes: strings first, then input, stderr at the end,
 * and stdout in all that is left.  Strings are NULL-terminated lists; input is copied.  LIMIT when
 * it does not fit. */
struct mailbox_request {
    const char *const *arguments;
    const char *const *environment;
    struct bytes input;
    uint32_t input_capacity; /* at least input.size */
    uint32_t errors_capacity;
    uint32_t calls_capacity; /* CALL_AREA_SIZE, or 0: no host calls */
    struct bytes foretold;   /* requests with their answers (abi/call.h); copied */
    uint32_t made_capacity;  /* CALL_MADE_SIZE, or 0: all calls leave */
};
MUST_CHECK bool mailbox_prepare(void *mailbox, size_t size, const struct mailbox_request *request,
                                struct error *error);
/* INVALID, quoting it, when something was printed. */
MUST_CHECK bool mailbox_check_quiet(const void *mailbox, size_t size, struct error *error);
/* What the guest wrote: the area's fields are copied once and checked, false when they lie outside
 * the mailbox.  The bytes themselves stay shared with the worker: copy them before looking twice.
 */
MUST_CHECK bool mailbox_area_view(const void *mailbox, size_t size, const struct mailbox_area *area,
                                  struct bytes *view);

#endif
