/* SPDX-License-Identifier: Apache-2.0 */
#include "elf/elf.h"

#include "abi/native.h"
#include "core/checked.h"
#include "core/reader.h"

enum {
    HEADER_SIZE = 64,
    PROGRAM_HEADER_SIZE = 56,
    PROGRAM_HEADERS_MAX = 32,
    CLASS_64 = 2,
    LITTLE_ENDIAN_DATA = 1,
    VERSION_CURRENT = 1,
    OSABI_SYSV = 0,
    OSABI_GNU = 3,
    TYPE_EXECUTABLE = 2,
    TYPE_SHARED = 3,
    MACHINE_X86_64 = 62,
    FLAG_EXECUTE = 1,
    FLAG_WRITE = 2,
    FLAG_READ = 4
};

/* Types of program headers. */
enum {
    PROGRAM_NULL = 0,
    PROGRAM_LOAD = 1,
    PROGRAM_DYNAMIC = 2,
    PROGRAM_INTERPRETER = 3,
    PROGRAM_NOTE = 4,
    PROGRAM_HEADERS = 6,
    PROGRAM_TLS = 7,
    PROGRAM_EH_FRAME = 0x6474e550,
    PROGRAM_STACK = 0x6474e551,
    PROGRAM_RELRO = 0x6474e552,
    PROGRAM_PROPERTY = 0x6474e553
};

struct header {
    uint16_t type, machine, header_size, program_size, program_count;
    uint32_t version, flags;
    uint64_t entry, program_offset;
};

struct program_header {
    uint32_t type, flags;
    uint64_t offset, address, file_size, memory_size, alignment;
};

struct window {
    uint32_t flags;
    enum elf_right right;
    uint64_t start, end;
    const char *name;
};

static const struct window windows[] = {
    { FLAG_READ | FLAG_EXECUTE, ELF_RIGHT_EXECUTE, NATIVE_CODE, NATIVE_CODE_END, "code" },
    { FLAG_READ, ELF_RIGHT_READ, NATIVE_RODATA, NATIVE_RODATA_END, "read-only data" },
    { FLAG_READ | FLAG_WRITE, ELF_RIGHT_WRITE, NATIVE_DATA, NATIVE_DATA_END, "data" },
};

const char *elf_right_name(enum elf_right right)
{
    switch (right) {
    case ELF_RIGHT_READ:
        return "read";
    case ELF_RIGHT_EXECUTE:
        return "read, execute";
    case ELF_RIGHT_WRITE:
        return "read, write";
    }
    return "?";
}

bool elf_is_elf(struct bytes source)
{
    return bytes_starts_with(source, BYTES_LITERAL("\x7f"
                                                   "ELF"));
}

static bool check_identity(struct reader *reader, struct error *error)
{
    uint8_t identity[16];
    read_into(reader, identity, sizeof(identity));
    if (reader->failed || !elf_is_elf(BYTES_OF(identity)))
        return error_set(error, ERROR_INVALID, "not an ELF");
    if (identity[4] != CLASS_64 || identity[5] != LITTLE_ENDIAN_DATA)
        return error_set(error, ERROR_UNSUPPORTED, "not a 64-bit little-endian ELF");
    if (identity[6] != VERSION_CURRENT || (identity[7] != OSABI_SYSV && identity[7] != OSABI_GNU) ||
        identity[8] != 0)
        return error_set(error, ERROR_UNSUPPORTED, "an ELF of another version or system");
    return true;
}

static void read_header(struct reader *reader, struct header *header)
{
    header->type = read_u16_le(reader);
    header->machine = read_u16_le(reader);
    header->version = read_u32_le(reader);
    header->entry = read_u64_le(reader);
    header->program_offset = read_u64_le(reader);
    read_skip(reader, 8); /* section headers are for others */
    header->flags = read_u32_le(reader);
    header->header_size = read_u16_le(reader);
    header->program_size = read_u16_le(reader);
    header->program_count = read_u16_le(reader);
    read_skip(reader, 6);
}

static bool check_header(const struct header *header, struct error *error)
{
    if (header->machine != MACHINE_X86_64)
        return error_set(error, ERROR_UNSUPPORTED, "not for x86-64 (machine %u)", header->machine);
    if (header->type == TYPE_SHARED)
        return error_set(error, ERROR_UNSUPPORTED,
                         "a shared object or position-independent executable: link it with -no-pie "
                         "and the SDK's native.ld");
    if (header->type != TYPE_EXECUTABLE)
        return error_set(error, ERROR_UNSUPPORTED, "not an executable (type %u)", header->type);
    if (header->version != VERSION_CURRENT || header->flags != 0 ||
        header->header_size != HEADER_SIZE || header->program_size != PROGRAM_HEADER_SIZE)
        return error_set(error, ERROR_INVALID, "its header has fields that no linker writes");
    if (header->program_count == 0 || header->program_count > PROGRAM_HEADERS_MAX)
        return error_set(error, ERROR_INVALID, "%u program headers, 1 to %d are allowed",
                         header->program_count, PROGRAM_HEADERS_MAX);
    return true;
}

static struct program_header read_program(struct reader *reader)
{
    struct program_header made = { .type = read_u32_le(reader) };
    made.flags = read_u32_le(reader);
    made.offset = read_u64_le(reader);
    made.address = read_u64_le(reader);
    read_skip(reader, 8); /* physical address */
    made.file_size = read_u64_le(reader);
    made.memory_size = read_u64_le(reader);
    made.alignment = read_u64_le(reader);
    return made;
}

