/* SPDX-License-Identifier: Apache-2.0 */
/* The real `s3n verify`, in a network namespace without any network. */
#include "base/file.h"
#include "base/spawn.h"
#include "crypto/base64.h"
#include "crypto/pem.h"
#include "keys/keys_test_scene.h"
#include "tests/harness.h"

#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A good bundle and the files it speaks of, in the test's folder. */
struct files {
    struct scene scene;
    char bundle[PATH_MAX];
    char input[PATH_MAX];
    char output[PATH_MAX];
    char code[PATH_MAX];
};

static bool file_put(char *path, const char *name, struct bytes content)
{
    struct error error = { 0 };
    snprintf(path, PATH_MAX, "%s/%s", test_folder(), name);
    return file_replace(path, content, 0600, &error);
}

static bool files_open(struct files *files)
{
    if (!scene_open(&files->scene))
        return false;
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, BUNDLE_SIZE_MAX);
    return bundle_write(&text, &files->scene.bundle, &files->scene.error) &&
           file_put(files->bundle, "receipt.json", buffer_view(&text)) &&
           file_put(files->input, "input", BYTES_LITERAL("input")) &&
           file_put(files->output, "output", BYTES_LITERAL("output")) &&
           file_put(files->code, "code.wasm", BYTES_LITERAL("code"));
}

static char said[16384]; /* stdout and stderr of the last run */

/* Runs `s3n verify` with up to 8 arguments; its exit code. */
static int verify(const char *const *more)
{
    const char *arguments[12] = { "s3n", "verify" };
    for (size_t i = 0; i < 9 && more[i] != NULL; i++)
        arguments[2 + i] = more[i];
    int ends[2];
    if (pipe(ends) != 0)
        return -1;
    struct spawn_options options = { .path = test_program("s3n"),
                                     .arguments = arguments,
                                     .descriptors = { { ends[1], 1 }, { ends[1], 2 } },
                                     .descriptor_count = 2 };
    pid_t pid;
    struct error error = { 0 };
    bool started = spawn(&pid, &options, &error);
    close(ends[1]);
    size_t size = 0;
    for (ssize_t got = 1; got > 0 && size < sizeof(said) - 1; size += (size_t)(got > 0 ? got : 0))
        got = read(ends[0], said + size, sizeof(said) - 1 - size);
    said[size] = '\0';
    close(ends[0]);
    struct spawn_end end = { 0 };
    bool ended = started && spawn_wait(&end, pid, TEST_PATIENCE_MS, &error);
    CHECK_NOTE(ended, "%s", error.text);
    return ended && !end.was_killed ? end.code : -1;
}

#define VERIFY(...) verify((const char *const[]){ __VA_ARGS__, NULL })

static bool says(const char *words)
{
    if (strstr(said, words) != NULL)
        return true;
    test_note("%s", said);
    return false;
}

static void prints_each_step(void)
{
    struct files files;
    if (files_open(&files)) {
        CHECK_NUMBER(VERIFY(files.bundle, "--input", files.input, "--output", files.output,
                            "--trust-simulated"),
                     0);
        CHECK(says("verify    receipt signature ✓  keyset ✓  evidence ✓  root ✓  code ✓  "
                   "input ✓  output ✓  event log ✓\n"));
        CHECK(says("SIMULATED"));
        CHECK(says("sealed-auction/settle 1.2.0"));
        CHECK_NUMBER(VERIFY(files.bundle, "--trust-simulated", "--code", files.code), 0);
        CHECK(says("code ✓  input -  output -  event log ✓\n"));
        CHECK_NUMBER(VERIFY(files.bundle, "--trust-simulated", "--json"), 0);
        CHECK(says("\"verified\": true") && says("\"simulated\": true"));
        CHECK(says("\"response_digest\"") && says("not compared"));
    }
    scene_close(&files.scene);
}

static void refuses_with_code_6_and_the_reason(void)
{
    struct files files;
    if (files_open(&files)) {
        CHECK_NUMBER(VERIFY(files.bundle), 6);
        CHECK(says("SIMULATED") && says("root ✗") && says("--trust-simulated"));
        CHECK_NUMBER(VERIFY(files.bundle, "--trust-simulated", "--output", files.input), 6);
        CHECK(says("output ✗\n") && says("error: output digest differs\n"));
        CHECK_NUMBER(VERIFY(files.bundle, "--trust-simulated", "--input", files.output), 6);
        CHECK(says("input digest differs"));
        CHECK_NUMBER(VERIFY(files.bundle, "--trust-simulated", "--code", files.input), 6);
        CHECK(says("code digest differs"));
        CHECK_NUMBER(VERIFY(files.bundle, "--trust-simulated", "--json", "--output", files.input),
                     6);
        CHECK(says("\"verified\": false") && says("\"unverified\""));
        CHECK_NUMBER(VERIFY(files.input, "--trust-simulated"), 6);
        CHECK_NUMBER(VERIFY("/nonexistent/receipt.json", "--trust-simulated"), 5);
        CHECK_NUMBER(VERIFY(files.bundle, "--trust-simulated", "--output", "/nonexistent/o"), 5);
        CHECK_NUMBER(VERIFY("--trust-simulated"), 2);
    }
    scene_close(&files.scene);
}

