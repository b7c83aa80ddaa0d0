/* SPDX-License-Identifier: Apache-2.0 */
/* A function for tests: what it answers is chosen by the request's path.  Built as a reactor and as
 * a native function from the same source. */
#include "s3n.h"

static int64_t prepared;
static unsigned requests;
static unsigned char drawn[8];

void s3n_setup(void)
{
    for (int64_t i = 1; i <= 1000; i++)
        prepared += i;
    s3n_random(drawn, sizeof(drawn));
}

static void print_text(struct s3n_response *response, struct s3n_text text)
{
    s3n_write(response, text.data, text.size);
}

static void print_hex(struct s3n_response *response, const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        const char digits[2] = { "0123456789abcdef"[bytes[i] >> 4],
                                 "0123456789abcdef"[bytes[i] & 15] };
        s3n_write(response, digits, sizeof(digits));
    }
}

static void show(const struct s3n_request *request, struct s3n_response *response)
{
    struct s3n_text name, value;
    s3n_status(response, 201);
    s3n_header_set(response, "Content-Type", "text/plain");
    s3n_header_add(response, (struct s3n_text){ "x-method", 8 }, request->method);
    print_text(response, request->path);
    s3n_print(response, "?");
    print_text(response, request->query);
    s3n_print(response, " trigger ");
    s3n_print_number(response, request->trigger);
    for (uint32_t i = 0; s3n_header_at(request, i, &name, &value); i++) {
        s3n_print(response, "\nheader ");
        print_text(response, name);
        s3n_print(response, ": ");
        print_text(response, value);
    }
    for (uint32_t i = 0; s3n_fact_at(request, i, &name, &value); i++) {
        s3n_print(response, "\nfact ");
        print_text(response, name);
        s3n_print(response, "=");
        print_text(response, value);
    }
    s3n_print(response, "\nid ");
    print_hex(response, request->id, sizeof(request->id));
    s3n_print(response, "\nbody ");
    print_text(response, request->body);
}

/* What survives, and what must not. */
static void count(struct s3n_response *response)
{
    unsigned char fresh[8];
    s3n_random(fresh, sizeof(fresh));
    s3n_print(response, "prepared ");
    s3n_print_number(response, prepared);
    s3n_print(response, " requests ");
    s3n_print_number(response, ++requests);
    s3n_print(response, " setup ");
    print_hex(response, drawn, sizeof(drawn));
    s3n_print(response, " fresh ");
    print_hex(response, fresh, sizeof(fresh));
}

static void recurse(volatile unsigned char *above)
{
    volatile unsigned char frame[512];
    frame[0] = above[0];
    recurse(frame);
    frame[1] = frame[0];
}

static void use_memory(struct s3n_response *response)
{
    size_t taken = 0;
    unsigned char *block;
    while ((block = s3n_allocate(1 << 20)) != NULL) {
        for (size_t i = 0; i < 1 << 20; i += 4096)
            block[i] = (unsigned char)(i >> 12);
        taken++;
    }
    s3n_print_number(response, (int64_t)taken);
}

int s3n_main(const struct s3n_request *request, struct s3n_response *response)
{
    struct s3n_text path = request->path;
    if (s3n_text_is(path, "/show")) {
        show(request, response);
    } else if (s3n_text_is(path, "/count")) {
        count(response);
    } else if (s3n_text_is(path, "/trap")) {
        __builtin_trap();
    } else if (s3n_text_is(path, "/fault")) {
        *(volatile unsigned char *)(uintptr_t)0xfffffff0 = 1;
    } else if (s3n_text_is(path, "/recurse")) {
        unsigned char start = 1;
        recurse(&start);
    } else if (s3n_text_is(path, "/loop")) {
        for (volatile unsigned i = 0;; i++)
            ;
    } else if (s3n_text_is(path, "/exit")) {
        s3n_log("going\n");
        return 3;
    } else if (s3n_text_is(path, "/memory")) {
        use_memory(response);
    } else if (s3n_text_is(path, "/flood")) {
        for (unsigned i = 0; i < 4096; i++)
            s3n_print(response, "0123456789abcdef0123456789abcdef"
                                "0123456789abcdef0123456789abcdef"
                                "0123456789abcdef0123456789abcdef"
                                "0123456789abcdef0123456789abcdef"
                                "0123456789abcdef0123456789abcdef"
                                "0123456789abcdef0123456789abcdef"
                                "0123456789abcdef0123456789abcdef"
                                "0123456789abcdef0123456789abcdef"
                                "0123456789abcdef0123456789abcdef"
                                "0123456789abcdef0123456789abcdef");
    } else if (s3n_text_is(path, "/time")) {
        s3n_print_number(response, (int64_t)(s3n_time_ns() / 1000000000));
    } else {
        s3n_header_set(response, "content-type", "application/octet-stream");
        print_text(response, request->body);
    }
    return 0;
}
