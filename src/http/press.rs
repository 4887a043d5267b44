//! One page for all who ask at the same time: however many there are, one page is drawn at a time, and nobody is given one
//! that was begun before they asked.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use bytes::Bytes;
use tokio::sync::Mutex;

/// Clones share the page.
#[derive(Clone, Default)]
pub struct Press(Arc<Shared>);

#[derive(Default)]
struct Shared {
    /// How many have asked.
    asked: AtomicU64,
    last: Mutex<Drawn>,
}

#[derive(Default)]
struct Drawn {
    /// It was begun after so many had asked.
    after: u64,
    page: Bytes,
}

impl Press {
    /// The page, drawn by whoever comes first.
    ///
    /// # Errors
    /// What drawing it failed with; those who wait draw it anew.
    pub async fn page<F, E>(&self, draw: impl FnOnce() -> F) -> Result<Bytes, E>
    where
        F: Future<Output = Result<String, E>>,
    {
        let mine = self.0.asked.fetch_add(1, Ordering::SeqCst) + 1;
        let mut last = self.0.last.lock().await;
        if last.after >= mine {
            return Ok(last.page.clone());
        }
        let after = self.0.asked.load(Ordering::SeqCst);
        let page = Bytes::from(draw().await?);
        *last = Drawn {
            after,
            page: page.clone(),
        };
        Ok(page)
    }
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, sync::atomic::AtomicUsize};

    use futures::future::join_all;
    use tokio::sync::Semaphore;

    use super::*;

    #[tokio::test]
    async fn those_who_ask_together_get_one_page_and_a_later_one_gets_a_new_one() {
        let (press, drawn, go) = (Press::default(), AtomicUsize::new(0), Semaphore::new(0));
        let ask = || {
            press.page(|| async {
                let _ = go.acquire().await;
                let number = drawn.fetch_add(1, Ordering::SeqCst) + 1;
                Ok::<_, Infallible>(number.to_string())
            })
        };
        let all = join_all((0..50).map(|_| ask()));
        let (pages, ()) = tokio::join!(all, async { go.add_permits(100) });
        assert_eq!(
            drawn.load(Ordering::SeqCst),
            2,
            "one, and one for those who came meanwhile"
        );
        assert!(
            pages
                .iter()
                .skip(1)
                .all(|page| matches!(page, Ok(page) if page == "2"))
        );
        assert_eq!(ask().await, Ok(Bytes::from("3")));
    }

    #[tokio::test]
    async fn who_waits_draws_it_when_the_first_one_could_not() {
        let press = Press::default();
        let (failed, fine) = tokio::join!(
            press.page(|| async { Err::<String, &str>("broken") }),
            press.page(|| async { Ok::<_, &str>("page".to_owned()) }),
        );
        assert_eq!(failed, Err("broken"));
        assert_eq!(fine, Ok(Bytes::from("page")));
    }
}
