// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// RedisProvider: events that travel through Redis. Layer: redis.

#include <gossip/core/clock.hpp>
#include <gossip/core/codec.hpp>
#include <gossip/core/error.hpp>
#include <gossip/core/event_header.hpp>
#include <gossip/core/event_id.hpp>
#include <gossip/core/event_type.hpp>
#include <gossip/core/owner.hpp>
#include <gossip/core/payload.hpp>
#include <gossip/core/provider.hpp>
#include <gossip/core/receipt.hpp>
#include <gossip/core/status.hpp>
#include <gossip/json/codecs.hpp>
#include <gossip/redis/channel_reader.hpp>
#include <gossip/redis/inbound.hpp>
#include <gossip/redis/options.hpp>
#include <gossip/redis/publish_command.hpp>
#include <gossip/redis/statistics.hpp>
#include <gossip/redis/stream_reader.hpp>
#include <gossip/redis/wire_event.hpp>
#include <gossip/redis/writer.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unistd.h>
#include <utility>
#include <vector>

namespace gossip::redis {

/// The codec of a payload type. Specialise it for a type that shall not use the provider's default.
template <class T, class Default>
struct CodecFor {
  using type = Default;  ///< the codec
};

/// What a provider has done: `bus.provider_statistics()`.
struct RedisStatistics {
  WriterStatistics writer;                ///< of what was published
  ReaderStatistics reader;                ///< of what was received
  TrafficStatistics traffic;              ///< of both connections: the writer's and the reader's
  std::vector<StreamStatistics> streams;  ///< how far it is behind; none with Pub/Sub
};

/// The id that stands for a text: the id that gossip wrote, or a hash of whatever else it is.
[[nodiscard]] inline EventId event_id_of(std::string_view text) noexcept {
  EventId id;
  bool ours = text.size() == 32;
  for (std::size_t i = 0; ours && i < text.size(); ++i) {
    const char c = text[i];
    const bool digit = c >= '0' && c <= '9';
    ours = digit || (c >= 'a' && c <= 'f');
    const auto value = static_cast<std::uint64_t>(digit ? c - '0' : c - 'a' + 10);
    std::uint64_t& half = i < 16 ? id.origin : id.sequence;
    half = half << 4U | value;
  }
  if (ours) return id;
  id.origin = gossip::detail::hash_of_name(text) | 1U;
  id.sequence = id.origin * 0x9e3779b97f4a7c15ULL ^ text.size();
  return id;
}

/// Publishes through one connection and receives through another one; see RedisOptions for what can
/// be chosen, and Writer, StreamReader and ChannelReader for what is promised.
///
/// Ownership: of the bus. Thread safety: as Provider says.
/// @tparam C  the codec of payloads, unless CodecFor says otherwise
template <class C = JsonCodec>
class BasicRedisProvider {
 public:
  /// What can be chosen.
  using Options = RedisOptions;

  /// @throws std::invalid_argument  an option is out of range; names it
  explicit BasicRedisProvider(Options options) : options_{checked(std::move(options))} {}
  BasicRedisProvider(const BasicRedisProvider&) = delete;
  BasicRedisProvider& operator=(const BasicRedisProvider&) = delete;
  ~BasicRedisProvider() { close(std::chrono::steady_clock::now()); }

  /// Connects. With RedisOptions::fail_fast it waits for the connection, else it goes on trying.
  /// @return  why the server cannot be used (fail_fast alone)
  template <class Inbox>
  Status open(Inbox&) {
    writer_.emplace(options_, streams());
    if (streams()) {
      stream_reader_.emplace(options_, *writer_, consumer());
    } else {
      channel_reader_.emplace(options_, writer_->condition());
    }
    writer_->start();
    if (options_.fail_fast) {
      const SteadyTime deadline =
          std::chrono::steady_clock::now() + options_.connect_timeout + options_.command_timeout;
      if (Status status = writer_->wait_until_connected(deadline); !status.ok()) return status;
    }
    if (stream_reader_) stream_reader_->start();
    if (channel_reader_) channel_reader_->start();
    return {};
  }

  /// Encodes the event and hands it to the writer.
  /// @return  ok, Errc::queue_full, Errc::closed, what the codec reports, a ValidationError for a
  ///          payload above RedisOptions::maximum_payload, or metadata that readers would not take
  template <class Inbox, Payload T>
  Status publish(Inbox& inbox, Outgoing<T>& event) {
    using Codec = typename CodecFor<T, C>::type;
    static_assert(gossip::Codec<Codec, T>, "the codec cannot encode this payload");
    if (inbox.closed_to_this_thread()) return Errc::closed;
    std::string data;
    if (Status status = Codec::template encode<T>(event.data, data); !status.ok()) return status;
    if (data.size() > options_.maximum_payload) return too_large(data.size());
    const EventId id = event.extras && event.extras->own_id.exists()
                           ? event.extras->own_id.get()
                           : gossip::detail::make_event_id();
    char digits[32];
    const std::string_view id_text = gossip::detail::write_digits(id, digits);
    const std::string_view type = event.type.text();
    const WireView wire{id_text,
                        type,
                        inbox.timestamp_of(event.time).time_since_epoch().count(),
                        Codec::content_type,
                        data,
                        event.extras ? event.extras->metadata.get() : nullptr};
    EncodedEvent encoded{{}, {type, id}};
    std::string key = options_.key_prefix;
    key += type;
    if (Status status = append_publish(options_, key, wire, encoded.wire); !status.ok())
      return status;
    if (encoded.wire.size() > largest_command(options_)) return too_much(encoded.wire.size());
    return writer_->publish(encoded);
  }

