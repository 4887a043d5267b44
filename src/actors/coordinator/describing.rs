//! Answers from memory: the bots, one bot, the tree.

use std::{collections::HashSet, sync::Arc};

use actix::{Handler, ResponseFuture};

use super::CoordinatorActor;
use crate::{
    actors::{
        env::Env,
        messages::{
            BotCard, Bots, ChildReport, ChildState, ControlError, DescribeBot, Inspect, ListBots,
            Tree,
        },
        reading,
        supervision::Child,
    },
    domain::bot::BotName,
};

impl Handler<ListBots> for CoordinatorActor {
    type Result = Bots;

    fn handle(&mut self, _: ListBots, _: &mut Self::Context) -> Bots {
        self.env.board.list()
    }
}

impl Handler<DescribeBot> for CoordinatorActor {
    type Result = ResponseFuture<Result<Arc<BotCard>, ControlError>>;

    fn handle(&mut self, DescribeBot(bot): DescribeBot, _: &mut Self::Context) -> Self::Result {
        let env = Arc::clone(&self.env);
        Box::pin(async move { describe(&env, &bot).await })
    }
}

/// A bot as stored, or as remembered while a shared store does not answer.
pub(super) async fn describe(env: &Env, bot: &BotName) -> Result<Arc<BotCard>, ControlError> {
    let unknown = || ControlError::UnknownBot(bot.clone());
    let card = env.board.card(bot).ok_or_else(unknown)?;
    if !env.store.is_shared() {
        return Ok(card);
    }
    let Ok(Some(state)) = reading::state(env, bot).await else {
        return Ok(card);
    };
    // The read took a moment: what this process does is remembered best.
    let mut card = BotCard::clone(&*env.board.card(bot).ok_or_else(unknown)?);
    card.state = state;
    Ok(Arc::new(card))
}

impl Handler<Inspect> for CoordinatorActor {
    type Result = Tree;

    fn handle(&mut self, _: Inspect, _: &mut Self::Context) -> Tree {
        let mut children = self.roster.report();
        for report in &mut children {
            report.mailbox = self.env.book.waiting(&report.child);
        }
        self.add_those_that_rest(&mut children);
        Tree {
            children,
            breakers: super::breakers::known(&self.env)
                .into_iter()
                .map(|(name, breaker)| (name, breaker.as_str().to_owned()))
                .collect(),
        }
    }
}

impl CoordinatorActor {
    /// A bot that had nothing to do yet has no actor, and rests all the same.
    fn add_those_that_rest(&self, children: &mut Vec<ChildReport>) {
        let cards = self.env.board.list().cards;
        let bots = cards.iter().map(|card| Child::Task(card.bot.name.clone()));
        let known: HashSet<&Child> = children.iter().map(|report| &report.child).collect();
        let missing: Vec<Child> = bots.filter(|child| !known.contains(child)).collect();
        let budget_left = self.env.rules.supervision.max_restarts;
        children.extend(missing.into_iter().map(|child| ChildReport {
            child,
            state: ChildState::Resting,
            restarts: 0,
            budget_left,
            last_crash: None,
            mailbox: None,
        }));
        children.sort_by_cached_key(|report| report.child.to_string());
    }
}
