/* SPDX-License-Identifier: Apache-2.0 */
#include "state/state_parts.h"
#include "state/state_test_support.h"
#include "tests/harness.h"

#include <stdio.h>
#include <string.h>

/* Many transactions at once, of random reads, lists, writes: those that commit must have read what
 * a plain table holds at the moment of their commit, and written what it then gets. */
enum {
    MODEL_KEYS = 12,
    MODEL_OPEN = 6
};
struct model_step {
    unsigned key;
    bool writes;
    bool lists;
    char value[24]; /* read or written; empty: absent */
};
struct model_transaction {
    struct transaction *transaction;
    char began[MODEL_KEYS][24]; /* the plain table then */
    bool has_written;
    struct model_step steps[12];
    size_t count;
};
static char model[MODEL_KEYS][24];

static const char *model_list(char table[][24], unsigned from)
{
    static char text[512];
    text[0] = '\0';
    for (unsigned i = from; i < MODEL_KEYS; i++) {
        if (table[i][0] != '\0')
            snprintf(text + strlen(text), sizeof(text) - strlen(text), "k%02u=%s;", i, table[i]);
    }
    return text;
}

/* One that only read did so where it began. */
static bool model_replays(struct model_transaction *done, char lists[][512])
{
    char(*table)[24] = done->has_written ? model : done->began;
    for (size_t i = 0; i < done->count; i++) {
        const struct model_step *step = &done->steps[i];
        if (step->writes)
            memcpy(table[step->key], step->value, sizeof(step->value));
        else if (step->lists && strcmp(model_list(table, step->key), lists[i]) != 0)
            return false;
        else if (!step->lists && strcmp(table[step->key], step->value) != 0)
            return false;
    }
    return true;
}

/* One random operation more. */
static void step_take(struct model_transaction *at, char *listed, uint64_t *random)
{
    struct model_step *step = &at->steps[at->count];
    char name[16];
    step->key = (unsigned)(test_random(random) % MODEL_KEYS);
    snprintf(name, sizeof(name), "k%02u", step->key);
    uint64_t kind = test_random(random) % 8;
    struct error error;
    bool found;
    if (kind < 3) {
        step->writes = true;
        snprintf(step->value, sizeof(step->value), "v%u", (unsigned)(test_random(random) % 100000));
        REQUIRE(test_set(at->transaction, name, step->value));
    } else if (kind == 3) {
        step->writes = true;
        REQUIRE(transaction_delete(at->transaction, test_key(name), &found, &error));
    } else if (kind == 4) {
        step->lists = true;
        char after[16];
        snprintf(after, sizeof(after), "k%02u~", step->key);
        after[2]--; /* just before */
        snprintf(listed, 512, "%s", test_list(at->transaction, "", after, 100, 0));
    } else {
        const char *value = test_get(at->transaction, name);
        snprintf(step->value, sizeof(step->value), "%s", strcmp(value, "-") == 0 ? "" : value);
    }
}

static void committed_transactions_are_serialisable(void)
{
    STATE();
    static struct model_transaction open[MODEL_OPEN];
    static char lists[MODEL_OPEN][12][512];
    uint64_t random = 99;
    unsigned commits = 0, conflicts = 0;
    struct digest32 last = { { 0 } };
    memset(model, 0, sizeof(model));
    for (unsigned turn = 0; turn < 40000; turn++) {
        unsigned which = (unsigned)(test_random(&random) % MODEL_OPEN);
        struct model_transaction *at = &open[which];
        if (at->transaction == NULL) {
            *at = (struct model_transaction){ .transaction = test_begin(state) };
            memcpy(at->began, model, sizeof(model));
            continue;
        }
        if (at->count == ARRAY_COUNT(at->steps) || test_random(&random) % 6 == 0) {
            struct transaction_outcome outcome;
            at->has_written = at->transaction->write_count > 0;
            enum error_code code = test_commit(TAKE(at->transaction), &outcome);
            CHECK(code == ERROR_NONE || code == ERROR_CONFLICT);
            if (code == ERROR_NONE) {
                CHECK(!outcome.has_written || digest32_equal(&outcome.before, &last));
                if (outcome.has_written)
                    last = outcome.after;
            }
            if (code == ERROR_NONE)
                REQUIRE(model_replays(at, lists[which]));
            code == ERROR_NONE ? commits++ : conflicts++;
            continue;
        }
        step_take(at, lists[which][at->count], &random);
        at->count++;
    }
    for (unsigned i = 0; i < MODEL_OPEN; i++)
        transaction_end(TAKE(open[i].transaction));
    CHECK(commits > 500 && conflicts > 100);
    CHECK_NUMBER(state_facts(state).garbage, 0);
    struct transaction *transaction = test_begin(state);
    CHECK_STRING(test_list(transaction, "", "", 100, 0), model_list(model, 0));
    transaction_end(transaction);
    /* Loaded anew from what is there, it has the same digest. */
    AUTO(state) struct state *loaded = NULL;
    struct error error;
    REQUIRE(state_new(&loaded, &test_clock, &error));
    for (unsigned i = 0; i < MODEL_KEYS; i++) {
        char name[16] = "n";
        snprintf(name + 2, sizeof(name) - 2, "k%02u", i);
        if (model[i][0] != '\0')
            CHECK(
                state_load_entry(loaded, bytes_of(name, 5), bytes_of_string(model[i]), 0, &error));
    }
    struct state_head head = state_facts(state).head;
    CHECK(state_load_end(loaded, &head, &error));
    head.digest.bytes[0]++;
    CHECK(!state_load_end(loaded, &head, &error));
    CHECK_NUMBER(error.code, ERROR_CORRUPT);
}

static const struct test tests[] = {
    TEST(committed_transactions_are_serialisable),
};
TEST_MAIN(tests)
