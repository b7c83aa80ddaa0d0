/* SPDX-License-Identifier: Apache-2.0 */
/* A sealed-bid second-price auction: the highest bidder wins and pays the second-highest bid (or
 * the reserve).
 *
 * Reads one bid a line, `NAME AMOUNT`, and optionally one line `reserve AMOUNT`; `#` starts a
 * comment.  Prints the winner and the price, never a losing bid.  Names: 1 to 32 of a-z 0-9 - _;
 * amounts: whole numbers up to 10^15; one bid a name; at most 1000 bids.  Between equal bids the
 * earlier line wins. Exit status: 0 settled (or nobody met the reserve), 1 the input is not valid.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NAME_SIZE_MAX = 32,
    BID_COUNT_MAX = 1000,
    LINE_SIZE_MAX = 128
};
#define AMOUNT_MAX 1000000000000000ull

struct bid {
    char name[NAME_SIZE_MAX + 1];
    uint64_t amount;
};

struct auction {
    struct bid bids[BID_COUNT_MAX];
    size_t count;
    uint64_t reserve;
    bool has_reserve;
};

static bool refuse(unsigned line, const char *reason)
{
    fprintf(stderr, "auction: line %u: %s\n", line, reason);
    return false;
}

static bool parse_name(char name[NAME_SIZE_MAX + 1], const char *text)
{
    size_t size = strlen(text);
    if (size == 0 || size > NAME_SIZE_MAX ||
        strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-_") != size)
        return false;
    memcpy(name, text, size + 1);
    return true;
}

static bool parse_amount(uint64_t *amount, const char *text)
{
    size_t size = strlen(text);
    if (size == 0 || size > 16 || strspn(text, "0123456789") != size)
        return false;
    uint64_t parsed = strtoull(text, NULL, 10);
    if (parsed > AMOUNT_MAX)
        return false;
    *amount = parsed;
    return true;
}

static bool add_bid(struct auction *auction, const char *name, uint64_t amount, unsigned line)
{
    for (size_t i = 0; i < auction->count; i++) {
        if (strcmp(auction->bids[i].name, name) == 0)
            return refuse(line, "this bidder has already bid");
    }
    if (auction->count == BID_COUNT_MAX)
        return refuse(line, "more than 1000 bids");
    struct bid *bid = &auction->bids[auction->count++];
    memcpy(bid->name, name, strlen(name) + 1);
    bid->amount = amount;
    return true;
}

static bool read_line(struct auction *auction, char *text, unsigned line)
{
    text[strcspn(text, "#\r\n")] = '\0';
    char *rest = NULL;
    const char *first = strtok_r(text, " \t", &rest);
    if (first == NULL)
        return true; /* empty, or a comment alone */
    const char *second = strtok_r(NULL, " \t", &rest);
    char name[NAME_SIZE_MAX + 1];
    uint64_t amount = 0;
    if (second == NULL || strtok_r(NULL, " \t", &rest) != NULL)
        return refuse(line, "expected NAME AMOUNT");
    if (!parse_name(name, first))
        return refuse(line, "a name is 1 to 32 of a-z 0-9 - _");
    if (!parse_amount(&amount, second))
        return refuse(line, "an amount is a whole number up to 10^15");
    if (strcmp(name, "reserve") != 0)
        return add_bid(auction, name, amount, line);
    if (auction->has_reserve)
        return refuse(line, "a second reserve");
    auction->has_reserve = true;
    auction->reserve = amount;
    return true;
}

static bool read_auction(struct auction *auction, FILE *input)
{
    char text[LINE_SIZE_MAX];
    for (unsigned line = 1; fgets(text, sizeof(text), input) != NULL; line++) {
        if (strchr(text, '\n') == NULL && !feof(input))
            return refuse(line, "the line is too long");
        if (!read_line(auction, text, line))
            return false;
    }
    return ferror(input) == 0;
}

static void settle(const struct auction *auction)
{
    const struct bid *winner = NULL;
    uint64_t second = auction->reserve;
    for (size_t i = 0; i < auction->count; i++) {
        const struct bid *bid = &auction->bids[i];
        if (bid->amount < auction->reserve)
            continue;
        if (winner == NULL || bid->amount > winner->amount) {
            if (winner != NULL)
                second = winner->amount;
            winner = bid;
        } else if (bid->amount > second) {
            second = bid->amount;
        }
    }
    if (winner == NULL)
        printf("no winner: nobody met the reserve\n");
    else
        printf("winner %s pays %llu\n", winner->name, (unsigned long long)second);
}

int main(void)
{
    static struct auction auction;
    if (!read_auction(&auction, stdin))
        return 1;
    settle(&auction);
    return 0;
}
