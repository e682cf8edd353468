use std::{fs, net::Ipv4Addr, path::Path, sync::Arc};

use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    NameConstraints, SanType, date_time_ymd,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring::default_provider,
        pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject},
    },
};

use crate::{Error, Result, clock::Clock, durable};

/// The file that clients are told to trust.
pub(crate) const CERTIFICATE: &str = "ca.pem";
const KEY: &str = "ca-key.pem";

/// Domains that the authority may speak for, and no others: trusting it opens nothing else, even if its key is stolen.
const DOMAINS: [&str; 6] = [
    "management.azure.com",
    "login.microsoftonline.com",
    "blob.core.windows.net",
    "inference.ml.azure.com",
    "api.azureml.ms",
    "localhost",
];

/// TLS with a certificate that the state folder's own authority has signed. The authority is made once, the certificate at each start.
pub(crate) fn acceptor(folder: &Path, location: &str, clock: &Clock) -> Result<TlsAcceptor> {
    let (certificate, key) = open(folder, clock)?;
    let authority = Issuer::new(authority_params(clock), key);
    let leaf_key = KeyPair::generate().map_err(Error::certificate)?;
    let leaf = leaf_params(location, clock)
        .and_then(|params| params.signed_by(&leaf_key, &authority))
        .map_err(Error::certificate)?;
    let chain = vec![leaf.der().clone(), certificate];
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(leaf_key.serialize_der()));
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(Error::certificate)?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(Error::certificate)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Reads the authority, or makes it. Its certificate is written last: without it, a key is left over from a start that was cut off.
fn open(folder: &Path, clock: &Clock) -> Result<(CertificateDer<'static>, KeyPair)> {
    let (certificate_path, key_path) = (folder.join(CERTIFICATE), folder.join(KEY));
    if !certificate_path.exists() {
        let key = KeyPair::generate().map_err(Error::certificate)?;
        let certificate = authority_params(clock).self_signed(&key).map_err(Error::certificate)?;
        durable::write_private(&key_path, key.serialize_pem().as_bytes())
            .map_err(Error::state(&key_path))?;
        durable::write_public(&certificate_path, certificate.pem().as_bytes())
            .map_err(Error::state(&certificate_path))?;
    }
    let key = fs::read_to_string(&key_path).map_err(Error::state(&key_path))?;
    let key = KeyPair::from_pem(&key).map_err(Error::certificate)?;
    let certificate =
        CertificateDer::from_pem_file(&certificate_path).map_err(Error::certificate)?;
    Ok((certificate, key))
}

fn name(common: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, "Spinney");
    name.push(DnType::CommonName, common);
    name
}

fn authority_params(clock: &Clock) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = name("Spinney's Azure ML emulator, local authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: DOMAINS
            .iter()
            .map(|domain| GeneralSubtree::DnsName((*domain).to_owned()))
            .chain([GeneralSubtree::IpAddress(CidrSubnet::V4([127, 0, 0, 0], [255, 0, 0, 0]))])
            .collect(),
        excluded_subtrees: Vec::new(),
    });
    let year = clock.now().year();
    params.not_before = date_time_ymd(year - 1, 1, 1);
    params.not_after = date_time_ymd(year + 10, 1, 1);
    params
}

fn leaf_params(
    location: &str,
    clock: &Clock,
) -> std::result::Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(vec![
        "management.azure.com".to_owned(),
        "login.microsoftonline.com".to_owned(),
        "*.blob.core.windows.net".to_owned(),
        format!("*.{location}.inference.ml.azure.com"),
        "*.api.azureml.ms".to_owned(),
        "localhost".to_owned(),
    ])?;
    params.subject_alt_names.push(SanType::IpAddress(Ipv4Addr::LOCALHOST.into()));
    params.distinguished_name = name("Spinney's Azure ML emulator");
    params.is_ca = IsCa::ExplicitNoCa;
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let year = clock.now().year();
    params.not_before = date_time_ymd(year - 1, 12, 1);
    // Some systems refuse certificates that hold for more than two years, however local.
    params.not_after = date_time_ymd(year + 1, 2, 1);
    Ok(params)
}
