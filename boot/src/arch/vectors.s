// Exception vectors of EL1 (Arm ARM D1.10.2). `kernel_main` runs on SP_EL0, so the first group is the usual one;
// the second is an exception inside a handler.

// Stores x0-x30, ELR, SPSR, ESR, FAR and the interrupted SP as a `Frame` on the exception stack, then calls
// `fatal_exception(kind, frame)`.
.macro FATAL kind
    .balign 0x80
    sub     sp, sp, #288
    stp     x0, x1, [sp, #0]
    mov     x0, #\kind
    b       save_and_report
.endm

.macro INTERRUPT
    .balign 0x80
    sub     sp, sp, #208
    stp     x0, x1, [sp, #0]
    mrs     x0, pmccntr_el0
    mrs     x1, cntpct_el0
    b       interrupt_entry
.endm

.section .text.vectors, "ax"
.balign 0x800
.global exception_vectors
exception_vectors:
    // Current EL on SP_EL0.
    FATAL   0
    INTERRUPT
    FATAL   2
    FATAL   3
    // Current EL on SP_EL1: the exception stack is in use, perhaps bad.
    FATAL   4
    FATAL   5
    FATAL   6
    FATAL   7
    // Lower EL, AArch64 and AArch32: nothing runs there.
    FATAL   8
    FATAL   9
    FATAL   10
    FATAL   11
    FATAL   12
    FATAL   13
    FATAL   14
    FATAL   15

// x0 = PMCCNTR and x1 = CNTPCT at entry; saves what a Rust function may change.
interrupt_entry:
    stp     x2, x3, [sp, #16]
    stp     x4, x5, [sp, #32]
    stp     x6, x7, [sp, #48]
    stp     x8, x9, [sp, #64]
    stp     x10, x11, [sp, #80]
    stp     x12, x13, [sp, #96]
    stp     x14, x15, [sp, #112]
    stp     x16, x17, [sp, #128]
    stp     x18, x29, [sp, #144]
    mrs     x2, elr_el1
    mrs     x3, spsr_el1
    stp     x30, x2, [sp, #160]
    str     x3, [sp, #176]
    bl      interrupt
    ldr     x2, [sp, #176]
    ldp     x30, x1, [sp, #160]
    msr     spsr_el1, x2
    msr     elr_el1, x1
    ldp     x18, x29, [sp, #144]
    ldp     x16, x17, [sp, #128]
    ldp     x14, x15, [sp, #112]
    ldp     x12, x13, [sp, #96]
    ldp     x10, x11, [sp, #80]
    ldp     x8, x9, [sp, #64]
    ldp     x6, x7, [sp, #48]
    ldp     x4, x5, [sp, #32]
    ldp     x2, x3, [sp, #16]
    ldp     x0, x1, [sp, #0]
    add     sp, sp, #208
    eret

// x0 = number of the vector; x0 and x1 of the interrupted code are in the frame already.
save_and_report:
    stp     x2, x3, [sp, #16]
    stp     x4, x5, [sp, #32]
    stp     x6, x7, [sp, #48]
    stp     x8, x9, [sp, #64]
    stp     x10, x11, [sp, #80]
    stp     x12, x13, [sp, #96]
    stp     x14, x15, [sp, #112]
    stp     x16, x17, [sp, #128]
    stp     x18, x19, [sp, #144]
    stp     x20, x21, [sp, #160]
    stp     x22, x23, [sp, #176]
    stp     x24, x25, [sp, #192]
    stp     x26, x27, [sp, #208]
    stp     x28, x29, [sp, #224]
    mrs     x1, elr_el1
    stp     x30, x1, [sp, #240]
    mrs     x1, spsr_el1
    mrs     x2, esr_el1
    stp     x1, x2, [sp, #256]
    mrs     x1, far_el1
    // The interrupted stack pointer: SP_EL0 for the first group, this stack before the frame otherwise.
    mrs     x2, sp_el0
    add     x3, sp, #288
    cmp     x0, #4
    csel    x2, x2, x3, lo
    stp     x1, x2, [sp, #272]
    mov     x1, sp
    bl      fatal_exception
1:  wfe
    b       1b
