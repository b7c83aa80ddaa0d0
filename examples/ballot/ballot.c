/* SPDX-License-Identifier: Apache-2.0 */
/* A secret ballot.  Votes come sealed to a key that only this application can use; it says how many
 * voted and, once the owner has closed the ballot, how many for what.  Nobody sees who voted for
 * what: not the machine's owner, nor the ballot's.
 *
 *   GET  /key            what votes are sealed to (HPKE, info "ballot")
 *   POST /voters         (owner) one name per line; answers with each one's ticket
 *   POST /vote           encapsulated key (32 bytes), ciphertext of "NAME TICKET CHOICE"
 *   POST /close          (owner)
 *   GET  /result
 */
#include "s3n.h"

enum {
    NAME_SIZE_MAX = 64,
    CHOICE_SIZE_MAX = 32,
    CHOICES_MAX = 16,
    ENC_SIZE = 32,
    TICKET_SIZE = 32, /* hexadecimal digits */
    PAGE_SIZE = 1000,
    ENTRY_HEAD_SIZE = 16,
    WITH_VALUES = 65536,
    ALGORITHM_SHA3_256 = 4
};

static struct s3n_text word(struct s3n_text *line, char end)
{
    struct s3n_text taken = { line->data, 0 };
    while (taken.size < line->size && taken.data[taken.size] != end)
        taken.size++;
    size_t used = taken.size < line->size ? taken.size + 1 : taken.size;
    line->data += used;
    line->size -= used;
    return taken;
}

static int is_name(struct s3n_text text, size_t size_max)
{
    if (text.size == 0 || text.size > size_max)
        return 0;
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
            return 0;
    }
    return 1;
}

