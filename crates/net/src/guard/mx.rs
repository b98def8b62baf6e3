//! Who takes a domain's mail, asked of the nameservers of this machine. The operating system's resolver answers for
//! addresses alone, and one question does not earn a resolver library: a query of one packet, read with care.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpStream, UdpSocket},
    time::timeout,
};

const RESOLV_CONF: &str = "/etc/resolv.conf";
const PORT: u16 = 53;
/// What one nameserver is given; each is asked twice.
const PATIENCE: Duration = Duration::from_secs(2);
const MX: u16 = 15;
const INTERNET: u16 = 1;
/// More hosts than that are nobody's.
const HOSTS: usize = 32;

/// The hosts that take a domain's mail, most wanted first; the domain itself where it names none, and nobody where it
/// says so or does not exist.
pub(super) async fn mail_hosts(domain: String) -> io::Result<Vec<String>> {
    let conf = tokio::fs::read_to_string(RESOLV_CONF).await?;
    ask_all(&nameservers(&conf), &domain).await
}

/// The `nameserver` lines.
fn nameservers(conf: &str) -> Vec<SocketAddr> {
    let addresses = conf.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        (words.next() == Some("nameserver")).then(|| words.next()?.parse::<IpAddr>().ok())?
    });
    addresses.take(3).map(|ip| SocketAddr::new(ip, PORT)).collect()
}

async fn ask_all(servers: &[SocketAddr], domain: &str) -> io::Result<Vec<String>> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "this machine has no nameserver");
    for server in servers.iter().chain(servers) {
        match timeout(PATIENCE, ask(*server, domain)).await {
            Ok(Ok(hosts)) => return Ok(hosts),
            Ok(Err(error)) => last = error,
            Err(_) => last = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(last)
}

async fn ask(server: SocketAddr, domain: &str) -> io::Result<Vec<String>> {
    let id: u16 = rand::random();
    let question = question(id, domain).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "no domain name"))?;
    let here: IpAddr = match server {
        SocketAddr::V4(_) => std::net::Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => std::net::Ipv6Addr::UNSPECIFIED.into(),
    };
    // A new socket for each question: its port is part of what a forger would have to guess.
    let socket = UdpSocket::bind((here, 0)).await?;
    socket.connect(server).await?;
    socket.send(&question).await?;
    let mut buffer = [0; 4096];
    loop {
        let length = socket.recv(&mut buffer).await?;
        match read(&buffer[..length], &question, domain) {
            // Somebody else's answer, or a forged one: the right one may still come.
            None => {}
            Some(Answer::Cut) => return over_tcp(server, &question, domain).await,
            Some(Answer::Failed) => return Err(io::Error::other("the nameserver could not find out")),
            Some(Answer::Hosts(hosts)) => return Ok(hosts),
        }
    }
}

async fn over_tcp(server: SocketAddr, question: &[u8], domain: &str) -> io::Result<Vec<String>> {
    let mut stream = TcpStream::connect(server).await?;
    let length = u16::try_from(question.len()).map_err(io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes(), question].concat()).await?;
    let length = usize::from(stream.read_u16().await?);
    let mut answer = vec![0; length];
    stream.read_exact(&mut answer).await?;
    match read(&answer, question, domain) {
        Some(Answer::Hosts(hosts)) => Ok(hosts),
        _ => Err(io::Error::other("the nameserver could not find out")),
    }
}

/// A header, the question, and the word that a longer answer would fit.
fn question(id: u16, domain: &str) -> Option<Vec<u8>> {
    let mut packet = Vec::with_capacity(64);
    packet.extend(id.to_be_bytes());
    // Recursion desired; one question, one additional record.
    packet.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 1]);
    for label in domain.trim_end_matches('.').split('.') {
        let length = u8::try_from(label.len())
            .ok()
            .filter(|length| (1..64).contains(length))?;
        packet.push(length);
        packet.extend(label.as_bytes());
    }
    packet.push(0);
    packet.extend(MX.to_be_bytes());
    packet.extend(INTERNET.to_be_bytes());
    // EDNS0 with room for 1,232 bytes.
    packet.extend([0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0]);
    Some(packet)
}

