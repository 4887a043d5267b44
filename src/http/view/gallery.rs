//! Pictures of bots that are drawn once: a list of thousands is asked for again and again, and few of them change.
//!
//! A picture is right as long as its card is the same and its first coming slot has not passed; who asks for the whole
//! list at a moment when nothing has changed gets the bytes of the last answer.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::{Bytes, BytesMut};

use super::{actor::Actor, outline::Outline};
use crate::{
    actors::messages::BotCard,
    domain::{Instant, bot::BotName},
};

/// Keeps what was drawn; one for each worker, so that they do not wait for each other.
#[derive(Default)]
pub struct Gallery(Mutex<Shelf>);

#[derive(Default)]
struct Shelf {
    pictures: HashMap<BotName, Picture>,
    whole: Option<Whole>,
}

struct Picture {
    card: Arc<BotCard>,
    outline: Arc<Outline>,
    /// Its first coming slot: from then on it is wrong.
    until: Option<Instant>,
    json: Bytes,
}

/// The list of all bots.
struct Whole {
    cards: Arc<Vec<Arc<BotCard>>>,
    until: Option<Instant>,
    json: Bytes,
}

impl Gallery {
    /// The list of all bots, if it was drawn and is still right.
    #[must_use]
    pub fn whole(&self, cards: &Arc<Vec<Arc<BotCard>>>, now: Instant) -> Option<Bytes> {
        let shelf = self.lock();
        let whole = shelf.whole.as_ref()?;
        let same = Arc::ptr_eq(&whole.cards, cards) && holds(whole.until, now);
        same.then(|| whole.json.clone())
    }

    /// Draws the list of all bots, as far as it was not drawn before; bots that are not in it are forgotten.
    pub fn draw_whole(&self, cards: &Arc<Vec<Arc<BotCard>>>, now: Instant) -> Bytes {
        let mut shelf = self.lock();
        let mut before = std::mem::take(&mut shelf.pictures);
        let drawn = cards.iter().map(|card| {
            let old = before.remove(&card.bot.name);
            (card.bot.name.clone(), drawn(old, card, now))
        });
        shelf.pictures = drawn.collect();
        let pictures = || {
            cards
                .iter()
                .filter_map(|card| shelf.pictures.get(&card.bot.name))
        };
        let json = array(pictures().map(|picture| &picture.json));
        let until = pictures().filter_map(|picture| picture.until).min();
        shelf.whole = Some(Whole {
            cards: Arc::clone(cards),
            until,
            json: json.clone(),
        });
        json
    }

    /// Some bots, as a list.
    pub fn some<'a>(&self, cards: impl Iterator<Item = &'a Arc<BotCard>>, now: Instant) -> Bytes {
        let mut shelf = self.lock();
        let pictures: Vec<Bytes> = cards.map(|card| shelf.picture(card, now)).collect();
        array(pictures.iter())
    }

    /// One bot.
    pub fn one(&self, card: &Arc<BotCard>, now: Instant) -> Bytes {
        self.lock().picture(card, now)
    }

    fn lock(&self) -> MutexGuard<'_, Shelf> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelf {
    fn picture(&mut self, card: &Arc<BotCard>, now: Instant) -> Bytes {
        let old = self.pictures.remove(&card.bot.name);
        let picture = drawn(old, card, now);
        let json = picture.json.clone();
        self.pictures.insert(card.bot.name.clone(), picture);
        json
    }
}

/// Whether something that is right until then is right now.
fn holds(until: Option<Instant>, now: Instant) -> bool {
    until.is_none_or(|until| now <= until)
}

/// The old picture if it is still right, else a new one that takes over what it can.
fn drawn(old: Option<Picture>, card: &Arc<BotCard>, now: Instant) -> Picture {
    let outline = match old {
        Some(old) if Arc::ptr_eq(&old.card, card) && holds(old.until, now) => return old,
        Some(old) if same_schedule(&old.card, card) => old.outline,
        _ => Arc::new(Outline::of(&card.bot, card.state.anchor)),
    };
    let coming = outline.coming(&card.state, card.claimed, now);
    let actor = Actor::of(card, &outline, &coming);
    Picture {
        json: serde_json::to_vec(&actor).unwrap_or_default().into(),
        card: Arc::clone(card),
        until: coming.first().copied(),
        outline,
    }
}

fn same_schedule(old: &BotCard, card: &BotCard) -> bool {
    Arc::ptr_eq(&old.bot, &card.bot) && old.state.anchor == card.state.anchor
}

fn array<'a>(items: impl Iterator<Item = &'a Bytes> + Clone) -> Bytes {
    let length = items.clone().map(|item| item.len() + 1).sum::<usize>();
    let mut all = BytesMut::with_capacity(length + 2);
    all.extend_from_slice(b"[");
    for (n, item) in items.enumerate() {
        if n > 0 {
            all.extend_from_slice(b",");
        }
        all.extend_from_slice(item);
    }
    all.extend_from_slice(b"]");
    all.freeze()
}
