/* SPDX-License-Identifier: Apache-2.0 */
/* The switch between this process's own stack and a guest's, without the kernel (gate.h). */
#include "slipstream/gate.h"

        .text

/* Saves what C keeps across calls and marks the inside; then the guest's state is loaded.  A signal
 * may come at any of these instructions: from the mark on its handler leaves by gate_return. */
.macro GATE_OPEN
        endbr64
        pushq %rbx
        pushq %rbp
        pushq %r12
        pushq %r13
        pushq %r14
        pushq %r15
        subq $8, %rsp
        stmxcsr (%rsp)
        fnstcw 4(%rsp)
        movq %rsp, gate+GATE_HOST_STACK(%rip)
        movl $1, gate+GATE_IS_INSIDE(%rip)
        cmpb $0, gate+GATE_INTERRUPT(%rip)
        jne gate_refuse
.endm

.macro FUNCTION name
        .globl \name
        .hidden \name
        .type \name, @function
        .balign 16
\name:
.endm

FUNCTION gate_start
        GATE_OPEN
        movq %rsi, %rsp
        movq %rdi, %rax
        xorl %ecx, %ecx
        xorl %edx, %edx
        xorl %ebx, %ebx
        xorl %esi, %esi
        xorl %edi, %edi
        xorl %ebp, %ebp
        xorl %r8d, %r8d
        xorl %r9d, %r9d
        xorl %r10d, %r10d
        xorl %r11d, %r11d
        xorl %r12d, %r12d
        xorl %r13d, %r13d
        xorl %r14d, %r14d
        xorl %r15d, %r15d
        jmp *%rax

FUNCTION gate_answer
        GATE_OPEN
        movq %rdi, %rax
        movq gate+GATE_GUEST_STACK(%rip), %rsp
        popq %r15
        popq %r14
        popq %r13
        popq %r12
        popq %rbp
        popq %rbx
        ret

/* The kernel reads the frame at rsp and goes on as if a handler had returned. */
FUNCTION gate_restore
        GATE_OPEN
        movq %rdi, %rsp
        movl $15, %eax /* rt_sigreturn */
        syscall
        ud2

/* The guest calls this: eax reason, rdi and rsi arguments. */
FUNCTION gate_leave
        endbr64
        pushq %rbx
        pushq %rbp
        pushq %r12
        pushq %r13
        pushq %r14
        pushq %r15
        movl %eax, gate+GATE_REASON(%rip)
        movq %rdi, gate+GATE_ARGUMENTS(%rip)
        movq %rsi, gate+GATE_ARGUMENTS+8(%rip)
        movq %rsp, gate+GATE_GUEST_STACK(%rip)
        movl $GATE_LEFT, %eax
        movl $0, gate+GATE_IS_INSIDE(%rip)
        movq gate+GATE_HOST_STACK(%rip), %rsp
/* Handlers come here: eax what happened, rsp the stack that GATE_OPEN noted. */
FUNCTION gate_return
        cld
        vzeroupper
        ldmxcsr (%rsp)
        fldcw 4(%rsp)
        addq $8, %rsp
        popq %r15
        popq %r14
        popq %r13
        popq %r12
        popq %rbp
        popq %rbx
        ret

gate_refuse:
        movb $0, gate+GATE_INTERRUPT(%rip)
        movl $0, gate+GATE_IS_INSIDE(%rip)
        movl $GATE_REFUSED, %eax
        jmp gate_return

        .section .note.GNU-stack, "", @progbits
