# SPDX-License-Identifier: MIT
# Mistakes in gossip::redis, as CMakeLists.txt has them for the rest: what tests/redis/README.md's failure
# table promises can fail. Those tests alone that need no more than some seconds; a few start a
# redis-server.

# What comes from the wire has its limits
gossip_mutant(redis_reply_may_be_too_large
  HEADER redis/reply_builder.hpp
  OLD "building.bytes > building.limits.whole || size"
  NEW "size"
  SOURCES unit/redis/reply_builder_test.cpp
  TESTS "ReplyBuilder: what a reply takes*")
gossip_mutant(redis_text_may_be_too_large
  HEADER redis/reply_builder.hpp
  OLD " || size > building.limits.entry"
  NEW ""
  SOURCES unit/redis/reply_builder_test.cpp
  TESTS "ReplyBuilder: a single text*")
gossip_mutant(redis_array_may_be_too_long
  HEADER redis/reply_builder.hpp
  OLD "depth == 1 && size > ReplyLimits::elements"
  NEW "false"
  SOURCES unit/redis/reply_builder_test.cpp
  TESTS "ReplyBuilder: a long array*")
gossip_mutant(redis_entry_may_be_too_large
  HEADER redis/reply_builder.hpp
  OLD " || building.counted_bytes > building.limits.entry"
  NEW ""
  SOURCES unit/redis/reply_builder_test.cpp
  TESTS "ReplyBuilder: an array within an array*")
gossip_mutant(redis_entries_are_counted_together
  HEADER redis/reply_builder.hpp
  OLD "    if (std::exchange(building.counted, &array) != &array) building.counted_bytes = 0;"
  NEW ""
  SOURCES unit/redis/reply_builder_test.cpp
  TESTS "ReplyBuilder: an array within an array*")
gossip_mutant(redis_replies_are_counted_together
  HEADER redis/reply_builder.hpp
  OLD "    if (kind == Reply::Kind::array) building.counted = nullptr;"
  NEW ""
  SOURCES unit/redis/reply_builder_test.cpp
  TESTS "ReplyBuilder: an array within an array*")
gossip_mutant(redis_skipped_text_is_a_nil
  HEADER redis/reply_builder.hpp
  OLD "std::exchange(building.skipped, false) || "
  NEW ""
  SOURCES unit/redis/reply_builder_test.cpp
  TESTS "ReplyBuilder: a text that was skipped*")
gossip_mutant(redis_skipped_text_may_end_anyhow
  HEADER redis/skipped_text.hpp
  OLD "end[2] == '\\r' && end[3] == '\\n'"
  NEW "true"
  SOURCES unit/redis/skipped_text_test.cpp
  TESTS "SkippedText: a text that does not end*")
gossip_mutant(redis_skipped_text_ends_too_soon
  HEADER redis/skipped_text.hpp
  OLD "    if (reader.len - reader.pos < nil_size) return false;"
  NEW "    if (reader.len - reader.pos < nil_size) return true;"
  SOURCES unit/redis/skipped_text_test.cpp
  TESTS "SkippedText: a text that is too large*")
gossip_mutant(redis_skipped_text_of_another_connection
  HEADER redis/connection.hpp
  OLD "    skipped_.reset();"
  NEW ""
  SOURCES unit/redis/connection_test.cpp
  TESTS "Connection: a connection that is lost within*")
gossip_mutant(redis_read_may_be_larger_than_a_reply
  HEADER redis/reply_limits.hpp
  OLD "(payload + beside) * (entries + 1)"
  NEW "payload * options.read_count + beside"
  SOURCES unit/redis/reply_limits_test.cpp
  TESTS "ReplyLimits: what one read*")
gossip_mutant(redis_oversized_entry_is_taken_for_trimmed
  HEADER redis/stream_intake.hpp
  OLD "const Status whole = check_size(entry);"
  NEW "const Status whole;"
  SOURCES unit/redis/stream_intake_test.cpp
  TESTS "StreamIntake: without a group an entry that is too large*")
gossip_mutant(redis_parts_of_an_entry_are_taken
  HEADER redis/stream_fields.hpp
  OLD "entry.items.size() != 2 || entry.items[1].truncated"
  NEW "entry.items.size() != 2"
  SOURCES unit/redis/stream_fields_test.cpp
  TESTS "stream_fields: of an entry*")
