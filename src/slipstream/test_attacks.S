/* SPDX-License-Identifier: Apache-2.0 */
/* Native code of somebody who got past the compiler's checks: what no compiler emits.  Each attack
 * either ends by itself in a fault, or, when what it tried went through, exits with code 42
 * (SUCCESS), which fails the test.  Entered like a compiled function, position independent. */
#include "abi/control.h"

#define BINDINGS 256
#define PROC_EXIT 38
        .set DOOR, GUEST_PORT /* where the preprocessor does not look */

        .section .data.rel.ro.attacks, "aw"
        .globl attack_table
        .balign 16
attack_table:
        .section .rodata
        .globl attack_blob, attack_blob_end
        .balign 16
attack_blob:

/* A row of attack_table: name, offset in the blob. */
.macro ATTACK name
        .balign 16
1:
        .pushsection .rodata.attacks.names, "a"
2:      .asciz "\name"
        .popsection
        .pushsection .data.rel.ro.attacks, "aw"
        .quad 2b, 1b - attack_blob
        .popsection
.endm

.macro SUCCESS
        movq $42, (%r12)
        movq %r14, %rdi
        movq %r12, %rsi
        movq BINDINGS(%r14), %rax
        call *(8 * PROC_EXIT)(%rax)
.endm

/* One instruction that ring 3 must not have. */
.macro INSTRUCTION name, code
ATTACK "\name"
        \code
        SUCCESS
.endm

.macro SYSTEM name, number, a1=0, a2=0, a3=0
ATTACK "system call \name"
        movl $\number, %eax
        movq $\a1, %rdi
        movq $\a2, %rsi
        movq $\a3, %rdx
        xorl %r10d, %r10d
        xorl %r8d, %r8d
        xorl %r9d, %r9d
        syscall
        SUCCESS
.endm

.macro PEEK name, address
ATTACK "read \name"
        movabsq $\address, %rax
        movq (%rax), %rax
        SUCCESS
.endm

.macro POKE name, address
ATTACK "write \name"
        movabsq $\address, %rax
        movq $0x0b0f0b0f, (%rax)
        SUCCESS
.endm

.macro JUMP name, address
ATTACK "jump to \name"
        movabsq $\address, %rax
        call *%rax
        SUCCESS
.endm

/* --- privileged instructions */
INSTRUCTION "hlt", "hlt"
INSTRUCTION "cli", "cli"
INSTRUCTION "sti", "sti"
INSTRUCTION "clts", "clts"
INSTRUCTION "invd", "invd"
INSTRUCTION "wbinvd", "wbinvd"
INSTRUCTION "swapgs", "swapgs"
INSTRUCTION "sysretq", "sysretq"
INSTRUCTION "iretq to ring 0", "pushq $0x10; pushq $0; pushq $2; pushq $8; pushq $0; iretq"
INSTRUCTION "far return to ring 0", "pushq $8; pushq $0; lretq"
INSTRUCTION "far jump through memory", "movl $8, 8(%rsp); ljmpl *(%rsp)"
INSTRUCTION "load the task register", "movl $0x28, %eax; ltr %ax"
INSTRUCTION "load a local descriptor table", "movl $0x28, %eax; lldt %ax"
INSTRUCTION "load the interrupt table", "lidt (%rsp)"
INSTRUCTION "load the descriptor table", "lgdt (%rsp)"
INSTRUCTION "read cr0", "movq %cr0, %rax"
INSTRUCTION "write cr0", "xorl %eax, %eax; movq %rax, %cr0"
INSTRUCTION "self-made page tables in cr3", "movl $0x100000, %eax; movq %rax, %cr3"
INSTRUCTION "write cr4", "xorl %eax, %eax; movq %rax, %cr4"
INSTRUCTION "write dr7", "movl $0x401, %eax; movq %rax, %db7"
INSTRUCTION "rdmsr", "movl $0xc0000080, %ecx; rdmsr"
INSTRUCTION "wrmsr", "movl $0xc0000082, %ecx; movl $1, %eax; xorl %edx, %edx; wrmsr"
INSTRUCTION "xsetbv", "xorl %ecx, %ecx; movl $7, %eax; xorl %edx, %edx; xsetbv"
INSTRUCTION "invlpg", "invlpg (%rsp)"
INSTRUCTION "monitor", "movq %rsp, %rax; monitor"
INSTRUCTION "vmrun", "vmrun"
INSTRUCTION "vmxoff", "vmxoff"
INSTRUCTION "rsm", "rsm"

