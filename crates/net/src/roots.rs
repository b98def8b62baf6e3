//! Whose certificates are believed: the public authorities and the operator's own. Not the system's: an image without any
//! must work too.

use rustls::pki_types::{CertificateDer, pem::PemObject as _};

use crate::{Config, Error};

/// The key that names the operator's own.
pub(crate) const KEY: &str = "extra_ca_file";

/// All of them.
pub(crate) fn roots(config: &Config) -> Result<Vec<CertificateDer<'static>>, Error> {
    let bad = |reason: String| Error::Config { key: KEY, reason };
    let mut roots: Vec<CertificateDer<'static>> = webpki_root_certs::TLS_SERVER_ROOT_CERTS.to_vec();
    if let Some(path) = &config.extra_ca_file {
        let pem = std::fs::read(path).map_err(|source| Error::File {
            key: KEY,
            path: path.clone(),
            source,
        })?;
        let extra = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
        let extra = extra.map_err(|error| bad(error.to_string()))?;
        if extra.is_empty() {
            return Err(bad(format!("{} holds no PEM certificate", path.display())));
        }
        roots.extend(extra);
    }
    Ok(roots)
}
