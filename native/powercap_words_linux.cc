// SPDX-License-Identifier: MIT
#include "powercap_words_linux.h"

#include <errno.h>
#include <string.h>

namespace microjoule {
namespace {

constexpr const char* kPermissionAdvice =
    "energy_uj is readable by root alone since Linux 5.10; run as root, or let a group of yours "
    "read it (chgrp and chmod g+r, by a udev rule to last)";

// The driver asked the processor for the register and was refused. The powercap core answers every
// such failure with EINVAL (show_energy_uj() in drivers/powercap/powercap_sys.c); EIO and ENODATA
// come from other drivers and from emulated trees.
bool IsDriverFailure(int error) { return error == EINVAL || error == EIO || error == ENODATA; }

std::string DriverFailure(const std::string& path, int error, bool is_virtual) {
  std::string what = path;
  if (error == EINVAL) {
    what += " answers EINVAL: its driver failed to read the register";
  } else if (error == EIO) {
    what += " answers EIO: the processor refused the register";
  } else {
    what += " answers ENODATA: its driver has no value for it";
  }
  return what + (is_virtual ? "; this virtual machine lists counters that it does not have: "
                              "measure on its host"
                            : "; in a virtual machine measure on its host, on bare metal look for "
                              "the reason with dmesg | grep -i rapl");
}

}  // namespace

Status ZoneStatus(int error, bool is_virtual) {
  switch (error) {
    case EACCES:
    case EPERM:
      return Status::kNoPermission;
    case ENOENT:
    case ENODEV:
    case kZoneVanished:
    case kZoneReplaced:
      return Status::kNotFound;
    case kZoneMasked:
      return Status::kMasked;
    case kZoneHasNoUnit:
      return Status::kVirtualised;
    default:
      return is_virtual && IsDriverFailure(error) ? Status::kVirtualised : Status::kFailed;
  }
}

std::string ZoneSentence(const std::string& path, int error, bool is_virtual) {
  if (IsDriverFailure(error)) return DriverFailure(path, error, is_virtual);
  switch (error) {
    case EACCES:
    case EPERM:
      return path + " may not be read: " + kPermissionAdvice;
    case ENOENT:
      return path + " does not exist: is the host's /sys mounted here? Give its place with sysfs";
    case ENODEV:
    case kZoneVanished:
      return path +
             " vanished while it was read: its driver was unloaded; load it again (modprobe "
             "intel_rapl_msr), and the count goes on without the time between";
    case kZoneReplaced:
      return path +
             " is another zone than before: its driver was loaded again and numbers them anew; "
             "open the meter again";
    case kZoneMasked:
      return path +
             " leads nowhere: the container hides it; mount the host's /sys read-only and give its "
             "place with sysfs";
    case kZoneHasNoUnit:
      return path +
             " counts whole joules, as if the processor's unit register read 0: an emulated "
             "register, and no energy; measure on the host";
    case kZoneHasNoNumber:
      return path + " holds no number: look at it, and report the driver that wrote it";
    case kZoneIsEmpty:
      return path + " is empty: look at the driver that should fill it (dmesg | grep -i rapl)";
    case EMFILE:
    case ENFILE:
      return path + " cannot be opened: " + strerror(error) +
             "; close files, or raise the limit (ulimit -n)";
    default:
      return path + " cannot be read: " + strerror(error) +
             "; look for the reason with dmesg | grep -i rapl";
  }
}

Outcome NoZones(const std::string& folder, int error) {
  switch (error) {
    case 0:
      return {Status::kNotFound,
              folder + " holds no RAPL zone: load the driver with modprobe intel_rapl_msr"};
    case EACCES:
    case EPERM:
      return {Status::kNoPermission,
              folder + " may not be listed: run as root, or give this user the right to enter it"};
    case kZoneMasked:
      return {Status::kMasked,
              folder +
                  " lists zones that lead nowhere: the container hides "
                  "/sys/devices/virtual/powercap; mount the host's /sys read-only and give its "
                  "place with sysfs"};
    case ENOENT:
    case ENOTDIR:
      return {Status::kNotFound,
              folder + ": " + strerror(error) +
                  ", so the kernel offers no RAPL counters here. On bare metal try modprobe "
                  "intel_rapl_msr; a virtual machine seldom has them; in a container mount the "
                  "host's /sys and give its place with sysfs"};
    default:
      return {Status::kFailed, ZoneSentence(folder, error, false)};
  }
}

}  // namespace microjoule
