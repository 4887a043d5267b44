//! The tables as `migrations/sqlite` makes them, for diesel's typed queries.

use diesel::table;

table! {
    #[sql_name = "actor_server_meta"]
    meta (key) {
        key -> Text,
        value -> Text,
    }
}

table! {
    #[sql_name = "actor_server_state"]
    states (task_id) {
        task_id -> Text,
        actor_name -> Text,
        schedule -> Nullable<Text>,
        anchor -> Text,
        last_run -> Nullable<Text>,
        last_success -> Nullable<Text>,
        next_run -> Nullable<Text>,
        consecutive_failures -> BigInt,
        runs -> BigInt,
        is_paused -> Bool,
        hold_kind -> Nullable<Text>,
        hold_reason -> Nullable<Text>,
        hold_until -> Nullable<Text>,
        hold_by -> Nullable<Text>,
        removed -> Bool,
        created_at -> Text,
        updated_at -> Text,
    }
}

table! {
    #[sql_name = "actor_server_executions"]
    executions (id) {
        id -> BigInt,
        task_id -> Text,
        actor_name -> Text,
        trigger -> Text,
        scheduled_for -> Nullable<Text>,
        slots -> BigInt,
        slot_last -> Nullable<Text>,
        status -> Text,
        reason -> Nullable<Text>,
        attempt -> BigInt,
        replica -> Nullable<Text>,
        started_at -> Nullable<Text>,
        completed_at -> Nullable<Text>,
        success -> Nullable<Bool>,
        skills_succeeded -> Integer,
        skills_failed -> Integer,
        skills_skipped -> Integer,
        error_message -> Nullable<Text>,
        cancel_requested -> Bool,
        metadata -> Json,
        created_at -> Text,
        event_key -> Nullable<Text>,
    }
}

table! {
    #[sql_name = "actor_server_posts"]
    posts (id) {
        id -> BigInt,
        execution_id -> BigInt,
        task_id -> Text,
        position -> Integer,
        platform -> Text,
        destination -> Text,
        body -> Text,
        options -> Json,
        nonce -> Text,
        status -> Text,
        attempts -> BigInt,
        platform_message_id -> Nullable<Text>,
        error_message -> Nullable<Text>,
        created_at -> Text,
        posted_at -> Nullable<Text>,
        turn -> Nullable<BigInt>,
        content_id -> Nullable<BigInt>,
        content_text -> Nullable<Text>,
    }
}

table! {
    #[sql_name = "actor_server_content_uses"]
    uses (task_id, content_id) {
        task_id -> Text,
        content_id -> BigInt,
        execution_id -> BigInt,
        used_at -> Text,
    }
}

table! {
    #[sql_name = "actor_server_replicas"]
    replicas (id) {
        id -> Text,
        address -> Text,
        version -> Text,
        started_at -> Text,
        last_seen -> Text,
    }
}

table! {
    #[sql_name = "actor_server_content"]
    content (id) {
        id -> BigInt,
        table_name -> Text,
        item_key -> Text,
        title -> Nullable<Text>,
        body -> Text,
        source -> Nullable<Text>,
        tags -> Json,
        priority -> Double,
        metadata -> Json,
        created_at -> Text,
        not_before -> Nullable<Text>,
        expires_at -> Nullable<Text>,
        media -> Json,
    }
}

table! {
    #[sql_name = "actor_server_audit"]
    audit (id) {
        id -> BigInt,
        at -> Text,
        subject -> Text,
        role -> Nullable<Text>,
        action -> Text,
        target -> Nullable<Text>,
        remote -> Nullable<Text>,
        request_id -> Nullable<Text>,
        before -> Nullable<Json>,
        after -> Nullable<Json>,
        outcome -> Text,
    }
}

table! {
    #[sql_name = "actor_server_breakers"]
    breakers (dependency) {
        dependency -> Text,
        state -> Text,
        until -> Nullable<Text>,
        failures -> BigInt,
        successes -> BigInt,
        credential -> Nullable<Text>,
        revision -> BigInt,
        updated_at -> Text,
    }
}