/* --- ports */
INSTRUCTION "out of 8 bits to the stub's port", "outb %al, $0x80"
INSTRUCTION "out to the serial port", "movl $0x3f8, %edx; outb %al, %dx"
INSTRUCTION "out to the reset port", "movl $0xcf9, %edx; movl $6, %eax; outb %al, %dx"
INSTRUCTION "in from the keyboard", "inb $0x64, %al"
INSTRUCTION "in from the guest's port", "inl $DOOR, %eax"
INSTRUCTION "string out", "movl $DOOR + 8, %edx; movq %rsp, %rsi; outsl"
INSTRUCTION "out across the end of the allowed ports", "movl $DOOR + 1, %edx; outl %eax, %dx"

/* --- interrupts: gates of ring 0 */
INSTRUCTION "int 3", "int3"
INSTRUCTION "int 0x0d", "int $0x0d"
INSTRUCTION "int 0x0e", "int $0x0e"
INSTRUCTION "int 0x20", "int $0x20"
INSTRUCTION "int 0xff", "int $0xff"
INSTRUCTION "icebp", ".byte 0xf1"
INSTRUCTION "ud1", ".byte 0x0f, 0xb9, 0xc0"
INSTRUCTION "getpid through int 0x80", "movl $20, %eax; int $0x80"
INSTRUCTION "sysenter", "sysenter"

/* --- system calls of Linux */
SYSTEM "open", 2, 0x280100000
SYSTEM "openat", 257, -100, 0x280100000
SYSTEM "socket", 41, 2, 1
SYSTEM "connect", 42, 3
SYSTEM "fork", 57
SYSTEM "vfork", 58
SYSTEM "clone", 56, 17
SYSTEM "clone3", 435
SYSTEM "execve", 59, 0x280100000
SYSTEM "kill", 62, -1, 0
SYSTEM "tgkill", 234, 1, 1
SYSTEM "ptrace", 101, 0
SYSTEM "process_vm_readv", 310, 1
SYSTEM "pidfd_open", 434, 1
SYSTEM "executable mmap", 9, 0, 4096, 5
SYSTEM "executable mprotect", 10, 0x2c05f0000, 4096, 5
SYSTEM "mremap", 25, 0x2c05f0000, 4096, 4096
SYSTEM "ioctl", 16, 0, 0x5401
SYSTEM "mount", 165
SYSTEM "unshare", 272, 0x10000000
SYSTEM "setns", 308, 3
SYSTEM "prctl", 157, 4, 1
SYSTEM "seccomp", 317, 1
SYSTEM "setuid", 105, 0
SYSTEM "chroot", 161
SYSTEM "pivot_root", 155
SYSTEM "bpf", 321
SYSTEM "io_uring_setup", 425, 8
SYSTEM "perf_event_open", 298
SYSTEM "userfaultfd", 323
SYSTEM "memfd_create", 319, 0x280100000
SYSTEM "keyctl", 250
SYSTEM "sendmsg", 46, 3
SYSTEM "recvmsg", 47, 3
SYSTEM "dup", 32, 0
SYSTEM "close", 3, 0
SYSTEM "unlink", 87, 0x280100000
SYSTEM "getdents64", 217, 3
SYSTEM "prlimit64", 302
SYSTEM "sched_setaffinity", 203
SYSTEM "sigaction of SIGSEGV", 13, 11
SYSTEM "sigaltstack", 131
SYSTEM "timer_create", 222
SYSTEM "a number beyond all", 100000
SYSTEM "getpid of x32", 0x40000027

