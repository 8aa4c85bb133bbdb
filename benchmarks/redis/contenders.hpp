// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// What gossip_redis_bench measures: one function for each contender.

#include <gossip/core/raw_codec.hpp>
#include <gossip/gossip.hpp>
#include <gossip/redis.hpp>

#include "comparison/measure.hpp"
#include "redis/bare_client.hpp"
#include "support/redis_server.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace bench {

using gossip::redis::Delivery;
using gossip::redis::RedisOptions;
using gossip::test::RedisServer;

// ---- Payloads -----------------------------------------------------------------------------------

/// 100 bytes, which RawCodec sends as they are.
struct Raw {
  char bytes[100] = {};
};
/// About as much, in JSON.
struct Reading {
  std::string sensor;
  std::int64_t number = 0;
  double value = 0;
  std::string unit;
  bool valid = false;
  NLOHMANN_DEFINE_TYPE_INTRUSIVE(Reading, sensor, number, value, unit, valid)
};
/// The same, in CBOR.
struct Compact : Reading {
  NLOHMANN_DEFINE_TYPE_INTRUSIVE(Compact, sensor, number, value, unit, valid)
};
inline constexpr gossip::EventType<Raw> raw_event{"bench.raw"};
inline constexpr gossip::EventType<Reading> json_event{"bench.json"};
inline constexpr gossip::EventType<Compact> cbor_event{"bench.cbor"};

template <class T>
T sample() {
  if constexpr (std::is_same_v<T, Raw>) {
    Raw raw;
    std::fill(std::begin(raw.bytes), std::end(raw.bytes), 'x');
    return raw;
  } else {
    T reading;
    reading.sensor = "building-7/floor-3/temperature";
    reading.number = 1234567;
    reading.value = 21.625;
    reading.unit = "degree";
    reading.valid = true;
    return reading;
  }
}

template <class T>
using CodecOf = std::conditional_t<
    std::is_same_v<T, Raw>, gossip::RawCodec,
    std::conditional_t<std::is_same_v<T, Compact>, gossip::CborCodec, gossip::JsonCodec>>;

template <class T>
constexpr const gossip::EventType<T>& type_of() {
  if constexpr (std::is_same_v<T, Raw>) {
    return raw_event;
  } else if constexpr (std::is_same_v<T, Compact>) {
    return cbor_event;
  } else {
    return json_event;
  }
}

/// The command by which the bus publishes such an event, but for the digits of its id and its time.
template <class T>
BareClient::Words command(Delivery delivery) {
  std::string data;
  if (!CodecOf<T>::template encode<T>(sample<T>(), data).ok())
    throw std::runtime_error{"cannot encode"};
  gossip::redis::WireEvent event;
  event.id = std::string(32, 'a');
  event.type = type_of<T>().name();
  event.time_ns = 1'700'000'000'000'000'000;
  event.content_type = CodecOf<T>::content_type;
  event.data = data;
  gossip::redis::Fields fields;
  if (!gossip::redis::encode_fields(event, fields).ok()) throw std::runtime_error{"cannot encode"};
  if (delivery == Delivery::pub_sub) {
    std::string text;
    gossip::redis::frame_fields(fields, text);
    return BareClient::Words{"PUBLISH", event.type}.add(text);
  }
  BareClient::Words words{"XADD", event.type, "*"};
  for (const auto& [name, value] : fields) words.add(name).add(value);
  return words;
}

// ---- Measurements -------------------------------------------------------------------------------

template <class Work>
double seconds_of(Work&& work) {
  const auto begun = SteadyClock::now();
  work();
  return std::chrono::duration<double>(SteadyClock::now() - begun).count();
}

inline void expect(bool holds, const char* what) {
  if (!holds) throw std::runtime_error{what};
}

inline RedisOptions options_for(const RedisServer& server, Delivery delivery) {
  RedisOptions options;
  options.port = server.port();
  options.delivery = delivery;
  options.fail_fast = true;
  return options;
}

template <class T>
using Bus = gossip::EventBus<gossip::redis::BasicRedisProvider<CodecOf<T>>>;

