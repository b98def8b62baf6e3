//! The admin's calls. Each needs a scope and a permission of the owner's role.

mod accounts;
mod domain_blocks;
mod reports;
mod lists;

pub use accounts::Action;
pub use domain_blocks::{AdminDomainBlock, Creation, DomainBlockFields, Ties};
pub use reports::AdminReport;
pub use lists::AdminList;