gossip_mutant(redis_oversized_entry_is_looked_at_often
  HEADER redis/stream_watch.hpp
  OLD "    if (report.oversized) rests_[type] = looks_left_out;"
  NEW ""
  SOURCES unit/redis/stream_watch_test.cpp
  TESTS "StreamWatch: a stream whose oldest entry*")
gossip_mutant(redis_publishes_what_nobody_reads
  HEADER redis/provider.hpp
  OLD "    if (encoded.wire.size() > largest_command(options_)) return too_much(encoded.wire.size());"
  NEW ""
  SOURCES unit/redis/provider_test.cpp
  TESTS "RedisProvider: metadata that readers*")
gossip_mutant(redis_reply_may_be_too_deep
  HEADER redis/reply_builder.hpp
  OLD "    if (depth > max_depth) return nullptr;"
  NEW ""
  SOURCES unit/redis/connection_test.cpp
  TESTS "Connection: a reply nested too deep*")
gossip_mutant(redis_inflated_without_limit
  HEADER redis/compression.hpp
  OLD "    if (bytes.size() > most) return refuse(\"deflated: more than maximum_payload\");"
  NEW ""
  SOURCES unit/redis/compression_test.cpp
  TESTS "compression: no more than the limit*")

# TLS
gossip_mutant(redis_tls_name_is_not_checked
  HEADER redis/tls_session.hpp
  OLD "    if (X509_VERIFY_PARAM_set1_ip_asc(check, name) != 1 &&
        SSL_set1_host(session.get(), name) != 1) {"
  NEW "    if (check == nullptr) {"
  SOURCES unit/redis/tls_session_test.cpp
  TESTS "TlsSession: the server's certificate*")
gossip_mutant(redis_tls_write_spins
  HEADER redis/connection.hpp
  OLD "    write_awaits_ = SSL_want_read(ssl_) != 0 ? POLLIN : POLLOUT;"
  NEW ""
  SOURCES unit/redis/connection_test.cpp
  TESTS "Connection: TLS: what is sent waits*")
gossip_mutant(redis_tls_read_spins
  HEADER redis/connection.hpp
  OLD "    read_awaits_ = SSL_want_write(ssl_) != 0 ? POLLOUT : POLLIN;"
  NEW ""
  SOURCES unit/redis/connection_test.cpp
  TESTS "Connection: TLS: what is read waits*")
gossip_mutant(redis_tls_errors_of_others_count
  HEADER redis/connection.hpp
  OLD "      ERR_clear_error();  // as in write_secured()"
  NEW ""
  SOURCES unit/redis/connection_test.cpp
  TESTS "Connection: TLS: errors that others*")
gossip_mutant(redis_tls_next_connection_waits_for_the_last_one
  HEADER redis/connection.hpp
  OLD "    read_awaits_ = POLLIN;
    write_awaits_ = POLLOUT;
    clear_output();"
  NEW "    clear_output();"
  SOURCES unit/redis/connection_test.cpp
  TESTS "Connection: TLS: what one connection*" SECONDS 5)

gossip_mutant(redis_tls_writes_all_or_nothing
  HEADER redis/connection.hpp
  OLD "std::min(unsent(), record)"
  NEW "unsent()"
  SOURCES unit/redis/conversation_test.cpp
  TESTS "*the probe behind it has time - TlsPeer" SECONDS 5)
gossip_mutant(redis_tls_what_is_refused_shrinks
  HEADER redis/connection.hpp
  OLD "std::min(unsent(), record)"
  NEW "std::min(unsent(), record >> (records == 0 ? 1 : 0))"
  SOURCES unit/redis/connection_test.cpp
  TESTS "Connection: TLS: what is sent piece*")
gossip_mutant(redis_tls_errors_of_others_count_when_writing
  HEADER redis/connection.hpp
  OLD "    ERR_clear_error();  // what others have left there would be taken for ours"
  NEW ""
  SOURCES unit/redis/connection_test.cpp
  TESTS "Connection: TLS: errors that others*")

# The session
gossip_mutant(redis_silent_server_is_not_probed
  HEADER redis/session.hpp
  OLD "    if (now - last_life_ < options_.health_interval) {"
  NEW "    if (now >= last_life_) {"
  SOURCES unit/redis/session_test.cpp
  TESTS "Session: a server that does not answer the probe*")
gossip_mutant(redis_upload_is_cut_off
  HEADER redis/conversation.hpp
  OLD "      if (now >= session_.wake_at() && connection_.take_leaving()) session_.leaving(now);"
  NEW ""
  SOURCES unit/redis/conversation_test.cpp
  TESTS "*the probe behind it has time - PlainPeer")