static const struct window *window_of(uint32_t flags)
{
    for (size_t i = 0; i < ARRAY_COUNT(windows); i++)
        if (windows[i].flags == flags)
            return &windows[i];
    return NULL;
}

static bool add_segment(struct elf *elf, const struct program_header *program, struct bytes source,
                        struct error *error)
{
    const struct window *window = window_of(program->flags);
    unsigned long long address = program->address;
    if ((program->flags & FLAG_WRITE) != 0 && (program->flags & FLAG_EXECUTE) != 0)
        return error_set(error, ERROR_INVALID, "the segment at 0x%llx is writable and executable",
                         address);
    if (window == NULL)
        return error_set(error, ERROR_INVALID, "the segment at 0x%llx has unusual rights (%u)",
                         address, program->flags);
    if (program->file_size > program->memory_size || program->offset > source.size ||
        program->file_size > source.size - program->offset)
        return error_set(error, ERROR_INVALID, "the segment at 0x%llx reaches beyond the file",
                         address);
    if ((program->alignment & (program->alignment - 1)) != 0)
        return error_set(error, ERROR_INVALID,
                         "the segment at 0x%llx is aligned to no power of two", address);
    if (program->address < window->start || program->address > window->end ||
        program->memory_size > window->end - program->address)
        return error_set(
            error, ERROR_INVALID,
            "the segment at 0x%llx is outside its window: %s goes from 0x%llx to 0x%llx", address,
            window->name, (unsigned long long)window->start, (unsigned long long)window->end);
    if (program->file_size != program->memory_size && window->right != ELF_RIGHT_WRITE)
        return error_set(error, ERROR_INVALID,
                         "the segment at 0x%llx can't be written and is not all in the file",
                         address);
    if (elf->segment_count == ELF_SEGMENTS_MAX)
        return error_set(error, ERROR_LIMIT, "more than %d segments", ELF_SEGMENTS_MAX);
    if (elf->segment_count > 0) {
        const struct elf_segment *last = &elf->segments[elf->segment_count - 1];
        if (program->address < last->address + last->size)
            return error_set(error, ERROR_INVALID,
                             "the segment at 0x%llx overlaps or comes too late", address);
    }
    elf->segments[elf->segment_count++] = (struct elf_segment){
        .right = window->right,
        .address = program->address,
        .size = program->memory_size,
        .content = bytes_part(source, program->offset, program->file_size),
    };
    return true;
}

static bool add_program(struct elf *elf, const struct program_header *program, struct bytes source,
                        struct error *error)
{
    switch (program->type) {
    case PROGRAM_NULL:
    case PROGRAM_NOTE:
    case PROGRAM_HEADERS:
    case PROGRAM_EH_FRAME:
    case PROGRAM_RELRO:
    case PROGRAM_PROPERTY:
        return true;
    case PROGRAM_LOAD:
        return program->memory_size == 0 || add_segment(elf, program, source, error);
    case PROGRAM_STACK:
        return (program->flags & FLAG_EXECUTE) == 0 ||
               error_set(error, ERROR_INVALID, "it asks for an executable stack");
    case PROGRAM_INTERPRETER:
        return error_set(error, ERROR_UNSUPPORTED, "it wants an interpreter: link it with -static");
    case PROGRAM_DYNAMIC:
        return error_set(error, ERROR_UNSUPPORTED,
                         "it has dynamic relocations: link it with -static and -no-pie");
    case PROGRAM_TLS:
        return program->memory_size == 0 ||
               error_set(error, ERROR_UNSUPPORTED, "it has thread-local data");
    default:
        return error_set(error, ERROR_UNSUPPORTED, "it has a program header of unknown type 0x%x",
                         program->type);
    }
}

/* In an executable segment, within what the file holds. */
static bool check_entry(const struct elf *elf, struct error *error)
{
    for (uint32_t i = 0; i < elf->segment_count; i++) {
        const struct elf_segment *segment = &elf->segments[i];
        if (segment->right == ELF_RIGHT_EXECUTE && elf->entry >= segment->address &&
            elf->entry - segment->address < segment->content.size)
            return true;
    }
    return error_set(error, ERROR_INVALID, "its entry point 0x%llx is not in an executable segment",
                     (unsigned long long)elf->entry);
}

bool elf_parse(struct elf *elf, struct bytes source, struct error *error)
{
    struct elf parsed = { 0 };
    struct header header;
    struct reader reader = reader_of(source);
    if (!check_identity(&reader, error))
        return false;
    read_header(&reader, &header);
    if (reader.failed)
        return error_set(error, ERROR_INVALID, "the file ends within its header");
    if (!check_header(&header, error))
        return false;
    if (header.program_offset > source.size ||
        (uint64_t)header.program_count * PROGRAM_HEADER_SIZE > source.size - header.program_offset)
        return error_set(error, ERROR_INVALID, "its program headers reach beyond the file");
    parsed.entry = header.entry;
    reader = reader_of(bytes_part(source, header.program_offset, source.size));
    for (uint16_t i = 0; i < header.program_count; i++) {
        struct program_header program = read_program(&reader);
        if (!add_program(&parsed, &program, source, error))
            return false;
    }
    if (!check_entry(&parsed, error))
        return false;
    *elf = parsed;
    return true;
}
