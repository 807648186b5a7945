//! TLS to Redis: whose certificates are taken, and the one that is shown.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::error::RemoteError;
use config::RedisConfig;

/// How connections are encrypted; the files were read once.
#[derive(Clone)]
pub(super) struct Tls {
    connector: TlsConnector,
    /// The name that certificates must be good for, in place of the host's.
    name: Option<ServerName<'static>>,
}

impl Tls {
    /// As `cfg` says; None without TLS.
    pub(super) fn new(cfg: &RedisConfig) -> Result<Option<Self>, RemoteError> {
        if !cfg.tls {
            return Ok(None);
        }
        // Fails only when a provider is installed already, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = ClientConfig::builder().with_root_certificates(roots(cfg.tls_ca.as_deref())?);
        let config = match (&cfg.tls_cert, &cfg.tls_key) {
            (Some(cert), Some(key)) => {
                let chain = certificates("cache.tls_cert", cert)?;
                let key = PrivateKeyDer::from_pem_file(key)
                    .map_err(|error| unusable("cache.tls_key", key, &error))?;
                builder
                    .with_client_auth_cert(chain, key)
                    .map_err(|error| unusable("cache.tls_cert", cert, &error))?
            }
            _ => builder.with_no_client_auth(),
        };
        let name = match cfg.tls_server_name.as_str() {
            "" => None,
            name => Some(ServerName::try_from(name.to_owned()).map_err(|_| {
                RemoteError::Config(
                    format!("cache.tls_server_name: {name:?} is not the name of a host").into(),
                )
            })?),
        };
        Ok(Some(Self { connector: TlsConnector::from(Arc::new(config)), name }))
    }

    /// Encrypts a connection to `host`.
    pub(super) async fn encrypt(&self, tcp: TcpStream, host: &str) -> io::Result<TlsStream<TcpStream>> {
        let name = match &self.name {
            Some(name) => name.clone(),
            None => ServerName::try_from(host.to_owned()).map_err(io::Error::other)?,
        };
        self.connector.connect(name, tcp).await
    }
}

/// The authorities of a file, or the public ones.
fn roots(file: Option<&Path>) -> Result<RootCertStore, RemoteError> {
    let Some(file) = file else {
        return Ok(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() });
    };
    let mut roots = RootCertStore::empty();
    for certificate in certificates("cache.tls_ca", file)? {
        roots.add(certificate).map_err(|error| unusable("cache.tls_ca", file, &error))?;
    }
    Ok(roots)
}

fn certificates(key: &str, file: &Path) -> Result<Vec<CertificateDer<'static>>, RemoteError> {
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let certificates = read.map_err(|error| unusable(key, file, &error))?;
    if certificates.is_empty() {
        return Err(unusable(key, file, &"it holds no certificate in PEM"));
    }
    Ok(certificates)
}

fn unusable(key: &str, file: &Path, why: &dyn std::fmt::Display) -> RemoteError {
    RemoteError::Config(format!("{key}: {} cannot be used: {why}", file.display()).into())
}
