// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Status: success, or the error that happened. Layer: core.

#include <gossip/core/errc.hpp>
#include <gossip/core/error.hpp>

#include <concepts>
#include <exception>
#include <memory>
#include <string_view>
#include <typeinfo>
#include <utility>

namespace gossip {

/// Success, or a shared immutable error. What a processor returns, and what `publish` answers.
///
/// A Status made from an `Errc` alone is ready-made: it neither allocates nor throws. Comparing
/// with an `Errc` looks through the whole chain of causes.
///
/// Thread safety: as a std::shared_ptr; distinct objects may be used from distinct threads.
class Status {
 public:
  /// Success.
  Status() noexcept = default;
  /// The ready-made error of kind `code`; of kind processing_failed if `code` is no Errc.
  /// @throws nothing
  Status(Errc code) noexcept : error_{ready_made(code)} {}
  /// The given error. It stays an `E`; so an error of your own class that was caught as another one
  /// is better kept by status_of_current_exception().
  /// @throws std::bad_alloc, and what copying the error throws
  template <std::derived_from<Error> E>
  Status(const E& error) : error_{detail::shared_copy(error)} {}
  /// The given error; null is success. @throws nothing
  explicit Status(ErrorPtr error) noexcept : error_{std::move(error)} {}

  /// True on success.
  [[nodiscard]] bool ok() const noexcept { return error_ == nullptr; }
  /// True on success.
  [[nodiscard]] explicit operator bool() const noexcept { return ok(); }
  /// The error; null on success.
  [[nodiscard]] const ErrorPtr& error() const noexcept { return error_; }
  /// The error's code as a std::error_code; zero on success.
  [[nodiscard]] std::error_code code() const noexcept {
    return error_ ? make_error_code(error_->code()) : std::error_code{};
  }
  /// "ok", or the error's whole text. Valid while this Status lives.
  [[nodiscard]] std::string_view what() const noexcept { return error_ ? error_->what() : "ok"; }
  /// Throws the error, as its own type, if there is one.
  void throw_if_error() const {
    if (error_) detail::raise(error_);
  }

  /// True if the error, or one of its causes, is of kind `code`.
  [[nodiscard]] friend bool operator==(const Status& status, Errc code) noexcept {
    for (const Error* error = status.error_.get(); error != nullptr; error = error->cause().get()) {
      if (error->code() == code) return true;
    }
    return false;
  }

 private:
  /// An error of static storage behind a pointer that owns nothing: copying it counts nothing.
  static ErrorPtr ready_made(Errc code) noexcept {
    static constexpr auto last = static_cast<std::size_t>(Errc::cancelled);
    // Never destroyed: a Status may outlive every static object.
    struct Table {
      Table() {
        for (std::size_t i = 0; i <= last; ++i)
          errors[i] = new Error{i == 0 ? Errc::processing_failed : static_cast<Errc>(i)};
      }
      const Error* errors[last + 1];
    };
    static const Table& table = *new Table;
    const auto index = static_cast<std::size_t>(code);
    return ErrorPtr{ErrorPtr{}, table.errors[index <= last ? index : 0]};
  }

  ErrorPtr error_;
};

/// The first error of type `E` in the chain of causes; null if there is none.
/// @return  valid while `status` (or a copy of it) lives
template <std::derived_from<Error> E>
[[nodiscard]] const E* find_error(const Status& status) noexcept {
  for (const Error* error = status.error().get(); error != nullptr; error = error->cause().get()) {
    if (const auto* found = dynamic_cast<const E*>(error)) return found;
  }
  return nullptr;
}

/// True if the status, or one of its causes, is of the named kind.
/// @{
[[nodiscard]] inline bool is_retryable(const Status& status) noexcept {
  return status == Errc::retryable;
}
[[nodiscard]] inline bool is_validation(const Status& status) noexcept {
  return status == Errc::validation_failed;
}
[[nodiscard]] inline bool is_processing(const Status& status) noexcept {
  return status == Errc::processing_failed;
}
[[nodiscard]] inline bool is_timeout(const Status& status) noexcept {
  return status == Errc::timeout;
}
[[nodiscard]] inline bool is_fatal(const Status& status) noexcept { return status == Errc::fatal; }
[[nodiscard]] inline bool is_type_assertion(const Status& status) noexcept {
  return status == Errc::type_assertion_failed;
}
[[nodiscard]] inline bool is_no_data(const Status& status) noexcept {
  return status == Errc::nil_data;
}
[[nodiscard]] inline bool is_invalid_event(const Status& status) noexcept {
  return status == Errc::invalid_event;
}
[[nodiscard]] inline bool is_unsupported_event_type(const Status& status) noexcept {
  return status == Errc::unsupported_event_type;
}
/// @}

namespace detail {

/// The error of the exception that is being handled. @throws std::bad_alloc, what copying it throws
[[nodiscard]] inline ErrorPtr keep_caught(const Error& error) {
  ErrorPtr copy = error.share();
#if !defined(_MSC_VER)  // there each handler may see a copy of its own
  const Error& shared = *copy;
  // share() does not know a user's class: what was thrown itself is kept.
  if (typeid(shared) != typeid(error)) return {&error, ErrorOwner{std::current_exception()}};
#endif
  return copy;
}

}  // namespace detail

/// Turns the exception being handled into a Status: a gossip::Error keeps its class, also one of
/// your own, anything else becomes a ProcessingError whose origin() is the exception. The one place where gossip does so.
/// @pre             called inside a catch block
/// @throws          nothing: when memory runs out the ready-made Errc::processing_failed is returned
/// @par Thread safety any thread
[[nodiscard]] inline Status status_of_current_exception() noexcept {
  try {
    try {
      throw;
    } catch (const Error& error) {
      return Status{detail::keep_caught(error)};
    } catch (const std::exception& error) {
      return ProcessingError{error.what(), std::current_exception()};
    } catch (...) {
      return ProcessingError{"an exception that is no std::exception", std::current_exception()};
    }
  } catch (...) {
    return Errc::processing_failed;
  }
}

}  // namespace gossip
