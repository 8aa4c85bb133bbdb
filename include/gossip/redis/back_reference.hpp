// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// BackReference: lets answers that come later find an object, if it still lives. Layer: redis.

#include <memory>
#include <mutex>

namespace gossip::redis {

/// Copied into what runs later, on another thread. The object it refers to calls end() before it dies,
/// which waits for whoever is using it.
///
/// Thread safety: any thread.
template <class T>
class BackReference {
 public:
  /// @param object  calls end() before it dies
  explicit BackReference(T& object) : state_{std::make_shared<State>(&object)} {}

  /// Calls `use(object)`, if the object lives; it cannot die meanwhile.
  template <class Use>
  void with(Use&& use) const {
    const std::lock_guard lock{state_->mutex};
    if (state_->object != nullptr) use(*state_->object);
  }
  /// From now on with() does nothing.
  void end() const noexcept {
    const std::lock_guard lock{state_->mutex};
    state_->object = nullptr;
  }

 private:
  struct State {
    explicit State(T* referred) : object{referred} {}
    std::mutex mutex;
    T* object;
  };

  std::shared_ptr<State> state_;
};

}  // namespace gossip::redis
