/* SPDX-License-Identifier: Apache-2.0 */
/* s3n kv export, s3n kv import: a whole state as lines of JSON, checked against its digest, which
 * is the one that receipts name.
 *
 *     {"application":..,"count":..,"digest":..,"revision":..,"s3n_kv_export":1}
 *     {"expires_ms":..,"key":..,"namespace":..,"value":base64}      one per entry, in order
 *     {"expires_ms":..,"hash":hex,"key":..,"namespace":..}          the node's own (kv_entry_hash)
 *     {"sha256":..}      of all lines before */
#include "base/clock.h"
#include "base/file.h"
#include "cmd/s3n/kv.h"
#include "cmd/s3n/tables.h"
#include "core/hex.h"
#include "crypto/base64.h"
#include "crypto/hash.h"
#include "state/state.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    EXPORT_TRY_MAX = 5,
    EXPORT_SIZE_MAX = 512 << 20,
    IMPORT_COUNT_MAX = TRANSACTION_WRITES_MAX, /* entries of one request */
    IMPORT_SIZE_MAX = 900 << 10,               /* and its text */
};

/* What a file of this form says, as it is written or read. */
struct account {
    struct state *state; /* its entries, for the digest */
    struct hash *hash;
    struct state_head head;
    uint64_t count;
};

static bool account_begin(struct account *account, struct error *error)
{
    *account = (struct account){ .hash = hash_new(HASH_SHA256) };
    return state_new(&account->state, &clock_system, error);
}

static void account_done(struct account *account)
{
    state_release(account->state);
    hash_free(account->hash);
    *account = (struct account){ 0 };
}
#define AUTO_ACCOUNT __attribute__((cleanup(account_done)))

static bool account_value(struct account *account, const json_t *row, struct bytes name,
                          struct error *error)
{
    const char *text;
    int64_t expires_ms = 0;
    size_t size;
    AUTO_BUFFER struct buffer value;
    buffer_init(&value, KV_VALUE_SIZE_MAX);
    if (!json_get_string(row, "value", &text, error) ||
        (json_object_get(row, "expires_ms") != NULL &&
         !json_get_integer(row, "expires_ms", 1, INT64_MAX, &expires_ms, error)))
        return false;
    if (buffer_reserve(&value, KV_VALUE_SIZE_MAX) == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a value");
    if (!base64_decode(value.data, KV_VALUE_SIZE_MAX, &size, bytes_of_string(text)))
        return error_set(error, ERROR_INVALID, "an entry's value is not base64");
    return state_load_entry(account->state, name, bytes_of(value.data, size), expires_ms, error);
}

static bool row_is_reserved(const json_t *row)
{
    return kv_is_reserved(bytes_of_string(text_member(row, "namespace")));
}

static bool account_entry(struct account *account, const json_t *row, struct error *error)
{
    const char *space, *key;
    uint8_t memory[KV_NAME_SIZE_MAX];
    struct digest32 hash;
    if (!json_get_string(row, "namespace", &space, error) ||
        !json_get_string(row, "key", &key, error))
        return false;
    size_t space_size = strlen(space), key_size = strlen(key);
    if (!kv_is_namespace(bytes_of_string(space)) || key_size == 0 || key_size > KV_KEY_SIZE_MAX)
        return error_set(error, ERROR_INVALID, "an entry has no namespace and key");
    memcpy(memory, space, space_size + 1);
    memcpy(memory + space_size + 1, key, key_size);
    struct bytes name = bytes_of(memory, space_size + 1 + key_size);
    account->count++;
    if (!row_is_reserved(row) || json_object_get(row, "hash") == NULL)
        return account_value(account, row, name, error);
    return json_get_hex(row, "hash", hash.bytes, sizeof(hash.bytes), error) &&
           state_load_hash(account->state, name, &hash, error);
}

static bool account_check(struct account *account, uint64_t count, struct error *error)
{
    struct error ignored;
    if (account->count == count && state_load_end(account->state, &account->head, &ignored))
        return true;
    return error_set(error, ERROR_UNVERIFIED, "the entries are not those of the state's digest");
}

static bool head_take(struct account *account, const json_t *root, uint64_t *count,
                      struct error *error)
{
    int64_t revision, number;
    if (!json_get_integer(root, "revision", 0, INT64_MAX, &revision, error) ||
        !json_get_integer(root, "count", 0, INT64_MAX, &number, error) ||
        !json_get_hex(root, "digest", account->head.digest.bytes, 32, error))
        return false;
    account->head.revision = (uint64_t)revision;
    *count = (uint64_t)number;
    return true;
}

/* --- export --- */

static const struct option_table export_table = {
    .program = "s3n kv export",
    .usage = "APPLICATION [FILE]",
    .about = "Writes your application's whole state as lines of JSON, to stdout or a file, and "
             "checks it against the state's digest.",
    CLI_SHARED,
    .positional_min = 1,
    .positional_max = 2,
};

static bool line_write(struct account *account, int file, const json_t *line, struct error *error)
{
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, IMPORT_SIZE_MAX);
    if (!json_canonical(&text, line, error))
        return false;
    buffer_append_string(&text, "\n");
    hash_update(account->hash, buffer_view(&text));
    return file_write_all(file, buffer_view(&text), error);
}

