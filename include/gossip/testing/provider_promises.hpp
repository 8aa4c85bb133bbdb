// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// What check_provider() looks at, and what it finds. Layer: testing.

#include <gossip/testing/wait.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gossip::testing {

/// What a provider promises beyond what all do, and how long to wait.
struct ProviderPromises {
  bool full_queue_loses_nothing = true;  ///< what finds no room in the bus's queue comes later
  /// What a bus accepted and did not handle before its end, the next one handles.
  bool shutdown_loses_nothing = true;
  bool every_bus_hears_all = false;    ///< two buses of `make_bus` are told of every event, each
  bool buses_share = false;            ///< one of them is told of each event
  bool latecomers_hear_all = false;    ///< a new bus is told of what was published before
  std::function<void()> restart = {};  ///< restarts what the provider talks to; empty: left out
  std::chrono::nanoseconds wait = patience;  ///< longest, for what must come
};

/// What became of one promise.
struct Finding {
  /// How a promise fared.
  enum class Verdict : std::uint8_t {
    kept,          ///< it holds, as far as was seen
    broken,        ///< it does not; `what` tells how
    not_promised,  ///< was not looked at
  };
  std::string_view promise;  ///< in words, such as "a full queue loses nothing"
  Verdict verdict;           ///< kept, broken, not promised
  std::string what;          ///< what was seen instead

  /// True unless the promise is broken.
  [[nodiscard]] bool ok() const noexcept { return verdict != Verdict::broken; }
};

/// A table for people: "yes", "-" for what is not promised, "NO" and what was seen.
/// @throws std::bad_alloc
[[nodiscard]] inline std::string to_string(const std::vector<Finding>& findings) {
  std::string text;
  for (const Finding& finding : findings) {
    text += finding.promise;
    text += ": ";
    text += finding.verdict == Finding::Verdict::kept           ? "yes"
            : finding.verdict == Finding::Verdict::not_promised ? "-"
                                                                : "NO: ";
    text += finding.what;
    text += '\n';
  }
  return text;
}

/// What processors were told; shared with them, since they may be called after a check has failed.
class Seen {
 public:
  /// A processor that notes what it is told, and keeps `seen` alive.
  [[nodiscard]] static auto teller(std::shared_ptr<Seen> seen) {
    return [seen = std::move(seen)](const std::uint64_t& number) { seen->add(number); };
  }

  /// Notes a number. @par Thread safety any thread, as all members
  void add(std::uint64_t number) {
    const std::lock_guard lock{mutex_};
    in_order_ = in_order_ && (counts_.empty() || number >= counts_.rbegin()->first);
    ++counts_[number];
    ++calls_;
  }
  /// How many calls there were.
  [[nodiscard]] std::size_t calls() const {
    const std::lock_guard lock{mutex_};
    return calls_;
  }
  /// How many different numbers.
  [[nodiscard]] std::size_t distinct() const {
    const std::lock_guard lock{mutex_};
    return counts_.size();
  }
  /// Whether that number was among them.
  [[nodiscard]] bool has(std::uint64_t number) const {
    const std::lock_guard lock{mutex_};
    return counts_.contains(number);
  }
  /// True if no number came after a greater one.
  [[nodiscard]] bool in_order() const {
    const std::lock_guard lock{mutex_};
    return in_order_;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::uint64_t, std::size_t> counts_;
  std::size_t calls_ = 0;
  bool in_order_ = true;
};

}  // namespace gossip::testing
