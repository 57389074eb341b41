// SPDX-License-Identifier: MIT
#include "emi_metadata.h"

#include <random>

#include "check.h"
#include "fake_emi.h"

namespace microjoule {
namespace {

// From an allocation of just that size, so that the sanitizer sees a byte too far.
bool Parse(uint16_t version, const std::vector<uint8_t>& bytes, EmiMetadata* out,
           std::string* error) {
  const std::vector<uint8_t> exact(bytes.begin(), bytes.end());
  return ParseEmiMetadata(version, exact.data(), exact.size(), out, error);
}

void TestV2() {
  EmiMetadata found;
  std::string error;
  const std::vector<uint8_t> bytes = MetadataV2(
      {{"RAPL_Package0_PKG"}, {"RAPL_Package0_PP0"}, {"RAPL_Package0_DRAM"}, {"odd", 99}, {""}});
  // Channels stand where the last ended: 68, 110, 152.
  CHECK(bytes[68 + 42 + 4] == 36 && bytes[68 + 84 + 4] == 38);
  CHECK(Parse(2, bytes, &found, &error) && error.empty());
  CHECK(found.oem == "Microsoft" && found.model == "PPM" && found.revision == 1);
  CHECK(found.channels.size() == 5);
  CHECK(found.channels[1].name == "RAPL_Package0_PP0" && found.channels[1].unit == 0);
  CHECK(found.channels[3].name == "odd" && found.channels[3].unit == 99);
  CHECK(found.channels[4].name.empty());
}

void TestV1() {
  EmiMetadata found;
  std::string error;
  CHECK(Parse(1, MetadataV1({"SYS"}), &found, &error));
  CHECK(found.oem == "OEM" && found.model == "Meter" && found.revision == 7);
  CHECK(found.channels.size() == 1 && found.channels[0].name == "SYS");
  // A name of no bytes at all.
  std::vector<uint8_t> bare = MetadataV1({""});
  bare[70] = bare[71] = 0;
  bare.resize(72);
  CHECK(Parse(1, bare, &found, &error) && found.channels[0].name.empty());
}

void TestNames() {
  EmiMetadata found;
  std::string error;
  CHECK(Parse(2, MetadataV2({{"  CPU_CLUSTER_0     "}}), &found, &error));
  CHECK(found.channels[0].name == "CPU_CLUSTER_0");
  CHECK(Parse(2, MetadataV2({{"   "}}), &found, &error) && found.channels[0].name.empty());
  CHECK(Parse(2, MetadataV2({{std::string("PKG\0junk", 8)}}), &found, &error));
  CHECK(found.channels[0].name == "PKG");
  // Beyond ASCII, a pair, half a pair, and what would steer a terminal.
  std::vector<uint8_t> bytes = MetadataV2({{"......"}});
  const uint16_t units[] = {0xE9, 0x20AC, 0xD83D, 0xDE00, 0xD83D, 0x1B};
  for (size_t i = 0; i < 6; ++i) {
    bytes[74 + 2 * i] = static_cast<uint8_t>(units[i]);
    bytes[75 + 2 * i] = static_cast<uint8_t>(units[i] >> 8);
  }
  CHECK(Parse(2, bytes, &found, &error));
  CHECK(found.channels[0].name == "\u00E9\u20AC\U0001F600\uFFFD\uFFFD");
}

// Whatever is cut off is refused whole, with a reason.
void TestTruncation() {
  const std::vector<uint8_t> v2 = MetadataV2({{"RAPL_Package0_PKG"}, {"x"}});
  const std::vector<uint8_t> v1 = MetadataV1({"SYS"});
  for (const auto& [version, whole] : {std::pair(uint16_t{1}, v1), std::pair(uint16_t{2}, v2)}) {
    for (size_t size = 0; size < whole.size(); ++size) {
      EmiMetadata found;
      std::string error;
      CHECK(!Parse(version, {whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)},
                   &found, &error));
      CHECK(!error.empty() && found.channels.empty() && found.oem.empty());
    }
  }
  std::vector<uint8_t> longer = v2;
  longer.resize(longer.size() + 7);
  EmiMetadata found;
  std::string error;
  CHECK(Parse(2, longer, &found, &error) && found.channels.size() == 2);
}

void TestLies() {
  EmiMetadata found;
  std::string error;
  std::vector<uint8_t> bytes = MetadataV2({{"a"}});
  bytes[66] = bytes[67] = 0xFF;
  CHECK(!Parse(2, bytes, &found, &error));
  CHECK(error.find("65535 channels") != std::string::npos);
  bytes = MetadataV2({{"a"}});
  bytes[72] = 3;  // half a character
  CHECK(!Parse(2, bytes, &found, &error) && !error.empty());
  for (const uint16_t version : {0, 3, 65535}) {
    error.clear();
    CHECK(!Parse(version, MetadataV2({{"a"}}), &found, &error));
    CHECK(error.find(std::to_string(version)) != std::string::npos);
  }
}

// Any channels come back, wherever they stand.
void TestRoundTrip() {
  std::mt19937_64 random(3);
  for (int i = 0; i < 2000; ++i) {
    std::vector<FakeChannel> channels(random() % 20);
    for (FakeChannel& channel : channels) {
      for (size_t left = random() % 40; left > 0; --left) {
        channel.name += static_cast<char>('!' + random() % 90);
      }
      channel.unit = static_cast<uint32_t>(random() % 3);
    }
    EmiMetadata found;
    std::string error;
    CHECK(Parse(2, MetadataV2(channels), &found, &error));
    CHECK(found.channels.size() == channels.size());
    for (size_t j = 0; j < channels.size(); ++j) {
      CHECK(found.channels[j].name == channels[j].name);
      CHECK(found.channels[j].unit == channels[j].unit);
    }
  }
}

void TestSample() {
  std::vector<uint8_t> bytes;
  PutNumber(0x0123456789ABCDEFu, 8, &bytes);
  PutNumber(UINT64_MAX, 8, &bytes);
  const EmiSample sample = ParseEmiSample(bytes.data());
  CHECK(sample.picowatt_hours == 0x0123456789ABCDEFu && sample.time_100ns == UINT64_MAX);
}

}  // namespace
}  // namespace microjoule

int main() {
  using namespace microjoule;
  TestV2();
  TestV1();
  TestNames();
  TestTruncation();
  TestLies();
  TestRoundTrip();
  TestSample();
}
