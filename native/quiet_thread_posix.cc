// SPDX-License-Identifier: MIT
#include <pthread.h>
#include <signal.h>

#include "quiet_thread.h"

namespace microjoule {

std::thread StartQuietThread(std::function<void()> body) {
  // A new thread inherits the mask, so no signal can reach it in between.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread;
  try {
    thread = std::thread(std::move(body));
  } catch (...) {
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    throw;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

}  // namespace microjoule
