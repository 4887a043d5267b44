//! How everybody is: the coordinator passes the question on to the health check, which looks after the others.

use actix::{Handler, ResponseFuture};

use super::{CoordinatorActor, ME};
use crate::{
    actors::messages::{AskHealth, DEADLINE, HealthReport},
    domain::health::Health,
};

impl Handler<AskHealth> for CoordinatorActor {
    type Result = ResponseFuture<HealthReport>;

    fn handle(&mut self, _: AskHealth, _: &mut Self::Context) -> Self::Result {
        let (health, clock) = (self.env.book.health(ME), self.env.clock.clone());
        Box::pin(async move {
            let answer = match health {
                Some(health) => health.send(AskHealth).timeout(DEADLINE / 5).await.ok(),
                None => None,
            };
            answer.unwrap_or_else(|| {
                let silent = Health::Degraded("the health check does not answer".into());
                let part = ("health".to_owned(), silent.clone(), clock.now());
                HealthReport {
                    whole: silent,
                    parts: vec![part].into(),
                }
            })
        })
    }
}
