//! An in-memory board and a peer that follows the rules of the master, for tests.
