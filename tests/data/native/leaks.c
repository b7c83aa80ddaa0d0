/* SPDX-License-Identifier: Apache-2.0 */
/* A native function that leaves a secret wherever it can reach ("p"), or looks for it in all of
 * those places ("h").  The secret is only ever compared inverted, so that it stands nowhere until
 * it is planted.  Addresses: abi/layout.h. */
#include "s3n.h"

#define INSTANCE 0x288000000ull /* struct instance, then this ELF's data */
#define STACK    0x2c0000000ull
#define FRAMES   0x2c05f0000ull

enum {
    INSTANCE_OWN = 0x10000, /* before the data */
    INSTANCE_USED = 2048,   /* the runtime's */
    STACK_SIZE = 0x410000,
    FRAMES_SIZE = 0x810000,
    BLOCK = 1 << 20,
    BEHIND_SIZE = 64 << 10
};

/* Registers as they were at the entry. */
struct probe {
    uint64_t vectors[16][4];
    uint32_t mxcsr;
    uint64_t flags;
} probe;
static uint64_t data[64] = { 1 };
static uint64_t room[4096];

__asm__(".globl probe_entry\n"
        "probe_entry:\n"
        "leaq probe(%rip), %rax\n"
        ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n"
        "vmovups %ymm\\n, 32*\\n(%rax)\n"
        ".endr\n"
        "stmxcsr 512(%rax)\n"
        "pushfq\n"
        "popq 520(%rax)\n"
        "jmp s3n_entry\n");

static uint64_t inverted(void)
{
    volatile uint64_t part = 0x1d0db3a7;
    return part << 32 | 0x4c3b2a19;
}

static void fill(uint64_t address, uint64_t size, uint64_t secret)
{
    volatile uint64_t *at = (volatile uint64_t *)address;
    for (uint64_t i = 0; i < size / 8; i += 64)
        at[i] = secret;
}

static int found(uint64_t address, uint64_t size)
{
    const volatile uint64_t *at = (const volatile uint64_t *)address;
    uint64_t wanted = inverted();
    for (uint64_t i = 0; i < size / 8; i++)
        if (~at[i] == wanted)
            return 1;
    return 0;
}

static void sink_down(unsigned left, uint64_t secret)
{
    volatile uint64_t frame[64];
    for (unsigned i = 0; i < 64; i++)
        frame[i] = secret;
    if (left > 0)
        sink_down(left - 1, secret);
    frame[0] = frame[1];
}

/* Room in the mailbox that no area of this request uses. */
static uint64_t mailbox_behind(const struct s3n_request *request)
{
    return ((uint64_t)request->body.data + (256 << 10)) & ~4095ull;
}

static void plant(const struct s3n_request *request, void *heap)
{
    uint64_t secret = ~inverted();
    fill((uint64_t)heap, BLOCK, secret);
    fill((uint64_t)s3n_allocate(BLOCK), BLOCK, secret);
    fill((uint64_t)data, sizeof(data), secret);
    fill((uint64_t)room, sizeof(room), secret);
    fill(INSTANCE + INSTANCE_USED, INSTANCE_OWN - INSTANCE_USED, secret);
    fill(FRAMES, FRAMES_SIZE, secret);
    fill(mailbox_behind(request), BEHIND_SIZE, secret);
    sink_down(5000, secret);
    s3n_log("planted\n");
    __asm__ volatile("vmovq %0, %%xmm0\n vpbroadcastq %%xmm0, %%ymm0\n"
                     ".irp n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n"
                     "vmovdqa %%ymm0, %%ymm\\n\n"
                     ".endr\n"
                     "pushq $0x7f80\n ldmxcsr (%%rsp)\n addq $8, %%rsp\n"
                     "fld1\n"
                     :
                     : "r"(secret)
                     : "memory");
}

static const char *hunt(const struct s3n_request *request, void *heap)
{
    for (unsigned i = 0; i < 16; i++)
        for (unsigned j = 0; j < 4; j++)
            if (probe.vectors[i][j] != 0)
                return "vector registers";
    if (probe.mxcsr != 0x1f80)
        return "control of vectors";
    if ((probe.flags & 0x400) != 0)
        return "direction";
    if (found((uint64_t)heap, BLOCK))
        return "heap";
    if (found((uint64_t)s3n_allocate(BLOCK), BLOCK))
        return "grown heap";
    if (data[0] != 1 || found((uint64_t)data, sizeof(data)) || found((uint64_t)room, sizeof(room)))
        return "data";
    if (found(INSTANCE, INSTANCE_OWN))
        return "instance";
    if (found(FRAMES, FRAMES_SIZE))
        return "frame stack";
    if (found(STACK, STACK_SIZE))
        return "stack";
    if (found(mailbox_behind(request), BEHIND_SIZE))
        return "mailbox";
    return "clean";
}

int s3n_main(const struct s3n_request *request, struct s3n_response *response)
{
    void *heap = s3n_allocate(BLOCK);
    if (request->body.size > 0 && request->body.data[0] == 'p') {
        s3n_print(response, "planted");
        plant(request, heap);
    } else {
        s3n_print(response, hunt(request, heap));
    }
    return 0;
}
