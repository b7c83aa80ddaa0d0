/* SPDX-License-Identifier: Apache-2.0 */
#include "slipstream/blank.h"

#include "base/file.h"
#include "base/ipc.h"
#include "core/reader.h"
#include "core/writer.h"
#include "slipstream/cell_life.h"
#include "slipstream/program.h"
#include "slipstream/shell.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    BLANK_TYPE = 1,
    BLANK_SIZE = 12 + SETTINGS_SIZE, /* number, function, whether there is a snapshot; settings */
    BLANK_DESCRIPTORS = 3            /* channel, eventfd, image; and files */
};

/* --- in the blank --- */

struct blank_told {
    uint32_t number;
    bool has_snapshot;
    struct library_row row;
    struct channel channel;
    int event;
};

static bool told_read(struct blank_told *told, const struct ipc_message *message,
                      struct error *error)
{
    struct reader reader = reader_of(message->payload);
    told->number = read_u32_le(&reader);
    told->row.function = read_u32_le(&reader);
    told->has_snapshot = read_u32_le(&reader) != 0;
    if (!settings_read(&reader, &told->row.settings) || !read_end(&reader) ||
        message->descriptor_count < BLANK_DESCRIPTORS)
        return error_set(error, ERROR_INVALID, "a blank is told nonsense");
    return channel_map(&told->channel, message->descriptors[0], error) &&
           program_open(&told->row.program, message->descriptors[2], error) &&
           (message->descriptor_count == BLANK_DESCRIPTORS ||
            program_add_files(told->row.program, message->descriptors[BLANK_DESCRIPTORS], error));
}

/* Leaves open what a cell has, and nothing else. */
static bool told_take(struct blank_told *told, const struct blank *blank, struct error *error)
{
    struct ipc *ipc = NULL;
    struct ipc_message message;
    if (!ipc_new(&ipc, CELL_EVENT, BLANK_SIZE, error) || !ipc_receive(ipc, &message, -1, error))
        return false;
    bool is_read = told_read(told, &message, error);
    if (is_read) {
        told->event = message.descriptors[1];
        message.descriptors[1] = -1;
    }
    ipc_message_done(&message);
    ipc_free(ipc);
    if (!is_read || dup2(told->event, CELL_EVENT) != CELL_EVENT)
        return false;
    close(told->event);
    struct program *program = told->row.program;
    program_share_samples(program, blank->samples);
    program->is_frozen = !told->has_snapshot;
    if (told->has_snapshot && !program_adopt(program, blank->room, error))
        return false;
    room_close(blank->room);
    return true;
}

static NORETURN void blank_main(const struct blank *blank, struct engine *engine, int socket,
                                int pipe_end, pid_t worker)
{
    static struct blank_told told;
    static struct lane lane;
    struct error error;
    struct cell_life life = { .lane = &lane };
    const int from[] = { socket, pipe_end }, to[] = { CELL_EVENT, CELL_PIPE };
    if (!cell_settle(engine, worker, &error) || !cell_keep_descriptors(engine, from, to, 2) ||
        !shell_open_apart(&life.shell, engine, &error))
        _exit(1);
    cell_close_device(engine);
    if (!told_take(&told, blank, &error))
        _exit(1);
    lane = (struct lane){ .engine = engine,
                          .event = CELL_EVENT,
                          .share = blank->share,
                          .ring = { .channel = &told.channel, .version = &blank->share->library } };
    life.number = told.number;
    lane_prepare(&lane);
    cell_narrow_channel(&lane);
    if (!shell_attach(life.shell, channel_batch(&told.channel, 0),
                      channel_window_size(&told.channel), &error))
        _exit(1);
    shell_use_station(life.shell, BATCH_SIZE, told.channel.shape.station_size);
    if (!engine_seal(engine, &error) || !cell_load(&life, &told.row, &error))
        _exit(1);
    cell_wait_turn(&life);
    cell_live(&life);
}

/* --- in the worker --- */

static bool blank_fork(struct blank *blank, struct engine *engine)
{
    int pair[2], ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return false;
    if (pipe2(ends, O_CLOEXEC) != 0) {
        close(pair[0]);
        close(pair[1]);
        return false;
    }
    pid_t worker = getpid(), pid = fork();
    if (pid == 0)
        blank_main(blank, engine, pair[1], ends[1], worker);
    close(pair[1]);
    close(ends[1]);
    if (pid < 0) {
        close(pair[0]);
        close(ends[0]);
        return false;
    }
    blank->pid = pid;
    blank->socket = pair[0];
    blank->pipe = ends[0];
    return true;
}

static void blank_forget(struct blank *blank)
{
    profile_release(blank->samples);
    room_close(blank->room);
    *blank = (struct blank){ .share = blank->share };
}

void blank_make(struct blank *blank, struct engine *engine)
{
    struct error error;
    struct lane lane = { 0 };
    *blank = (struct blank){ 0 };
    if (!engine->backend->has_walls || !cells_open(&lane, &error))
        return;
    blank->share = lane.share;
    blank->samples = profile_reserve();
    if (blank->samples == NULL || !room_open(&blank->room, &error) || !blank_fork(blank, engine))
        blank_forget(blank);
}

void blank_drop(struct blank *blank)
{
    if (blank->pid <= 0)
        return;
    kill(blank->pid, SIGKILL);
    while (waitpid(blank->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    close(blank->pipe);
    close(blank->socket);
    blank_forget(blank);
}

bool blank_suits(const struct blank *blank, const struct program *program)
{
    return blank->pid > 0 && program_text(program) == NULL;
}

static bool blank_tell(struct blank *blank, const struct lane *lane, uint32_t number,
                       const struct blank_orders *orders)
{
    struct error error;
    AUTO(ipc) struct ipc *ipc = NULL;
    uint8_t payload[BLANK_SIZE];
    struct writer writer = writer_into(payload, sizeof(payload));
    const int descriptors[] = { orders->channel, lane->event, orders->image, orders->files };
    write_u32_le(&writer, number);
    write_u32_le(&writer, orders->row->function);
    write_u32_le(&writer, orders->has_snapshot);
    settings_write(&writer, &orders->row->settings);
    ASSERT(!writer.failed);
    if (!ipc_new(&ipc, blank->socket, BLANK_SIZE, &error))
        return false;
    blank->socket = -1; /* the connection's */
    return ipc_send(ipc, BLANK_TYPE, 0, writer_view(&writer), descriptors,
                    orders->files < 0 ? BLANK_DESCRIPTORS : BLANK_DESCRIPTORS + 1, &error);
}

bool blank_bind(struct blank *blank, struct lane *lane, const struct blank_orders *orders)
{
    bool is_told = false;
    if (pthread_mutex_trylock(&lane->lock) != 0)
        return false;
    uint32_t number = ++lane->cell_count;
    if (lane->run_count == 0 && lane->cells[0].pid <= 0)
        is_told = blank_tell(blank, lane, number, orders);
    if (is_told)
        lane->cells[0] = (struct cell){ .pid = blank->pid,
                                        .pipe = blank->pipe,
                                        .number = number,
                                        .version = orders->row->version };
    pthread_mutex_unlock(&lane->lock);
    if (!is_told)
        return false;
    /* The program goes on using the samples. */
    blank->samples = NULL;
    blank_forget(blank);
    return true;
}