gossip_mutant(redis_what_is_behind_the_probe_is_life
  HEADER redis/connection.hpp
  OLD "gone_ >= mark_ || "
  NEW ""
  SOURCES unit/redis/conversation_test.cpp
  TESTS "*behind a probe gives it no time - PlainPeer")
gossip_mutant(redis_what_is_buffered_is_life
  HEADER redis/connection.hpp
  OLD " || gone() <= gone_) return false;"
  NEW ") return false;"
  SOURCES unit/redis/conversation_test.cpp
  TESTS "*the probe behind it has time - PlainPeer" SECONDS 5)
gossip_mutant(redis_back_off_is_not_reset
  HEADER redis/session.hpp
  OLD "    attempts_ = 0;
    probing_ = false;"
  NEW "    probing_ = false;"
  SOURCES unit/redis/session_test.cpp
  TESTS "Session: once it was ready*")
gossip_mutant(redis_wrong_password_is_tried_again_soon
  HEADER redis/session.hpp
  OLD "    attempts_ = 64;"
  NEW ""
  SOURCES unit/redis/session_test.cpp
  TESTS "Session: a wrong password waits*")
gossip_mutant(redis_password_is_told
  HEADER redis/session.hpp
  OLD "status_of(Reply::of_error(std::string{reply.error_code()}), asked)"
  NEW "status_of(reply, asked)"
  SOURCES unit/redis/session_test.cpp
  TESTS "Session: a server that repeats*")
gossip_mutant(redis_replica_will_do
  HEADER redis/session.hpp
  OLD "if (needs_primary_ && role != \"master\") {"
  NEW "if (false) {"
  SOURCES unit/redis/session_test.cpp
  TESTS "Session: a replica will not do*")

# Each reply is for who asked, and nothing that was taken over vanishes
gossip_mutant(redis_replies_in_another_order
  HEADER redis/expected_replies.hpp
  OLD "    queue_.push_back({to, count});"
  NEW "    queue_.push_front({to, count});"
  SOURCES unit/redis/expected_replies_test.cpp
  TESTS "ExpectedReplies: replies go to those*")
gossip_mutant(redis_probe_is_not_expected
  HEADER redis/conversation.hpp
  OLD "        send_wire(wire_, {&on_probed, this, 0});"
  NEW "        if (pushes_) connection_.send(wire_);
        if (!pushes_) send_wire(wire_, {&on_probed, this, 0});"
  SOURCES unit/redis/channel_reader_test.cpp
  TESTS "ChannelReader: the answer to a probe*")
gossip_mutant(redis_event_is_sent_before_it_can_be
  HEADER redis/writer.hpp
  OLD "      link_.send_wire(wire, {&on_published, this, 0}, count);
      in_flight_.mark_sent(count);"
  NEW "      in_flight_.mark_sent(count);
      link_.send_wire(wire, {&on_published, this, 0}, count);"
  SOURCES allocations/redis.cpp support/counting_allocator.cpp
  TESTS "Writer: an event that was taken over*" SECONDS 5)
gossip_mutant(redis_unanswered_is_not_sent_again
  HEADER redis/writer.hpp
  OLD "    in_flight_.unsend();"
  NEW ""
  SOURCES unit/redis/writer_test.cpp
  TESTS "Writer: what was not answered goes*" SECONDS 5)
gossip_mutant(redis_answers_behind_one_that_is_kept_count
  HEADER redis/writer.hpp
  OLD "    if (self.on_hold_) return;"
  NEW ""
  SOURCES unit/redis/writer_test.cpp
  TESTS "Writer: what stands behind*" SECONDS 5)
gossip_mutant(redis_unknown_outcome_is_not_told
  HEADER redis/writer.hpp
  OLD "self.settle_first(unknown_outcome(lost));"
  NEW "self.settle_first({});"
  SOURCES unit/redis/writer_test.cpp
  TESTS "Writer: where a repetition*" SECONDS 5)
gossip_mutant(redis_stranger_is_unblocked
  HEADER redis/blocked_read.hpp
  OLD "    known_ = begun_;"
  NEW "    known_ = writer_.connection();"
  SOURCES unit/redis/blocked_read_test.cpp
  TESTS "BlockedRead: where the number*" SECONDS 5)
