/* SPDX-License-Identifier: Apache-2.0 */
/* Images made by hand for tests: the functions of test_code.S with chosen memory. */
#ifndef SLIPSTREAM_TEST_IMAGE_H
#define SLIPSTREAM_TEST_IMAGE_H

#include "slipstream/engine.h"

#define TEST_FUNCTIONS(X)                                                                          \
    X(add)                                                                                         \
    X(unreachable)                                                                                 \
    X(divide)                                                                                      \
    X(load)                                                                                        \
    X(store)                                                                                       \
    X(peek)                                                                                        \
    X(poke)                                                                                        \
    X(jump)                                                                                        \
    X(loop)                                                                                        \
    X(recurse)                                                                                     \
    X(frames)                                                                                      \
    X(global_get)                                                                                  \
    X(global_set)                                                                                  \
    X(grow)                                                                                        \
    X(fill)                                                                                        \
    X(random)                                                                                      \
    X(import)                                                                                      \
    X(clock)                                                                                       \
    X(echo)                                                                                        \
    X(mixed)                                                                                       \
    X(flood)                                                                                       \
    X(port)                                                                                        \
    X(halt)                                                                                        \
    X(system_call)                                                                                 \
    X(interrupt)                                                                                   \
    X(breakpoint)                                                                                  \
    X(sysenter)                                                                                    \
    X(hypercall)                                                                                   \
    X(input)                                                                                       \
    X(interrupts_off)                                                                              \
    X(control_register)                                                                            \
    X(model_register)                                                                              \
    X(descriptor_table)                                                                            \
    X(single_step)                                                                                 \
    X(alignment)                                                                                   \
    X(far_return)                                                                                  \
    X(bounce)                                                                                      \
    X(vector)                                                                                      \
    X(start)                                                                                       \
    X(alloc)                                                                                       \
    X(handle)                                                                                      \
    X(init)                                                                                        \
    X(print)                                                                                       \
    X(leave)                                                                                       \
    X(call)                                                                                        \
    X(end)

enum test_function {
#define TEST_FUNCTION_ENUM(name) TEST_##name,
    TEST_FUNCTIONS(TEST_FUNCTION_ENUM)
#undef TEST_FUNCTION_ENUM
    TEST_FUNCTION_COUNT,
    TEST_NONE = TEST_FUNCTION_COUNT
};

enum {
    TEST_GLOBAL_OFFSET = 1392 /* in the instance region, right behind struct instance */
};

struct test_image {
    uint64_t memory_size;
    uint64_t memory_size_max;
    enum test_function command; /* or TEST_NONE */
    enum test_function start;   /* the same */
    size_t code_padding;        /* bytes behind the code, to make it large */
    bool is_reactor;            /* alloc and handle, with what follows: */
    enum test_function initialise;
    enum test_function init;
    struct bytes native;     /* not empty: code of an attack, of which the command is: */
    uint64_t native_command; /* its offset */
};

uint32_t test_offset(enum test_function function);
/* A sealed memfd with the image; memory starts with "HELLO..." at 0 and byte 0x5a at its end. */
int test_image_make(const struct test_image *options);
/* For tests of that backend alone. */
bool test_has_kvm(void);
/* The backend under test: $S3N_BACKEND, or kvm. */
const char *test_backend(void);
/* Whether it can be used here; notes why not. */
bool test_has_backend(void);

#endif
