//! The `actor-server` binary.

fn main() -> std::process::ExitCode {
    actor_server::cli::main()
}