/* --- memory that is not its own */
PEEK "the kernel's half", 0xffffffff81000000
PEEK "a hole of the address space", 0x0000800000000000
PEEK "descriptor tables", 0x280000000
PEEK "behind the control page", 0x280101000
PEEK "behind the mailbox's largest size", 0x2dffff000
POKE "descriptor tables", 0x280000100
POKE "the exception stub", 0x280001000
POKE "the control page", 0x280100008
POKE "the runtime's code", 0x280120000
POKE "page tables", 0x284000000
POKE "compiled code", 0x290000000
POKE "read-only data", 0x2b0000000
POKE "the snapshot", 0xc00000000
JUMP "the exception stub", 0x280001000
JUMP "the middle of the stub", 0x280001002
JUMP "descriptor tables", 0x280000000
JUMP "the control page", 0x280100000
JUMP "the frame stack", 0x2c05f0000
JUMP "the native stack", 0x2c03ff000
JUMP "the mailbox", 0x2d0000000
JUMP "the instance", 0x288000000
JUMP "linear memory", 0x1000
JUMP "the kernel's half", 0xffffffff81000000
JUMP "a hole of the address space", 0x0000800000000000

ATTACK "code written into linear memory and run"
        movl $0xc3c3c3c3, 4096(%r13)
        leaq 4096(%r13), %rax
        call *%rax
        SUCCESS

/* --- wild stack pointers */
ATTACK "stack at address 0"
        xorl %esp, %esp
        pushq %rax
        SUCCESS
ATTACK "stack in a hole, then a fault"
        movabsq $0x0000800000000000, %rsp
        ud2
ATTACK "stack in the kernel's half, then a fault"
        movabsq $0xffffffff81000000, %rsp
        ud2
ATTACK "stack in the descriptor tables, then a fault"
        movabsq $0x280002800, %rsp
        ud2
ATTACK "stack in read-only code, then a way out"
        movabsq $0x290000800, %rsp
        pushq %rax
        SUCCESS
ATTACK "stack at the very end"
        movq $-8, %rsp
        pushq %rax
        SUCCESS

/* --- lies on the way out; the runtime's door is control.gate, or the port */
.macro DEPART name, reason, first, second
ATTACK "leave: \name"
        movl $\reason, %eax
        movabsq $\first, %rdi
        movabsq $\second, %rsi
        movabsq $CONTROL_ADDRESS + CONTROL_GATE, %rcx
        movq (%rcx), %rcx
        testq %rcx, %rcx
        jz 1f
        call *%rcx
        ud2
1:      outl %eax, $GUEST_PORT
        ud2
.endm
DEPART "no reason", 0, 0, 0
DEPART "a reason that is none", 99, -1, -1
DEPART "the VMM's own mark", 3, 14, 0
DEPART "a trap that is none", 2, 0xffffffff, 0x290000000
DEPART "a trap far outside", 2, 1, 0xffffffffffffffff
DEPART "grow beyond everything", 4, 0x7fffffffffffffff, 0
DEPART "grow by no whole page", 4, 12345677, 0
DEPART "shrink", 4, 0, 0
DEPART "an output limit that is none", 8, 77, 0
DEPART "sleep for ever", 5, 0xffffffffffffffff, 0
DEPART "ready out of turn", 10, 0, 0
DEPART "a batch out of turn", 11, 1, 0

/* --- without end */
ATTACK "a loop with interrupts asked off"
        pushfq
        andq $~0x200, (%rsp)
        popfq
1:      jmp 1b
ATTACK "leaving without end"
1:      movl $9, %eax
        xorl %edi, %edi
        xorl %esi, %esi
        movabsq $CONTROL_ADDRESS + CONTROL_GATE, %rcx
        movq (%rcx), %rcx
        testq %rcx, %rcx
        jz 2f
        call *%rcx
        jmp 1b
2:      outl %eax, $GUEST_PORT
        jmp 1b
ATTACK "single steps without end"
        pushfq
        orq $0x100, (%rsp)
        popfq
1:      jmp 1b
ATTACK "pause without end"
1:      pause
        jmp 1b

        .balign 16
attack_blob_end:

        .section .data.rel.ro.attacks, "aw"
        .globl attack_table_end
attack_table_end:
        .section .note.GNU-stack, "", @progbits
