/* SPDX-License-Identifier: Apache-2.0 */
/* A program that does to files whatever the input says: nothing may leave the scratch area, which
 * stands between guards, and its own order must hold after every call. */
#include "fuzz/fuzz.h"
#include "guest/test_paths.h"
#include "guest/volume.h"

static const struct test_file rows[] = {
    { FILES_FOLDER, 0, "/", NULL },         { FILES_REGULAR, 0, "a", "content of a" },
    { FILES_FOLDER, 0, "b", NULL },         { FILES_LINK, 0, "c", "b/e" },
    { FILES_FOLDER, 2, "e", NULL },         { FILES_LINK, 2, "f", "../../a" },
    { FILES_REGULAR, 4, "g", "deep file" },
};

struct script {
    const uint8_t *at;
    const uint8_t *end;
};

static uint8_t next(struct script *script)
{
    return script->at < script->end ? *script->at++ : 0;
}

/* Names of one letter, "." and "..", with slashes between and sometimes behind. */
static void next_path(struct script *script, char path[32])
{
    static const char *const names[] = {
        "a", "b", "c", "d", "e", "f", "g", ".", "..", "h", "", "i"
    };
    unsigned count = 1 + next(script) % 4, size = 0;
    for (unsigned i = 0; i < count; i++) {
        const char *name = names[next(script) % ARRAY_COUNT(names)];
        while (*name != '\0')
            path[size++] = *name++;
        if (i + 1 < count)
            path[size++] = '/';
    }
    path[size] = '\0';
}

static uint64_t next_number(struct script *script)
{
    static const uint64_t edges[] = { 0,       1,          4095,      4096,      40000,
                                      1 << 20, UINT32_MAX, INT64_MAX, UINT64_MAX };
    uint8_t choice = next(script);
    return choice < 128 ? choice * 97u : edges[choice % ARRAY_COUNT(edges)];
}

static uint32_t next_fd(struct script *script)
{
    return next(script) % 10;
}

static void step_paths(struct script *script, uint32_t fd)
{
    char path[32], other[32];
    next_path(script, path);
    next_path(script, other);
    switch (next(script) % 9) {
    case 0:
        fd_open_with(fd, next(script) & 1, bytes_of_string(path), next(script) & 15,
                     next(script) < 40 ? 0 : WASI_RIGHTS_ALL, WASI_RIGHTS_ALL, next(script) & 31);
        break;
    case 1:
        path_make_folder(fd, path);
        break;
    case 2:
        path_remove_folder(fd, path);
        break;
    case 3:
        path_unlink(fd, path);
        break;
    case 4:
        path_make_link(fd, path, other);
        break;
    case 5:
        path_rename(fd, path, next_fd(script), other);
        break;
    case 6:
        path_link(fd, next(script) & 1, path, next_fd(script), other);
        break;
    case 7:
        path_stat(fd, next(script) & 1, path);
        break;
    default:
        path_read_link(fd, path);
        break;
    }
}

static void step_file(struct script *script, uint32_t fd)
{
    uint64_t first = next_number(script), second = next_number(script);
    switch (next(script) % 10) {
    case 0:
        fd_write_text(fd, "some words that a program writes");
        break;
    case 1:
        fd_pwrite_text(fd, "others", first);
        break;
    case 2:
        fd_read_bytes(fd, (uint32_t)first % TEST_BYTES_MAX);
        break;
    case 3:
        fd_pread_bytes(fd, (uint32_t)first % TEST_BYTES_MAX, second);
        break;
    case 4:
        (void)WASI(FD_FILESTAT_SET_SIZE, fd, first);
        break;
    case 5:
        (void)WASI(FD_ALLOCATE, fd, first, second);
        break;
    case 6:
        (void)WASI(FD_SEEK, fd, first, second % 4, TEST_RESULT);
        break;
    case 7:
        (void)WASI(FD_READDIR, fd, TEST_BYTES, first % 5000, second, TEST_RESULT);
        break;
    case 8:
        (void)WASI(FD_CLOSE, fd);
        break;
    default:
        (void)WASI(FD_RENUMBER, fd, first % 10);
        break;
    }
}

/* Lists of what is free end, and hold only what was given out. */
static void volume_check(void)
{
    if (!volume_is_touched())
        return;
    const struct volume *volume = volume_get();
    uint32_t count = 0, first_page = volume->page_next;
    ASSERT((uint64_t)volume->page_next * VOLUME_PAGE_SIZE <= test_guest.control.scratch_size);
    for (uint32_t page = volume->page_free; page != 0; page = *(uint32_t *)volume_page(page))
        ASSERT(page < first_page && ++count < first_page);
    for (unsigned class = 0; class < OBJECT_CLASS_COUNT; class ++) {
        uint32_t objects = 0;
        for (uint32_t at = volume->object_free[class]; at != 0; at = *(uint32_t *)volume_object(at))
            ASSERT((uint64_t)at * VOLUME_UNIT < (uint64_t)first_page * VOLUME_PAGE_SIZE &&
                   ++objects < first_page * 64);
    }
}

void fuzz_one(struct bytes input)
{
    struct script script = { .at = input.data, .end = input.data + input.size };
    test_guest_init("");
    test_guest_files(rows, ARRAY_COUNT(rows), (uint64_t)next(&script) * 4096);
    while (script.at < script.end) {
        uint8_t step = next(&script);
        uint32_t fd = next_fd(&script);
        if (step % 2 == 0)
            step_paths(&script, step % 4 == 0 ? TEST_FOLDER : fd);
        else
            step_file(&script, fd);
        volume_check();
    }
}
