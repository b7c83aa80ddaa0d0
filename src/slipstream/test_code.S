/* SPDX-License-Identifier: Apache-2.0 */
/* Functions as the compiler would emit them (abi/instance.h), for tests without a compiler.  The
 * code is position independent and is copied into an image. */
#include "abi/control.h"

#define HELPER(h)  *(8 * (h))(%r14)
#define FRAME_TOP 272
#define BINDINGS 256
#define GLOBAL 1392
#define CALL_BINDING(b) movq BINDINGS(%r14), %rax; call *(8 * (b))(%rax)

        .section .rodata
        .globl code_blob, code_blob_end
        .balign 16
code_blob:

.macro FUNCTION name
        .balign 16
        .globl code_\name
code_\name:
.endm

/* slot 0 + slot 1 -> slot 0 */
FUNCTION add
        movq (%r12), %rax
        addq 8(%r12), %rax
        movq %rax, (%r12)
        ret

FUNCTION unreachable
        ud2
        .byte 1

FUNCTION divide
        ud2
        .byte 7

/* address -> the 8 bytes there */
FUNCTION load
        movl (%r12), %eax
        movq (%r13, %rax), %rax
        movq %rax, (%r12)
        ret

/* address, number */
FUNCTION store
        movl (%r12), %eax
        movq 8(%r12), %rcx
        movq %rcx, (%r13, %rax)
        ret

/* address (64 bits, anywhere) -> the 8 bytes there */
FUNCTION peek
        movq (%r12), %rax
        movq (%rax), %rax
        movq %rax, (%r12)
        ret

/* address (64 bits, anywhere), number */
FUNCTION poke
        movq (%r12), %rax
        movq 8(%r12), %rcx
        movq %rcx, (%rax)
        ret

/* address (64 bits): jumps there */
FUNCTION jump
        jmp *(%r12)

FUNCTION loop
        jmp code_loop

/* native stack without end */
FUNCTION recurse
        subq $8, %rsp
        call code_recurse
        addq $8, %rsp
        ret

/* frame stack without end */
FUNCTION frames
        movq $1, (%r12)
        addq $256, %r12
        jmp code_frames

FUNCTION global_get
        movq GLOBAL(%r14), %rax
        movq %rax, (%r12)
        ret

FUNCTION global_set
        movq (%r12), %rax
        movq %rax, GLOBAL(%r14)
        ret

/* pages -> old pages or -1 */
FUNCTION grow
        leaq 64(%r12), %rax
        movq %rax, FRAME_TOP(%r14)
        movq %r14, %rdi
        movq %r12, %rsi
        subq $8, %rsp
        call HELPER(0)
        addq $8, %rsp
        ret

/* to, byte, size */
FUNCTION fill
        movq %r14, %rdi
        movq %r12, %rsi
        subq $8, %rsp
        call HELPER(2)
        addq $8, %rsp
        ret

/* -> 8 random bytes */
FUNCTION random
        subq $8, %rsp
        movq $1024, (%r12)
        movq $8, 8(%r12)
        movq %r14, %rdi
        movq %r12, %rsi
        CALL_BINDING(40)
        movq 1024(%r13), %rax
        movq %rax, (%r12)
        addq $8, %rsp
        ret

/* number of a binding, its arguments -> what it answers */
FUNCTION import
        subq $8, %rsp
        movq (%r12), %rcx
        movq %r14, %rdi
        leaq 8(%r12), %rsi
        movq 256(%r14), %rax
        call *(%rax,%rcx,8)
        movq 8(%r12), %rax
        movq %rax, (%r12)
        addq $8, %rsp
        ret

/* clock -> its time */
FUNCTION clock
        subq $8, %rsp
        movq $0, 8(%r12)
        movq $1024, 16(%r12)
        movq %r14, %rdi
        movq %r12, %rsi
        CALL_BINDING(5)
        movq 1024(%r13), %rax
        movq %rax, (%r12)
        addq $8, %rsp
        ret

/* Copies stdin to stdout in one piece of at most 4096 bytes at 8192, then exits with its size. */
FUNCTION echo
        subq $8, %rsp
        movl $8192, 1024(%r13)
        movl $4096, 1028(%r13)
        movq $0, (%r12)
        movq $1024, 8(%r12)
        movq $1, 16(%r12)
        movq $1032, 24(%r12)
        movq %r14, %rdi
        movq %r12, %rsi
        CALL_BINDING(20)
