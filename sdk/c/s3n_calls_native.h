/* SPDX-License-Identifier: Apache-2.0 */
/* A part of s3n_calls.c: the services of a native function, which takes lists only. */
extern const struct s3n_native *s3n_native_services;

int64_t s3n_list_call(struct s3n_list *list, void *answers, size_t capacity)
{
    list_end(list);
    if (s3n_native_services->version < 2)
        return S3N_ERROR_UNAVAILABLE;
    return s3n_native_services->call(list->data, list->size, answers, capacity);
}

int64_t s3n_list_rest(uint32_t index, size_t offset, void *buffer, size_t capacity)
{
    return s3n_native_services->rest(index, offset, buffer, capacity);
}

int64_t s3n_error_message(void *buffer, size_t capacity)
{
    return s3n_native_services->error_message(buffer, capacity);
}

int64_t s3n_hash(uint32_t algorithm, struct s3n_text data, void *digest)
{
    return s3n_native_services->hash(algorithm, data.data, data.size, digest);
}

int64_t s3n_log_level(uint32_t level, struct s3n_text text)
{
    return s3n_native_services->log_level(level, text.data, text.size);
}

static int64_t call(enum row row, const struct arguments *given, void *buffer, size_t capacity)
{
    static unsigned char memory[LIST_SIZE_MAX];
    unsigned char head[LIST_HEAD_SIZE + ANSWER_HEAD_SIZE];
    struct s3n_list list;
    s3n_list_begin(&list, memory, sizeof(memory));
    if (!s3n_list_add(&list, row, given->numbers, given->number_count, given->strings,
                      given->string_count))
        return S3N_ERROR_LIMIT;
    int64_t size = s3n_list_call(&list, head, sizeof(head));
    if (size < 0)
        return size;
    int64_t value = (int64_t)load(head + LIST_HEAD_SIZE + 8, 8);
    size_t done = 0;
    while (value > 0 && done < capacity && done < (size_t)value) {
        int64_t part = s3n_list_rest(0, done, (char *)buffer + done, capacity - done);
        if (part <= 0)
            return part < 0 ? part : S3N_ERROR_INTERNAL;
        done += (size_t)part;
    }
    return value;
}
