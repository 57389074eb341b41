// SPDX-License-Identifier: MIT
#include <string>

#include "cpu_identity.h"
#include "fuzz.h"

namespace microjoule {
namespace {

// Whether the list of features names this one, by text.
bool Names(std::string_view features, const char* feature) {
  const std::string wanted = std::string(",") + feature;
  for (size_t at = features.find(wanted); at != std::string_view::npos;
       at = features.find(wanted, at + 1)) {
    const size_t end = at + wanted.size();
    if (end == features.size() ||
        std::string_view("0123456789ABCDEF").find(features[end]) == std::string_view::npos) {
      return true;
    }
  }
  return false;
}

void CheckText(std::string_view text) {
  const CpuIdentity cpu = ParseModalias(text);
  if (cpu.vendor == CpuVendor::kUnknown && cpu.family == 0 && cpu.model == 0) return;
  REQUIRE(!cpu.is_virtual || text.find("9F") != std::string_view::npos);
  REQUIRE(!cpu.has_amd_rapl || text.find("7D") != std::string_view::npos);
}

// What the kernel prints for a processor is that processor.
void CheckPrinted(uint64_t numbers, std::string_view rest) {
  const uint32_t vendor = static_cast<uint32_t>(numbers & 0xF);
  const uint32_t family = static_cast<uint32_t>(numbers >> 8 & 0xFFFF);
  const uint32_t model = static_cast<uint32_t>(numbers >> 24 & 0xFFFF);
  char head[64];
  std::snprintf(head, sizeof head, "cpu:type:x86,ven%04Xfam%04Xmod%04X:feature:", vendor, family,
                model);
  std::string features;
  for (const char byte : rest.substr(0, 16)) {
    char feature[16];
    std::snprintf(feature, sizeof feature, ",%04X",
                  static_cast<unsigned>(static_cast<unsigned char>(byte)));
    features += feature;
  }
  const CpuIdentity cpu = ParseModalias(head + features + "\n");
  const CpuVendor expected = vendor == 0   ? CpuVendor::kIntel
                             : vendor == 2 ? CpuVendor::kAmd
                             : vendor == 9 ? CpuVendor::kHygon
                                           : CpuVendor::kUnknown;
  REQUIRE(cpu.vendor == expected && cpu.family == family && cpu.model == model);
  REQUIRE(cpu.is_virtual == Names(features, "009F"));
  REQUIRE(cpu.has_amd_rapl == Names(features, "007D"));
}

}  // namespace
}  // namespace microjoule

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace microjoule;
  const std::string_view text = Text(data, size);
  CheckText(text);
  CheckPrinted(Word(text, 0), text);
  return 0;
}
