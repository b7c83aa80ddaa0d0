/* SPDX-License-Identifier: Apache-2.0 */
/* An interpreter's inner loop: a stack machine behind one switch. */
#include <stdint.h>
#include <stdio.h>

enum operation {
    PUSH,
    ADD,
    MUL,
    XOR,
    DUP,
    SWAP,
    LOAD,
    STORE,
    DEC,
    JUMP_IF,
    HALT
};
struct instruction {
    uint8_t operation;
    int32_t operand;
};

static uint32_t run(const struct instruction *program, uint32_t loops)
{
    uint32_t stack[64], variables[8] = { loops, 1, 2, 3 };
    unsigned top = 0;
    for (const struct instruction *at = program;; at++) {
        switch ((enum operation)at->operation) {
        case PUSH:
            stack[top++] = (uint32_t)at->operand;
            break;
        case ADD:
            top--;
            stack[top - 1] += stack[top];
            break;
        case MUL:
            top--;
            stack[top - 1] *= stack[top];
            break;
        case XOR:
            top--;
            stack[top - 1] ^= stack[top];
            break;
        case DUP:
            stack[top] = stack[top - 1];
            top++;
            break;
        case SWAP: {
            uint32_t swapped = stack[top - 1];
            stack[top - 1] = stack[top - 2];
            stack[top - 2] = swapped;
            break;
        }
        case LOAD:
            stack[top++] = variables[at->operand];
            break;
        case STORE:
            variables[at->operand] = stack[--top];
            break;
        case DEC:
            variables[at->operand]--;
            break;
        case JUMP_IF:
            if (variables[0] != 0)
                at = program + at->operand - 1;
            break;
        case HALT:
            return variables[1];
        }
    }
}

int main(void)
{
    static const struct instruction program[] = {
        { LOAD, 1 },  { PUSH, 1664525 }, { MUL, 0 },     { PUSH, 1013904223 }, { ADD, 0 },
        { DUP, 0 },   { LOAD, 2 },       { XOR, 0 },     { SWAP, 0 },          { STORE, 1 },
        { STORE, 2 }, { DEC, 0 },        { JUMP_IF, 0 }, { HALT, 0 },
    };
    volatile uint32_t loops = 45000000;
    printf("machine %u\n", (unsigned)run(program, loops));
    return 0;
}
