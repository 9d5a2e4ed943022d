// The first instructions. The firmware's armstub enters here at EL2 on core 0 with the MMU and the caches off
// (hardware fact sheet 5); a loader may enter at EL3 and on every core.

.section .text.start, "ax"
.global _start
.type _start, %function
_start:
    msr     daifset, #0xf

    // Core 0 goes on; every other core sleeps for good. Aff2, Aff1 and Aff0 are all zero on core 0.
    mrs     x9, mpidr_el1
    and     x9, x9, #0xffffff
    cbnz    x9, 3f

    // The stack of this exception level: the top of the exception stack, which is free until EL1.
    msr     spsel, #1
    adrp    x9, __exception_stack_end
    add     x9, x9, :lo12:__exception_stack_end
    mov     sp, x9

    // BSS, 16 bytes at a time (the linker script aligns both ends). With the MMU off this is Device memory:
    // aligned stores only.
    adrp    x9, __bss_start
    add     x9, x9, :lo12:__bss_start
    adrp    x10, __bss_end
    add     x10, x10, :lo12:__bss_end
1:  cmp     x9, x10
    b.hs    2f
    stp     xzr, xzr, [x9], #16
    b       1b

2:  bl      entered
    // `entered` never returns.

3:  wfe
    b       3b
.size _start, . - _start

// Leaves for EL1 with the stack pointer of EL0 selected, and calls `main` there: `main` runs on SP_EL0, so that
// every exception finds the other stack (SP_EL1) sound, even one caused by a stack overflow.
.global enter_main_stack
.type enter_main_stack, %function
enter_main_stack:
    adrp    x9, __exception_stack_end
    add     x9, x9, :lo12:__exception_stack_end
    msr     spsel, #1
    mov     sp, x9
    msr     spsel, #0
    adrp    x9, __stack_end
    add     x9, x9, :lo12:__stack_end
    mov     sp, x9
    mov     x29, xzr
    mov     x30, xzr
    b       kernel_main
.size enter_main_stack, . - enter_main_stack