/* One page's entries.  CONFLICT: the state is another than that of the first page. */
static bool page_write(struct account *account, int file, const char *application,
                       const json_t *page, bool is_first, struct error *error)
{
    struct account seen = { .head = account->head };
    uint64_t count;
    size_t index;
    json_t *row;
    if (!head_take(is_first ? account : &seen, page, &count, error))
        return false;
    if (!is_first && !digest32_equal(&seen.head.digest, &account->head.digest))
        return error_set(error, ERROR_CONFLICT, "the state changed while it was read; try again");
    if (is_first) {
        AUTO_JSON json_t *head =
            json_pack("{s:s, s:I, s:s, s:I, s:i}", "application", application, "count",
                      (json_int_t)count, "digest", hex_of_digest(&account->head.digest).text,
                      "revision", (json_int_t)account->head.revision, "s3n_kv_export", 1);
        if (!line_write(account, file, head, error))
            return false;
    }
    json_array_foreach(json_object_get(page, "entries"), index, row)
    {
        json_object_del(row, "size");
        if (!account_entry(account, row, error) || !line_write(account, file, row, error))
            return false;
    }
    return json_is_true(json_object_get(page, "more")) || account_check(account, count, error);
}

static bool page_get(struct cli *cli, struct session *session, const char *application,
                     const json_t *last, json_t **page, struct error *error)
{
    AUTO_BUFFER struct buffer target;
    AUTO_HTTP_CLIENT_ANSWER struct http_client_answer answer = { 0 };
    struct session_request request = { .method = HTTP_METHOD_GET };
    buffer_init(&target, 1);
    if (!kv_target(&target, application, error))
        return false;
    buffer_format(&target, "?limit=%d", KV_LIST_MAX);
    if (last != NULL) {
        buffer_append_string(&target, "&after_namespace=");
        kv_escape(&target, bytes_of_string(text_member(last, "namespace")));
        buffer_append_string(&target, "&after_key=");
        kv_escape(&target, bytes_of_string(text_member(last, "key")));
    }
    return kv_call(cli, session, &request, &target, &answer, error) &&
           json_parse(page, buffer_view(&answer.body), error);
}

static bool export_to(struct cli *cli, struct session *session, const char *application, int file,
                      struct account *account, struct error *error)
{
    AUTO_JSON json_t *last = NULL;
    if (!account_begin(account, error))
        return false;
    for (bool more = true, is_first = true; more; is_first = false) {
        AUTO_JSON json_t *page = NULL;
        if (!page_get(cli, session, application, last, &page, error) ||
            !page_write(account, file, application, page, is_first, error))
            return false;
        json_t *entries = json_object_get(page, "entries");
        more = json_is_true(json_object_get(page, "more"));
        json_decref(last);
        last = json_incref(json_array_get(entries, json_array_size(entries) - 1));
        if (more && last == NULL)
            return error_set(error, ERROR_INTERNAL, "the node sends an empty page");
    }
    struct digest32 digest = hash_finish32(account->hash);
    AUTO_JSON json_t *end = json_pack("{s:s}", "sha256", hex_of_digest(&digest).text);
    return line_write(account, file, end, error);
}

static bool export_file(struct cli *cli, struct session *session, const char *application,
                        const char *path, struct account *account, struct error *error)
{
    char part[4096];
    if (snprintf(part, sizeof(part), "%s.part", path) >= (int)sizeof(part))
        return error_set(error, ERROR_USAGE, "too long a file's name");
    for (int i = 0; i < EXPORT_TRY_MAX; i++) {
        AUTO_CLOSE int file =
            open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (file < 0)
            return error_system(error, "open %s", part);
        account_done(account);
        if (export_to(cli, session, application, file, account, error)) {
            if (fsync(file) == 0 && rename(part, path) == 0)
                return true;
            return error_system(error, "write %s", path);
        }
        if (error->code != ERROR_CONFLICT)
            break;
    }
    unlink(part);
    return false;
}

static bool export_run(struct cli *cli, const void *options UNUSED,
                       const struct option_arguments *arguments, struct error *error)
{
    AUTO_SESSION struct session session;
    AUTO_ACCOUNT struct account account = { .count = 0 };
    session_init(&session);
    if (!session_open(&session, NULL, error)) {
        cli_hint(cli, session.hint);
        return false;
    }
    bool done =
        arguments->count == 2
            ? export_file(cli, &session, arguments->items[0], arguments->items[1], &account, error)
            : export_to(cli, &session, arguments->items[0], STDOUT_FILENO, &account, error);
    if (done)
        cli_message(cli, "%llu entries, revision %llu, digest %s",
                    (unsigned long long)account.count, (unsigned long long)account.head.revision,
                    hex_of_digest(&account.head.digest).text);
    return done;
}

const struct verb verb_kv_export = { .name = "export",
                                     .summary = "write the whole state, checked",
                                     .table = &export_table,
                                     .run = export_run };

