// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// StreamPlace: where the reader of one stream is, and how it gets there. Layer: redis.

#include <gossip/core/clock.hpp>
#include <gossip/core/status.hpp>
#include <gossip/redis/command.hpp>
#include <gossip/redis/inbound.hpp>
#include <gossip/redis/options.hpp>
#include <gossip/redis/redis_error.hpp>
#include <gossip/redis/reply.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace gossip::redis {

/// An event type's stream as its reader sees it. Before it can be read it must be asked for its end,
/// where reading begins, and for the group, if there is one.
///
/// After a loss it may be another stream of the same name, whose ids need not be greater: the data of a
/// server are gone, and its clock is behind, or still shows the same millisecond. So the stream is asked
/// whether it still has the entry that was read last: one of that id and with those fields. If not, it
/// is another one, or was trimmed up to there, and either way it is read from its beginning; what was
/// read before is recognised by its event id.
///
/// Thread safety: none.
struct StreamPlace {
  std::shared_ptr<const Subscribed> subscribed = {};  ///< what is read
  std::string last_id = {};    ///< the id that was read last; empty: none yet
  std::size_t last_print = 0;  ///< what tells its fields from those of another entry
  bool known = false;          ///< the stream has had that entry
  bool looked = false;         ///< whether it still has it
  bool anew = false;           ///< it has not
  bool ready = false;          ///< the group exists, or the place to read from is known
  bool asked = false;          ///< that is being found out
  bool alone = false;          ///< to be read by itself, as reading it may be refused
  bool denied = false;         ///< the server refuses: another type of key, a missing right
  bool had_group = false;      ///< there was a group once
  bool gap_told = false;       ///< that it is gone has been reported
  bool gap_owed = false;       ///< what happened to it is yet to be reported
  bool ended = false;          ///< nobody wants it any more
  SteadyTime not_before{};     ///< when to try again

  /// What came of a question.
  struct Answer {
    Status refused = {};  ///< why the stream cannot be read
    bool gap = false;     ///< the group had to be made anew, or the stream is another one
  };

  /// A place at which nobody has been yet.
  static StreamPlace begin(const RedisOptions& options, Subscribed type) {
    StreamPlace place;
    place.subscribed = std::make_shared<const Subscribed>(std::move(type));
    if (options.start_at != StartAt::now) {
      place.last_id = options.start_at == StartAt::id ? options.start_id : "0";
    }
    return place;
  }

  /// Where it was before something was read.
  struct Mark {
    std::string last_id;         ///< as there
    std::size_t last_print = 0;  ///< as there
    bool known = false;          ///< as there
  };
  /// What go_back() needs.
  [[nodiscard]] Mark mark() const { return {last_id, last_print, known}; }
  /// What was read since has not been taken: it is to be read again.
  void go_back(Mark&& to) noexcept {
    last_id = std::move(to.last_id);
    last_print = to.last_print;
    known = to.known;
  }

  /// That entry has been read: an id and fields.
  void has_read(const Reply& entry) {
    last_id = entry.items[0].text;
    last_print = print_of(entry);
    known = true;
  }

  /// A read of it and of others was refused.
  void suspect(SteadyTime ask_again) noexcept {
    alone = true;
    ready = false;
    not_before = ask_again;
  }

  /// The connection is another one: everything is asked again.
  void reconnected() {
    ready = false;
    look_again();
  }

  /// What is to be asked before the stream can be read: where it ends, so that a group that is lost can
  /// be made again from there, or whether it is still the same; then the group.
  [[nodiscard]] Command next_question(const RedisOptions& options) const {
    const std::string& key = subscribed->key;
    if (asks_for_entry()) return Command{"XRANGE", key, last_id, "+", "COUNT", "1"};
    if (asks_for_end(options)) return Command{"XREVRANGE", key, "+", "-", "COUNT", "1"};
    // After a loss the group goes on behind what was read last, not at the end of the stream.
    return Command{"XGROUP", "CREATE", key, options.group, anew ? "0" : last_id, "MKSTREAM"};
  }

  /// Takes the answer to next_question(); then it is `ready`, or there is another question.
  Answer answered(const RedisOptions& options, const Reply& reply) {
    if (asks_for_entry() || asks_for_end(options)) return answered_place(options, reply);
    const bool group_exists = reply.error_code() == "BUSYGROUP";
    if (reply.is_error() && !group_exists) return refused_for(reply);
    if (anew && !group_exists) begin_anew();
    const bool gap = had_group && !group_exists && !gap_told;
    had_group = true;
    become_ready();
    return {{}, gap};
  }

 private:
  [[nodiscard]] bool is_last(const Reply& entry) const {
    return entry.items[0].text == last_id && print_of(entry) == last_print;
  }
  /// Of an entry's fields, in their order: equal for equal fields, and hardly for others.
  [[nodiscard]] static std::size_t print_of(const Reply& entry) {
    std::size_t print = 0;
    if (entry.items.size() < 2) return print;
    for (const Reply& text : entry.items[1].items) {
      print = print * 31 + std::hash<std::string_view>{}(text.text);
    }
    return print;
  }
  [[nodiscard]] bool asks_for_entry() const { return known && !looked; }
  [[nodiscard]] bool asks_for_end(const RedisOptions& options) const {
    return !looked && (options.group.empty() || last_id.empty());
  }

  Answer answered_place(const RedisOptions& options, const Reply& reply) {
    const bool in_group = !options.group.empty();
    if (class_of(reply) == ErrorClass::denied && (in_group || known)) {
      if (last_id.empty()) last_id = "$";  // without the right to look, the server knows the end
    } else if (reply.is_error()) {
      return refused_for(reply);
    } else {
      const bool none = reply.items.empty() || reply.items[0].items.empty();
      anew = known && (none || !is_last(reply.items[0]));
      if (last_id.empty() && none) last_id = "0";
      if (last_id.empty()) has_read(reply.items[0]);
    }
    looked = true;
    if (in_group) return {};
    const bool gap = anew;
    if (anew) begin_anew();
    become_ready();
    return {{}, gap};
  }

  Answer refused_for(const Reply& reply) {
    look_again();
    return {status_of(reply, "subscribing to " + subscribed->type), false};
  }
  void look_again() {
    anew = false;
    looked = false;
  }
  void begin_anew() {
    last_id = "0";
    known = false;
  }
  void become_ready() {
    look_again();
    gap_told = false;
    ready = true;
  }
};

}  // namespace gossip::redis