/* SHA3-256 over a secret of the application and the name: nobody else can make one. */
static int ticket_of(struct s3n_text name, char ticket[TICKET_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char text[32 + NAME_SIZE_MAX], digest[64];
    if (s3n_key_derive("tickets", text, 32) < 0)
        return 0;
    for (size_t i = 0; i < name.size; i++)
        text[32 + i] = (unsigned char)name.data[i];
    struct s3n_text keyed = { (const char *)text, 32 + name.size };
    if (s3n_hash(ALGORITHM_SHA3_256, keyed, digest) < 0)
        return 0;
    for (size_t i = 0; i < TICKET_SIZE; i++)
        ticket[i] = digits[digest[i / 2] >> (i % 2 ? 0 : 4) & 15];
    return 1;
}

static int key(struct s3n_response *response)
{
    unsigned char public[64];
    int64_t size = s3n_key_public("ballot", S3N_KEY_X25519, public, sizeof(public));
    if (size < 0)
        return s3n_refuse_call(response);
    s3n_header_set(response, "content-type", "application/octet-stream");
    s3n_write(response, public, (size_t)size);
    return 0;
}

static int voters(const struct s3n_request *request, struct s3n_response *response)
{
    struct s3n_text lines = request->body;
    s3n_header_set(response, "content-type", "text/plain");
    while (lines.size > 0) {
        char ticket[TICKET_SIZE];
        struct s3n_text name = word(&lines, '\n');
        if (!is_name(name, NAME_SIZE_MAX))
            return s3n_refuse(response, 400, "a voter's name has 1 to 64 of a-z, 0-9 and -");
        if (!ticket_of(name, ticket))
            return s3n_refuse_call(response);
        s3n_write(response, name.data, name.size);
        s3n_print(response, " ");
        s3n_write(response, ticket, sizeof(ticket));
        s3n_print(response, "\n");
    }
    return 0;
}

static int is_closed(void)
{
    return s3n_kv_get("ballot", s3n_text_of("closed"), NULL, 0) >= 0;
}

static int is_ticket(struct s3n_text name, struct s3n_text given)
{
    char right[TICKET_SIZE];
    if (given.size != sizeof(right) || !ticket_of(name, right))
        return 0;
    unsigned char differs = 0;
    for (size_t i = 0; i < sizeof(right); i++)
        differs |= (unsigned char)(right[i] ^ given.data[i]);
    return differs == 0;
}

static int vote(const struct s3n_request *request, struct s3n_response *response)
{
    char vote[NAME_SIZE_MAX + TICKET_SIZE + CHOICE_SIZE_MAX + 2];
    if (request->body.size < ENC_SIZE)
        return s3n_refuse(response, 400, "a vote is sealed: see GET /key");
    const struct s3n_text sealed[4] = {
        s3n_text_of("ballot"), /* info */
        { request->body.data, ENC_SIZE },
        { "", 0 }, /* associated data */
        { request->body.data + ENC_SIZE, request->body.size - ENC_SIZE },
    };
    int64_t size = s3n_hpke_open("ballot", sealed, vote, sizeof(vote));
    if (size < 0)
        return s3n_refuse(response, 400, "not sealed to this ballot's key");
    struct s3n_text line = { vote, (size_t)size };
    if (line.size > sizeof(vote))
        return s3n_refuse(response, 400, "too long");
    struct s3n_text name = word(&line, ' '), ticket = word(&line, ' ');
    if (!is_name(name, NAME_SIZE_MAX) || !is_name(line, CHOICE_SIZE_MAX))
        return s3n_refuse(response, 400, "a vote is \"NAME TICKET CHOICE\"");
    if (!is_ticket(name, ticket))
        return s3n_refuse(response, 403, "not this voter's ticket");
    if (is_closed())
        return s3n_refuse(response, 409, "the ballot is closed");
    int64_t done = s3n_kv_compare_and_set("votes", name, NULL, line, 0);
    if (done < 0)
        return s3n_refuse_call(response);
    if (done == 0)
        return s3n_refuse(response, 409, "voted before");
    s3n_log("a vote was taken"); /* not whose */
    return s3n_refuse(response, 202, "taken");
}

static int close_ballot(struct s3n_response *response)
{
    if (s3n_kv_set("ballot", s3n_text_of("closed"), s3n_text_of("yes"), 0) < 0)
        return s3n_refuse_call(response);
    return s3n_refuse(response, 200, "closed");
}

struct tally {
    struct s3n_text choice;
    int64_t count;
};

static uint32_t number_at(const unsigned char *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static int count(struct tally *tallies, struct s3n_text choice)
{
    for (size_t i = 0; i < CHOICES_MAX; i++) {
        if (tallies[i].count == 0)
            tallies[i].choice = choice;
        size_t same = 0;
        while (same < choice.size && same < tallies[i].choice.size &&
               choice.data[same] == tallies[i].choice.data[same])
            same++;
        if (same == choice.size && same == tallies[i].choice.size) {
            tallies[i].count++;
            return 1;
        }
    }
    return 0;
}

/* Counts a page of votes; `after` becomes the last name.  How many there were, below 0: a failure.
 */
static int64_t count_page(struct tally *tallies, struct s3n_text *after)
{
    size_t capacity = PAGE_SIZE * (ENTRY_HEAD_SIZE + NAME_SIZE_MAX + CHOICE_SIZE_MAX) + 8;
    unsigned char *page = s3n_allocate(capacity);
    if (page == NULL)
        return S3N_ERROR_LIMIT;
    int64_t size =
        s3n_kv_list("votes", s3n_text_of(""), *after, PAGE_SIZE | WITH_VALUES, page, capacity);
    if (size < 8 || (size_t)size > capacity)
        return size < 0 ? size : S3N_ERROR_INTERNAL;
    const unsigned char *at = page + 8;
    uint32_t entries = number_at(page);
    for (uint32_t i = 0; i < entries; i++) {
        struct s3n_text name = { (const char *)at + ENTRY_HEAD_SIZE, number_at(at) };
        struct s3n_text choice = { name.data + name.size, number_at(at + 4) };
        if (!count(tallies, choice))
            return S3N_ERROR_LIMIT;
        *after = name;
        at = (const unsigned char *)choice.data + choice.size;
    }
    return entries;
}

static int result(struct s3n_response *response)
{
    struct tally tallies[CHOICES_MAX] = { 0 };
    struct s3n_text after = s3n_text_of("");
    int64_t votes = 0, page;
    do {
        page = count_page(tallies, &after);
        votes += page;
    } while (page == PAGE_SIZE);
    if (page < 0)
        return s3n_refuse(response, 500, "the votes can't be counted");
    int closed = is_closed();
    s3n_header_set(response, "content-type", "application/json");
    s3n_print(response, "{\"votes\":");
    s3n_print_number(response, votes);
    s3n_print(response, closed ? ",\"closed\":true" : ",\"closed\":false");
    for (size_t i = 0; closed && i < CHOICES_MAX && tallies[i].count > 0; i++) {
        s3n_print(response, i == 0 ? ",\"result\":{\"" : ",\"");
        s3n_write(response, tallies[i].choice.data, tallies[i].choice.size);
        s3n_print(response, "\":");
        s3n_print_number(response, tallies[i].count);
    }
    s3n_print(response, closed && votes > 0 ? "}}\n" : "}\n");
    return 0;
}

int s3n_main(const struct s3n_request *request, struct s3n_response *response)
{
    struct s3n_text function = s3n_fact(request, "S3N_FUNCTION");
    if (s3n_text_is(function, "key"))
        return key(response);
    if (s3n_text_is(function, "voters"))
        return voters(request, response);
    if (s3n_text_is(function, "vote"))
        return vote(request, response);
    if (s3n_text_is(function, "close"))
        return close_ballot(response);
    return result(response);
}
