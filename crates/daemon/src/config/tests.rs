//! Layers and messages.