echo_rest:
        movl 1032(%r13), %eax
        movl %eax, 1028(%r13)
        movq $1, (%r12)
        movq $1024, 8(%r12)
        movq $1, 16(%r12)
        movq $1036, 24(%r12)
        movq %r14, %rdi
        movq %r12, %rsi
        CALL_BINDING(26)
        movl 1032(%r13), %eax
        movq %rax, (%r12)
        movq %r14, %rdi
        movq %r12, %rsi
        CALL_BINDING(38)
        ud2
        .byte 1

/* Exits with 99 when anything is left of the secrets that it then leaves everywhere itself: memory,
 * global, both stacks, a vector register.  Then as the input's first byte says: l loops, t traps,
 * g grows memory, z forges the ring's answers and progress; everything else echoes. */
FUNCTION mixed
        subq $8, %rsp
        cmpq $0, 12288(%r13)
        jne 9f
        cmpq $0, 61440(%r13)
        jne 9f
        cmpq $42, GLOBAL(%r14)
        jne 9f
        cmpq $0, 0x100000(%r12)
        jne 9f
        cmpq $0, -0x3000(%rsp)
        jne 9f
        vmovq %xmm7, %rax
        testq %rax, %rax
        jne 9f
        movabsq $0x5ec2e75ec2e75ec2, %rax
        movq %rax, 12288(%r13)
        movq %rax, 61440(%r13)
        movq %rax, GLOBAL(%r14)
        movq %rax, 0x100000(%r12)
        movq %rax, -0x3000(%rsp)
        vpcmpeqd %ymm7, %ymm7, %ymm7
        movl $8192, 1024(%r13)
        movl $4096, 1028(%r13)
        movq $0, (%r12)
        movq $1024, 8(%r12)
        movq $1, 16(%r12)
        movq $1032, 24(%r12)
        movq %r14, %rdi
        movq %r12, %rsi
        CALL_BINDING(20)
        movzbl 8192(%r13), %eax
        cmpb $'l', %al
        je code_loop
        cmpb $'t', %al
        je code_unreachable
        cmpb $'z', %al
        je 3f
        cmpb $'g', %al
        jne echo_rest
        movq $1, (%r12)
        leaq 64(%r12), %rax
        movq %rax, FRAME_TOP(%r14)
        movq %r14, %rdi
        movq %r12, %rsi
        call HELPER(0)
        jmp echo_rest
3:      movabsq $0x2d0000000, %rdi
        movl $0xffffffff, %eax
        movl $1024, %ecx
        rep stosl
        jmp code_unreachable
9:      movq $99, (%r12)
        movq %r14, %rdi
        movq %r12, %rsi
        CALL_BINDING(38)

/* Prints 4096 bytes for ever. */
FUNCTION flood
        subq $8, %rsp
        movl $8192, 1024(%r13)
        movl $4096, 1028(%r13)
1:      movq $1, (%r12)
        movq $1024, 8(%r12)
        movq $1, 16(%r12)
        movq $1036, 24(%r12)
        movq %r14, %rdi
        movq %r12, %rsi
        CALL_BINDING(26)
        jmp 1b

/* Leaves through a port that ring 3 has not. */
FUNCTION port
        outb %al, $0x80
        ret

/* A privileged instruction. */
FUNCTION halt
        hlt
        ret

/* What only an attacker would emit. */
FUNCTION system_call
        syscall
        ret
FUNCTION interrupt
        int $0x80
        ret
FUNCTION breakpoint
        int3
        ret
FUNCTION sysenter
        sysenter
        ret
FUNCTION hypercall
        vmmcall
        ret
FUNCTION input
        inb $GUEST_PORT, %al
        ret
FUNCTION interrupts_off
        cli
        ret
FUNCTION control_register
        movq %cr3, %rax
        movq %rax, (%r12)
        ret
FUNCTION model_register
        movl $0xc0000080, %ecx
        rdmsr
        movq %rax, (%r12)
        ret
FUNCTION descriptor_table
        lgdt (%r12)
        ret
FUNCTION single_step
        pushfq
        orq $0x100, (%rsp)
        popfq
        ret
