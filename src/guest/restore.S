/* SPDX-License-Identifier: Apache-2.0 */
/* What a reset in the guest does most, in vector registers: they hold nothing then, and hold
 * nothing again after restore_end.  Needs AVX, like the entry. */

/* void restore_copy(void *to, const void *from): a page, both at a page's start */
        .section .text.restore, "ax"
        .globl restore_copy
        .type restore_copy, @function
        .balign 32
restore_copy:
        movl $-4096, %ecx
        movslq %ecx, %rcx
        subq %rcx, %rdi
        subq %rcx, %rsi
        .balign 16
1:      vmovdqa (%rsi,%rcx), %ymm0
        vmovdqa 32(%rsi,%rcx), %ymm1
        vmovdqa 64(%rsi,%rcx), %ymm2
        vmovdqa 96(%rsi,%rcx), %ymm3
        vmovdqa %ymm0, (%rdi,%rcx)
        vmovdqa %ymm1, 32(%rdi,%rcx)
        vmovdqa %ymm2, 64(%rdi,%rcx)
        vmovdqa %ymm3, 96(%rdi,%rcx)
        subq $-128, %rcx
        jnz 1b
        ret

/* void restore_zero(void *to): a page */
        .globl restore_zero
        .type restore_zero, @function
        .balign 32
restore_zero:
        vpxor %xmm0, %xmm0, %xmm0
        leaq 4096(%rdi), %rcx
        .balign 16
1:      vmovdqa %ymm0, (%rdi)
        vmovdqa %ymm0, 32(%rdi)
        vmovdqa %ymm0, 64(%rdi)
        vmovdqa %ymm0, 96(%rdi)
        subq $-128, %rdi
        cmpq %rcx, %rdi
        jne 1b
        ret

/* void restore_stack(void *from): 32 bytes at a time from there up to the stack pointer */
        .globl restore_stack
        .type restore_stack, @function
        .balign 32
restore_stack:
        vpxor %xmm0, %xmm0, %xmm0
        .balign 16
1:      leaq 32(%rdi), %rcx
        cmpq %rsp, %rcx
        ja 2f
        vmovdqu %ymm0, (%rdi)
        movq %rcx, %rdi
        jmp 1b
2:      cmpq %rsp, %rdi
        jae 3f
        movq $0, (%rdi)
        addq $8, %rdi
        jmp 2b
3:      ret

/* uint64_t restore_find(const uint64_t *entries, uint64_t count, const uint64_t mask[4]): how many
 * entries may be passed over, a multiple of 16: none of them has a bit of the mask, whose four
 * numbers are the same */
        .globl restore_find
        .type restore_find, @function
        .balign 32
restore_find:
        xorl %eax, %eax
        vmovdqu (%rdx), %ymm4
        .balign 16
1:      addq $16, %rax
        cmpq %rsi, %rax
        ja 2f
        vmovups -128(%rdi,%rax,8), %ymm0
        vmovups -96(%rdi,%rax,8), %ymm1
        vorps -64(%rdi,%rax,8), %ymm0, %ymm0
        vorps -32(%rdi,%rax,8), %ymm1, %ymm1
        vorps %ymm1, %ymm0, %ymm0
        vptest %ymm4, %ymm0
        jz 1b
2:      subq $16, %rax
        ret

/* void restore_end(void): nothing of what was restored is left in a register */
        .globl restore_end
        .type restore_end, @function
restore_end:
        vzeroall
        ret

        .section .note.GNU-stack, "", @progbits
