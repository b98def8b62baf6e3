//! Lists the migrations for `src/migrate.rs`, so that a new file cannot be forgotten and a wrong name does not build.

use std::{env, error::Error, fs, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../../migrations");
    println!("cargo::rerun-if-changed={}", root.display());
    let mut code = String::new();
    for engine in ["postgres", "sqlite"] {
        let mut files = list(&root.join("both"))?;
        files.extend(list(&root.join(engine))?);
        files.sort();
        if let Some(pair) = files.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(format!("{} and {} have the same number", pair[0].2, pair[1].2).into());
        }
        code += &format!("const {}: &[(i64, &str, &str)] = &[\n", engine.to_uppercase());
        for (version, noun, path) in files {
            code += &format!("    ({version}, {noun:?}, include_str!({path:?})),\n");
        }
        code += "];\n";
    }
    fs::write(Path::new(&env::var("OUT_DIR")?).join("migrations.rs"), code)?;
    Ok(())
}

/// Number, noun and path.
type File = (i64, String, String);

/// Each `0001_noun.sql` of a folder.
fn list(folder: &Path) -> Result<Vec<File>, Box<dyn Error>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "sql") {
            continue;
        }
        let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let (number, noun) = name
            .split_once('_')
            .filter(|(number, noun)| number.len() == 4 && !noun.is_empty())
            .ok_or_else(|| format!("{} is not named like 0001_noun.sql", path.display()))?;
        let path = path.canonicalize()?;
        files.push((number.parse()?, noun.to_owned(), path.display().to_string()));
    }
    Ok(files)
}