gossip_mutant(redis_question_outlives_its_connection
  HEADER redis/writer.hpp
  OLD "    questions_.drop_outdated();"
  NEW ""
  SOURCES unit/redis/writer_test.cpp
  TESTS "Writer: what is for one of its connections*" SECONDS 5)
gossip_mutant(redis_first_read_blocks
  HEADER redis/stream_reader.hpp
  OLD "    if (blocked_read_.begin() && "
  NEW "    if ((blocked_read_.begin() || true) && "
  SOURCES unit/redis/stream_reader_test.cpp
  TESTS "StreamReader: what is subscribed to while a read blocks*" SECONDS 5)
gossip_mutant(redis_ready_before_the_writer_has_begun
  HEADER redis/writer.hpp
  OLD "    condition_->expect(Part::writer);"
  NEW ""
  SOURCES unit/redis/writer_test.cpp
  TESTS "Writer: the whole is not ready*" SECONDS 5)
gossip_mutant(redis_end_waits_for_what_does_not_matter
  HEADER redis/writer.hpp
  OLD "in_flight_.empty() && !questions_.owes();"
  NEW "in_flight_.empty() && link_.unanswered() == 0;"
  SOURCES unit/redis/writer_test.cpp
  TESTS "Writer: the end waits*" SECONDS 5)
gossip_mutant(redis_end_does_not_wait_for_what_matters
  HEADER redis/writer.hpp
  OLD "in_flight_.empty() && !questions_.owes();"
  NEW "in_flight_.empty();"
  SOURCES unit/redis/writer_test.cpp
  TESTS "Writer: the end waits*" SECONDS 5)

gossip_mutant(redis_wanted_turn_does_not_come
  HEADER redis/link.hpp
  OLD "talk_.write_elsewhere() && next >= sleeps_until_;"
  NEW "talk_.write_elsewhere();"
  SOURCES unit/redis/link_test.cpp
  TESTS "Link: a turn that is wanted*" SECONDS 5)
gossip_mutant(redis_doubts_of_another_thread_are_not_settled
  HEADER redis/conversation.hpp
  OLD "return !doubts_.ok() || left_; }"
  NEW "return left_.has_value(); }"
  SOURCES allocations/redis_links.cpp support/counting_allocator.cpp
  TESTS "*streams lose nothing" SECONDS 5)

# Memory may run out
gossip_mutant(redis_what_is_written_is_kept
  HEADER redis/connection.hpp
  OLD "        out_.erase(0, written_);
        written_ = 0;"
  NEW ""
  SOURCES allocations/redis_buffers.cpp support/counting_allocator.cpp
  TESTS "Connection: what is written holds*" SECONDS 10)
gossip_mutant(redis_large_buffer_is_kept
  HEADER redis/connection.hpp
  OLD "std::string{}.swap(out_);"
  NEW "out_ = std::string{};"
  SOURCES allocations/redis_buffers.cpp support/counting_allocator.cpp
  TESTS "Connection: a large command*" SECONDS 10)
gossip_mutant(redis_large_command_is_kept
  HEADER redis/conversation.hpp
  OLD "std::string{}.swap(wire_);"
  NEW "wire_ = std::string{};"
  SOURCES allocations/redis_buffers.cpp support/counting_allocator.cpp
  TESTS "Conversation: a large command*")
gossip_mutant(redis_large_batch_is_kept
  HEADER redis/send_queue.hpp
  OLD "std::string{}.swap(wire_);"
  NEW "wire_ = std::string{};"
  SOURCES allocations/redis_buffers.cpp support/counting_allocator.cpp
  TESTS "EventBatch: emptied*")
gossip_mutant(redis_large_text_is_kept
  HEADER redis/reply_builder.hpp
  OLD "std::string{}.swap(reply->text);"
  NEW "reply->text = std::string{};"
  SOURCES unit/redis/reply_builder_test.cpp
  TESTS "ReplyBuilder: a small reply*")
gossip_mutant(redis_large_array_is_kept
  HEADER redis/reply_builder.hpp
  OLD "std::vector<Reply>{}.swap(reply->items);"
  NEW "reply->items = {};"
  SOURCES unit/redis/reply_builder_test.cpp
  TESTS "ReplyBuilder: a small reply*")
gossip_mutant(redis_goes_on_behind_what_could_not_be_taken
  HEADER redis/conversation.hpp
  OLD "      halted_ = !contain("
  NEW "      contain("
  SOURCES unit/redis/conversation_test.cpp
  TESTS "Conversation: where memory runs out*")
