// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// How a writer is asked for more than publishing. Layer: redis.

#include <gossip/core/clock.hpp>
#include <gossip/core/errc.hpp>
#include <gossip/core/status.hpp>
#include <gossip/redis/command.hpp>
#include <gossip/redis/reply.hpp>

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <utility>

namespace gossip::redis {

/// Told of the reply to a command; `lost` is success, or why there is none.
using OnAnswer = std::function<void(const Status& lost, Reply& reply)>;

/// What becomes of a command that has not been answered when the writer closes.
enum class AtTheEnd : std::uint8_t {
  dropped,  ///< its answer is no use any more
  sent,     ///< and the answer waited for up to the deadline, since it says what has been done
};

/// A command, and who is told of its answer.
struct Question {
  Command command;                          ///< what is asked
  OnAnswer answer;                          ///< never empty
  AtTheEnd at_the_end = AtTheEnd::dropped;  ///< see there
  bool now_or_never = false;                ///< it is for the present connection alone
};

/// Commands that are to be sent, and those that have no answer yet, in order.
///
/// Thread safety: none.
class Questions {
 public:
  /// Some of them.
  using List = std::list<Question>;

  /// Takes one, to be sent behind the others. @throws std::bad_alloc, and has not taken it then
  void add(Question question) {
    unsent_.push_back(std::move(question));
    if (unsent_.back().at_the_end == AtTheEnd::sent) ++owed_;
  }
  /// True if none is to be sent.
  [[nodiscard]] bool empty() const noexcept { return unsent_.empty(); }
  /// The next one to be sent. @pre !empty()
  [[nodiscard]] const Command& front() const noexcept { return unsent_.front().command; }
  /// It has been. @pre !empty()
  void sent() noexcept { sent_.splice(sent_.end(), unsent_, unsent_.begin()); }
  /// The first that was sent has its answer, or will get none. @return that one
  [[nodiscard]] List answered() noexcept {
    List first;
    first.splice(first.begin(), sent_, sent_.begin());
    if (first.front().at_the_end == AtTheEnd::sent) --owed_;
    return first;
  }
  /// Those that were to be sent on the connection that is lost, and on no other, are not.
  void drop_outdated() noexcept {
    unsent_.remove_if([](const Question& question) { return question.now_or_never; });
  }
  /// All that will not be sent any more.
  [[nodiscard]] List take_unsent() noexcept { return std::exchange(unsent_, {}); }
  /// True while the end is to wait for an answer.
  [[nodiscard]] bool owes() const noexcept { return owed_ != 0; }

 private:
  List unsent_;
  List sent_;
  std::size_t owed_ = 0;  ///< sent or not, and not answered // questions
};

/// An answer that a thread waits for.
///
/// Thread safety: any thread.
class AwaitedAnswer {
 public:
  /// What takes it; may outlive this.
  [[nodiscard]] OnAnswer taker() const {
    return [state = state_](const Status& lost, Reply& got) {
      const std::lock_guard lock{state->mutex};
      state->here = true;
      state->lost = lost;
      state->reply = std::move(got);
      state->changed.notify_all();
    };
  }
  /// @return  why there is none; Errc::timeout if it did not come in time
  Status wait(Reply& reply, SteadyTime deadline) {
    std::unique_lock lock{state_->mutex};
    if (!state_->changed.wait_until(lock, deadline, [this] { return state_->here; })) {
      return Errc::timeout;
    }
    reply = std::move(state_->reply);
    return state_->lost;
  }

 private:
  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    bool here = false;
    Status lost;
    Reply reply;
  };
  const std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace gossip::redis