/// a: events per second that the server has confirmed.
template <class T>
double publish_by_bus(const RedisServer& server, Delivery delivery, std::size_t threads,
                      std::size_t count) {
  std::atomic<std::uint64_t> failed{0};
  RedisOptions options = options_for(server, delivery);
  options.on_publish_error = [&](auto&&...) { ++failed; };
  Bus<T> bus{{.workers = 1}, options};
  const auto publish = [&](std::size_t share) {
    const T payload = sample<T>();
    for (std::size_t i = 0; i < share; ++i) {
      if (!bus.publish(type_of<T>(), payload).ok()) ++failed;
    }
  };
  publish(100);
  expect(bus.flush(std::chrono::seconds{20}).ok(), "flush");
  const double seconds = seconds_of([&] {
    std::vector<std::thread> publishers;
    for (std::size_t i = 0; i < threads; ++i) publishers.emplace_back(publish, count / threads);
    for (std::thread& publisher : publishers) publisher.join();
    expect(bus.flush(std::chrono::seconds{60}).ok(), "flush");
  });
  expect(failed == 0, "events were lost");
  if (delivery == Delivery::streams) {
    expect(server.ask({"XLEN", std::string{type_of<T>().name()}}) ==
               std::to_string(100 + count / threads * threads),
           "events were lost");
  }
  return static_cast<double>(count / threads * threads) / seconds;
}

template <class T>
double publish_bare(const RedisServer& server, Delivery delivery, std::size_t threads,
                    std::size_t count) {
  std::vector<std::unique_ptr<BareClient>> clients;
  for (std::size_t i = 0; i < threads; ++i) {
    clients.push_back(std::make_unique<BareClient>(server.port()));
    clients.back()->pipelined(command<T>(delivery), 100, 64);
  }
  const double seconds = seconds_of([&] {
    std::vector<std::thread> publishers;
    for (const auto& client : clients) {
      publishers.emplace_back([&client, delivery, share = count / threads] {
        client->pipelined(command<T>(delivery), share, 64);
      });
    }
    for (std::thread& publisher : publishers) publisher.join();
  });
  return static_cast<double>(count / threads * threads) / seconds;
}

/// b: microseconds per event.
inline double confirmed_by_bus(const RedisServer& server, Delivery delivery, std::size_t count) {
  Bus<Raw> bus{{.workers = 1}, options_for(server, delivery)};
  const Raw payload = sample<Raw>();
  const auto publish = [&](std::size_t times) {
    for (std::size_t i = 0; i < times; ++i) {
      expect(bus.publish(raw_event, payload).ok(), "publish");
      expect(bus.flush(std::chrono::seconds{20}).ok(), "flush");
    }
  };
  publish(count / 10);
  return seconds_of([&] { publish(count); }) * 1e6 / static_cast<double>(count);
}

inline double confirmed_bare(const RedisServer& server, Delivery delivery, std::size_t count) {
  BareClient client{server.port()};
  client.pipelined(command<Raw>(delivery), count / 10, 1);
  return seconds_of([&] { client.pipelined(command<Raw>(delivery), count, 1); }) * 1e6 /
         static_cast<double>(count);
}

/// c: events per second, published, processed and acknowledged.
template <class T>
double through_by_bus(const RedisServer& server, std::size_t count) {
  RedisOptions options = options_for(server, Delivery::streams);
  options.group = "bus";
  Bus<T> bus{{.workers = 1}, options};
  Tallies tallies;
  const auto subscription = bus.subscribe(type_of<T>(), [&](const T&) { tallies.add(1); });
  const std::string key{type_of<T>().name()};
  const double seconds = seconds_of([&] {
    const T payload = sample<T>();
    for (std::size_t i = 0; i < count; ++i) {
      expect(bus.publish(type_of<T>(), payload).ok(), "publish");
    }
    tallies.wait_for(count, "through a group");
    while (server.ask({"XPENDING", key, "bus"}).substr(0, 2) != "0 ") {
      std::this_thread::sleep_for(std::chrono::microseconds{200});
    }
  });
  expect(tallies.events() == count, "events were handled twice");
  return static_cast<double>(count) / seconds;
}

template <class T>
double through_bare(const RedisServer& server, std::size_t count) {
  BareClient client{server.port()};
  std::size_t read = 0;
  const double seconds = seconds_of([&] {
    read = client.through_a_group(command<T>(Delivery::streams), std::string{type_of<T>().name()},
                                  count, 128);
  });
  expect(read == count, "bare: events were lost");
  return static_cast<double>(count) / seconds;
}

/// d: nanoseconds to encode an event, and to decode it.
template <class Codec, class T>
std::pair<double, double> codec_times(std::size_t count) {
  const T payload = sample<T>();
  std::string bytes;
  const double encode = seconds_of([&] {
    for (std::size_t i = 0; i < count; ++i) {
      bytes.clear();
      expect(Codec::template encode<T>(payload, bytes).ok(), "encode");
      keep(bytes.data());
    }
  });
  std::optional<T> result;
  const double decode = seconds_of([&] {
    for (std::size_t i = 0; i < count; ++i) {
      result.reset();
      expect(Codec::template decode<T>(bytes, result).ok(), "decode");
      keep(result);
    }
  });
  const double to_ns = 1e9 / static_cast<double>(count);
  return {encode * to_ns, decode * to_ns};
}

}  // namespace bench
