// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// RedisOptions: everything that can be chosen about Redis. Layer: redis.

#include <gossip/core/error.hpp>
#include <gossip/core/status.hpp>
#include <gossip/redis/wire_format.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace gossip::redis {

/// A password. Nothing prints it: it has no stream operator and no conversion to text.
class Secret {
 public:
  Secret() = default;
  /// From a text.
  /// @{
  Secret(std::string text) : text_{std::move(text)} {}
  Secret(const char* text) : text_{text} {}
  /// @}

  /// True if there is none.
  [[nodiscard]] bool empty() const noexcept { return text_.empty(); }
  /// The text, for whoever must send it.
  [[nodiscard]] const std::string& reveal() const noexcept { return text_; }

 private:
  std::string text_;
};

/// How events reach subscribers.
enum class Delivery : std::uint8_t {
  streams,  ///< at least once, through Redis streams; shared within a group, or all to each
  pub_sub,  ///< at most once, to whoever listens now; what may be lost is reported
};

/// What the provider is doing.
enum class State : std::uint8_t {
  connecting,  ///< for the first time, or again after a loss
  ready,       ///< everything works: each connection, and nothing is refused
  degraded,    ///< connected, but something is refused: a right is missing, a key of another type
  closed,      ///< for good
};

/// "connecting", "ready", "degraded" or "closed".
[[nodiscard]] constexpr const char* to_string(State state) noexcept {
  switch (state) {
    case State::connecting: return "connecting";
    case State::ready: return "ready";
    case State::degraded: return "degraded";
    case State::closed: return "closed";
  }
  return "unknown";
}

/// What a new group, or a subscriber without one, reads first.
enum class StartAt : std::uint8_t {
  now,        ///< what is published from now on
  beginning,  ///< everything that the stream still has
  id,         ///< what follows RedisOptions::start_id
};

/// What happens when too much waits to be sent.
enum class WriterOverflow : std::uint8_t {
  block,   ///< publishing waits for space, but never on a bus's worker
  reject,  ///< publishing answers Errc::queue_full
};

/// What is known about events that may have been missed.
struct Gap {
  std::string event_type;   ///< empty: all of them
  std::string reason;       ///< such as "connection lost"
  std::uint64_t known = 0;  ///< how many are known to be missing; 0: unknown // events
};

/// What is known of a stream that is read. As old as the last look, see StreamWatch.
struct StreamStatistics {
  std::string event_type = {};            ///< the event type's name
  std::uint64_t length = 0;               ///< of the stream // events
  std::optional<std::uint64_t> lag = {};  ///< published and not yet read, by the group or by this
                                          ///< reader; empty: not known // events
  std::uint64_t pending = 0;              ///< read by the group, not yet acknowledged // events
};

/// Transport security. On if `enabled`.
struct TlsOptions {
  bool enabled = false;          ///< talk TLS
  std::string ca_file = {};      ///< PEM; empty: the system's authorities
  std::string certificate = {};  ///< the client's own, PEM; empty: none
  std::string key = {};          ///< of that certificate, PEM
  std::string server_name = {};  ///< to be found in the server's certificate; empty: the host
  bool verify_peer = true;       ///< false accepts any certificate: for experiments alone
};

/// What can be chosen about Redis. The defaults talk to a server on this machine.
struct RedisOptions {
  // ---- Where ----
  std::string host = "127.0.0.1";  ///< name or address of the server
  std::uint16_t port = 6379;       ///< its port, not 0
  std::string unix_socket = {};    ///< path of a socket, in place of host and port
  unsigned database = 0;           ///< number of the database. Pub/Sub channels ignore it
  TlsOptions tls = {};             ///< transport security

  // ---- Who ----
  std::string username = {};  ///< of the access control list; empty: the default user
  Secret password = {};       ///< empty: none; sent nevertheless if there is a user name
  /// Asked for user name and password at each connection, in place of the two above. Called on the
  /// threads of several connections, at the same time too; what it throws counts as a connection that
  /// failed.
  std::function<std::pair<std::string, Secret>()> credentials = {};
  std::string client_name = "gossip";  ///< shown by CLIENT LIST; no spaces

  // ---- How events travel ----
  Delivery delivery = Delivery::streams;          ///< streams or Pub/Sub
  WireFormat format = WireFormat::stream_fields;  ///< how an event is written
  std::string key_prefix = {};                    ///< put before event types in keys and channels
  std::string source = "gossip";                  ///< `source` of CloudEvents
  /// Of an encoded payload. An entry of a stream that takes more than twice as much and 1 MiB, in memory,
  /// counts as undecodable, whatever is in it. // bytes
  std::size_t maximum_payload = std::size_t{1} << 20U;
  std::size_t compress_above = 0;  ///< payloads from here on are deflated; 0: none // bytes

