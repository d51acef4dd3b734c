//! A certificate, and the files that it names.

use std::path::{Path, PathBuf};
use std::{fs, io};

use roundproof_files::Digest;
use roundproof_files::audit::AuditCertificate;
use roundproof_files::certificate::{Certificate, CertificateError, FileReference, RelativePath};
use roundproof_files::safetensors::{Contents, TensorError, parse_dataset, parse_forest, parse_network};
use roundproof_kernel::Subject;
use roundproof_network::{Dataset, Forest, Network};
use thiserror::Error;

/// A certificate, or a file that it names, that cannot be read: nothing can be said of the claim.
#[derive(Debug, Error)]
pub enum Unreadable {
    /// No certificate.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// Not a certificate, but something else of ours.
    #[error("{}: is {found}, and a certificate is needed", file.display())]
    Other {
        /// The file.
        file: PathBuf,
        /// What it is.
        found: Contents,
    },
    /// A file that is not where the certificate says.
    #[error("{}: names {}, which cannot be read beside it: {error}", certificate.display(), file.display())]
    Missing {
        /// The certificate.
        certificate: PathBuf,
        /// The file.
        file: PathBuf,
        /// Why not.
        #[source]
        error: io::Error,
    },
    /// A file that is of the digest that the certificate says, and is not a network, data set or forest.
    #[error(transparent)]
    Tensors(#[from] TensorError),
}

/// A file whose digest is not the one that the certificate says.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{path} has the SHA-256 {found}, the certificate says {said}")]
pub struct Mismatch {
    /// The file.
    pub path: RelativePath,
    /// Its digest.
    pub found: Digest,
    /// The certificate's.
    pub said: Digest,
}

/// The certificate in a file.
///
/// # Errors
///
/// If it cannot be read, or is none.
pub fn read_certificate(path: &Path) -> Result<Certificate, Unreadable> {
    match Certificate::read(path) {
        Ok(stored) => Ok(stored.value),
        Err(error) => match fs::read(path).ok().and_then(|bytes| Contents::of(&bytes)) {
            Some(found @ (Contents::Network | Contents::Graph | Contents::Forest | Contents::Rows)) => {
                Err(Unreadable::Other { file: path.to_path_buf(), found })
            }
            Some(Contents::Dataset) | None => Err(error.into()),
        },
    }
}

/// The certificate of an audit in a file; none if the file cannot be read, or is not one of an audit.
pub fn read_audit(path: &Path) -> Option<Result<AuditCertificate, Unreadable>> {
    let bytes = fs::read(path).ok().filter(|bytes| AuditCertificate::is_one(bytes))?;
    Some(AuditCertificate::parse(path, &bytes).map_err(Unreadable::from))
}

/// Where a file is that the certificate names, and its bytes; or that they are others.
///
/// # Errors
///
/// If there is no such file beside the certificate.
pub fn referenced(
    certificate: &Path,
    file: &FileReference,
) -> Result<Result<(PathBuf, Vec<u8>), Mismatch>, Unreadable> {
    let path = file.path.beside(certificate);
    let bytes = fs::read(&path).map_err(|error| Unreadable::Missing {
        certificate: certificate.to_path_buf(),
        file: path.clone(),
        error,
    })?;
    let found = Digest::of(&bytes);
    if found != file.sha256 {
        return Ok(Err(Mismatch { path: file.path.clone(), found, said: file.sha256 }));
    }
    Ok(Ok((path, bytes)))
}

/// The files that a certificate names.
#[derive(Clone, Debug)]
pub struct Named {
    /// The network.
    pub network: Network,
    /// The rounded data set.
    pub data: Option<Dataset>,
    /// The forest that is computed.
    pub forest: Option<Forest>,
}

impl Named {
    /// Reads them beside the certificate at `path`; or says which is another one.
    ///
    /// # Errors
    ///
    /// If one is not there, or of another kind than the certificate says.
    pub fn read(path: &Path, certificate: &Certificate) -> Result<Result<Named, Mismatch>, Unreadable> {
        // One file after the other: each in memory only until it is parsed.
        macro_rules! parsed {
            ($reference:expr, $parse:expr) => {
                match referenced(path, $reference)? {
                    Ok((file, bytes)) => $parse(&file, &bytes)?,
                    Err(mismatch) => return Ok(Err(mismatch)),
                }
            };
        }
        let network = parsed!(&certificate.network, parse_network);
        let data = match &certificate.dataset {
            Some(reference) => Some(parsed!(reference, parse_dataset).dataset),
            None => None,
        };
        let forest = match &certificate.forest {
            Some(reference) => Some(parsed!(reference, parse_forest)),
            None => None,
        };
        Ok(Ok(Named { network, data, forest }))
    }

    /// What the claim is about.
    pub fn subject(&self) -> Subject<'_> {
        Subject { network: &self.network, data: self.data.as_ref(), forest: self.forest.as_ref() }
    }
}
