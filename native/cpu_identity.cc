// SPDX-License-Identifier: MIT
#include "cpu_identity.h"

namespace microjoule {
namespace {

// X86_VENDOR_* of the kernel's arch/x86/include/asm/processor.h.
constexpr uint32_t kVendorIntel = 0;
constexpr uint32_t kVendorAmd = 2;
constexpr uint32_t kVendorHygon = 9;

// X86_FEATURE_* of its arch/x86/include/asm/cpufeatures.h: 32 times the word, plus the bit.
constexpr uint32_t kFeatureRapl = 3 * 32 + 29;        // AMD's and Hygon's alone
constexpr uint32_t kFeatureHypervisor = 4 * 32 + 31;  // CPUID 1 ECX bit 31

// Takes `word` from the front; false when something else is there.
bool Take(std::string_view word, std::string_view* text) {
  if (text->substr(0, word.size()) != word) return false;
  text->remove_prefix(word.size());
  return true;
}

// Takes a hexadecimal number of one to eight digits. Capitals only, as the kernel prints them: the
// "fa" of "fam" must not count.
bool TakeHex(std::string_view* text, uint32_t* out) {
  uint32_t value = 0;
  size_t digits = 0;
  for (; digits < text->size(); ++digits) {
    const char c = (*text)[digits];
    uint32_t digit = 0;
    if (c >= '0' && c <= '9') {
      digit = static_cast<uint32_t>(c - '0');
    } else if (c >= 'A' && c <= 'F') {
      digit = static_cast<uint32_t>(c - 'A') + 10;
    } else {
      break;
    }
    if (digits == 8) return false;
    value = value << 4 | digit;
  }
  if (digits == 0) return false;
  text->remove_prefix(digits);
  *out = value;
  return true;
}

CpuVendor VendorOf(uint32_t number) {
  switch (number) {
    case kVendorIntel:
      return CpuVendor::kIntel;
    case kVendorAmd:
      return CpuVendor::kAmd;
    case kVendorHygon:
      return CpuVendor::kHygon;
    default:
      return CpuVendor::kUnknown;
  }
}

}  // namespace

CpuIdentity ParseModalias(std::string_view modalias) {
  std::string_view text = modalias;
  uint32_t vendor = 0;
  CpuIdentity cpu;
  // print_cpu_modalias() of drivers/base/cpu.c; before Linux 3.14 (RHEL 7 still) it was
  // arch_print_cpu_modalias() of arch/x86/kernel/cpu/match.c.
  if (Take("cpu:type:x86,ven", &text)) {
    if (!TakeHex(&text, &vendor) || !Take("fam", &text) || !TakeHex(&text, &cpu.family) ||
        !Take("mod", &text) || !TakeHex(&text, &cpu.model)) {
      return {};
    }
  } else if (Take("x86cpu:vendor:", &text)) {
    if (!TakeHex(&text, &vendor) || !Take(":family:", &text) || !TakeHex(&text, &cpu.family) ||
        !Take(":model:", &text) || !TakeHex(&text, &cpu.model)) {
      return {};
    }
  } else {
    return {};
  }
  cpu.vendor = VendorOf(vendor);
  if (!Take(":feature:", &text)) return cpu;
  uint32_t feature = 0;
  while (Take(",", &text) && TakeHex(&text, &feature)) {
    if (feature == kFeatureHypervisor) cpu.is_virtual = true;
    if (feature == kFeatureRapl) cpu.has_amd_rapl = true;
  }
  return cpu;
}

bool HasDramInPackageUnits(const CpuIdentity& cpu) {
  return cpu.vendor == CpuVendor::kIntel && cpu.family == 6 &&
         (cpu.model == 0x8F || cpu.model == 0xCF);
}

bool HasDramUnknownToPowercap(const CpuIdentity& cpu) {
  return cpu.vendor == CpuVendor::kIntel && cpu.family == 6 && cpu.model == 0x56;
}

}  // namespace microjoule
