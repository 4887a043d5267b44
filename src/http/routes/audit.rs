//! Who did what, newest first.

use actix_web::{HttpRequest, HttpResponse, get, web};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use super::refusals::OfShownList;
use crate::{
    actors::messages::FindAudit,
    domain::audit::AuditQuery,
    http::{
        Shared,
        auth::Admin,
        body::Params,
        error::{Answer, Problem},
        moment,
        paging::{self, Cursors},
        view::audit::AuditView,
    },
};

/// Rows of a page, if nobody says how many.
const USUAL: u32 = 50;

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_audit);
}

/// Which actions.
#[derive(Debug, Default, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AuditFilters {
    /// Only by this subject
    subject: Option<String>,
    /// Only this action, such as `pause`
    action: Option<String>,
    /// Only about this bot, run or dependency
    target: Option<String>,
    /// Not before this
    #[param(format = DateTime)]
    since: Option<String>,
    /// Before this
    #[param(format = DateTime)]
    until: Option<String>,
    /// At most so many; 50 without it
    #[serde(skip_serializing)]
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// `X-Next-Cursor` of the page before
    #[serde(skip_serializing)]
    cursor: Option<String>,
}

impl AuditFilters {
    fn limit(&self) -> Result<u32, Problem> {
        paging::bounded(self.limit.unwrap_or(USUAL))
    }

    /// What the store is asked for; `None` if no row can match: no stored text has a NUL.
    fn query(&self, cursors: &Cursors) -> Result<Option<AuditQuery>, Problem> {
        let row = self.cursor.as_deref().map(|cursor| cursors.row(cursor));
        let time = |name, text: Option<&str>| text.map(|it| moment::read(name, it)).transpose();
        let query = AuditQuery {
            subject: self.subject.clone(),
            action: self.action.clone(),
            target: self.target.clone(),
            since: time("since", self.since.as_deref())?,
            until: time("until", self.until.as_deref())?,
            after: row.transpose()?.and_then(|row| row.parse().ok()),
            limit: self.limit()? + 1,
        };
        let texts = [&self.subject, &self.action, &self.target];
        let possible = !texts.into_iter().flatten().any(|text| text.contains('\0'));
        Ok(possible.then_some(query))
    }
}

/// List what was done
///
/// Every control action, also those that were refused, newest first. Role: `admin`.
#[utoipa::path(
    tag = "audit",
    params(AuditFilters),
    responses(
        (status = 200, description = "The actions", body = [AuditView], headers(
            ("Link" = String, description = "The next page, with `rel=\"next\"`; absent on the last one"),
            ("X-Next-Cursor" = String, description = "The `cursor` of the next page; absent on the last one"),
        )),
        OfShownList,
    ),
    security(("bearerAuth" = []))
)]
#[get("/audit")]
async fn list_audit(
    _: Admin,
    Params(filters): Params<AuditFilters>,
    request: HttpRequest,
    shared: web::Data<Shared>,
) -> Answer {
    let cursors = Cursors::of("audit", &filters);
    let mut rows = match filters.query(&cursors)? {
        Some(query) => shared.door.ask(FindAudit(query)).await??,
        None => Vec::new(),
    };
    let more = paging::cut(&mut rows, filters.limit()?);
    let mut answer = HttpResponse::Ok();
    if let Some(last) = rows.last().filter(|_| more) {
        paging::lead_on(&mut answer, &request, &cursors.after(&last.id.to_string()));
    }
    let rows: Vec<AuditView> = rows.into_iter().map(AuditView::from).collect();
    Ok(answer.json(rows))
}
