//! Projects of the shapes that people have.
