// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// How components deal with the failures of the processors in them. Layer: processing.

#include <gossip/core/context.hpp>
#include <gossip/core/error.hpp>
#include <gossip/core/status.hpp>
#include <gossip/processing/handler.hpp>

#include <initializer_list>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace gossip::detail {

/// As handle(), but what `next` throws becomes its Status.
template <class E, Handler<E> F>
Status handle_caught(F& next, const E& event, Context& context) noexcept {
  try {
    return handle(next, event, context);
  } catch (...) {
    return status_of_current_exception();
  }
}

/// An error of the same kind as `status`, with the text of `parts`, and `status` as its cause.
/// @return  `status` itself if it is success, or if memory runs out
inline Status explained(const Status& status,
                        std::initializer_list<std::string_view> parts) noexcept {
  if (status.ok()) return status;
  try {
    std::string message;
    for (const std::string_view part : parts) message += part;
    return Error{status.error()->code(), std::move(message), status.error()};
  } catch (const std::bad_alloc&) {
    return status;
  }
}

/// For the factory of a component: `options` again, if they are valid.
/// @param name  of the type of the options
/// @throws      std::invalid_argument  with what validate() says
template <class Options>
const Options& require_valid(const char* name, const Options& options) {
  if (const Status status = validate(options); !status.ok()) {
    std::string text{name};
    text += ": ";
    text += status.error()->message();
    throw std::invalid_argument{text};
  }
  return options;
}

}  // namespace gossip::detail
