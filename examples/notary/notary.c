/* SPDX-License-Identifier: Apache-2.0 */
/* A notary: it says that a document was there at a time, as the nth in an unbroken chain.
 *
 *   POST /stamp         the document; answers with a stamp and its signature (Ed25519)
 *   GET  /stamp/HEX     the stamp of the document of this SHA-256, signed as it was
 *   POST /deed, GET /deed/HEX    the same for who shows a web token (s3n.toml): the stamp names
 * them GET  /head          the last stamp: how many there are, and the chain's digest GET /evidence
 * the node's evidence over the chain's digest: what a TEE's maker vouches for
 *
 * A stamp is "NUMBER TIME_S DOCUMENT CHAIN", a deed's "NUMBER TIME_S DOCUMENT WHO CHAIN", digests
 * in hexadecimal; CHAIN is SHA-256 over the chain before (64 zeros for the first), a blank and what
 * stands before it.  Native code: no WebAssembly, only the micro-VM around it. */
#include "s3n.h"

enum {
    SHA256 = 1,
    DIGEST_SIZE = 32,
    HEX_SIZE = 2 * DIGEST_SIZE,
    SIGNATURE_SIZE = 64,
    WHO_SIZE_MAX = 64,
    STAMP_SIZE_MAX = 20 + 1 + 20 + 1 + HEX_SIZE + 1 + WHO_SIZE_MAX + 1 + HEX_SIZE,
    EVIDENCE_SIZE_MAX = 256 * 1024
};

struct text {
    char data[512];
    size_t size;
};

static void put(struct text *text, struct s3n_text part)
{
    for (size_t i = 0; i < part.size && text->size < sizeof(text->data); i++)
        text->data[text->size++] = part.data[i];
}

static void put_number(struct text *text, uint64_t number)
{
    char digits[20];
    size_t at = sizeof(digits);
    do
        digits[--at] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    put(text, (struct s3n_text){ digits + at, sizeof(digits) - at });
}

static void put_hex(struct text *text, const unsigned char *bytes, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < size; i++) {
        char pair[2] = { digits[bytes[i] >> 4], digits[bytes[i] & 15] };
        put(text, (struct s3n_text){ pair, 2 });
    }
}

static struct s3n_text text_of(const struct text *text)
{
    return (struct s3n_text){ text->data, text->size };
}

/* {"signature":…,"stamp":…}; the signature is over the stamp's text. */
static int answer(struct s3n_response *response, struct s3n_text stamp, struct s3n_text signature)
{
    s3n_header_set(response, "content-type", "application/json");
    s3n_print(response, "{\"signature\":\"");
    s3n_write(response, signature.data, signature.size);
    s3n_print(response, "\",\"stamp\":\"");
    s3n_write(response, stamp.data, stamp.size);
    s3n_print(response, "\"}\n");
    return 0;
}

/* What is kept of a stamp: its signature in hexadecimal, then its text. */
static int answer_kept(struct s3n_response *response, struct s3n_text key)
{
    char kept[2 * SIGNATURE_SIZE + STAMP_SIZE_MAX];
    int64_t size = s3n_kv_get("stamps", key, kept, sizeof(kept));
    if (size == S3N_ERROR_NOT_FOUND)
        return s3n_refuse(response, 404, "no such stamp");
    if (size < 2 * SIGNATURE_SIZE || size > (int64_t)sizeof(kept))
        return size < 0 ? s3n_refuse_call(response) : s3n_refuse(response, 500, "not a stamp");
    return answer(response,
                  (struct s3n_text){ kept + 2 * SIGNATURE_SIZE, (size_t)size - 2 * SIGNATURE_SIZE },
                  (struct s3n_text){ kept, 2 * SIGNATURE_SIZE });
}

/* Number and chain of the last stamp: "NUMBER CHAIN". */
static int head_of(uint64_t *number, struct text *chain)
{
    char kept[20 + 1 + HEX_SIZE];
    int64_t size = s3n_kv_get("stamps", s3n_text_of("head"), kept, sizeof(kept));
    *number = 0;
    chain->size = 0;
    if (size == S3N_ERROR_NOT_FOUND) {
        while (chain->size < HEX_SIZE)
            put(chain, s3n_text_of("0"));
        return 1;
    }
    if (size < HEX_SIZE + 2 || size > (int64_t)sizeof(kept))
        return 0;
    for (int64_t i = 0; i < size - HEX_SIZE - 1; i++)
        *number = *number * 10 + (uint64_t)(kept[i] - '0');
    put(chain, (struct s3n_text){ kept + size - HEX_SIZE, HEX_SIZE });
    return 1;
}

/* What is stamped, "DOCUMENT" or "DOCUMENT WHO": the node has judged who asks (REMOTE_USER), by the
 * route's `auth`.  0: this name has no place in a stamp. */
static int subject_of(const struct s3n_request *request, struct s3n_text document,
                      struct text *subject)
{
    struct s3n_text who = s3n_fact(request, "REMOTE_USER");
    put(subject, document);
    if (who.size == 0)
        return 1;
    for (size_t i = 0; i < who.size; i++)
        if (who.data[i] <= ' ' || who.data[i] > '~')
            return 0;
    put(subject, s3n_text_of(" "));
    put(subject, who);
    return who.size <= WHO_SIZE_MAX;
}

