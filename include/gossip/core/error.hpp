// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Error and its nine kinds: exceptions that also travel as values inside a Status. Layer: core.

#include <gossip/core/chrono.hpp>
#include <gossip/core/errc.hpp>
#include <gossip/core/text.hpp>

#include <concepts>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

namespace gossip {

class Error;

/// Shared ownership of an immutable error; null means "no error".
using ErrorPtr = std::shared_ptr<const Error>;

namespace detail {

/// How an ErrorPtr owns its error, and how that is thrown where Error::raise would throw a part of it.
struct ErrorOwner {
  std::exception_ptr thrown = nullptr;          ///< holds the error; null: it is from `new`
  void (*raise)(const Error& error) = nullptr;  ///< null: Error::raise will do

  void operator()(const Error* error) const noexcept;
};

}  // namespace detail

/// An error with a code, a message and the error that caused it. It can be thrown, and it can be
/// returned (see Status). Copies share the cause. A class of your own may derive from it, and is what
/// it was after it has been returned as itself or thrown; share() and raise() are for it to override
/// if it wants them to know it.
///
/// Thread safety: immutable after construction; any thread may read it.
class Error : public std::exception {
 public:
  /// @param code     the kind of failure
  /// @param message  what happened, for a person; may be empty
  /// @param cause    the error behind this one, or null
  explicit Error(Errc code, std::string message = {}, ErrorPtr cause = nullptr)
      : Error{code, std::move(message), std::move(cause), std::string_view{}} {}

  /// The kind of failure.
  [[nodiscard]] Errc code() const noexcept { return code_; }
  /// What happened, without the fields and without the cause.
  [[nodiscard]] const std::string& message() const noexcept { return message_; }
  /// The error behind this one; null if there is none.
  [[nodiscard]] const ErrorPtr& cause() const noexcept { return cause_; }
  /// The exception this error was made from; null unless a processor threw something of its own.
  [[nodiscard]] const std::exception_ptr& origin() const noexcept { return origin_; }
  /// Kind, fields, message and causes in one line.
  [[nodiscard]] const char* what() const noexcept override { return what_.c_str(); }

  /// A shared copy of the complete object, whatever its kind.
  /// @throws std::bad_alloc
  [[nodiscard]] virtual ErrorPtr share() const {
    return ErrorPtr{static_cast<const Error*>(new Error{*this}), detail::ErrorOwner{}};
  }
  /// Throws a copy of the complete object.
  [[noreturn]] virtual void raise() const { throw Error{*this}; }

 protected:
  /// For the kinds of errors. @param fields  as they stand in what(): "name=value, ..."
  Error(Errc code, std::string message, ErrorPtr cause, std::string_view fields,
        std::exception_ptr origin = nullptr)
      : code_{code},
        message_{std::move(message)},
        cause_{std::move(cause)},
        origin_{std::move(origin)},
        what_{compose(fields)} {}

 private:
  [[nodiscard]] std::string compose(std::string_view fields) const {
    constexpr std::string_view colon = ": ";
    constexpr std::string_view none;
    return detail::join({to_string(code_), fields.empty() ? none : colon, fields,
                         message_.empty() ? none : colon, message_, cause_ ? colon : none,
                         cause_ ? cause_->what() : ""});
  }

  Errc code_;
  std::string message_;
  ErrorPtr cause_;
  std::exception_ptr origin_;
  std::string what_;
};

namespace detail {

inline void ErrorOwner::operator()(const Error* error) const noexcept {
  if (thrown == nullptr) delete error;
}

/// Gives a kind of error its copying members.
template <class Derived>
class ErrorKind : public Error {
 public:
  [[nodiscard]] ErrorPtr share() const override {
    // Owned as an Error: one kind of control block for all kinds of error compiles faster.
    return ErrorPtr{static_cast<const Error*>(new Derived{static_cast<const Derived&>(*this)}),
                    ErrorOwner{}};
  }
  [[noreturn]] void raise() const override { throw Derived{static_cast<const Derived&>(*this)}; }

 private:
  friend Derived;
  using Error::Error;
};

/// A shared copy of an `E`; of a user's own class, too.
/// @throws std::bad_alloc, and what copying the error throws
template <std::derived_from<Error> E>
[[nodiscard]] ErrorPtr shared_copy(const E& error) {
  if constexpr (!std::same_as<E, Error> && !std::derived_from<E, ErrorKind<E>> &&
                std::is_copy_constructible_v<E>) {
    if (typeid(error) == typeid(E)) {
      return ErrorPtr{static_cast<const Error*>(new E(error)),
                      ErrorOwner{.raise = [](const Error& shared) {
                        throw E(static_cast<const E&>(shared));  // NOLINT(*-static-cast-downcast)
                      }}};
    }
  }
  return error.share();
}

/// Throws an error as what it is.
inline void raise(const ErrorPtr& error) {
  if (const auto* owner = std::get_deleter<ErrorOwner>(error)) {
    if (owner->thrown != nullptr) std::rethrow_exception(owner->thrown);
    if (owner->raise != nullptr) owner->raise(*error);
  }
  error->raise();
}

}  // namespace detail

/// It failed now and may succeed when tried again.
class RetryableError final : public detail::ErrorKind<RetryableError> {
 public:
  /// @param cause  the error behind this one, if any
  explicit RetryableError(std::string message, ErrorPtr cause = nullptr)
      : ErrorKind{Errc::retryable, std::move(message), std::move(cause)} {}
};

/// The data breaks a rule; trying again cannot help.
class ValidationError final : public detail::ErrorKind<ValidationError> {
 public:
  /// @param field  the one that is wrong
  /// @param cause  the error behind this one, if any
  ValidationError(std::string field, std::string message, ErrorPtr cause = nullptr)
      : ErrorKind{Errc::validation_failed, std::move(message), std::move(cause),
                  detail::join({"field=", field})},
        field_{std::move(field)} {}

