//! The BCM2837 as both processors see it: small devices with a register table each.
