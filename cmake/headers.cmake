# SPDX-License-Identifier: MIT
# Every public header, one per line, in `LC_ALL=C sort` order, relative to include/.
# `cmake/checks/header_list.sh` proves that this list and the disk agree.
set(GOSSIP_HEADERS
  gossip/version.hpp
)
