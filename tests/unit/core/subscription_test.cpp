// SPDX-License-Identifier: MIT
#include <gossip/core/keeper.hpp>
#include <gossip/core/subscription.hpp>

#include <catch2/catch_test_macros.hpp>

#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using gossip::Subscription;
using gossip::SubscriptionId;
using gossip::detail::Keeper;
using gossip::detail::Kept;

static_assert(!std::is_copy_constructible_v<Subscription>);
static_assert(!std::is_copy_assignable_v<Subscription>);
static_assert(std::is_nothrow_move_constructible_v<Subscription>);
static_assert(std::is_nothrow_move_assignable_v<Subscription>);
static_assert(std::is_nothrow_default_constructible_v<Subscription>);

template <class Handle>
concept HasId = requires(Handle&& handle) {
  static_cast<Handle&&>(handle).id();
};
static_assert(HasId<Subscription&> && HasId<const Subscription&>);
static_assert(!HasId<Subscription> && !HasId<const Subscription>, "it would end at once");
static_assert(std::is_constructible_v<bool, const Subscription&>);
static_assert(!std::is_constructible_v<bool, Subscription>, "it would end at once");

using Cancelled = std::vector<SubscriptionId>;

/// What a handle keeps alive.
struct Registry : Kept {
  explicit Registry(std::shared_ptr<Cancelled> ids)
      : Kept{[](Kept* self) noexcept { delete static_cast<Registry*>(self); }},
        cancelled{std::move(ids)} {}

  std::shared_ptr<Cancelled> cancelled;
};

/// A handle whose cancelling is noted in `list`.
Subscription make(const std::shared_ptr<Cancelled>& list, SubscriptionId id) {
  return {Keeper{new Registry{list}},
          [](Kept& registry, SubscriptionId gone) noexcept {
            static_cast<Registry&>(registry).cancelled->push_back(gone);
          },
          id};
}

TEST_CASE("Subscription: an empty one keeps nothing", "[subscription]") {
  Subscription empty;
  CHECK_FALSE(empty);
  CHECK(empty.id() == SubscriptionId{});
  empty.cancel();
  CHECK(empty.detach() == SubscriptionId{});
}

TEST_CASE("Subscription: its destructor cancels, once", "[subscription]") {
  const auto list = std::make_shared<Cancelled>();
  {
    const Subscription subscription = make(list, {1, 0});
    CHECK(subscription);
    CHECK(list->empty());
  }
  CHECK(*list == Cancelled{{1, 0}});
}

TEST_CASE("Subscription: cancel ends it, again is harmless, the id stays", "[subscription]") {
  const auto list = std::make_shared<Cancelled>();
  {
    Subscription subscription = make(list, {1, 0});
    subscription.cancel();
    CHECK_FALSE(subscription);
    CHECK(subscription.id() == SubscriptionId{1, 0});
    subscription.cancel();
  }
  CHECK(list->size() == 1);
}

TEST_CASE("Subscription: moving hands it over", "[subscription]") {
  const auto list = std::make_shared<Cancelled>();
  {
    std::optional<Subscription> first = make(list, {1, 0});
    const Subscription second{std::move(*first)};
    CHECK_FALSE(*first);
    CHECK(first->id() == SubscriptionId{});
    first.reset();
    CHECK(list->empty());
    CHECK(second);
    CHECK(second.id() == SubscriptionId{1, 0});
  }
  CHECK(list->size() == 1);
}

TEST_CASE("Subscription: move assignment cancels what the target held", "[subscription]") {
  const auto list = std::make_shared<Cancelled>();
  {
    Subscription target = make(list, {1, 0});
    Subscription source = make(list, {2, 0});
    target = std::move(source);
    CHECK(*list == Cancelled{{1, 0}});
    CHECK(target.id() == SubscriptionId{2, 0});
    CHECK_FALSE(source);  // NOLINT(bugprone-use-after-move): promised
  }
  CHECK(*list == Cancelled{{1, 0}, {2, 0}});
}

TEST_CASE("Subscription: assigning an empty one cancels, assigning itself does not",
          "[subscription]") {
  const auto list = std::make_shared<Cancelled>();
  Subscription subscription = make(list, {1, 0});
  Subscription& same = subscription;
  subscription = std::move(same);
  CHECK(subscription);
  CHECK(list->empty());
  subscription = {};
  CHECK_FALSE(subscription);
  CHECK(list->size() == 1);
}

TEST_CASE("Subscription: detach lets go without cancelling", "[subscription]") {
  const auto list = std::make_shared<Cancelled>();
  {
    Subscription subscription = make(list, {5, 2});
    CHECK(subscription.detach() == SubscriptionId{5, 2});
    CHECK_FALSE(subscription);
  }
  CHECK(list->empty());
  CHECK(list.use_count() == 1);
}

TEST_CASE("Subscription: keeps alive what it refers to until it is cancelled", "[subscription]") {
  auto list = std::make_shared<Cancelled>();
  const std::weak_ptr<Cancelled> watch = list;
  Subscription subscription = make(list, {1, 0});
  list.reset();
  CHECK_FALSE(watch.expired());
  subscription.cancel();
  CHECK(watch.expired());
}

}  // namespace
