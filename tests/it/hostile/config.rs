//! Config files. They are the owner's, but are generated and templated by others, and their errors are shown.

use daemon::config::{Layers, load};

/// Whoever reads an error may not be who may read the file.
const SECRET: &str = "hunter2hunter2";

pub(super) fn read(data: &[u8]) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("egret.toml");
    std::fs::write(&file, data).expect("a temporary folder can be written to");
    let layers = Layers {
        file: Some(file),
        ..Layers::default()
    };
    match load(&layers) {
        Ok(config) => {
            let _ = daemon::config::effective(&config);
        }
        Err(error) => {
            let text = format!("{error:#}");
            assert!(!text.is_empty(), "refused without a word");
            assert!(!text.contains(SECRET), "{text}");
        }
    }
}