static void another_root_is_refused(void)
{
    struct files files;
    char root[PATH_MAX];
    struct sim_root *other = NULL;
    if (files_open(&files)) {
        struct error error = { 0 };
        CHECK(file_put(root, "root.der", sim_root_certificate(files.scene.root)));
        CHECK_NUMBER(VERIFY(files.bundle, "--trust-simulated", "--root", root), 0);
        CHECK(sim_root_new(&other, time(NULL), &error));
        CHECK(file_put(root, "root.der", sim_root_certificate(other)));
        CHECK_NUMBER(VERIFY(files.bundle, "--root", root), 6);
        CHECK(file_put(root, "root.der", BYTES_LITERAL("not a certificate")));
        CHECK(VERIFY(files.bundle, "--trust-simulated", "--root", root) != 0);
        sim_root_free(other);
    }
    scene_close(&files.scene);
}

/* As evidence's files may be: what people have of a certificate. */
static void a_root_is_taken_as_text(void)
{
    struct files files;
    char root[PATH_MAX];
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, 16 << 10);
    if (files_open(&files)) {
        struct bytes der = sim_root_certificate(files.scene.root);
        buffer_format(&text, "Certificate:\n    Data: of a friend\n");
        pem_append(&text, "CERTIFICATE", der);
        CHECK(file_put(root, "root.pem", buffer_view(&text)));
        CHECK_NUMBER(VERIFY(files.bundle, "--trust-simulated", "--root", root), 0);
        pem_append(&text, "CERTIFICATE", der);
        CHECK(file_put(root, "root.pem", buffer_view(&text)));
        CHECK_NUMBER(VERIFY(files.bundle, "--trust-simulated", "--root", root), 2);
        CHECK(says("exactly one certificate is wanted, and it has 2"));
        buffer_clear(&text);
        base64_append(&text, der);
        CHECK(file_put(root, "root.txt", buffer_view(&text)));
        CHECK_NUMBER(VERIFY(files.bundle, "--trust-simulated", "--root", root), 0);
        buffer_clear(&text);
        for (size_t i = 0; i < der.size; i++)
            buffer_format(&text, "%02x%s", der.data[i], i % 32 == 31 ? "\n" : "");
        CHECK(file_put(root, "root.hex", buffer_view(&text)));
        CHECK_NUMBER(VERIFY(files.bundle, "--trust-simulated", "--root", root), 0);
        /* Nobody's root is not the vendors'. */
        CHECK(file_put(root, "root.pem", (struct bytes){ 0 }));
        CHECK_NUMBER(VERIFY(files.bundle, "--trust-simulated", "--root", root), 2);
        CHECK(says("the file is empty"));
    }
    scene_close(&files.scene);
}

/* verify_test flips every byte of every part; here the file as it lies on the disk. */
static void a_changed_file_is_refused(void)
{
    struct files files;
    struct error error = { 0 };
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, BUNDLE_SIZE_MAX);
    if (files_open(&files) && file_read(&text, files.bundle, &error)) {
        char changed[PATH_MAX];
        for (size_t i = 0; i < text.size; i += 41) {
            text.data[i] ^= 1;
            CHECK(file_put(changed, "changed.json", buffer_view(&text)));
            int code = VERIFY(changed, "--trust-simulated", "--output", files.output);
            CHECK_NOTE(code == 6, "byte %zu: exit code %d: %s", i, code, said);
            text.data[i] ^= 1;
        }
        CHECK(file_put(changed, "changed.json", bytes_of(text.data, text.size / 2)));
        CHECK_NUMBER(VERIFY(changed, "--trust-simulated"), 6);
    }
    scene_close(&files.scene);
}

static const struct test tests[] = {
    TEST(prints_each_step),          TEST(refuses_with_code_6_and_the_reason),
    TEST(another_root_is_refused),   TEST(a_root_is_taken_as_text),
    TEST(a_changed_file_is_refused),
};

int main(int argc, char **argv)
{
    if (unshare(geteuid() == 0 ? CLONE_NEWNET : CLONE_NEWUSER | CLONE_NEWNET) != 0)
        printf("with the network of this machine: no namespace without one here\n");
    return test_main(tests, ARRAY_COUNT(tests), argc, argv);
}