gossip_mutant(redis_sends_behind_what_could_not_be_sent
  HEADER redis/conversation.hpp
  OLD "    if (doubts_.ok() && !connection_.send(wire)) doubts_"
  NEW "    if (!connection_.send(wire)) doubts_"
  SOURCES allocations/redis.cpp support/counting_allocator.cpp
  TESTS "Conversation: behind what no memory*")
gossip_mutant(redis_acknowledges_what_found_no_memory
  HEADER redis/stream_intake.hpp
  OLD "    state->withdrawn = true;  // unless it gets into the bus"
  NEW ""
  SOURCES allocations/redis_links.cpp support/counting_allocator.cpp
  TESTS "*streams lose nothing" SECONDS 5)
gossip_mutant(redis_reads_on_behind_what_was_not_taken
  HEADER redis/stream_reader.hpp
  OLD "      stream->go_back(std::move(before));"
  NEW ""
  SOURCES allocations/redis_links.cpp support/counting_allocator.cpp
  TESTS "*streams lose nothing" SECONDS 5)

# Pub/Sub: a gap is told, and before what follows
gossip_mutant(redis_gap_is_not_told
  HEADER redis/channel.hpp
  OLD "    missed = missed || wanted;"
  NEW ""
  SOURCES unit/redis/channel_reader_test.cpp
  TESTS "ChannelReader: a gap is told before what is published after*" SECONDS 5)
gossip_mutant(redis_gap_is_told_too_late
  HEADER redis/channel_reader.hpp
  OLD "    if (why.ok()) tell_of_gap();  // before what came behind the confirmation"
  NEW ""
  SOURCES unit/redis/channel_reader_test.cpp
  TESTS "ChannelReader: a gap is told before what is published after*" SECONDS 5)
gossip_mutant(redis_gap_has_no_size
  HEADER redis/channel_reader.hpp
  OLD "      ++dropped_[type];"
  NEW ""
  SOURCES unit/redis/channel_reader_test.cpp
  TESTS "ChannelReader: what finds no room*" SECONDS 5)
gossip_mutant(redis_one_channel_is_not_listened_to_again
  HEADER redis/channel_reader.hpp
  OLD "    for (auto& entry : channels_) entry.second.changed = entry.second.wanted;"
  NEW "    bool first = true;
    for (auto& entry : channels_) {
      entry.second.changed = std::exchange(first, false) && entry.second.wanted;
    }"
  SOURCES unit/redis/channel_reader_test.cpp
  TESTS "ChannelReader: after a loss every channel*" SECONDS 5)

gossip_mutant(redis_refused_channel_is_listened_to
  HEADER redis/channel.hpp
  OLD "    if (why.ok()) confirmed = subscribed_now;"
  NEW "    confirmed = subscribed_now;"
  SOURCES unit/redis/channel_test.cpp
  TESTS "Channel: what the server refuses*")
gossip_mutant(redis_refused_end_has_another_name
  HEADER redis/channel_reader.hpp
  OLD "asked.subscribes ? \"SUBSCRIBE\" : \"UNSUBSCRIBE\", asked.key"
  NEW "\"SUBSCRIBE\", asked.key"
  SOURCES unit/redis/channel_reader_test.cpp
  TESTS "ChannelReader: an end that is refused*" SECONDS 5)
gossip_mutant(redis_channel_is_not_forgotten
  HEADER redis/channel_reader.hpp
  OLD "        if (entry->second.is_over()) ended.insert(channels_.extract(entry));"
  NEW ""
  SOURCES unit/redis/channel_reader_test.cpp
  TESTS "ChannelReader: a channel that nobody listens*" SECONDS 5)
gossip_mutant(redis_channel_is_forgotten_early
  HEADER redis/channel.hpp
  OLD " && beginning == 0 && ending == 0;"
  NEW ";"
  SOURCES unit/redis/channel_test.cpp
  TESTS "Channel: is over once*")

gossip_mutant(redis_tap_is_ready_though_refused
  HEADER redis/tap.hpp
  OLD "    self.next_scan_ = self.not_before_ ="
  NEW "    self.next_scan_ ="
  SOURCES unit/redis/tap_test.cpp
  TESTS "RedisTap: a command that is refused*" SECONDS 10)