  /// Reads events of that type from now on.
  template <class Inbox, Payload T>
  Status subscribe(Inbox& inbox, const EventType<T>& type) {
    using Codec = typename CodecFor<T, C>::type;
    static_assert(gossip::Codec<Codec, T>, "the codec cannot decode this payload");
    Subscribed subscribed;
    subscribed.type = type.name();
    subscribed.key = options_.key_prefix + subscribed.type;
    subscribed.inbound = [this, &inbox, key = type.key()](WireEvent& event,
                                                          Receipt& receipt) -> Status {
      if (event.data.size() > options_.maximum_payload) return too_large(event.data.size());
      try {
        return receive<Codec, T>(inbox, key, event, receipt);
      } catch (const std::bad_alloc&) {  // or too little for what the event claims to be
        return Errc::retryable;
      } catch (...) {
        return status_of_current_exception();
      }
    };
    return streams() ? stream_reader_->subscribe(std::move(subscribed))
                     : channel_reader_->subscribe(std::move(subscribed));
  }

  /// Reads events of that type no longer, unless somebody has subscribed anew: he was registered
  /// before he comes to subscribe() here, so that the reader, which asks under its lock, either sees
  /// him or is told of him later.
  template <class Inbox>
  void unsubscribe(Inbox& inbox, const EventTypeName& name) noexcept {
    const auto unwanted = [&] { return !inbox.has_subscriptions(name); };
    try {
      const std::string type{name.text()};
      if (stream_reader_) stream_reader_->unsubscribe(type, unwanted);
      if (channel_reader_) channel_reader_->unsubscribe(type, unwanted);
    } catch (...) {  // out of memory: it goes on reading what nobody wants
    }
  }

  /// Waits until the server has answered for everything that was published before.
  Status flush(SteadyTime deadline) { return writer_->flush(deadline); }

  /// Sends what was accepted, up to the deadline; reports the rest; ends.
  void close(SteadyTime deadline) noexcept {
    if (stream_reader_) stream_reader_->close(deadline);
    if (channel_reader_) channel_reader_->close(deadline);
    if (writer_) writer_->close(deadline);
  }

  /// What it has done, and how far its streams' readers are behind as of the last look, which is taken
  /// each RedisOptions::health_interval. @par Thread safety any thread
  [[nodiscard]] RedisStatistics statistics() const {
    RedisStatistics statistics;
    if (writer_) statistics.writer = writer_->statistics();
    if (writer_) statistics.traffic = writer_->traffic();
    if (stream_reader_) statistics.traffic = statistics.traffic + stream_reader_->traffic();
    if (channel_reader_) statistics.traffic = statistics.traffic + channel_reader_->traffic();
    if (stream_reader_) statistics.reader = stream_reader_->statistics();
    if (stream_reader_) statistics.streams = stream_reader_->streams();
    if (channel_reader_) statistics.reader = channel_reader_->statistics();
    return statistics;
  }

 private:
  [[nodiscard]] bool streams() const noexcept { return options_.delivery == Delivery::streams; }

  static Options checked(Options options) {
    if (const Status status = validate(options); !status.ok()) {
      std::string text{"RedisOptions: "};
      text += status.error()->message();
      throw std::invalid_argument{text};
    }
    return options;
  }

  [[nodiscard]] std::string consumer() const {
    if (!options_.consumer.empty()) return options_.consumer;
    char host[256] = "host";
    static_cast<void>(::gethostname(host, sizeof host - 1));
    std::string name{host};
    name += '-';
    name += std::to_string(::getpid());
    name += '-';
    name += to_string(gossip::detail::make_event_id()).substr(0, 8);
    static std::atomic<unsigned> providers{0};
    name += '-';
    name += std::to_string(providers.fetch_add(1, std::memory_order_relaxed));
    return name;
  }

  [[nodiscard]] Status too_large(std::size_t size) const {
    return ValidationError{"data", "payload of " + std::to_string(size) + " bytes; allowed: " +
                                       std::to_string(options_.maximum_payload)};
  }

  [[nodiscard]] Status too_much(std::size_t size) const {
    return ValidationError{"metadata",
                           "makes the event take " + std::to_string(size) +
                               " bytes; allowed: " + std::to_string(largest_command(options_))};
  }

  template <class Codec, class T, class Inbox>
  static Status receive(Inbox& inbox, const EventTypeName& type, WireEvent& event,
                        Receipt& receipt) {
    if (event.content_type != Codec::content_type) {
      std::string text{"content type is "};
      text += event.content_type;
      text += "; expected: ";
      text += Codec::content_type;
      return ValidationError{"content-type", std::move(text)};
    }
    std::optional<StoredPayload<T>> data;
    if (Status status = Codec::template decode<T>(event.data, data); !status.ok()) return status;
    gossip::detail::Owner<gossip::detail::EventExtras> extras{new gossip::detail::EventExtras};
    if (!event.id.empty()) extras->own_id = gossip::detail::LazyEventId{event_id_of(event.id)};
    if (!event.metadata.empty()) extras->metadata = detail::HeldMetadata{Metadata{event.metadata}};
    extras->receipt = receipt;
    const auto time =
        gossip::detail::EventTime::at(Timestamp{std::chrono::nanoseconds{event.time_ns}});
    Outgoing<T> outgoing{type, inbox.template entry_of<T>(type), *data, time, extras};
    Status status = inbox.accept(outgoing);
    if (status.ok()) receipt = Receipt{};
    return status;
  }

  const Options options_;
  std::optional<Writer> writer_;
  std::optional<StreamReader> stream_reader_;
  std::optional<ChannelReader> channel_reader_;
};

/// With JSON payloads.
using RedisProvider = BasicRedisProvider<>;

}  // namespace gossip::redis
