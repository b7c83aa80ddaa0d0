/* SPDX-License-Identifier: Apache-2.0 */
/* elf: from a native function's ELF to an image that a micro-VM runs.
 *
 * Takes the one kind of file that docs/abi.md describes (static, x86-64, linked at the windows of
 * abi/native.h, each segment with the rights of its window) and refuses all others with the reason.
 * Owns nothing between calls.  Never opens a file, never runs the code, never trusts a byte.  Same
 * file: same image. */
#ifndef ELF_ELF_H
#define ELF_ELF_H

#include "base/buffer.h"
#include "base/error.h"
#include "core/bytes.h"

enum {
    ELF_SEGMENTS_MAX = 16
};

enum elf_right {
    ELF_RIGHT_READ,
    ELF_RIGHT_EXECUTE,
    ELF_RIGHT_WRITE
};

struct elf_segment {
    enum elf_right right;
    uint64_t address;
    uint64_t size; /* in memory; what the file does not hold is zero */
    struct bytes content;
};

/* A checked file; borrows it. */
struct elf {
    uint64_t entry;
    uint32_t segment_count; /* of those that are loaded, by ascending address */
    struct elf_segment segments[ELF_SEGMENTS_MAX];
};

bool elf_is_elf(struct bytes source);
/* INVALID or UNSUPPORTED with the reason. */
MUST_CHECK bool elf_parse(struct elf *elf, struct bytes source, struct error *error);
/* Writes the image (abi/image.h) into `image`, which is emptied first.  LIMIT when it is larger
 * than the buffer may be. */
MUST_CHECK bool elf_compile(struct buffer *image, struct bytes source,
                            const struct digest32 *digest, struct error *error);

const char *elf_right_name(enum elf_right right);

#endif