gossip_mutant(redis_tap_is_ready_before_it_reads
  HEADER redis/tap.hpp
  OLD "    if (!refused_) tell_begun();"
  NEW "    tell_begun();"
  SOURCES unit/redis/tap_test.cpp
  TESTS "RedisTap: a command that is refused*" SECONDS 10)

gossip_mutant(redis_tap_misses_keys_that_are_left_out
  HEADER redis/tap.hpp
  OLD "    if (reply.items[1].truncated && keys_asked_ > 1) {"
  NEW "    if (false) {"
  SOURCES unit/redis/tap_test.cpp
  TESTS "RedisTap: keys that are too large*" SECONDS 10)

gossip_mutant(redis_tap_asks_for_more_than_a_read_may_have
  HEADER redis/tap.hpp
  OLD "options_.read_count / places_.size()"
  NEW "options_.read_count"
  SOURCES unit/redis/tap_test.cpp
  TESTS "RedisTap: no more entries*" SECONDS 10)

# A connection that is given up, and lost before that is dealt with
gossip_mutant(redis_end_hides_what_was_wrong
  HEADER redis/conversation.hpp
  OLD "    in_doubt() ? leave(now) : apply"
  NEW "    apply"
  SOURCES unit/redis/conversation_test.cpp
  TESTS "Conversation: what was found wrong*" SECONDS 10)
gossip_mutant(redis_lost_connection_is_still_in_doubt
  HEADER redis/conversation.hpp
  OLD "    doubts_ = {};  // there"
  NEW "    // there"
  SOURCES unit/redis/conversation_test.cpp
  TESTS "Conversation: whoever throws*" SECONDS 10)

# Streams: at least once, and known if more often
gossip_mutant(redis_lost_acknowledgement_stays_lost
  HEADER redis/stream_acknowledgements.hpp
  OLD "    if (!lost.ok() && lost != Errc::closed) {"
  NEW "    if (false) {"
  SOURCES unit/redis/stream_intake_test.cpp
  TESTS "StreamIntake: an acknowledgement that is lost*" SECONDS 5)
gossip_mutant(redis_runs_again_if_acknowledging_is_refused
  HEADER redis/stream_acknowledgements.hpp
  OLD "      if (!done) remember(words);"
  NEW ""
  SOURCES unit/redis/stream_intake_test.cpp
  TESTS "StreamIntake: refused acknowledgements*" SECONDS 5)
gossip_mutant(redis_failed_event_is_known
  HEADER redis/stream_intake.hpp
  OLD "      if (!failed && !entry.burial) seen_.add"
  NEW "      if (!entry.burial) seen_.add"
  SOURCES unit/redis/stream_intake_test.cpp
  TESTS "StreamIntake: a failed event*" SECONDS 5)
gossip_mutant(redis_ids_of_streams_mix
  HEADER redis/stream_backlog.hpp
  OLD "    identity = type->key;
    identity += ' ';
"
  NEW ""
  SOURCES unit/redis/stream_intake_test.cpp
  TESTS "StreamIntake: equal ids*" SECONDS 5)
gossip_mutant(redis_id_is_forgotten_early
  HEADER redis/deduplication.hpp
  OLD "order_.size() > capacity_"
  NEW "order_.size() == capacity_"
  SOURCES unit/redis/deduplication_test.cpp
  TESTS "RecentIds: a repetition*")
gossip_mutant(redis_lost_group_begins_at_the_end
  HEADER redis/stream_place.hpp
  OLD "anew ? \"0\" : last_id"
  NEW "anew ? \"0\" : \"$\""
  SOURCES unit/redis/stream_place_test.cpp
  TESTS "StreamPlace: a group that had to be made*")
gossip_mutant(redis_new_stream_is_not_read_from_its_beginning
  HEADER redis/stream_place.hpp
  OLD "anew ? \"0\" : last_id"
  NEW "last_id"
  SOURCES unit/redis/stream_place_test.cpp
  TESTS "StreamPlace: a group of a stream that is another*")
gossip_mutant(redis_full_bus_is_asked_for_ever
  HEADER redis/stream_backlog.hpp
  OLD "    delay_ = std::min(2 * delay_, latest);"
  NEW ""
  SOURCES unit/redis/stream_intake_test.cpp
  TESTS "StreamIntake: while the bus is full*")
gossip_mutant(redis_event_is_lost_for_want_of_memory
  HEADER redis/stream_intake.hpp
  OLD " && ++first.failures < most_failures"
  NEW " && false"
  SOURCES unit/redis/stream_intake_test.cpp
  TESTS "StreamIntake: without a group what finds no memory*")