/* "NUMBER TIME_S SUBJECT CHAIN" behind the head that was. */
static void stamp_make(struct text *stamp, struct text *chain, uint64_t number,
                       struct s3n_text subject)
{
    unsigned char digest[64];
    put_number(stamp, number);
    put(stamp, s3n_text_of(" "));
    put_number(stamp, s3n_time_ns() / 1000000000);
    put(stamp, s3n_text_of(" "));
    put(stamp, subject);
    put(chain, s3n_text_of(" "));
    put(chain, text_of(stamp));
    (void)s3n_hash(SHA256, text_of(chain), digest);
    chain->size = 0;
    put_hex(chain, digest, DIGEST_SIZE);
    put(stamp, s3n_text_of(" "));
    put(stamp, text_of(chain));
}

static int stamp(const struct s3n_request *request, struct s3n_response *response)
{
    unsigned char digest[64], signature[SIGNATURE_SIZE];
    struct text document = { .size = 0 }, subject = { .size = 0 }, chain = { .size = 0 },
                made = { .size = 0 }, kept = { .size = 0 };
    uint64_t number;
    if (s3n_hash(SHA256, request->body, digest) < 0)
        return s3n_refuse_call(response);
    put_hex(&document, digest, DIGEST_SIZE);
    if (!subject_of(request, text_of(&document), &subject))
        return s3n_refuse(response, 400, "a name in a stamp has 1 to 64 visible characters");
    if (s3n_kv_get("stamps", text_of(&subject), NULL, 0) >= 0)
        return answer_kept(response, text_of(&subject)); /* it has one: the first time counts */
    if (!head_of(&number, &chain))
        return s3n_refuse(response, 500, "the chain's head can't be read");
    stamp_make(&made, &chain, number + 1, text_of(&subject));
    if (s3n_key_sign("notary", S3N_KEY_ED25519, text_of(&made), signature, sizeof(signature)) !=
        sizeof(signature))
        return s3n_refuse_call(response);
    put_hex(&kept, signature, sizeof(signature));
    put(&kept, text_of(&made));
    if (s3n_kv_set("stamps", text_of(&subject), text_of(&kept), 0) < 0)
        return s3n_refuse_call(response);
    kept.size = 0;
    put_number(&kept, number + 1);
    put(&kept, s3n_text_of(" "));
    put(&kept, text_of(&chain));
    if (s3n_kv_set("stamps", s3n_text_of("head"), text_of(&kept), 0) < 0)
        return s3n_refuse_call(response);
    return answer_kept(response, text_of(&subject));
}

static int head(struct s3n_response *response)
{
    struct text chain = { .size = 0 };
    uint64_t number;
    if (!head_of(&number, &chain))
        return s3n_refuse(response, 500, "the chain's head can't be read");
    s3n_header_set(response, "content-type", "application/json");
    s3n_print(response, "{\"chain\":\"");
    s3n_write(response, chain.data, chain.size);
    s3n_print(response, "\",\"number\":");
    s3n_print_number(response, (int64_t)number);
    s3n_print(response, "}\n");
    return 0;
}

/* The chain's digest is the evidence's nonce. */
static int evidence(struct s3n_response *response)
{
    unsigned char digest[64];
    struct text chain = { .size = 0 };
    uint64_t number;
    if (!head_of(&number, &chain) || s3n_hash(SHA256, text_of(&chain), digest) < 0)
        return s3n_refuse(response, 500, "the chain's head can't be read");
    char *text = s3n_allocate(EVIDENCE_SIZE_MAX);
    if (text == NULL)
        return s3n_refuse(response, 500, "no memory");
    int64_t size =
        s3n_attest((struct s3n_text){ (const char *)digest, DIGEST_SIZE }, text, EVIDENCE_SIZE_MAX);
    if (size < 0 || size > EVIDENCE_SIZE_MAX)
        return s3n_refuse_call(response);
    s3n_header_set(response, "content-type", "application/json");
    s3n_write(response, text, (size_t)size);
    return 0;
}

/* What stands behind `start`; data NULL when the text does not begin so. */
static struct s3n_text behind(struct s3n_text text, const char *start)
{
    size_t i = 0;
    while (start[i] != '\0' && i < text.size && text.data[i] == start[i])
        i++;
    if (start[i] != '\0')
        return (struct s3n_text){ NULL, 0 };
    return (struct s3n_text){ text.data + i, text.size - i };
}

int s3n_main(const struct s3n_request *request, struct s3n_response *response)
{
    struct s3n_text path = request->path, document = behind(path, "/stamp/");
    struct text subject = { .size = 0 };
    if (s3n_text_is(path, "/stamp") || s3n_text_is(path, "/deed") || s3n_text_is(path, "/"))
        return stamp(request, response);
    if (s3n_text_is(path, "/head"))
        return head(response);
    if (s3n_text_is(path, "/evidence"))
        return evidence(response);
    if (document.data == NULL)
        document = behind(path, "/deed/");
    if (document.size != HEX_SIZE || !subject_of(request, document, &subject))
        return s3n_refuse(response, 404, "the digest of a document has 64 digits");
    return answer_kept(response, text_of(&subject));
}