/// What a nameserver said.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Hosts(Vec<String>),
    /// The rest did not fit.
    Cut,
    Failed,
}

/// Reads an answer to `question`; `None` for what is none.
fn read(packet: &[u8], question: &[u8], domain: &str) -> Option<Answer> {
    let number = |at: usize| Some(u16::from_be_bytes([*packet.get(at)?, *packet.get(at + 1)?]));
    let flags = number(2)?;
    if packet.get(..2)? != question.get(..2)? || flags & 0x8000 == 0 || number(4)? != 1 {
        return None;
    }
    // The question comes back as it was sent, in whatever case; our additional record follows it.
    let asked = question.get(12..question.len() - 11)?;
    let mut at = 12 + asked.len();
    if !packet.get(12..at)?.eq_ignore_ascii_case(asked) {
        return None;
    }
    if flags & 0x0200 != 0 {
        return Some(Answer::Cut);
    }
    match flags & 0xf {
        0 => {}
        3 => return Some(Answer::Hosts(Vec::new())),
        _ => return Some(Answer::Failed),
    }
    let mut hosts = Vec::new();
    let mut has_mx = false;
    for _ in 0..number(6)? {
        let (_, after) = name(packet, at)?;
        let (kind, length) = (number(after)?, usize::from(number(after + 8)?));
        let data = after + 10;
        at = data.checked_add(length).filter(|end| *end <= packet.len())?;
        if kind == MX && number(after + 2)? == INTERNET {
            has_mx = true;
            let (host, _) = name(packet, data + 2)?;
            if !host.is_empty() && hosts.len() < HOSTS {
                hosts.push((number(data)?, host));
            }
        }
    }
    hosts.sort();
    let hosts: Vec<String> = hosts.into_iter().map(|(_, host)| host).collect();
    // Without any MX a domain takes its mail itself; with an empty one it takes none.
    Some(Answer::Hosts(if has_mx { hosts } else { vec![domain.to_owned()] }))
}

