/* SPDX-License-Identifier: Apache-2.0 */
/* Where the VMM enters (ring 3, rsp at the end of the native stack), the one way out, and the change
 * of calling convention into compiled code. */
#include "abi/control.h"
#include "abi/instance.h"

        .section .text.entry, "ax"
        .globl guest_entry
        .type guest_entry, @function
guest_entry:
        cld
        vzeroall
        fninit
        ldmxcsr mxcsr_default(%rip)
        xorl %ebp, %ebp
        call guest_main
        ud2

/* void guest_restart(stack_end): as if entered anew, but for what the host sets. */
        .globl guest_restart
        .type guest_restart, @function
guest_restart:
        movq %rdi, %rsp
        cld
        vzeroall
        fninit
        ldmxcsr mxcsr_default(%rip)
        xorl %ebp, %ebp
        call batch_restart
        ud2

/* uint64_t guest_leave(reason, first, second): rdi, rsi and rdx hold the arguments of the exit. */
        .globl guest_leave
        .type guest_leave, @function
guest_leave:
        movl %edi, %eax
        movq %rsi, %rdi
        movq %rdx, %rsi
        movabsq $CONTROL_ADDRESS + CONTROL_GATE, %rcx
        movq (%rcx), %rcx
        testq %rcx, %rcx
        jnz 1f
        outl %eax, $GUEST_PORT
        ret
1:      jmp *%rcx

/* void guest_call(code, frame, memory_base, instance) */
        .globl guest_call
        .type guest_call, @function
guest_call:
        pushq %rbp
        pushq %rbx
        pushq %r12
        pushq %r13
        pushq %r14
        pushq %r15
        subq $8, %rsp
        movq %rdi, %rax
        movq %rsi, %r12
        movq %rdx, %r13
        movq %rcx, %r14
        movq INSTANCE_FUEL(%r14), %rbp
        xorl %ebx, %ebx
        xorl %ecx, %ecx
        xorl %edx, %edx
        xorl %esi, %esi
        xorl %edi, %edi
        xorl %r8d, %r8d
        xorl %r9d, %r9d
        xorl %r10d, %r10d
        xorl %r11d, %r11d
        xorl %r15d, %r15d
        call *%rax
        movq %rbp, INSTANCE_FUEL(%r14)
        addq $8, %rsp
        popq %r15
        popq %r14
        popq %r13
        popq %r12
        popq %rbx
        popq %rbp
        ret

        .section .rodata, "a"
        .balign 4
mxcsr_default:
        .long 0x1f80

        .section .note.GNU-stack, "", @progbits
