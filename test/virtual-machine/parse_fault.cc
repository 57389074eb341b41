// SPDX-License-Identifier: MIT
//
// The scripted faults of a description.
#include <errno.h>

#include "line.h"
#include "machine.h"

namespace virtual_machine {
namespace {

int ErrorNamed(Line* line) {
  static constexpr struct {
    const char* name;
    int error;
  } kErrors[] = {{"EACCES", EACCES},   {"EPERM", EPERM},   {"EIO", EIO},
                 {"ENODATA", ENODATA}, {"EINVAL", EINVAL}, {"ENOENT", ENOENT},
                 {"ENODEV", ENODEV},   {"ENXIO", ENXIO},   {"EOF", kEndOfFile}};
  const char* const name = line->Word();
  for (const auto& entry : kErrors) {
    if (strcmp(entry.name, name) == 0) return entry.error;
  }
  line->Wrong(name);
  return EIO;
}

}  // namespace

void ParseFault(Line* line, Machine* machine) {
  Fault* const fault = line->Next(machine->faults, &machine->fault_count);
  const auto target = [&](const char* word, Fault::Target kind) {
    if (!line->Takes(word)) return false;
    fault->target = kind;
    return true;
  };
  if (target("msr", Fault::Target::kMsr)) {
    fault->cpu = line->Cpu();
    fault->address = static_cast<uint32_t>(line->Number());
  } else if (target("zone", Fault::Target::kZone) || target("event", Fault::Target::kEvent) ||
             target("meter", Fault::Target::kMeter) || target("file", Fault::Target::kFile)) {
    line->NameInto(&fault->name);
  } else {
    line->Wrong(line->Word());
  }
  if (line->Takes("open")) {
    fault->what = Fault::What::kOpen;
    fault->error = ErrorNamed(line);
  } else if (line->Takes("read")) {
    fault->what = Fault::What::kRead;
    fault->error = ErrorNamed(line);
  } else if (line->Takes("vanish")) {
    fault->what = Fault::What::kVanish;
  } else if (line->Takes("freeze")) {
    fault->what = Fault::What::kFreeze;
  } else if (line->Takes("back")) {
    fault->what = Fault::What::kBack;
    fault->back = Femtojoules{line->EnergyNj()} * 1000000;
  } else if (line->Takes("slow")) {
    fault->what = Fault::What::kSlow;
    fault->slow_ns = line->Time();
  } else {
    line->Wrong(line->Word());
  }
  while (line->ok() && line->More()) {
    if (line->Takes("from")) {
      fault->from_ns = line->Time();
    } else if (line->Takes("to")) {
      fault->to_ns = line->Time();
    } else if (line->Takes("after")) {
      fault->after_calls = static_cast<int64_t>(line->Number());
    } else if (line->Takes("for")) {
      fault->for_calls = static_cast<int64_t>(line->Number());
    } else {
      line->Wrong(line->Word());
    }
  }
}

// Gives each fault to what it is about.
bool PlaceFault(Machine* machine, Fault* fault) {
  bool found = fault->target == Fault::Target::kFile;
  const auto give = [&](Faults* faults) {
    if (faults->count == Faults::kMost) return;
    faults->list[faults->count++] = fault;
    found = true;
  };
  if (fault->target == Fault::Target::kZone) {
    for (int i = 0; i < machine->zone_count; ++i) {
      if (machine->zones[i].folder.Is(fault->name.text)) give(&machine->zones[i].faults);
    }
  } else if (fault->target == Fault::Target::kEvent) {
    for (int i = 0; i < machine->event_count; ++i) {
      if (machine->events[i].name.Is(fault->name.text)) give(&machine->events[i].faults);
    }
  } else if (fault->target == Fault::Target::kMeter) {
    for (int i = 0; i < machine->meter_count; ++i) {
      if (machine->meters[i].name.Is(fault->name.text)) give(&machine->meters[i].faults);
    }
  } else if (fault->target == Fault::Target::kMsr) {
    for (int i = 0; i < machine->register_count; ++i) {
      Register& entry = machine->registers[i];
      if (entry.address == fault->address && entry.cpus.Has(fault->cpu)) give(&entry.faults);
    }
  }
  return found;
}

}  // namespace virtual_machine
