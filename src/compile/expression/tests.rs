//! What expressions may do.
