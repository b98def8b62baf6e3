//! The admin's calls. Each needs a scope and a permission of the owner's role.

mod accounts;
mod domain_blocks;
mod lists;
mod reports;

pub use accounts::Action;
pub use domain_blocks::{AdminDomainBlock, Creation, DomainBlockFields, Ties};
pub use lists::AdminList;
pub use reports::AdminReport;
