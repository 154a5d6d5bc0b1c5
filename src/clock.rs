//! Time: one trait, one place that reads it.
