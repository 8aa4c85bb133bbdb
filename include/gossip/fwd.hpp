// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Forward declarations of what appears in other people's interfaces.

namespace gossip {

class AnyEvent;
class Context;
class Error;
class Metadata;
class Status;
class Subscription;
struct BusOptions;
struct Statistics;
struct SubscribeOptions;
struct SubscriptionId;

}  // namespace gossip
