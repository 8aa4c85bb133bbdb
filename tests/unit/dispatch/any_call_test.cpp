// SPDX-License-Identifier: MIT
#include <gossip/dispatch/any_call.hpp>

#include <catch2/catch_test_macros.hpp>

#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <utility>

using gossip::AnyEvent;
using gossip::Context;
using gossip::Errc;
using gossip::Event;
using gossip::EventType;
using gossip::Status;
using gossip::detail::Call;
using gossip::detail::CallResult;
using gossip::detail::erase_any_processor;
using gossip::detail::ErasedProcessor;
using gossip::detail::HazardFrame;
using gossip::detail::PayloadOperations;
using gossip::detail::SharedEvent;
using gossip::detail::SubscriptionRecord;
using gossip::detail::TypeEntry;

namespace {

constexpr EventType<std::string> said{"any.said"};
constexpr EventType<void> ticked{"any.ticked"};

/// Calls processors for an event of payload T.
template <class T>
struct Fixture {
  explicit Fixture(Event<T> made) : event{std::move(made)} {
    call.type = &type;
    call.frame = &frame;
    record.index = 7;
    record.tenant = 9;
    frame.current.store(&record);
  }
  CallResult operator()(const ErasedProcessor& processor) {
    const std::unique_ptr<void, void (*)(void*) noexcept> owner{processor.object,
                                                                processor.destroy};
    return processor.run(processor.object, call);
  }

  Event<T> event;
  PayloadOperations operations{nullptr, nullptr, &SharedEvent::copy_of<T>};
  gossip::EventTypeName name{EventType<T>::parse(event.type()).key()};
  TypeEntry type{name, gossip::payload_info<T>(), operations, 0};
  std::stop_token stop;
  SubscriptionRecord record;
  HazardFrame frame;
  Call call{event, stop, {nullptr, nullptr}};
};

}  // namespace

TEST_CASE("AnyCall: the processor sees the very event, of any payload", "[dispatch]") {
  Fixture<std::string> text{Event{said, std::string{"hello"}}};
  const std::string* seen = nullptr;
  REQUIRE(text(erase_any_processor([&](const AnyEvent& event) {
            seen = event.get_if<std::string>();
          })) == CallResult::ok);
  REQUIRE(seen == &text.event.data());
  Fixture<void> nothing{Event{ticked}};
  std::string name;
  REQUIRE(nothing(erase_any_processor([&](const AnyEvent& event) { name = event.type(); })) ==
          CallResult::ok);
  REQUIRE(name == "any.ticked");
}

TEST_CASE("AnyCall: a copy of the event may be kept", "[dispatch]") {
  std::optional<AnyEvent> kept;
  {
    Fixture<std::string> fixture{Event{said, std::string{"hello"}}};
    REQUIRE(fixture(erase_any_processor([&](const AnyEvent& event) { kept.emplace(event); })) ==
            CallResult::ok);
  }
  REQUIRE(kept->get<std::string>() == "hello");
}

TEST_CASE("AnyCall: the context is that of the call, and failures are reported", "[dispatch]") {
  Fixture<std::string> fixture{Event{said, std::string{"hello"}}};
  fixture.call.attempt = 3;
  REQUIRE(fixture(erase_any_processor([&](const AnyEvent&, Context& context) -> Status {
            if (context.attempt() != 3 || context.subscription().serial != 9) return {};
            return Errc::retryable;
          })) == CallResult::failed);
  REQUIRE(fixture.call.error == Errc::retryable);
  REQUIRE_THROWS_AS(fixture(erase_any_processor(
                        [](const AnyEvent& event) { static_cast<void>(event.get<int>()); })),
                    gossip::TypeAssertionError);
}
