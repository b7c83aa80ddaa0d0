/* SPDX-License-Identifier: Apache-2.0 */
/* An interpreter that walks trees: closures of nodes called through pointers, values with tags,
 * allocation. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum tag {
    NUMBER,
    BOOLEAN,
    PAIR
};
struct value {
    enum tag tag;
    union {
        double number;
        int truth;
        struct pair *pair;
    };
};
struct pair {
    struct value first, rest;
};
struct node;
typedef struct value evaluate(const struct node *node, struct value *frame);
struct node {
    evaluate *evaluate;
    const struct node *a, *b, *c;
    double number;
    int slot;
};

static struct pair arena[1 << 16];
static uint32_t used;

static struct value number_of(double number)
{
    return (struct value){ .tag = NUMBER, .number = number };
}

static struct value call(const struct node *node, struct value *frame)
{
    return node->evaluate(node, frame);
}

static struct value constant(const struct node *node, struct value *frame)
{
    (void)frame;
    return number_of(node->number);
}

static struct value variable(const struct node *node, struct value *frame)
{
    return frame[node->slot];
}

static struct value add(const struct node *node, struct value *frame)
{
    return number_of(call(node->a, frame).number + call(node->b, frame).number);
}

static struct value subtract(const struct node *node, struct value *frame)
{
    return number_of(call(node->a, frame).number - call(node->b, frame).number);
}

static struct value less(const struct node *node, struct value *frame)
{
    return (struct value){ .tag = BOOLEAN,
                           .truth = call(node->a, frame).number < call(node->b, frame).number };
}

static struct value choose(const struct node *node, struct value *frame)
{
    struct value truth = call(node->a, frame);
    return call(truth.tag == BOOLEAN && truth.truth ? node->b : node->c, frame);
}

static struct value apply(const struct node *node, struct value *frame)
{
    struct value inner[2] = { call(node->a, frame), { 0 } };
    return call(node->b, inner);
}

static struct value cons(const struct node *node, struct value *frame)
{
    struct pair *pair = &arena[used++ % (1 << 16)];
    pair->first = call(node->a, frame);
    pair->rest = call(node->b, frame);
    return (struct value){ .tag = PAIR, .pair = pair };
}

static struct value first(const struct node *node, struct value *frame)
{
    struct value value = call(node->a, frame);
    return value.tag == PAIR ? value.pair->first : number_of(0);
}

static struct node *make(evaluate *function, const struct node *a, const struct node *b,
                         const struct node *c)
{
    struct node *node = calloc(1, sizeof(*node));
    *node = (struct node){ .evaluate = function, .a = a, .b = b, .c = c };
    return node;
}

static struct node *literal(double number)
{
    struct node *node = make(constant, NULL, NULL, NULL);
    node->number = number;
    return node;
}

int main(void)
{
    /* fib(n) = n < 2 ? first(cons(n, n)) : fib(n - 1) + fib(n - 2) */
    struct node *n = make(variable, NULL, NULL, NULL);
    struct node *body = make(choose, make(less, n, literal(2), NULL),
                             make(first, make(cons, n, n, NULL), NULL, NULL), NULL);
    body->c = make(add, make(apply, make(subtract, n, literal(1), NULL), body, NULL),
                   make(apply, make(subtract, n, literal(2), NULL), body, NULL), NULL);
    struct value frame[2] = { number_of(30), { 0 } };
    double sum = 0;
    for (int i = 0; i < 2; i++)
        sum += call(body, frame).number;
    printf("script %.0f, %u pairs\n", sum, (unsigned)used);
    return 0;
}
