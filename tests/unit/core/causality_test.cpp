// SPDX-License-Identifier: MIT
#include <gossip/core/causality.hpp>

#include <catch2/catch_test_macros.hpp>

#include <string>

namespace {

using gossip::Event;
using gossip::EventType;
using gossip::Metadata;
using gossip::MetadataValue;
using gossip::detail::add_cause;
using gossip::detail::CauseScope;
using gossip::detail::CausingEvent;
using gossip::detail::current_cause;
using gossip::detail::extras_of_cause;

constexpr EventType<int> number{"cause.number"};

TEST_CASE("CauseScope: sets the cause of this thread, and restores it", "[causality]") {
  const Event event{number, 1};
  CausingEvent first{event};
  CausingEvent second{event};
  CHECK(current_cause == nullptr);
  {
    const CauseScope outer{first};
    {
      const CauseScope inner{second};
      CHECK(current_cause == &second);
      const CauseScope none{nullptr};
      CHECK(current_cause == nullptr);
    }
    CHECK(current_cause == &first);
  }
  CHECK(current_cause == nullptr);
}

TEST_CASE("extras_of_cause: without a cause there are none", "[causality]") {
  CHECK(extras_of_cause() == nullptr);
}

TEST_CASE("extras_of_cause: the cause's id is both ids of the first consequence", "[causality]") {
  const Event first{number, 1};
  CausingEvent cause{first};
  const CauseScope scope{cause};
  const auto extras = extras_of_cause();
  REQUIRE(extras != nullptr);
  const MetadataValue id{to_string(first.id())};
  CHECK(*extras->metadata->find("correlation_id") == id);
  CHECK(*extras->metadata->find("causation_id") == id);
  CHECK(extras->metadata->size() == 2);
}

TEST_CASE("extras_of_cause: the correlation id is handed on, of whatever kind", "[causality]") {
  const Event first = Event{number, 1}.with_metadata("correlation_id", 42);
  CausingEvent cause{first};
  const CauseScope scope{cause};
  const auto extras = extras_of_cause();
  CHECK(*extras->metadata->find("correlation_id") == MetadataValue{42});
  CHECK(*extras->metadata->find("causation_id") == MetadataValue{to_string(first.id())});
}

TEST_CASE("add_cause: an inner cause goes before one outside", "[causality]") {
  const Event first = Event{number, 1}.with_metadata("correlation_id", "story");
  const Event second{number, 2};
  CausingEvent outer{first};
  CausingEvent inner{second};
  const CauseScope first_scope{outer};
  const CauseScope second_scope{inner};
  CHECK(inner.outer == &outer);
  Metadata metadata;
  add_cause(metadata);
  CHECK(*metadata.find("causation_id") == MetadataValue{to_string(second.id())});
  CHECK(*metadata.find("correlation_id") == MetadataValue{to_string(second.id())});
  CHECK(metadata.size() == 2);
}

TEST_CASE("add_cause: what is there already stays", "[causality]") {
  const Event first{number, 1};
  CausingEvent cause{first};
  const CauseScope scope{cause};
  Metadata metadata;
  metadata.set("correlation_id", "mine");
  metadata.set("tenant", "a");
  add_cause(metadata);
  CHECK(*metadata.find("correlation_id") == MetadataValue{"mine"});
  CHECK(*metadata.find("causation_id") == MetadataValue{to_string(first.id())});
  Metadata both;
  both.set("causation_id", MetadataValue{});
  both.set("correlation_id", 1);
  add_cause(both);
  CHECK(both.find("causation_id")->is_null());
  CHECK(both.size() == 2);
}

}  // namespace
