/* SPDX-License-Identifier: Apache-2.0 */
/* What embedded programs do: lists that are sorted and reversed, small matrices, a machine of
 * states that reads numbers, and a checksum over all of it. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    ITEMS = 400,
    SIDE = 24,
    ROUNDS = 12000
};
struct item {
    struct item *next;
    int16_t value;
    int16_t place;
};
static struct item items[ITEMS];
static int16_t left[SIDE][SIDE], right[SIDE][SIDE];
static int32_t product[SIDE][SIDE];

static uint16_t checksum(uint16_t sum, uint32_t number)
{
    for (int i = 0; i < 4; i++, number >>= 8) {
        uint32_t byte = (sum ^ number) & 255;
        for (int bit = 0; bit < 8; bit++)
            byte = byte & 1 ? byte >> 1 ^ 0xa001 : byte >> 1;
        sum = (uint16_t)(sum >> 8 ^ byte);
    }
    return sum;
}

typedef int order(const struct item *a, const struct item *b);

static int by_value(const struct item *a, const struct item *b)
{
    return a->value - b->value;
}

static int by_place(const struct item *a, const struct item *b)
{
    return a->place - b->place;
}

static struct item *merge(struct item *a, struct item *b, order *compare)
{
    struct item head = { 0 }, *end = &head;
    while (a != NULL && b != NULL) {
        struct item **least = compare(a, b) <= 0 ? &a : &b;
        end->next = *least;
        end = *least;
        *least = (*least)->next;
    }
    end->next = a != NULL ? a : b;
    return head.next;
}

static struct item *sort(struct item *list, order *compare)
{
    if (list == NULL || list->next == NULL)
        return list;
    struct item *slow = list, *fast = list->next;
    while (fast != NULL && fast->next != NULL)
        slow = slow->next, fast = fast->next->next;
    struct item *half = slow->next;
    slow->next = NULL;
    return merge(sort(list, compare), sort(half, compare), compare);
}

static struct item *reverse(struct item *list)
{
    struct item *done = NULL;
    while (list != NULL) {
        struct item *next = list->next;
        list->next = done;
        done = list;
        list = next;
    }
    return done;
}

static void multiply(int16_t add)
{
    for (int i = 0; i < SIDE; i++) {
        for (int j = 0; j < SIDE; j++) {
            int32_t sum = 0;
            for (int k = 0; k < SIDE; k++)
                sum += (left[i][k] + add) * right[k][j];
            product[i][j] = sum >> 3;
        }
    }
}

enum state {
    START,
    SIGN,
    WHOLE,
    FRACTION,
    EXPONENT,
    WRONG,
    STATES
};

static void read_numbers(const char *at, uint32_t counts[STATES])
{
    enum state state = START;
    for (; *at != '\0'; at++) {
        int is_digit = *at >= '0' && *at <= '9';
        if (*at == ',') {
            counts[state]++;
            state = START;
            continue;
        }
        switch (state) {
        case START:
            state = *at == '-' || *at == '+' ? SIGN
                    : is_digit               ? WHOLE
                    : *at == '.'             ? FRACTION
                                             : WRONG;
            break;
        case SIGN:
            state = is_digit ? WHOLE : *at == '.' ? FRACTION : WRONG;
            break;
        case WHOLE:
            state = is_digit ? WHOLE : *at == '.' ? FRACTION : *at == 'e' ? EXPONENT : WRONG;
            break;
        case FRACTION:
            state = is_digit ? FRACTION : *at == 'e' ? EXPONENT : WRONG;
            break;
        case EXPONENT:
            state = is_digit || *at == '-' ? EXPONENT : WRONG;
            break;
        default:
            break;
        }
    }
}

int main(void)
{
    static const char numbers[] =
        "12,-3.5,+.25,1e10,x,4.5e-3,--1,77.,0,1.2.3,.e,-,99999,3e,e3,+1.5e7,42,-0.001,";
    uint16_t sum = 0xffff;
    for (int i = 0; i < SIDE * SIDE; i++) {
        left[i / SIDE][i % SIDE] = (int16_t)(i * 7 % 101 - 50);
        right[i / SIDE][i % SIDE] = (int16_t)(i * 13 % 89 - 44);
    }
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < ITEMS; i++) {
            items[i].next = i + 1 < ITEMS ? &items[i + 1] : NULL;
            items[i].value = (int16_t)((i * 7919 + round * 31) % 1009);
            items[i].place = (int16_t)i;
        }
        struct item *list = reverse(sort(items, by_value));
        sum = checksum(sum, (uint32_t)list->value << 16 | (uint16_t)list->place);
        list = sort(list, by_place);
        sum = checksum(sum, (uint32_t)list->next->value);
        multiply((int16_t)(round & 7));
        sum = checksum(sum, (uint32_t)product[round % SIDE][5]);
        uint32_t counts[STATES] = { 0 };
        for (int i = 0; i < 8; i++)
            read_numbers(numbers + i, counts);
        for (int i = 0; i < STATES; i++)
            sum = checksum(sum, counts[i]);
    }
    printf("mixed %04x\n", (unsigned)sum);
    return 0;
}