  /// The field that is wrong.
  [[nodiscard]] const std::string& field() const noexcept { return field_; }

 private:
  std::string field_;
};

/// A processor failed.
class ProcessingError final : public detail::ErrorKind<ProcessingError> {
 public:
  /// @param cause  the error behind this one, if any
  explicit ProcessingError(std::string message, ErrorPtr cause = nullptr)
      : ErrorKind{Errc::processing_failed, std::move(message), std::move(cause)} {}
  /// From an exception that is no gossip::Error.
  ProcessingError(std::string message, std::exception_ptr origin)
      : ErrorKind{Errc::processing_failed, std::move(message), nullptr, {}, std::move(origin)} {}
};

/// A deadline passed.
class TimeoutError final : public detail::ErrorKind<TimeoutError> {
 public:
  /// @param limit  the time that was allowed
  /// @param cause  the error behind this one, if any
  explicit TimeoutError(std::chrono::nanoseconds limit, std::string message = {},
                        ErrorPtr cause = nullptr)
      : ErrorKind{Errc::timeout, std::move(message), std::move(cause),
                  detail::join({"limit_ns=", std::to_string(limit.count())})},
        limit_{limit} {}

  /// The time that was allowed.
  [[nodiscard]] std::chrono::nanoseconds limit() const noexcept { return limit_; }

 private:
  std::chrono::nanoseconds limit_;
};

/// Never try again.
class FatalError final : public detail::ErrorKind<FatalError> {
 public:
  /// @param cause  the error behind this one, if any
  explicit FatalError(std::string message, ErrorPtr cause = nullptr)
      : ErrorKind{Errc::fatal, std::move(message), std::move(cause)} {}
};

/// A payload is not of the type that was asked for.
class TypeAssertionError final : public detail::ErrorKind<TypeAssertionError> {
 public:
  /// @param expected  the type that was asked for
  /// @param actual    the type that was there
  /// @param cause     the error behind this one, if any
  TypeAssertionError(std::string expected, std::string actual, std::string message = {},
                     ErrorPtr cause = nullptr)
      : ErrorKind{Errc::type_assertion_failed, std::move(message), std::move(cause),
                  detail::join({"expected=", expected, ", actual=", actual})},
        expected_{std::move(expected)},
        actual_{std::move(actual)} {}

  /// The type that was asked for.
  [[nodiscard]] const std::string& expected() const noexcept { return expected_; }
  /// The type that was there.
  [[nodiscard]] const std::string& actual() const noexcept { return actual_; }

 private:
  std::string expected_;
  std::string actual_;
};

/// An event has no data where data is needed.
class NoDataError final : public detail::ErrorKind<NoDataError> {
 public:
  /// @param field  the one that has no data
  /// @param cause  the error behind this one, if any
  explicit NoDataError(std::string field, std::string message = {}, ErrorPtr cause = nullptr)
      : ErrorKind{Errc::nil_data, std::move(message), std::move(cause),
                  detail::join({"field=", field})},
        field_{std::move(field)} {}

  /// The field that has no data.
  [[nodiscard]] const std::string& field() const noexcept { return field_; }

 private:
  std::string field_;
};

/// An event breaks the rules of events.
class InvalidEventError final : public detail::ErrorKind<InvalidEventError> {
 public:
  /// @param event_id  as text; empty if it has none
  /// @param field     the one that is wrong
  /// @param reason    why it is wrong
  /// @param cause     the error behind this one, if any
  InvalidEventError(std::string event_id, std::string field, std::string reason,
                    std::string message = {}, ErrorPtr cause = nullptr)
      : ErrorKind{Errc::invalid_event, std::move(message), std::move(cause),
                  detail::join({"event_id=", event_id, ", field=", field, ", reason=", reason})},
        event_id_{std::move(event_id)},
        field_{std::move(field)},
        reason_{std::move(reason)} {}

  /// The event's id, as text; empty if it has none.
  [[nodiscard]] const std::string& event_id() const noexcept { return event_id_; }
  /// The field that is wrong.
  [[nodiscard]] const std::string& field() const noexcept { return field_; }
  /// Why it is wrong.
  [[nodiscard]] const std::string& reason() const noexcept { return reason_; }

 private:
  std::string event_id_;
  std::string field_;
  std::string reason_;
};

/// A processor was given an event type that it does not handle.
class UnsupportedEventTypeError final : public detail::ErrorKind<UnsupportedEventTypeError> {
 public:
  /// @param event_type  the one that was given
  /// @param supported   those that are handled
  /// @param cause       the error behind this one, if any
  /// @tparam Names      left to its default, so that only who makes one compiles it
  template <class Names = std::vector<std::string>>
  UnsupportedEventTypeError(std::string event_type, std::type_identity_t<Names> supported,
                            std::string message = {}, ErrorPtr cause = nullptr)
      : ErrorKind{Errc::unsupported_event_type, std::move(message), std::move(cause),
                  detail::join({"event_type=", event_type, ", supported=", list(supported)})},
        event_type_{std::move(event_type)},
        supported_{std::move(supported)} {}

  /// The event type that was given.
  [[nodiscard]] const std::string& event_type() const noexcept { return event_type_; }
  /// The event types that are handled.
  [[nodiscard]] const std::vector<std::string>& supported() const noexcept { return supported_; }

 private:
  template <class Names>
  static std::string list(const Names& names) {
    std::string text;
    for (const std::string& name : names)
      text = detail::join({text, text.empty() ? "" : "|", name});
    return text;
  }

  std::string event_type_;
  std::vector<std::string> supported_;
};

}  // namespace gossip