  // ---- Streams ----
  /// Consumer group that shares the events; empty: every one reads all. Needs Redis 6.2.
  std::string group = {};
  /// Name within the group; empty: made of host, process and numbers, another one for each bus. Redis
  /// keeps consumers that are gone, a few bytes each, until XGROUP DELCONSUMER; which also drops what
  /// they have pending, so wait until XPENDING says that this is nothing.
  std::string consumer = {};
  StartAt start_at = StartAt::now;  ///< what is read first
  std::string start_id = {};     ///< for StartAt::id: a stream id, or milliseconds since the epoch
  std::size_t read_count = 128;  ///< most events per read, 1 to 100000 // events
  std::chrono::milliseconds block = std::chrono::seconds{2};  ///< longest wait of one read
  std::uint64_t stream_max_length = 0;  ///< approximate bound of a stream; 0: none // events
  /// Share of stream_max_length at which a reader's lag is warned of by on_lag, 0 to 1.
  double lag_warning = 0.8;
  std::size_t max_in_flight = 1024;  ///< read and not yet acknowledged // events
  std::chrono::milliseconds claim_after =
      std::chrono::seconds{30};  ///< idle time of another's event
  /// Of one event; then it goes to the dead letters. The server counts them when it hands the event
  /// out, so an answer that is lost with its connection counts, too. // deliveries
  unsigned max_deliveries = 5;
  std::size_t deduplication_window = 4096;  ///< ids remembered; 0: none // ids

  // ---- Publishing ----
  std::size_t writer_capacity = 8192;  ///< published and not yet answered // events
  std::size_t pipeline = 512;          ///< most commands sent without an answer // commands
  WriterOverflow writer_overflow = WriterOverflow::block;  ///< when that many wait

  // ---- Connection ----
  bool fail_fast = false;  ///< the bus's constructor fails if the server cannot be reached
  std::chrono::milliseconds connect_timeout = std::chrono::seconds{5};  ///< of one attempt
  /// Without any reply. To a probe of the connection, counted anew as long as what was sent before the
  /// probe leaves this machine: so long may a large event take, however slow the network. What a proxy
  /// between here and the server holds back has left.
  std::chrono::milliseconds command_timeout = std::chrono::seconds{5};
  std::chrono::milliseconds health_interval = std::chrono::seconds{5};  ///< between probes
  std::chrono::milliseconds back_off_initial{50};                       ///< after the first failure
  std::chrono::milliseconds back_off_cap = std::chrono::seconds{5};     ///< longest
  double back_off_jitter = 0.5;  ///< share of the delay that is random, 0 to 1

  // ---- Being told; must be short. Called on the provider's threads, which are two, and on threads that
  // publish, flush, unsubscribe or shut the bus down: at the same time, too. None may take a lock that is
  // held around a call of these. What one throws is dropped. One may call the bus's shutdown, which only
  // closes it then: see EventBus::shutdown; none may destroy the bus, nor may `credentials` ----
  /// Of the provider as a whole, with a reason; one call after the other.
  std::function<void(State, const Status&)> on_state = {};
  /// Events may have been missed. With Pub/Sub it is told once the server listens again, before anything
  /// that is published from then on; and of events for which the bus had no room, with their number.
  std::function<void(const Gap&)> on_gap = {};
  /// A stream's readers are so far behind that trimming is about to take what they have not read; once,
  /// and again after they had caught up.
  std::function<void(const StreamStatistics&)> on_lag = {};
  /// A message that cannot be decoded: type, bytes, why; no bytes if it is too large, but its id in the
  /// reason. From a stream, one for which memory runs out is tried again for a while before. Not with a
  /// group, which has dead letters.
  std::function<void(std::string_view, std::string_view, const Status&)> on_undecodable = {};
  /// An event that was accepted could not be published: its type, its id, why.
  std::function<void(std::string_view, std::string_view, const Status&)> on_publish_error = {};
};

/// The server that was chosen, as errors name it: host:port, or the path of its socket.
[[nodiscard]] inline std::string address_of(const RedisOptions& options) {
  if (!options.unix_socket.empty()) return options.unix_socket;
  return options.host + ':' + std::to_string(options.port);
}

/// Digits, or digits, a hyphen and digits.
[[nodiscard]] inline bool is_stream_position(std::string_view text) noexcept {
  constexpr const char* digits = "0123456789";
  const std::size_t end = text.find_first_not_of(digits);
  if (end == 0 || text.empty()) return false;
  if (end == std::string_view::npos) return true;
  const std::string_view rest = text.substr(end + 1);
  return text[end] == '-' && !rest.empty() &&
         rest.find_first_not_of(digits) == std::string_view::npos;
}

