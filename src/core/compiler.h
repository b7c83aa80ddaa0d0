/* SPDX-License-Identifier: Apache-2.0 */
/* Names for the compiler extensions that S3N uses, and the few macros everyone needs.
 *
 * Owns: nothing.  Works hosted and freestanding.  Never: anything that allocates or prints. */
#ifndef CORE_COMPILER_H
#define CORE_COMPILER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The caller must look at the result. */
#define MUST_CHECK              __attribute__((warn_unused_result))
#define PRINTF_LIKE(text, args) __attribute__((format(printf, text, args)))
#define NORETURN                __attribute__((noreturn))
#define UNUSED                  __attribute__((unused))

#define ARRAY_COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MIN(a, b)                                                                                  \
    __extension__({                                                                                \
        __typeof__(a) min_a_ = (a);                                                                \
        __typeof__(b) min_b_ = (b);                                                                \
        min_a_ < min_b_ ? min_a_ : min_b_;                                                         \
    })
#define MAX(a, b)                                                                                  \
    __extension__({                                                                                \
        __typeof__(a) max_a_ = (a);                                                                \
        __typeof__(b) max_b_ = (b);                                                                \
        max_a_ > max_b_ ? max_a_ : max_b_;                                                         \
    })

/* Runs `type_free(&variable)`-like cleanup when the variable leaves its scope:
 *     AUTO(store) struct store *store = NULL;
 * calls store_auto(&store), which DEFINE_AUTO writes. */
#define AUTO(type) __attribute__((cleanup(type##_auto)))
#define DEFINE_AUTO(type, release)                                                                 \
    static inline UNUSED void type##_auto(struct type **held)                                      \
    {                                                                                              \
        release(*held);                                                                            \
    }

/* Moves a pointer out of its variable, leaving NULL. */
#define TAKE(pointer)                                                                              \
    __extension__({                                                                                \
        __typeof__(pointer) taken_ = (pointer);                                                    \
        (pointer) = NULL;                                                                          \
        taken_;                                                                                    \
    })

/* For our own bugs, never for input; kept in release. */
#define ASSERT(fact) ((fact) ? (void)0 : assert_failed(#fact, __FILE__, __LINE__))

/* Marks a place that no input can reach. */
#define UNREACHABLE(place) assert_failed("never: " place, __FILE__, __LINE__)

/* Provided by base (prints and aborts) and by guest (leaves the micro-VM). */
NORETURN void assert_failed(const char *fact, const char *file, int line);

#endif
