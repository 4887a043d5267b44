//! Whom connections trust.

use std::sync::LazyLock;

use reqwest::{Certificate, ClientBuilder};

/// Read once.
static MACHINE: LazyLock<Vec<Certificate>> = LazyLock::new(|| {
    let found = rustls_native_certs::load_native_certs().certs;
    let readable = found.iter().map(|one| Certificate::from_der(one));
    readable.filter_map(Result::ok).collect()
});

/// A client that trusts what this machine trusts (a company's own authority, `SSL_CERT_FILE`), beside what everybody trusts.
pub fn trusted(builder: ClientBuilder) -> ClientBuilder {
    let certificates = MACHINE.iter().cloned();
    certificates.fold(builder, ClientBuilder::add_root_certificate)
}
