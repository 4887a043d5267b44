//! One process, from its start to the end of everything that it has started.

use std::{
    io,
    path::{Path, PathBuf},
    pin::pin,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, WaitOptions, kill_process_group, waitpgid};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    process::{Child, Command},
    time::{sleep, timeout},
};

use crate::skills::SkillError;

/// Bytes of standard output.
const MOST_OUTPUT: u64 = 1024 * 1024;

/// Bytes of standard error that are kept, the last ones.
const MOST_WORDS: usize = 4096;

/// How long output is waited for when the process and its group have ended. Somebody else has it then.
const GRACE: Duration = Duration::from_secs(1);

/// How often it is looked whether the killed have died, and the pause between two looks.
const MOST_LOOKS: u32 = 100;
const PAUSE: Duration = Duration::from_millis(5);

/// What to start.
pub(super) struct Order<'a> {
    /// What is executed.
    pub(super) file: PathBuf,
    /// What it is told that its name is.
    pub(super) name: &'a Path,
    pub(super) args: &'a [&'a str],
    pub(super) env: &'a [(&'a str, &'a str)],
    pub(super) input: Vec<u8>,
    pub(super) time: Duration,
}

/// How it ended.
pub(super) struct Ended {
    pub(super) code: ExitStatus,
    pub(super) output: Vec<u8>,
    /// The end of its standard error.
    pub(super) words: Vec<u8>,
}

/// Starts it and waits for its end; whoever drops this future ends it.
pub(super) async fn run(order: Order<'_>) -> Result<Ended, SkillError> {
    let (time, input) = (order.time, order.input.clone());
    let (group, child) = start(order)?;
    let ended = timeout(time, attend(&group, child, input)).await;
    group.kill();
    group.bury().await;
    ended.unwrap_or_else(|_| {
        let seconds = time.as_secs();
        let words = format!("did not end within {seconds} s and was killed");
        Err(SkillError::unrecoverable(words))
    })
}

/// A process group, which ends with this.
struct Group(Option<Pid>);

impl Group {
    fn kill(&self) {
        if let Some(leader) = self.0 {
            // An error says that nobody is left.
            let _gone = kill_process_group(leader, Signal::KILL);
        }
    }

    /// Takes note of the ends of those who lost their parents, if they are this process's children now: it may be the first
    /// one of a container, where nobody else does.
    async fn bury(&self) {
        let Some(leader) = self.0 else { return };
        for _ in 0..MOST_LOOKS {
            match waitpgid(leader, WaitOptions::NOHANG) {
                Ok(Some(_)) => {}
                Ok(None) => sleep(PAUSE).await,
                Err(_) => return,
            }
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

fn start(order: Order<'_>) -> Result<(Group, Child), SkillError> {
    let started = Command::new(&order.file)
        .arg0(order.name)
        .args(order.args)
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("LANG", "C.UTF-8")
        .env("TZ", "UTC")
        .env("HOME", "/nonexistent")
        .envs(order.env.iter().copied())
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn();
    let child = started.map_err(|error| {
        let words = format!("`{}` cannot be started: {error}", order.name.display());
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied => {
                SkillError::unrecoverable(words)
            }
            _ => SkillError::recoverable(words),
        }
    })?;
    let leader = child.id().and_then(|id| i32::try_from(id).ok());
    Ok((Group(leader.and_then(Pid::from_raw)), child))
}

/// Feeds it and takes what it says, both at once: neither side waits for the other with a full pipe.
async fn attend(group: &Group, mut child: Child, input: Vec<u8>) -> Result<Ended, SkillError> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let feeding = async {
        if let Some(mut stdin) = stdin {
            // A program need not read what it is given.
            drop(stdin.write_all(&input).await);
        }
        Ok(())
    };
    let mut talk = pin!(async { tokio::try_join!(feeding, all(stdout), last(stderr)) });
    let (code, talked) = tokio::select! {
        code = child.wait() => (code, None),
        talked = &mut talk => {
            let talked = talked?;
            (child.wait().await, Some(talked))
        }
    };
    let code =
        code.map_err(|error| SkillError::recoverable(format!("cannot be waited for: {error}")))?;
    // What it has left behind would hold the pipes, and go on without anybody knowing.
    group.kill();
    let ((), output, words) = match talked {
        Some(talked) => talked,
        None => timeout(GRACE, talk).await.unwrap_or_else(|_| {
            Err(SkillError::unrecoverable(
                "has ended, but somebody else holds its output open",
            ))
        })?,
    };
    Ok(Ended {
        code,
        output,
        words,
    })
}

async fn all(stream: Option<impl AsyncRead + Unpin>) -> Result<Vec<u8>, SkillError> {
    let mut output = Vec::new();
    if let Some(stream) = stream {
        let mut stream = stream.take(MOST_OUTPUT + 1);
        stream.read_to_end(&mut output).await.map_err(unread)?;
    }
    match u64::try_from(output.len()) {
        Ok(length) if length <= MOST_OUTPUT => Ok(output),
        _ => Err(SkillError::unrecoverable(format!(
            "wrote more than {MOST_OUTPUT} bytes and was killed"
        ))),
    }
}

async fn last(stream: Option<impl AsyncRead + Unpin>) -> Result<Vec<u8>, SkillError> {
    let (mut kept, mut piece) = (Vec::new(), [0; 4096]);
    let Some(mut stream) = stream else {
        return Ok(kept);
    };
    loop {
        let read = stream.read(&mut piece).await.map_err(unread)?;
        if read == 0 {
            return Ok(kept);
        }
        kept.extend(piece.iter().take(read));
        let surplus = kept.len().saturating_sub(MOST_WORDS);
        kept.drain(..surplus);
    }
}

fn unread(error: io::Error) -> SkillError {
    SkillError::recoverable(format!("its output cannot be read: {error}"))
}
