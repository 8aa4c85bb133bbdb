// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// ProcessorLayer: what a processor is composed of, for people to see. Layer: core.

#include <concepts>

namespace gossip::detail {

/// One of the layers of a processor; a list from the outermost to the innermost. Lives for ever.
struct ProcessorLayer {
  const char* name;             ///< such as "retry"
  const ProcessorLayer* inner;  ///< null for the innermost
};

// clang-format off

/// A processor that says what it is:
///
/// @code
/// static constexpr const char* middleware_name = "retry";
/// using wrapped_type = Next;  // if it wraps another processor
/// @endcode
///
/// One with a wrapped_type alone is passed over in silence.
template <class F>
concept NamesItself = requires { { F::middleware_name } -> std::convertible_to<const char*>; };
template <class F>
concept WrapsProcessor = requires { typename F::wrapped_type; };

/// One that calls what it wraps for some events only, and says beforehand for which, by
/// `wants(event)`: those are the events that a subscription for one event counts.
template <class F, class E>
concept ChoosesEvents = WrapsProcessor<F> && requires(const F& processor, const E& event) {
  { processor.wants(event) } -> std::same_as<bool>;
};

// clang-format on

template <class F>
constexpr const ProcessorLayer* layers_of() noexcept;

template <class F>
constexpr const ProcessorLayer* layers_inside() noexcept {
  if constexpr (WrapsProcessor<F>) {
    return layers_of<typename F::wrapped_type>();
  } else {
    return nullptr;
  }
}

template <class F>
inline constexpr ProcessorLayer processor_layer{F::middleware_name, layers_inside<F>()};

/// The layers of a processor that say what they are; null if none does.
template <class F>
constexpr const ProcessorLayer* layers_of() noexcept {
  if constexpr (NamesItself<F>) {
    return &processor_layer<F>;
  } else {
    return layers_inside<F>();
  }
}

}  // namespace gossip::detail