FUNCTION alignment
        pushfq
        orq $0x40000, (%rsp)
        popfq
        movq 1(%r12), %rax
        ret
FUNCTION far_return
        pushq $0x08
        leaq 1f(%rip), %rax
        pushq %rax
        lretq
1:      ret

/* Leaves (sched_yield of a sort) without end: the bare round trip of benchmarks. */
FUNCTION bounce
        movl $9, %eax
1:      outl %eax, $GUEST_PORT
        jmp 1b

/* -> low 64 bits of ymm7, which it then fills */
FUNCTION vector
        vmovq %xmm7, %rax
        movq %rax, (%r12)
        vpcmpeqd %ymm7, %ymm7, %ymm7
        ret

/* Memory[0] += 1, as a start function. */
FUNCTION start
        incq (%r13)
        incq GLOBAL(%r14)
        ret

/* A reactor: room at 4096; the answer is the counters of `start` after one more count, unless the
 * request begins with an exclamation mark. */
FUNCTION alloc
        movq $4096, (%r12)
        ret
FUNCTION handle
        movl (%r12), %eax
        cmpb $'!', (%r13, %rax)
        jne 1f
        ud2
        .byte 1
1:      incq (%r13)
        incq GLOBAL(%r14)
        movq (%r13), %rax
        movq %rax, 32768(%r13)
        movq GLOBAL(%r14), %rax
        movq %rax, 32776(%r13)
        movabsq $0x800000000010, %rax
        movq %rax, (%r12)
        ret
FUNCTION init
        addq $100, (%r13)
        addq $100, GLOBAL(%r14)
        ret

/* Prints the first two bytes of memory. */
FUNCTION print
        subq $8, %rsp
        movl $0, 1024(%r13)
        movl $2, 1028(%r13)
        movq $1, (%r12)
        movq $1024, 8(%r12)
        movq $1, 16(%r12)
        movq $1036, 24(%r12)
        movq %r14, %rdi
        movq %r12, %rsi
        CALL_BINDING(26)
        addq $8, %rsp
        ret

/* reason, first, second: leaves as the runtime does, whatever that is -> the answer */
FUNCTION leave
        subq $8, %rsp
        movq (%r12), %rax
        movq 8(%r12), %rdi
        movq 16(%r12), %rsi
        movabsq $CONTROL_ADDRESS + CONTROL_GATE, %rcx
        movq (%rcx), %rcx
        testq %rcx, %rcx
        jnz 1f
        outl %eax, $GUEST_PORT
        jmp 2f
1:      call *%rcx
2:      movq %rax, (%r12)
        addq $8, %rsp
        ret

/* The input is a list of calls: asks its node and prints the answers; exits with 5 when that was
 * refused. */
FUNCTION call
        subq $8, %rsp
        movl $8192, 1024(%r13)
        movl $4096, 1028(%r13)
        movq $0, (%r12)
        movq $1024, 8(%r12)
        movq $1, 16(%r12)
        movq $1032, 24(%r12)
        movq %r14, %rdi
        movq %r12, %rsi
        CALL_BINDING(20)
        movl 1032(%r13), %eax
        movq $8192, (%r12)
        movq %rax, 8(%r12)
        movq $16384, 16(%r12)
        movq $32768, 24(%r12)
        movq %r14, %rdi
        movq %r12, %rsi
        CALL_BINDING(56)
        movq (%r12), %rax
        movq $5, (%r12)
        testq %rax, %rax
        js 1f
        movl $16384, 1024(%r13)
        movl %eax, 1028(%r13)
        movq $1, (%r12)
        movq $1024, 8(%r12)
        movq $1, 16(%r12)
        movq $1036, 24(%r12)
        movq %r14, %rdi
        movq %r12, %rsi
        CALL_BINDING(26)
        movq $0, (%r12)
1:      movq %r14, %rdi
        movq %r12, %rsi
        CALL_BINDING(38)
        ud2
        .byte 1

/* Exits with code 3. */
FUNCTION end
        subq $8, %rsp
        movq $3, (%r12)
        movq %r14, %rdi
        movq %r12, %rsi
        CALL_BINDING(38)
        ud2
        .byte 1

        .balign 16
code_blob_end:
        .section .note.GNU-stack, "", @progbits
