//! A port on loopback behind which a server's RTMPS port is: this side does TLS and shows the viewer's certificate, and
//! says no word to a server whose certificate is not of the fleet's authority or names another host.

use crate::pass::{Pass, Place};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

/// Until a server that answers at all has answered.
const PATIENCE: Duration = Duration::from_secs(10);

/// How an RTMP client greets (C0 and C1 of Adobe's specification, 5.2): the version, and 1536 bytes that mean nothing.
const GREETING: [u8; 1537] = {
    let mut greeting = [0; 1537];
    greeting[0] = 3;
    greeting
};

#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("the pass is no good: {0}; ask for another (`pistream certs issue`)")]
    Pass(String),
    #[error("cannot open a port on loopback: {0}")]
    Listen(io::Error),
    #[error("cannot reach {server}: {cause}")]
    Reach { server: String, cause: String },
    #[error("{server} is not the server it should be: {cause}; nothing was said to it")]
    Impostor { server: String, cause: String },
    #[error(
        "{server} does not let {viewer} in: the certificate is revoked or expired, or {viewer} is no longer in the \
         inventory; ask for another pass (`pistream certs issue`)"
    )]
    Refused { server: String, viewer: String },
}

/// Where the server is, and how to speak with it.
#[derive(Clone)]
struct Road {
    address: String,
    port: u16,
    name: ServerName<'static>,
    connector: TlsConnector,
    viewer: String,
}

pub(super) struct Tunnel {
    listener: TcpListener,
    port: u16,
    road: Road,
}

impl Tunnel {
    /// The server was asked already whether it lets the viewer in, so that one who is refused hears why, and not from a
    /// player that does not know.
    ///
    /// # Errors
    /// Every [`Error`].
    pub(super) async fn open(pass: &Pass, place: &Place) -> Result<Tunnel, Error> {
        let road = Road::of(pass, place)?;
        road.knock().await?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(Error::Listen)?;
        let port = listener.local_addr().map_err(Error::Listen)?.port();
        Ok(Tunnel { listener, port, road })
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Carries whoever connects, until it is dropped.
    pub(super) async fn carry(self) {
        loop {
            let Ok((mut player, _)) = self.listener.accept().await else {
                // out of file descriptors, perhaps; soon somebody hangs up
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let road = self.road.clone();
            tokio::spawn(async move {
                match road.connect().await {
                    // that one side has hung up is how it ends
                    Ok(mut server) => drop(copy_bidirectional(&mut player, &mut server).await),
                    Err(error) => eprintln!("{error}"),
                }
            });
        }
    }
}

impl Road {
    fn of(pass: &Pass, place: &Place) -> Result<Road, Error> {
        let no_good = |cause: String| Error::Pass(cause);
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pass.authority.as_bytes()) {
            let certificate = certificate.map_err(|e| no_good(e.to_string()))?;
            roots.add(certificate).map_err(|e| no_good(e.to_string()))?;
        }
        // with nobody trusted every server would pass for an impostor
        if roots.is_empty() {
            return Err(no_good("there is no authority's certificate in it".into()));
        }
        let identity = pass.identity.expose().as_bytes();
        let own: Result<Vec<CertificateDer>, _> = CertificateDer::pem_slice_iter(identity).collect();
        let own = own.map_err(|e| no_good(e.to_string()))?;
        // the words of an error about a key might quote it
        let key = PrivateKeyDer::from_pem_slice(identity).map_err(|_| no_good("there is no key in it".into()))?;
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|e| no_good(e.to_string()))?
            .with_root_certificates(roots)
            .with_client_auth_cert(own, key)
            .map_err(|e| no_good(e.to_string()))?;
        Ok(Road {
            address: place.address.clone(),
            port: place.port,
            name: ServerName::try_from(place.address.clone()).map_err(|e| no_good(e.to_string()))?,
            connector: TlsConnector::from(Arc::new(config)),
            viewer: pass.places.viewer.clone(),
        })
    }

    fn server(&self) -> String {
        match self.address.contains(':') {
            true => format!("[{}]:{}", self.address, self.port),
            false => format!("{}:{}", self.address, self.port),
        }
    }

    async fn connect(&self) -> Result<TlsStream<TcpStream>, Error> {
        let unreached = |cause: String| Error::Reach {
            server: self.server(),
            cause,
        };
        let silent = || unreached(format!("no answer within {} s", PATIENCE.as_secs()));
        let connecting = TcpStream::connect((self.address.as_str(), self.port));
        let connected = timeout(PATIENCE, connecting).await.map_err(|_| silent())?;
        let stream = connected.map_err(|e| unreached(e.to_string()))?;
        // small messages are sent at once; where that cannot be had they are merely late
        let _ = stream.set_nodelay(true);
        let shaking_hands = self.connector.connect(self.name.clone(), stream);
        let greeted = timeout(PATIENCE, shaking_hands).await.map_err(|_| silent())?;
        greeted.map_err(|error| match certificate_fault(&error) {
            Some(cause) => Error::Impostor {
                server: self.server(),
                cause,
            },
            None => unreached(error.to_string()),
        })
    }

    /// Greets as an RTMP client does and hears whether anybody answers: nginx looks at a viewer's certificate when all
    /// of TLS is done, and one that it does not take is hung up on without a word.
    async fn knock(&self) -> Result<(), Error> {
        let mut server = self.connect().await?;
        let answer = async {
            server.write_all(&GREETING).await?;
            server.flush().await?;
            server.read_u8().await
        };
        match timeout(PATIENCE, answer).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) => Err(Error::Refused {
                server: self.server(),
                viewer: self.viewer.clone(),
            }),
            Err(_) => Err(Error::Reach {
                server: self.server(),
                cause: format!("it took the certificate and was silent for {} s", PATIENCE.as_secs()),
            }),
        }
    }
}

/// What is wrong with the server's certificate, if that is what went wrong.
fn certificate_fault(error: &io::Error) -> Option<String> {
    match error.get_ref()?.downcast_ref::<rustls::Error>()? {
        rustls::Error::InvalidCertificate(fault) => Some(fault.to_string()),
        _ => None,
    }
}
