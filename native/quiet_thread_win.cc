// SPDX-License-Identifier: MIT
#include "quiet_thread.h"

namespace microjoule {

std::thread StartQuietThread(std::function<void()> body) { return std::thread(std::move(body)); }

}  // namespace microjoule