/// Checks options without doing anything.
/// @return  success, or a ValidationError with the field's name, its value and what is allowed
[[nodiscard]] inline Status validate(const RedisOptions& options) {
  const auto refuse = [](const char* field, std::string value, const char* allowed) -> Status {
    std::string text{field};
    text += " is ";
    text += value;
    text += "; allowed: ";
    text += allowed;
    return ValidationError{field, std::move(text)};
  };
  const auto number = [](auto value) { return std::to_string(value); };
  constexpr std::size_t most = std::size_t{1} << 31U;
  if (options.unix_socket.empty() && options.host.empty()) return refuse("host", "empty", "a name");
  if (options.unix_socket.empty() && options.port == 0) return refuse("port", "0", "1 to 65535");
  if (options.tls.enabled && options.tls.server_name.empty() && options.host.empty()) {
    return refuse("tls.server_name", "empty", "a name, if there is no host");
  }
  if (options.client_name.find_first_of(" \r\n") != std::string::npos) {
    return refuse("client_name", "a text with blanks", "a text without blanks");
  }
  if (options.tls.certificate.empty() != options.tls.key.empty()) {
    return refuse("tls.key", "set without tls.certificate, or the reverse", "both or none");
  }
  if (!options.tls.enabled && (!options.tls.ca_file.empty() || !options.tls.certificate.empty() ||
                               !options.tls.key.empty() || !options.tls.server_name.empty())) {
    return refuse("tls.enabled", "false, though other fields of tls are set", "true then");
  }
  if (options.delivery == Delivery::streams && options.format != WireFormat::stream_fields) {
    return refuse("format", "for Pub/Sub", "WireFormat::stream_fields with Delivery::streams");
  }
  if (options.compress_above != 0 && options.format != WireFormat::stream_fields) {
    return refuse("compress_above", number(options.compress_above),
                  "0, unless the format is WireFormat::stream_fields");
  }
  if (options.format == WireFormat::cloudevents && options.source.empty()) {
    return refuse("source", "empty", "a text, as CloudEvents demand");
  }
  if (options.stream_max_length > std::uint64_t{INT64_MAX}) {
    return refuse("stream_max_length", number(options.stream_max_length),
                  "0 to 9223372036854775807");
  }
  if (options.maximum_payload < 1 || options.maximum_payload > (std::size_t{1} << 29U)) {
    return refuse("maximum_payload", number(options.maximum_payload), "1 to 536870912");
  }
  if (options.start_at == StartAt::id && !is_stream_position(options.start_id)) {
    return refuse("start_id", options.start_id.empty() ? "empty" : "malformed",
                  "milliseconds since the epoch, or a stream id such as 1700000000000-0");
  }
  if (options.read_count < 1 || options.read_count > 100'000) {
    return refuse("read_count", number(options.read_count), "1 to 100000");
  }
  if (options.max_in_flight < 1 || options.max_in_flight > most) {
    return refuse("max_in_flight", number(options.max_in_flight), "1 to 2147483648");
  }
  if (options.max_deliveries < 1) return refuse("max_deliveries", "0", "1 or more");
  if (options.writer_capacity < 1 || options.writer_capacity > most) {
    return refuse("writer_capacity", number(options.writer_capacity), "1 to 2147483648");
  }
  if (options.pipeline < 1 || options.pipeline > 100'000) {
    return refuse("pipeline", number(options.pipeline), "1 to 100000");
  }
  if (options.claim_after < std::chrono::milliseconds{50}) {
    return refuse("claim_after", number(options.claim_after.count()) + " ms", "50 ms to 24 h");
  }
  struct Time {
    const char* field;
    std::chrono::milliseconds value;
  };
  for (const Time& time : {Time{"block", options.block}, Time{"claim_after", options.claim_after},
                           Time{"connect_timeout", options.connect_timeout},
                           Time{"command_timeout", options.command_timeout},
                           Time{"health_interval", options.health_interval},
                           Time{"back_off_initial", options.back_off_initial},
                           Time{"back_off_cap", options.back_off_cap}}) {
    if (time.value < std::chrono::milliseconds{1} || time.value > std::chrono::hours{24}) {
      return refuse(time.field, number(time.value.count()) + " ms", "1 ms to 24 h");
    }
  }
  if (options.back_off_cap < options.back_off_initial) {
    return refuse("back_off_cap", number(options.back_off_cap.count()) + " ms",
                  "back_off_initial or more");
  }
  if (options.block >= options.command_timeout) {
    return refuse("block", number(options.block.count()) + " ms", "less than command_timeout");
  }
  if (!(options.back_off_jitter >= 0 && options.back_off_jitter <= 1)) {
    return refuse("back_off_jitter", number(options.back_off_jitter), "0 to 1");
  }
  if (!(options.lag_warning >= 0 && options.lag_warning <= 1)) {
    return refuse("lag_warning", number(options.lag_warning), "0 to 1");
  }
  return {};
}

}  // namespace gossip::redis
