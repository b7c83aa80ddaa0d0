/* SPDX-License-Identifier: Apache-2.0 */
/* A part of s3n.c: reads the request's envelope (docs/abi.md). */
/* The next `size` bytes, or nothing when the envelope is shorter. */
static int take(const unsigned char **at, const unsigned char *end, uint32_t size,
                struct s3n_text *text)
{
    if (size > (size_t)(end - *at))
        return 0;
    text->data = (const char *)*at;
    text->size = size;
    *at += size;
    return 1;
}

static int skip_pairs(const unsigned char **at, const unsigned char *end, uint32_t count)
{
    struct s3n_text ignored;
    for (uint32_t i = 0; i < count; i++) {
        if (end - *at < PAIR_HEAD_SIZE)
            return 0;
        uint32_t name_size = load_u32(*at), value_size = load_u32(*at + 4);
        *at += PAIR_HEAD_SIZE;
        if (!take(at, end, name_size, &ignored) || !take(at, end, value_size, &ignored))
            return 0;
    }
    return 1;
}

static int request_read(struct s3n_request *request, const unsigned char *envelope, size_t size)
{
    if (size < REQUEST_HEAD_SIZE || load_u32(envelope) != REQUEST_MAGIC ||
        load_u32(envelope + 8) != size)
        return 0;
    uint32_t body_offset = load_u32(envelope + 12), body_size = load_u32(envelope + 16);
    if (body_offset < REQUEST_HEAD_SIZE || body_offset > size || body_size > size - body_offset)
        return 0;
    const unsigned char *at = envelope + REQUEST_HEAD_SIZE, *end = envelope + body_offset;
    request->trigger = load_u32(envelope + 4) >> 16;
    request->header_count = load_u32(envelope + 32);
    request->fact_count = load_u32(envelope + 36);
    memcpy(request->id, envelope + 40, sizeof(request->id));
    request->body.data = (const char *)end;
    request->body.size = body_size;
    if (!take(&at, end, load_u32(envelope + 20), &request->method) ||
        !take(&at, end, load_u32(envelope + 24), &request->path) ||
        !take(&at, end, load_u32(envelope + 28), &request->query))
        return 0;
    request->headers = at;
    if (!skip_pairs(&at, end, request->header_count))
        return 0;
    request->facts = at;
    return skip_pairs(&at, end, request->fact_count);
}

/* The pair at `at`, which was checked; the place of the next. */
static const unsigned char *pair_at(const unsigned char *at, struct s3n_text *name,
                                    struct s3n_text *value)
{
    name->size = load_u32(at);
    value->size = load_u32(at + 4);
    name->data = (const char *)at + PAIR_HEAD_SIZE;
    value->data = name->data + name->size;
    return (const unsigned char *)value->data + value->size;
}

static struct s3n_text find(const unsigned char *at, uint32_t count, const char *wanted)
{
    struct s3n_text name, value, none = { NULL, 0 };
    for (uint32_t i = 0; i < count; i++) {
        at = pair_at(at, &name, &value);
        if (s3n_text_is(name, wanted))
            return value;
    }
    return none;
}

static int nth(const unsigned char *at, uint32_t count, uint32_t index, struct s3n_text *name,
               struct s3n_text *value)
{
    if (index >= count)
        return 0;
    for (uint32_t i = 0; i <= index; i++)
        at = pair_at(at, name, value);
    return 1;
}

struct s3n_text s3n_header(const struct s3n_request *request, const char *name)
{
    return find(request->headers, request->header_count, name);
}

struct s3n_text s3n_fact(const struct s3n_request *request, const char *name)
{
    return find(request->facts, request->fact_count, name);
}

int s3n_header_at(const struct s3n_request *request, uint32_t index, struct s3n_text *name,
                  struct s3n_text *value)
{
    return nth(request->headers, request->header_count, index, name, value);
}

int s3n_fact_at(const struct s3n_request *request, uint32_t index, struct s3n_text *name,
                struct s3n_text *value)
{
    return nth(request->facts, request->fact_count, index, name, value);
}
