//! How much one client may ask, and from which pages.

use std::{
    io::Write,
    net::TcpStream,
    process::Command,
    time::{Duration, Instant},
};

use crate::{
    client::{get, read, send},
    home,
    server::{DEADLINE, Home, retry},
};

fn home_with(http: &str) -> Home {
    Home::new(&format!("[server]\n[http]\n{http}\n"))
}

#[test]
fn a_client_that_asks_too_often_is_told_when_to_come_back_and_probes_are_free() {
    let home = home_with("rate_limit_per_second = 5");
    let server = home.start();
    let api = server.address("api");
    let replies: Vec<_> = (0..60).map(|_| get(api, "/api/v1/nothing")).collect();
    let refused: Vec<_> = replies.iter().filter(|reply| reply.status == 429).collect();
    assert!(!refused.is_empty() && refused.len() < 60);
    for reply in refused {
        reply.assert_problem(429);
        let wait: u32 = reply.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=2).contains(&wait));
    }
    for _ in 0..60 {
        assert_eq!(get(api, "/health/live").status, 200);
        assert_eq!(get(server.address("health"), "/health/live").status, 200);
        assert_eq!(get(server.address("metrics"), "/nothing").status, 404);
    }
    server.stop();
}

#[test]
fn no_page_of_another_origin_may_call_the_api_unless_it_is_listed() {
    let ask = |http: &str, origin: &str, method: &str| {
        let home = home_with(http);
        let server = home.start();
        let request = format!(
            "{method} /health/live HTTP/1.1\r\nHost: a\r\nOrigin: {origin}\r\nAccess-Control-Request-Method: GET\r\n\r\n"
        );
        let reply = send(server.address("api"), &request);
        let allowed = reply
            .header("access-control-allow-origin")
            .map(str::to_owned);
        server.stop();
        (reply.status, allowed)
    };
    let (page, listed) = (
        "https://ops.example",
        "cors_origins = [\"https://ops.example\"]",
    );
    assert_eq!(ask("", page, "GET"), (200, None));
    assert_eq!(ask("", page, "OPTIONS"), (405, None));
    assert_eq!(ask(listed, page, "GET"), (200, Some(page.into())));
    assert_eq!(ask(listed, page, "OPTIONS"), (200, Some(page.into())));
    assert_eq!(ask(listed, "https://evil.example", "GET").1, None);
    assert_eq!(ask(listed, "https://evil.example", "OPTIONS").1, None);
}

#[test]
fn more_connections_than_files_leave_the_probes_alone() {
    let home = home();
    let mut limited = Command::new("sh");
    let named = home.command(&["run"]);
    let binary = named.get_program().to_str().unwrap();
    limited.args(["-c", &format!("ulimit -n 256; exec {binary} run")]);
    limited.current_dir(home.path(".")).env_clear();
    let variables = named.get_envs();
    limited.envs(variables.filter_map(|(name, value)| Some((name, value?))));
    let server = home.spawn(limited);
    server.wait_for_log("ready");
    let api = server.address("api");
    let held: Vec<TcpStream> = (0..400)
        .filter_map(|_| TcpStream::connect(api).ok())
        .collect();
    let begun = Instant::now();
    let seen = retry(DEADLINE, || {
        let stream = TcpStream::connect(server.address("health")).ok();
        stream.and_then(try_live)
    });
    assert_eq!(seen, Some(200), "{}", server.story());
    // Those that hold on to their places are cut only after eight seconds.
    assert!(begun.elapsed() < Duration::from_secs(5));
    drop(held);
    server.stop();
}

fn try_live(mut stream: TcpStream) -> Option<u16> {
    stream.set_read_timeout(Some(DEADLINE)).ok()?;
    let request = "GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n";
    stream.write_all(request.as_bytes()).ok()?;
    read(&mut stream).map(|reply| reply.status)
}
