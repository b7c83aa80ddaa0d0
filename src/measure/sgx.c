/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/sgx.h"

#include "core/reader.h"
#include "measure/firmware.h"

#include <string.h>

enum {
    RECORD_SIZE = 64,
    CHUNK_SIZE = 256
};

/* What was read so far. */
struct stream {
    struct reader reader;
    struct hash *hash;
    struct sgx_measurement *measurement;
    uint64_t page; /* the one added last */
};

static bool create_read(struct stream *stream, struct bytes record, struct error *error)
{
    struct reader fields = reader_of(bytes_part(record, 8, RECORD_SIZE));
    struct sgx_measurement *measurement = stream->measurement;
    measurement->ssa_frame_size = read_u32_le(&fields);
    measurement->size = read_u64_le(&fields);
    for (size_t i = 20; i < RECORD_SIZE; i++)
        if (record.data[i] != 0)
            return error_set(error, ERROR_INVALID, "ECREATE has more than a size");
    if (measurement->size < 2 * MEASURE_PAGE_SIZE ||
        (measurement->size & (measurement->size - 1)) != 0)
        return error_set(error, ERROR_INVALID, "enclave's size is no power of two of pages");
    hash_update(stream->hash, record);
    return true;
}

static bool page_read(struct stream *stream, struct bytes record, struct error *error)
{
    struct reader fields = reader_of(bytes_part(record, 8, RECORD_SIZE));
    uint64_t offset = read_u64_le(&fields);
    if (offset % MEASURE_PAGE_SIZE != 0 || offset >= stream->measurement->size)
        return error_set(error, ERROR_INVALID, "a page lies outside the enclave");
    stream->page = offset;
    stream->measurement->page_count++;
    hash_update(stream->hash, record);
    return true;
}

static bool chunk_read(struct stream *stream, struct bytes record, bool is_measured,
                       struct error *error)
{
    struct reader fields = reader_of(bytes_part(record, 8, RECORD_SIZE));
    uint64_t offset = read_u64_le(&fields);
    struct bytes content = read_bytes(&stream->reader, CHUNK_SIZE);
    if (stream->reader.failed)
        return error_set(error, ERROR_INVALID, "stream is cut within content");
    if (stream->measurement->page_count == 0 || offset % CHUNK_SIZE != 0 || offset < stream->page ||
        offset - stream->page >= MEASURE_PAGE_SIZE)
        return error_set(error, ERROR_INVALID, "content is not of the page added before it");
    if (!is_measured) {
        stream->measurement->unmeasured_chunk_count++;
        return true;
    }
    stream->measurement->measured_chunk_count++;
    hash_update(stream->hash, record);
    hash_update(stream->hash, content);
    return true;
}

static bool record_read(struct stream *stream, struct error *error)
{
    struct bytes record = read_bytes(&stream->reader, RECORD_SIZE);
    if (stream->reader.failed)
        return error_set(error, ERROR_INVALID, "stream is cut within a record");
    if (bytes_starts_with(record, BYTES_LITERAL("EADD\0\0\0\0")))
        return page_read(stream, record, error);
    if (bytes_starts_with(record, BYTES_LITERAL("EEXTEND\0")))
        return chunk_read(stream, record, true, error);
    if (bytes_starts_with(record, BYTES_LITERAL("UNMEASRD")))
        return chunk_read(stream, record, false, error);
    return error_set(error, ERROR_INVALID, "a record is neither EADD nor EEXTEND nor UNMEASRD");
}

bool sgx_measure(struct sgx_measurement *measurement, struct bytes stream, struct error *error)
{
    *measurement = (struct sgx_measurement){ 0 };
    if (stream.size > ENCLAVE_FILE_SIZE_MAX)
        return error_set(error, ERROR_LIMIT, "a stream has at most %d MiB",
                         ENCLAVE_FILE_SIZE_MAX >> 20);
    AUTO(hash) struct hash *hash = hash_new(HASH_SHA256);
    struct stream state = { .reader = reader_of(stream), .hash = hash, .measurement = measurement };
    struct bytes first = read_bytes(&state.reader, RECORD_SIZE);
    if (bytes_starts_with(first, BYTES_LITERAL("UNSIZED\0")))
        return error_set(error, ERROR_INVALID, "the enclave's size is not fixed yet (UNSIZED)");
    if (!bytes_starts_with(first, BYTES_LITERAL("ECREATE\0")))
        return error_set(error, ERROR_INVALID, "no SGX stream: it does not begin with ECREATE");
    if (!create_read(&state, first, error))
        return false;
    while (reader_left(&state.reader) > 0)
        if (!record_read(&state, error))
            return false;
    if (measurement->page_count == 0)
        return error_set(error, ERROR_INVALID, "the enclave has no pages");
    measurement->mr_enclave = hash_finish32(hash);
    return true;
}
