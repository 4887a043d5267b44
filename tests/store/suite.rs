//! The list of cases; `suite!(name, Fixture)` makes a test of each, on a store of its own.

/// Instantiates every case for a backend, whose fixture has `async fn new() -> Self`.
macro_rules! suite {
    ($backend:ident, $fixture:path) => {
        mod $backend {
            instantiate! { $fixture;
                registration {
                    a_first_registration_comes_back_as_it_was_stored
                    whoever_registers_second_is_told_what_the_first_stored
                    a_plan_made_from_an_older_state_changes_nothing
                    a_bot_that_is_expected_but_not_there_is_stale_without_a_state
                    slots_that_the_old_schedule_owes_are_recorded_with_the_new_one
                    what_runs_wrote_meanwhile_survives_a_registration
                    what_an_operator_wrote_meanwhile_survives_a_registration
                    an_invalid_hold_tells_of_the_file_as_it_is_now
                    a_retired_bot_has_no_next_run_and_can_come_back
                }
                edits {
                    an_edited_schedule_ends_the_claims_of_the_old_one
                    a_removal_ends_the_claims_of_the_bot
                    what_was_claimed_and_what_is_owed_make_one_gap
                    claims_outlive_an_edit_that_leaves_the_schedule_alone
                    a_schedule_that_comes_back_does_not_bring_its_claims_back
                }
                slots {
                    a_claim_is_a_waiting_row_and_moves_next_run
                    a_gap_grows_as_long_as_the_reason_stays
                    a_gap_of_one_slot_says_its_last_slot
                    each_reason_has_its_words
                    a_run_between_two_gaps_keeps_them_apart
                    a_gate_that_said_no_is_a_run_and_never_grows
                    gaps_and_a_claim_go_together
                    a_plan_whose_premise_is_gone_changes_nothing
                    a_slot_that_the_ledger_has_is_not_claimed_again
                    the_last_slot_of_all_leaves_no_next_run
                    of_two_processes_with_one_plan_one_claims
                }
                backlogs {
                    a_backlog_is_claimed_by_nobody_while_a_row_of_the_bot_is_open
                    of_one_batch_a_backlog_gets_one_claim
                    of_two_processes_with_a_backlog_one_claims
                }
                starts {
                    a_start_is_stored_and_counted
                    a_start_is_refused_to_whoever_does_not_own_the_waiting_row
                    a_start_that_is_sent_again_is_answered_as_before_and_counted_once
                    a_hold_stands_against_slots_and_events_and_not_against_an_operator
                    a_hold_that_is_over_stands_against_nothing
                    a_claim_by_another_schedule_is_outdated_and_gone
                    an_exclusive_run_waits_for_any_other_run_of_the_bot
                    a_busy_start_is_told_whether_an_earlier_slot_waits_anywhere
                    a_claim_that_waits_keeps_nobody_busy
                    the_last_of_max_runs_ends_the_bot
                    a_claim_beyond_max_runs_is_outdated
                    a_slot_given_back_after_the_last_run_ends_the_bot_anew
                    another_attempt_is_stored_beside_what_was_noted_before
                    an_attempt_of_a_row_that_is_not_ours_is_lost
                }
                ends {
                    a_declined_claim_becomes_a_gap
                    a_declined_claim_makes_the_gap_before_it_grow
                    a_declined_claim_leaves_gaps_after_it_alone
                    a_released_slot_is_next_again
                    a_released_slot_before_later_ones_is_missed
                    a_released_slot_leaves_an_earlier_next_run_alone
                    a_released_last_slot_is_next_again
                    claims_released_from_the_newest_on_are_all_next_again
                    a_released_trigger_is_abandoned
                    a_claim_given_back_too_late_under_a_hold_has_the_holds_reason
                    a_run_that_started_can_be_neither_declined_nor_released
                    somebody_elses_claim_can_be_neither_declined_nor_released
                }
                finishes {
                    every_status_has_its_columns
                    a_gate_is_the_reason_and_no_failure
                    skills_are_counted
                    failures_in_a_row_are_counted_and_set_a_hold
                    a_success_between_failures_begins_the_count_anew
                    a_cancelled_or_abandoned_run_counts_for_nothing
                    a_run_whose_post_waits_for_its_downstream_counts_for_nothing
                    a_refusal_sets_its_hold_at_once
                    a_hold_that_stands_is_not_replaced_by_a_finish
                    a_finish_stores_a_start_that_was_not_stored
                    an_older_run_does_not_move_last_run_back
                    the_last_success_is_the_end_of_the_newest_run_that_did_its_work
                    a_result_of_a_row_that_is_not_ours_is_lost
                    metadata_is_put_over_what_was_stored
                }
                triggers {
                    a_trigger_makes_a_row_without_a_slot
                    triggers_are_not_counted_against_max_runs
                    a_trigger_that_starts_is_the_last_run
                    a_declined_trigger_keeps_its_row
                }
                wishes {
                    a_repeated_wish_is_answered_with_the_row_it_made
                    a_wish_is_recognised_whatever_became_of_its_row
                    of_one_batch_a_wish_makes_one_row
                    of_processes_with_one_wish_one_makes_the_row
                    any_text_may_be_a_key
                }
                posts {
                    a_post_is_stored_pending_with_all_it_says
                    a_later_attempt_finds_the_post_of_an_earlier_one
                    a_post_of_a_row_that_is_not_ours_is_lost
                    a_post_stores_a_start_that_was_not_stored
                    a_mark_is_kept_and_sent_stays_sent
                    a_mark_needs_no_claim
                    unsent_posts_come_oldest_first
                    posts_of_a_run_at_work_are_left_to_it
                    posts_outlive_their_forgotten_runs
                    posts_of_runs_come_in_their_order
                }
                outbox {
                    what_goes_first_is_pending_for_the_same_destination_and_older
                    of_each_destination_a_bounded_number_is_read
                    what_was_given_up_is_resent_behind_all_others_and_anew
                    nothing_but_what_was_given_up_is_resent
                    what_has_arrived_at_a_destination_is_known_by_its_ids
                    posts_are_found_by_bot_and_status_newest_first
                }
                holds {
                    a_hold_comes_back_as_it_was_set
                    a_hold_of_the_same_kind_is_renewed
                    a_hold_of_another_kind_stays_unless_it_is_replaced
                    clearing_ends_the_hold_and_forgives_the_failures
                    clearing_another_kind_changes_nothing
                    clearing_without_a_hold_forgives_the_failures
                    an_invalid_hold_ends_only_by_its_name
                    a_hold_of_an_unknown_bot_is_stale
                }
                cancelling {
                    a_wish_to_cancel_reaches_the_process_that_runs
                    one_run_is_cancelled_whether_it_has_started_or_not
                    a_wish_for_a_run_that_is_not_on_is_lost
                    a_wish_goes_with_the_end_of_the_run
                    a_run_that_is_run_again_is_not_wanted_to_stop
                }
                rescue {
                    a_claim_that_never_started_is_decided_anew
                    a_run_that_started_is_abandoned
                    a_trigger_that_never_started_is_taken_over_as_it_is
                    a_trigger_that_waited_too_long_is_abandoned
                    a_trigger_of_a_removed_bot_is_abandoned
                    a_run_to_be_run_again_is_claimed_with_the_next_attempt
                    a_slot_that_is_run_again_counts_once
                    a_run_that_kills_its_processes_is_not_run_for_ever
                    the_last_attempt_is_not_used_up_by_a_process_that_dies_before_it
                    a_trigger_that_is_run_again_keeps_what_it_came_with
                    work_that_was_cut_off_is_never_taken_back
                    what_a_rescued_process_still_sends_is_lost
                    what_is_ours_is_left_alone
                    several_claims_of_one_bot_are_all_given_back
                }
                reading {
                    rows_come_newest_first_and_no_more_than_asked_for
                    due_bots_are_those_whose_next_slot_has_come
                    what_others_gave_back_held_or_resumed_is_due
                    live_rows_are_those_of_one_process
                    times_keep_their_microseconds
                    odd_texts_come_back_as_they_were
                    a_store_that_is_open_answers
                    the_outbox_is_what_is_pending_whoevers_it_is
                    the_version_of_the_schema_is_that_of_its_newest_step
                    a_beat_answers_with_a_clock_and_counts_the_living
                    what_ended_long_ago_is_forgotten_and_nothing_else
                    pruning_goes_on_past_what_has_to_stay
                    one_state_is_found_by_its_name
                    states_that_were_written_lately_are_changed
                    every_write_of_a_state_counts_as_a_change
                    processes_are_told_of_oldest_first
                }
                pages {
                    a_page_has_runs_only_unless_all_is_asked_for
                    a_gate_that_said_no_is_among_the_runs
                    every_filter_holds_alone_and_with_the_others
                    a_window_of_time_has_what_touches_it
                    a_window_goes_by_the_start_and_not_by_the_slot
                    windows_at_the_end_of_time_are_no_errors
                    a_cursor_goes_on_where_the_last_page_ended
                    one_row_is_found_by_its_id
                }
                audit {
                    entries_come_back_newest_first_as_they_were
                    entries_are_found_by_what_they_say
                    pages_of_entries_follow_each_other
                    hostile_texts_are_stored_and_not_refused
                    old_entries_are_forgotten
                }
                breakers {
                    a_breaker_comes_back_in_the_state_it_was_stored_in
                    the_last_one_to_store_a_breaker_wins_and_every_change_is_another_revision
                    any_text_may_be_a_dependency
                }
                alerts {
                    an_incident_and_its_notices_come_back_as_they_were
                    a_key_is_open_once_and_may_come_again_after_its_end
                    of_two_changes_from_one_revision_one_is_stored
                    a_delivery_is_claimed_by_one_until_its_time_is_over
                    the_end_of_an_incident_knows_what_became_of_its_beginning
                    the_end_of_an_incident_knows_of_its_reminders
                    many_deliveries_fold_into_one_or_none_does
                    any_text_may_be_told
                    what_is_over_and_told_is_forgotten_and_nothing_else
                }
                knowledge {
                    items_come_back_newest_first_as_they_were
                    an_item_with_a_known_key_takes_the_place_of_the_first
                    an_item_without_a_key_is_known_by_its_body
                    of_items_with_one_key_the_last_counts
                    pages_of_items_follow_each_other
                    items_are_removed_one_by_one_or_all
                    hostile_items_are_stored_and_not_refused
                    imports_at_once_do_not_lock_each_other_out
                }
                uses {
                    an_item_is_used_once_by_a_bot_and_once_by_another
                    a_post_that_is_stored_takes_no_other_item
                    a_run_may_make_several_posts_of_its_item
                    of_one_batch_an_item_is_used_by_the_first
                    of_processes_with_one_item_one_posts_it
                    a_post_of_an_item_that_was_removed_is_stored
                    a_refused_post_frees_its_item_if_that_is_said
                    a_refused_post_that_is_resent_has_its_item_again
                    what_is_used_stays_used_when_all_else_is_forgotten
                    a_post_of_nobody_uses_nothing
                }
                choices {
                    candidates_are_the_first_by_priority_and_the_newest
                    items_are_chosen_in_their_time_only
                    candidates_come_from_the_named_tables
                    what_has_been_looked_at_is_not_chosen_again
                    what_the_run_itself_has_used_comes_first
                    an_item_is_found_behind_many_that_are_used
                    an_item_that_changes_among_many_that_are_over_is_found
                    a_priority_that_is_no_number_is_a_middling_one
                    tables_are_told_by_name
                }
                posted {
                    texts_are_those_that_were_sent_or_will_be
                    a_text_is_told_with_that_of_its_item
                    the_tally_counts_what_was_sent_or_will_be
                }
                feeds {
                    a_feed_is_remembered_as_it_was_read_last
                    an_entry_is_added_once_and_brought_up_to_date
                    an_entry_that_was_removed_does_not_come_again
                    of_entries_with_one_id_the_last_counts
                    of_looks_at_once_one_adds_an_entry
                }
                batches {
                    answers_come_in_the_order_of_the_writes
                    a_failing_write_takes_the_whole_batch_back
                    a_lost_write_takes_nothing_back
                    parallel_batches_lose_no_update
                    a_caller_that_goes_away_leaves_nothing_half_done
                    nothing_can_be_written_after_closing
                }
                facts {
                    every_end_of_a_run_is_told_once
                    what_changes_no_end_tells_nothing
                    a_range_that_grows_tells_of_its_growth
                    a_claim_that_becomes_a_gap_is_told_wherever_it_stands
                    runs_without_a_slot_are_told_without_slots
                    what_an_edit_ends_and_owes_is_told
                    a_claim_by_another_schedule_is_told_only_if_it_had_run
                    what_a_rescue_settles_is_told
                    a_batch_that_fails_tells_nothing
                    a_caller_that_goes_away_takes_no_fact_along
                    a_hold_is_told_when_its_kind_changes
                    a_registration_tells_of_the_hold_that_it_sets_or_ends
                    an_end_is_told_before_the_hold_that_follows_from_it
                    a_repeated_event_tells_nothing
                }
                histories {
                    any_history_accounts_for_every_slot_once
                }
            }
        }
    };
}

/// Makes one test of each case named.
macro_rules! instantiate {
    ($fixture:path; $($noun:ident { $($case:ident)* })*) => {
        $(mod $noun {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let fixture = <$fixture>::new().await;
                crate::cases::$noun::$case(&fixture).await;
            })*
        })*
    };
}
