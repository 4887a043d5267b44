//! Notes who did what, for those inside; the HTTP scope uses the queue itself.

use actix::Handler;

use super::CoordinatorActor;
use crate::actors::messages::NoteAudit;

impl Handler<NoteAudit> for CoordinatorActor {
    type Result = ();

    fn handle(&mut self, NoteAudit(entry): NoteAudit, _: &mut Self::Context) {
        self.env.audit.note(*entry);
    }
}
