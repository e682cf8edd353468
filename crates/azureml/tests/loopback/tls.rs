//! A certificate for a host of Azure's, and a client that believes it.

use std::{net::SocketAddr, sync::Arc};

use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ClientConfig, RootCertStore, ServerConfig,
        crypto::ring::default_provider,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    },
};

pub(crate) struct Certificate {
    host: &'static str,
    made: rcgen::CertifiedKey<rcgen::KeyPair>,
}

impl Certificate {
    pub(crate) fn of(host: &'static str) -> Self {
        let made = rcgen::generate_simple_self_signed([host.to_owned()]).unwrap();
        Self { host, made }
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        let key = PrivatePkcs8KeyDer::from(self.made.signing_key.serialize_der());
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![self.made.cert.der().clone()], PrivateKeyDer::Pkcs8(key))
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }

    /// A client that finds the host at this address and trusts nobody else.
    pub(crate) fn client(&self, address: SocketAddr) -> reqwest::Client {
        let mut roots = RootCertStore::empty();
        roots.add(self.made.cert.der().clone()).unwrap();
        client(roots).no_proxy().resolve(self.host, address).build().unwrap()
    }
}

/// A client that sends what is not encrypted through a proxy, and trusts nobody.
pub(crate) fn client_through(proxy: &str) -> reqwest::Client {
    let proxy = reqwest::Proxy::http(proxy).unwrap();
    client(RootCertStore::empty()).proxy(proxy).build().unwrap()
}

fn client(roots: RootCertStore) -> reqwest::ClientBuilder {
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    reqwest::Client::builder().tls_backend_preconfigured(config)
}
