//! HTTP over TLS, with a certificate made for the test.
#![cfg(feature = "tls")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail by panicking")]

mod constant;

use std::{fs, path::PathBuf, sync::Arc};

use constant::Constant;
use spinney_scoring::{Error, Server, ServerOptions, Tls};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::ring::default_provider,
        pki_types::{CertificateDer, ServerName, pem::PemObject},
    },
};

/// A folder with a certificate for `localhost` and its key.
fn certificate() -> (tempfile::TempDir, PathBuf, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (folder.path().join("server.pem"), folder.path().join("server.key"));
    fs::write(&certificate, made.cert.pem()).unwrap();
    fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    (folder, certificate, key)
}

#[tokio::test]
async fn scores_over_tls_and_in_no_other_way() {
    let (_folder, certificate, key) = certificate();
    let options = ServerOptions::default().tls(Tls::from_pem_files(&certificate, &key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = Server::of(Constant::new(4.0), options);
    let served = tokio::spawn(server.serve(listener, async move { drop(stopped.await) }));

    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(&certificate).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(config));
    let name = ServerName::try_from("localhost").unwrap();
    let stream = TcpStream::connect(address).await.unwrap();
    let mut stream = connector.connect(name, stream).await.unwrap();
    let request = "POST /score HTTP/1.1\r\nhost: localhost\r\ncontent-length: 4\r\nconnection: close\r\n\r\n[{}]";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with(r#"{"predictions":[4.0]}"#),
        "{answer}"
    );

    // Plain HTTP is no handshake.
    let mut plain = TcpStream::connect(address).await.unwrap();
    plain.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    let _ = plain.read_to_end(&mut bytes).await;
    assert!(!bytes.starts_with(b"HTTP"));

    stop.send(()).unwrap();
    assert_eq!(served.await.unwrap().unwrap().n_cut_off, 0);
}

#[test]
fn files_that_do_not_fit_are_named() {
    let (folder, certificate, key) = certificate();
    let (_other_folder, _, other_key) = self::certificate();
    let empty = folder.path().join("empty.pem");
    fs::write(&empty, "").unwrap();
    for (certificate, key, what) in [
        (&empty, &key, "certificate"),
        (&key, &key, "certificate"),
        (&folder.path().join("none"), &key, "certificate"),
        (&certificate, &empty, "private key"),
        (&certificate, &certificate, "private key"),
        (&certificate, &other_key, "private key for the certificate"),
    ] {
        let error = Tls::from_pem_files(certificate, key).unwrap_err();
        assert!(matches!(&error, Error::Tls { what: found, .. } if *found == what), "{error}");
    }
}
