//! A PostgreSQL connection for diesel-async whose statements have no names.
//!
//! diesel-async's own connection prepares every statement under a name, which a transaction-pooling proxy may not find
//! again, and drops the SQLSTATE of errors. This one sends statement and values in one message, needs nothing of the
//! session, and keeps the SQLSTATE. It never opens or ends a transaction by itself.

use diesel::{
    ConnectionError, ConnectionResult, QueryResult,
    connection::{CacheSize, DynInstrumentation, Instrumentation},
    pg::{
        FailedToLookupTypeError, Pg, PgMetadataCacheKey, PgMetadataLookup, PgQueryBuilder,
        PgTypeMetadata,
    },
    query_builder::{
        AsQuery, QueryBuilder, QueryFragment, QueryId, bind_collector::RawBytesBindCollector,
    },
    result::Error,
};
use diesel_async::{
    AnsiTransactionManager, AsyncConnection, AsyncConnectionCore, SimpleAsyncConnection,
    TransactionManager, pooled_connection::PoolableConnection,
};
use futures::{StreamExt, TryStreamExt, future::BoxFuture, stream::BoxStream};
use tokio_postgres::{
    Client,
    types::{IsNull, ToSql, Type, private::BytesMut, to_sql_checked},
};

use super::{error, row::PgRow, url::Settings};

/// One connection; its socket is served by a task that ends with it.
pub(super) struct Connection {
    client: Client,
    transaction: AnsiTransactionManager,
    instrumentation: DynInstrumentation,
}

impl Connection {
    /// Connects.
    pub(super) async fn open(settings: &Settings) -> Result<Self, Error> {
        let (client, connection) = settings
            .config
            .connect(settings.tls.clone())
            .await
            .map_err(error::to_diesel)?;
        // It ends when the client is dropped or the server goes away; whoever uses the client hears of the latter.
        drop(tokio::spawn(connection));
        Ok(Self {
            client,
            transaction: AnsiTransactionManager::default(),
            instrumentation: DynInstrumentation::default_instrumentation(),
        })
    }
}

impl SimpleAsyncConnection for Connection {
    async fn batch_execute(&mut self, query: &str) -> QueryResult<()> {
        self.client
            .batch_execute(query)
            .await
            .map_err(error::to_diesel)
    }
}

impl AsyncConnectionCore for Connection {
    type ExecuteFuture<'conn, 'query> = BoxFuture<'conn, QueryResult<usize>>;
    type LoadFuture<'conn, 'query> = BoxFuture<'conn, QueryResult<Self::Stream<'conn, 'query>>>;
    type Stream<'conn, 'query> = BoxStream<'static, QueryResult<PgRow>>;
    type Row<'conn, 'query> = PgRow;
    type Backend = Pg;

    fn load<'conn, 'query, T>(&'conn mut self, source: T) -> Self::LoadFuture<'conn, 'query>
    where
        T: AsQuery + 'query,
        T::Query: QueryFragment<Self::Backend> + QueryId + 'query,
    {
        let statement = Statement::of(&source.as_query());
        Box::pin(async move {
            let Statement { sql, binds } = statement?;
            let rows = self.client.query_typed_raw(&sql, binds).await;
            let rows = rows.map_err(error::to_diesel)?.map_err(error::to_diesel);
            Ok(rows.map_ok(PgRow::new).boxed())
        })
    }

    fn execute_returning_count<'conn, 'query, T>(
        &'conn mut self,
        source: T,
    ) -> Self::ExecuteFuture<'conn, 'query>
    where
        T: QueryFragment<Self::Backend> + QueryId + 'query,
    {
        let statement = Statement::of(&source);
        Box::pin(async move {
            let Statement { sql, binds } = statement?;
            let binds: Vec<(&(dyn ToSql + Sync), Type)> = binds
                .iter()
                .map(|(value, ty)| (value as &(dyn ToSql + Sync), ty.clone()))
                .collect();
            let rows = self.client.execute_typed(&sql, &binds).await;
            let rows = rows.map_err(error::to_diesel)?;
            usize::try_from(rows).map_err(|e| Error::DeserializationError(Box::new(e)))
        })
    }
}

impl AsyncConnection for Connection {
    type TransactionManager = AnsiTransactionManager;

    async fn establish(database_url: &str) -> ConnectionResult<Self> {
        let settings = Settings::parse(database_url)
            .map_err(|e| ConnectionError::InvalidConnectionUrl(e.to_string()))?;
        Self::open(&settings)
            .await
            .map_err(ConnectionError::CouldntSetupConfiguration)
    }

    fn transaction_state(&mut self) -> &mut AnsiTransactionManager {
        &mut self.transaction
    }

    fn instrumentation(&mut self) -> &mut dyn Instrumentation {
        &mut *self.instrumentation
    }

    fn set_instrumentation(&mut self, instrumentation: impl Instrumentation) {
        self.instrumentation = instrumentation.into();
    }

    fn set_prepared_statement_cache_size(&mut self, _: CacheSize) {}
}

impl PoolableConnection for Connection {
    fn is_broken(&mut self) -> bool {
        self.client.is_closed() || AnsiTransactionManager::is_broken_transaction_manager(self)
    }
}

/// A query as it is sent.
struct Statement {
    sql: String,
    binds: Vec<(Bind, Type)>,
}

impl Statement {
    fn of<Q: QueryFragment<Pg>>(query: &Q) -> QueryResult<Self> {
        let mut sql = PgQueryBuilder::default();
        query.to_sql(&mut sql, &Pg)?;
        let mut collected = RawBytesBindCollector::<Pg>::new();
        query.collect_binds(&mut collected, &mut NoCustomTypes, &Pg)?;
        let binds = collected
            .metadata
            .iter()
            .zip(collected.binds)
            .map(|(metadata, value)| Ok((Bind(value), built_in(metadata)?)))
            .collect::<QueryResult<_>>()?;
        Ok(Self {
            sql: sql.finish(),
            binds,
        })
    }
}

fn built_in(metadata: &PgTypeMetadata) -> QueryResult<Type> {
    let oid = metadata
        .oid()
        .map_err(|e| Error::SerializationError(Box::new(e)))?;
    Type::from_oid(oid)
        .ok_or_else(|| Error::SerializationError(format!("type {oid} is not built in").into()))
}

/// A value that diesel has serialised.
#[derive(Debug)]
struct Bind(Option<Vec<u8>>);

impl ToSql for Bind {
    fn to_sql(
        &self,
        _: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match &self.0 {
            Some(bytes) => {
                out.extend_from_slice(bytes);
                Ok(IsNull::No)
            }
            None => Ok(IsNull::Yes),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// The schema uses built-in types only, so that none has to be looked up.
struct NoCustomTypes;

impl PgMetadataLookup for NoCustomTypes {
    fn lookup_type(&mut self, name: &str, schema: Option<&str>) -> PgTypeMetadata {
        let key = PgMetadataCacheKey::new(schema.map(Into::into), name.into());
        PgTypeMetadata::from_result(Err(FailedToLookupTypeError::new(key.into_owned())))
    }
}