gossip_mutant(redis_room_is_noticed_late
  HEADER redis/stream_intake.hpp
  OLD "    backlog_.hurry();"
  NEW ""
  SOURCES unit/redis/stream_intake_test.cpp
  TESTS "StreamIntake: while the bus is full*")
gossip_mutant(redis_refused_stream_is_read_with_others
  HEADER redis/stream_places.hpp
  OLD "      if (place->alone) return {place};"
  NEW ""
  SOURCES unit/redis/stream_places_test.cpp
  TESTS "StreamPlaces: one that is to be read*")
gossip_mutant(redis_claims_are_refreshed_too_late
  HEADER redis/stream_claims.hpp
  OLD "    refreshes_at_ = now + options_.claim_after / 3;
"
  NEW "    refreshes_at_ = now + options_.claim_after;
"
  SOURCES unit/redis/stream_claims_test.cpp
  TESTS "StreamClaims: it comes again*")
gossip_mutant(redis_pending_is_not_claimed_at_the_start
  HEADER redis/stream_claims.hpp
  OLD "      look_into(fresh);"
  NEW ""
  SOURCES unit/redis/stream_reader_test.cpp
  TESTS "StreamReader: what has been pending for long*" SECONDS 5)
gossip_mutant(redis_end_does_not_wait_for_a_burial
  HEADER redis/stream_reader.hpp
  OLD " && intake_.being_buried() == 0;"
  NEW ";"
  SOURCES unit/redis/stream_reader_test.cpp
  TESTS "StreamReader: the end waits*" SECONDS 5)
gossip_mutant(redis_fields_are_lost_without_a_reason
  HEADER redis/stream_claims.hpp
  OLD "    if (const Status whole = check_size(entry); !whole.ok()) {"
  NEW "    if (const Status whole = check_size(entry); false) {"
  SOURCES unit/redis/stream_claims_test.cpp
  TESTS "StreamClaims: what came too often*" SECONDS 5)
gossip_mutant(redis_end_does_not_wait_for_an_acknowledgement
  HEADER redis/stream_acknowledgements.hpp
  OLD "        AtTheEnd::sent);"
  NEW "        AtTheEnd::dropped);"
  SOURCES unit/redis/stream_acknowledgements_test.cpp
  TESTS "StreamAcknowledgements: the writer's end*" SECONDS 5)
gossip_mutant(redis_end_does_not_wait_for_a_dead_letter
  HEADER redis/stream_intake.hpp
  OLD "          AtTheEnd::sent);"
  NEW "          AtTheEnd::dropped);"
  SOURCES unit/redis/stream_intake_test.cpp
  TESTS "StreamIntake: the writer's end*" SECONDS 5)
gossip_mutant(redis_known_acknowledgement_is_forgotten
  HEADER redis/stream_acknowledgements.hpp
  OLD "    return true;  // refused again, it is there again"
  NEW "    const std::lock_guard lock{mutex_};
    finished_.erase(entry);
    return true;"
  SOURCES unit/redis/stream_acknowledgements_test.cpp
  TESTS "StreamAcknowledgements: what fails again*" SECONDS 5)
gossip_mutant(redis_closed_is_told_beside_others
  HEADER redis/condition.hpp
  OLD "      told_all_.wait(lock, [this] { return teller_ == std::thread::id{}; });"
  NEW ""
  SOURCES unit/redis/condition_test.cpp
  TESTS "Condition: closed is not told beside*")
gossip_mutant(redis_news_are_told_after_closed
  HEADER redis/condition.hpp
  OLD "    news_.clear();"
  NEW ""
  SOURCES unit/redis/condition_test.cpp
  TESTS "Condition: what is not told when it is closed*")
gossip_mutant(redis_refusals_are_of_all_streams
  HEADER redis/refusals.hpp
  OLD "one.kind == kind && one.key == key;"
  NEW "one.kind == kind;"
  SOURCES unit/redis/refusals_test.cpp
  TESTS "Refusals: each stream is told by itself*")
gossip_mutant(redis_refusal_outlives_the_reading
  HEADER redis/stream_reader.hpp
  OLD "      intake_.refusals()->forget(stream.key);"
  NEW ""
  SOURCES unit/redis/stream_reader_test.cpp
  TESTS "StreamReader: a dead letter that is refused*" SECONDS 5)
