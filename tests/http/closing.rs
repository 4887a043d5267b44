//! Stopping: connections that do nothing hold up nobody.

use std::{io::Write, time::Duration};

use crate::{
    client::{connect, read, read_to_end},
    home,
    server::LISTENERS,
};

#[test]
fn idle_connections_do_not_hold_up_a_stop() {
    let home = home();
    let server = home.start();
    let mut held = Vec::new();
    for (name, _) in LISTENERS {
        let fresh = connect(server.address(name));
        let mut used = connect(server.address(name));
        used.write_all(b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
            .unwrap();
        assert_eq!(read(&mut used).unwrap().status, 404);
        let mut begun = connect(server.address(name));
        begun.write_all(b"GET /x HT").unwrap();
        held.extend([fresh, used, begun]);
    }
    let took = server.stop();
    assert!(took < Duration::from_secs(2), "{took:?}");
    for mut stream in held {
        assert!(!read_to_end(&mut stream).0.contains("200"));
    }
}
