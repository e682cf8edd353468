use std::{fmt, path::Path, sync::Arc};

use tokio::net::TcpStream;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring::default_provider,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
    server::TlsStream,
};

use crate::Error;

/// A certificate and its private key, for TLS 1.2 and 1.3 by rustls.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
}

impl Tls {
    /// Reads PEM files: the certificate with the chain behind it, and the private key (PKCS #8, PKCS #1 or SEC 1).
    ///
    /// # Errors
    ///
    /// [`Error::Tls`] if a file cannot be read, lacks what is looked for, or both do not belong together.
    pub fn from_pem_files(
        certificate: impl AsRef<Path>,
        key: impl AsRef<Path>,
    ) -> Result<Self, Error> {
        let (certificate, key) = (certificate.as_ref(), key.as_ref());
        let failed = |path: &Path, what: &'static str| {
            let path = path.to_owned();
            move |source: Box<dyn std::error::Error + Send + Sync>| Error::Tls {
                path,
                what,
                source,
            }
        };
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificate)
            .and_then(Iterator::collect)
            .map_err(|error| failed(certificate, "certificate")(error.into()))?;
        if chain.is_empty() {
            return Err(failed(certificate, "certificate")("there is none".into()));
        }
        let private = PrivateKeyDer::from_pem_file(key)
            .map_err(|error| failed(key, "private key")(error.into()))?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| failed(key, "protocol")(error.into()))?
            .with_no_client_auth()
            .with_single_cert(chain, private)
            .map_err(|error| failed(key, "private key for the certificate")(error.into()))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)) })
    }

    pub(crate) async fn accept(&self, stream: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
        self.acceptor.accept(stream).await
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls(..)")
    }
}