/* --- import --- */

static const struct option_table import_table = {
    .program = "s3n kv import",
    .usage = "APPLICATION [FILE]",
    .about =
        "Sets what an export has, from stdin or a file, after the whole of it was checked.  Other "
        "keys stay; up to 256 entries are set at once.",
    CLI_SHARED,
    .positional_min = 1,
    .positional_max = 2,
};

static struct bytes line_take(struct bytes *text)
{
    struct bytes line = bytes_part(*text, 0, bytes_find(*text, '\n'));
    *text = bytes_part(*text, line.size + 1, text->size);
    return line;
}

static bool import_check(struct account *account, struct bytes text, struct error *error)
{
    AUTO_JSON json_t *head = NULL;
    uint64_t count;
    int64_t version;
    struct digest32 said, digest;
    struct bytes line = line_take(&text);
    if (!account_begin(account, error) || !json_parse(&head, line, error) ||
        !json_get_integer(head, "s3n_kv_export", 1, 1, &version, error) ||
        !head_take(account, head, &count, error))
        return error_within(error, "line 1");
    for (uint64_t i = 0;; i++) {
        AUTO_JSON json_t *row = NULL;
        hash_update(account->hash, bytes_of(line.data, line.size + 1));
        line = line_take(&text);
        if (!json_parse(&row, line, error))
            return error_within(error, "line %llu", (unsigned long long)i + 2);
        if (i < count) {
            if (!account_entry(account, row, error))
                return error_within(error, "line %llu", (unsigned long long)i + 2);
            continue;
        }
        digest = hash_finish32(account->hash);
        if (!json_get_hex(row, "sha256", said.bytes, sizeof(said.bytes), error))
            return error_within(error, "last line");
        if (!digest32_equal(&said, &digest) || text.size != 0)
            return error_set(error, ERROR_UNVERIFIED, "the export was changed or cut");
        return account_check(account, count, error);
    }
}

static bool batch_send(struct cli *cli, struct session *session, const char *application,
                       struct buffer *batch, struct error *error)
{
    AUTO_BUFFER struct buffer target;
    AUTO_HTTP_CLIENT_ANSWER struct http_client_answer answer = { 0 };
    buffer_init(&target, 1);
    buffer_append_string(batch, "]}");
    struct session_request request = { .method = HTTP_METHOD_POST,
                                       .content_type = "application/json",
                                       .body = buffer_view(batch) };
    bool done = kv_target(&target, application, error) &&
                kv_call(cli, session, &request, &target, &answer, error);
    buffer_clear(batch);
    return done;
}

/* Of `*count` entries; those of the node's are left out, and not counted then. */
static bool import_send(struct cli *cli, struct session *session, const char *application,
                        struct bytes text, uint64_t *count, struct error *error)
{
    AUTO_BUFFER struct buffer batch;
    size_t in_batch = 0;
    uint64_t line_count = *count;
    buffer_init(&batch, 1 << 20);
    (void)line_take(&text);
    for (uint64_t i = 0; i < line_count; i++) {
        AUTO_JSON json_t *row = NULL;
        struct bytes line = line_take(&text);
        if (!json_parse(&row, line, error))
            return false;
        if (row_is_reserved(row)) {
            --*count;
            continue;
        }
        if (in_batch == IMPORT_COUNT_MAX ||
            (in_batch > 0 && batch.size + line.size > IMPORT_SIZE_MAX)) {
            if (!batch_send(cli, session, application, &batch, error))
                return error_within(error, "after %llu entries",
                                    (unsigned long long)(i - in_batch));
            in_batch = 0;
        }
        buffer_append_string(&batch, in_batch == 0 ? "{\"entries\":[" : ",");
        buffer_append(&batch, line);
        in_batch++;
    }
    return in_batch == 0 || batch_send(cli, session, application, &batch, error);
}

static bool import_run(struct cli *cli, const void *options UNUSED,
                       const struct option_arguments *arguments, struct error *error)
{
    AUTO_BUFFER struct buffer text;
    AUTO_SESSION struct session session;
    AUTO_ACCOUNT struct account account = { .count = 0 };
    session_init(&session);
    buffer_init(&text, EXPORT_SIZE_MAX);
    bool read = arguments->count == 2 ? file_read(&text, arguments->items[1], error)
                                      : file_read_descriptor(&text, STDIN_FILENO, error);
    if (!read || !import_check(&account, buffer_view(&text), error))
        return false;
    if (!session_open(&session, NULL, error)) {
        cli_hint(cli, session.hint);
        return false;
    }
    uint64_t count = account.count;
    if (!import_send(cli, &session, arguments->items[0], buffer_view(&text), &count, error))
        return false;
    cli_message(cli, "%llu entries", (unsigned long long)count);
    if (count < account.count)
        cli_message(cli, "%llu of the node's own (namespaces " KV_NAMESPACE_NODE "*) left out",
                    (unsigned long long)(account.count - count));
    return true;
}

const struct verb verb_kv_import = {
    .name = "import", .summary = "set what an export has", .table = &import_table, .run = import_run
};
