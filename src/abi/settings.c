/* SPDX-License-Identifier: Apache-2.0 */
#include "abi/settings.h"

void settings_write(struct writer *writer, const struct settings *settings)
{
    write_u64_le(writer, settings->memory_size_max);
    write_u64_le(writer, settings->scratch_size_max);
    write_u64_le(writer, settings->fuel);
    write_u64_le(writer, settings->clock_resolution_ns);
    write_u32_le(writer, settings->timeout_ms);
    write_u32_le(writer, settings->stack_size);
    write_u32_le(writer, settings->output_size_max);
    write_u32_le(writer, settings->errors_size_max);
    write_u32_le(writer, settings->host_call_count_max);
    write_u32_le(writer, settings->entry);
    write_u32_le(writer, settings->flags);
    write_u32_le(writer, 0);
}

bool settings_read(struct reader *reader, struct settings *settings)
{
    *settings = (struct settings){ .memory_size_max = read_u64_le(reader) };
    settings->scratch_size_max = read_u64_le(reader);
    settings->fuel = read_u64_le(reader);
    settings->clock_resolution_ns = read_u64_le(reader);
    settings->timeout_ms = read_u32_le(reader);
    settings->stack_size = read_u32_le(reader);
    settings->output_size_max = read_u32_le(reader);
    settings->errors_size_max = read_u32_le(reader);
    settings->host_call_count_max = read_u32_le(reader);
    settings->entry = read_u32_le(reader);
    settings->flags = read_u32_le(reader);
    uint32_t reserved = read_u32_le(reader);
    return !reader->failed && settings->entry < SETTINGS_ENTRY_COUNT &&
           (settings->flags & ~(uint32_t)SETTINGS_FLAGS) == 0 && reserved == 0;
}
