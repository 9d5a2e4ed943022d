//! Behaviour of the core, by subject.
