//! The admin's calls. Each needs a scope and a permission of the owner's role.

mod accounts;
mod domain_blocks;

pub use domain_blocks::{AdminDomainBlock, Creation, DomainBlockFields, Ties};