/// A name and where it ends. Pointers lead backwards only, so that none leads in a circle.
fn name(packet: &[u8], start: usize) -> Option<(String, usize)> {
    let (mut text, mut at, mut end, mut lowest) = (String::new(), start, None, start);
    loop {
        let length = *packet.get(at)?;
        match length {
            0 => return Some((text, end.unwrap_or(at + 1))),
            1..64 => {
                let label = packet.get(at + 1..at + 1 + usize::from(length))?;
                if !label.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'.') || text.len() > 255 {
                    return None;
                }
                if !text.is_empty() {
                    text.push('.');
                }
                text.extend(label.iter().map(|byte| char::from(byte.to_ascii_lowercase())));
                at += 1 + usize::from(length);
            }
            192.. => {
                let to = usize::from(u16::from_be_bytes([length & 0x3f, *packet.get(at + 1)?]));
                end = end.or(Some(at + 2));
                if to >= lowest {
                    return None;
                }
                (at, lowest) = (to, to);
            }
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An answer of these records, each of preference and host; the names after the first point into the question.
    fn answer(question: &[u8], flags: u16, hosts: &[(u16, &str)]) -> Vec<u8> {
        let asked = &question[..question.len() - 11];
        let mut packet = asked.to_vec();
        packet[2..4].copy_from_slice(&flags.to_be_bytes());
        packet[6..8].copy_from_slice(&(hosts.len() as u16).to_be_bytes());
        packet[10..12].copy_from_slice(&[0, 0]);
        for (preference, host) in hosts {
            let mut data = preference.to_be_bytes().to_vec();
            for label in host.split('.').filter(|label| !label.is_empty()) {
                data.push(label.len() as u8);
                data.extend(label.as_bytes());
            }
            data.extend(if host.ends_with('.') { vec![0xc0, 12] } else { vec![0] });
            packet.extend([0xc0, 12, 0, 15, 0, 1, 0, 0, 0, 60]);
            packet.extend((data.len() as u16).to_be_bytes());
            packet.extend(data);
        }
        packet
    }

    #[test]
    fn hosts_come_in_the_order_of_preference() {
        let question = question(7, "nyc.gov").unwrap();
        let packet = answer(&question, 0x8180, &[(20, "Backup.mail.example"), (10, "mx.")]);
        let hosts = read(&packet, &question, "nyc.gov");
        assert_eq!(
            hosts,
            Some(Answer::Hosts(vec!["mx.nyc.gov".into(), "backup.mail.example".into()]))
        );
        let none = read(&answer(&question, 0x8180, &[]), &question, "nyc.gov");
        assert_eq!(
            none,
            Some(Answer::Hosts(vec!["nyc.gov".into()])),
            "it takes its mail itself"
        );
        let null = read(&answer(&question, 0x8180, &[(0, "")]), &question, "nyc.gov");
        assert_eq!(null, Some(Answer::Hosts(Vec::new())), "it takes none");
        assert_eq!(
            read(&answer(&question, 0x8183, &[]), &question, "nyc.gov"),
            Some(Answer::Hosts(Vec::new()))
        );
        assert_eq!(
            read(&answer(&question, 0x8182, &[]), &question, "nyc.gov"),
            Some(Answer::Failed)
        );
        assert_eq!(
            read(&answer(&question, 0x8380, &[]), &question, "nyc.gov"),
            Some(Answer::Cut)
        );
    }

    #[test]
    fn what_was_not_asked_is_no_answer() {
        let asked = question(7, "nyc.gov").unwrap();
        for other in [question(8, "nyc.gov").unwrap(), question(7, "nyc.com").unwrap()] {
            assert_eq!(
                read(&answer(&other, 0x8180, &[(1, "evil.example")]), &asked, "nyc.gov"),
                None
            );
        }
        assert_eq!(read(&asked, &asked, "nyc.gov"), None, "a question");
        assert!(question(7, "a..b").is_none() && question(7, &"x".repeat(64)).is_none());
    }

    #[test]
    fn nameservers_are_read() {
        let conf = "# x\nsearch example.org\nnameserver 192.0.2.1\nnameserver  2001:db8::1\nnameserver nonsense\n";
        let found: Vec<String> = nameservers(conf).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["192.0.2.1:53", "[2001:db8::1]:53"]);
    }

    #[tokio::test]
    async fn a_nameserver_is_asked() {
        let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = server.local_addr().unwrap();
        let serving = tokio::spawn(async move {
            let mut buffer = [0; 512];
            let (length, from) = server.recv_from(&mut buffer).await.unwrap();
            let question = buffer[..length].to_vec();
            server.send_to(b"noise", from).await.unwrap();
            server
                .send_to(&answer(&question, 0x8180, &[(1, "mx.")]), from)
                .await
                .unwrap();
        });
        assert_eq!(ask(address, "nyc.gov").await.unwrap(), ["mx.nyc.gov"]);
        serving.await.unwrap();
    }

    proptest! {
        #[test]
        fn no_packet_hurts(noise in proptest::collection::vec(any::<u8>(), 0..600), keep in any::<bool>()) {
            let question = question(7, "nyc.gov").unwrap();
            let mut packet = if keep { answer(&question, 0x8180, &[(1, "mx."), (2, "a.b.c")]) } else { Vec::new() };
            for (n, byte) in noise.iter().enumerate() {
                match packet.get_mut(n + 25) {
                    Some(place) if byte % 3 == 0 => *place = *byte,
                    Some(_) => {}
                    None => packet.push(*byte),
                }
            }
            let _ = read(&packet, &question, "nyc.gov");
        }
    }
}
