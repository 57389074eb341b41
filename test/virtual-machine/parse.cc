// SPDX-License-Identifier: MIT
//
// The description of a machine, line by line: README.md in this folder has the grammar.
// description.ts reads the same.
#include "line.h"
#include "machine.h"

namespace virtual_machine {
namespace {

void AddPart(Line* line, Meter* meter, const Part& part) {
  Part* const slot = line->Next(meter->parts, &meter->part_count);
  *slot = part;
  if (slot == meter->parts) return;
  if (part.from_ns <= slot[-1].from_ns) line->Wrong("a time that is not after the last");
  // What came before: the profile so far, at the time the new part begins.
  --meter->part_count;
  const int held = meter->held_count;
  meter->held_count = 0;
  slot->before = EnergyAt(*meter, part.from_ns);
  meter->held_count = held;
  ++meter->part_count;
}

void ParsePower(Line* line) {
  Meter* const meter = line->MeterNamed();
  Part part;
  if (line->Is("at")) part.from_ns = line->Time();
  if (line->Takes("ramp")) {
    part.shape = Part::Shape::kRamp;
  } else if (line->Takes("square")) {
    part.shape = Part::Shape::kSquare;
  }
  part.first_uw = line->PowerUw();
  if (part.shape != Part::Shape::kConstant) {
    part.second_uw = line->PowerUw();
    part.length_ns = line->Time();
    if (part.length_ns < 2) line->Wrong("a length too short");
  }
  AddPart(line, meter, part);
}

void ParseMeter(Line* line, Machine* machine) {
  Meter* const meter = line->Next(machine->meters, &machine->meter_count);
  line->NameInto(&meter->name);
  // FNV-1a, so that meters tick apart unless a seed is given.
  meter->seed = 0xcbf29ce484222325;
  for (const char* c = meter->name.text; *c != '\0'; ++c) {
    meter->seed = (meter->seed ^ static_cast<uint8_t>(*c)) * 0x100000001b3;
  }
  Part first;
  bool started = false;
  while (line->ok() && line->More()) {
    if (line->Takes("esu")) {
      meter->esu = static_cast<int>(line->Number() % 32);
    } else if (line->Takes("unit")) {
      meter->unit_nj = line->EnergyNj();
    } else if (line->Takes("bits")) {
      meter->bits = line->Number() == 64 ? 64 : 32;
    } else if (line->Takes("power")) {
      first.first_uw = line->PowerUw();
    } else if (line->Takes("load")) {
      meter->load_uw = line->PowerUw();
    } else if (line->Takes("start")) {
      meter->start = line->Number();
      started = true;
    } else if (line->Takes("update")) {
      meter->update_ns = line->Time();
    } else if (line->Takes("jitter")) {
      meter->jitter_ns = line->Time();
    } else if (line->Takes("noise")) {
      meter->noise_nj = line->EnergyNj();
    } else if (line->Takes("seed")) {
      meter->seed = line->Number();
    } else if (line->Takes("holds")) {
      const Meter* const held = line->MeterNamed();
      *line->Next(meter->held, &meter->held_count) = held;
    } else {
      line->Wrong(line->Word());
    }
  }
  if (!started) meter->start = UsualStart(meter->seed);
  AddPart(line, meter, first);
}

void ParseZone(Line* line, Machine* machine) {
  Zone* const zone = line->Next(machine->zones, &machine->zone_count);
  line->NameInto(&zone->folder);
  line->Word();  // its name is a matter of the tree
  if (line->Is("of")) zone->meter = line->MeterNamed();
  if (!line->ok()) return;
  zone->unit_nj = zone->meter->unit_nj != 0 ? zone->meter->unit_nj : kNano >> zone->meter->esu;
  while (line->ok() && line->More()) {
    if (line->Takes("unit")) {
      zone->unit_nj = line->EnergyNj();
    } else if (line->Takes("padded")) {
      zone->padded = true;
    } else if (line->Takes("range")) {
      line->Word();
    } else if (!line->Takes("masked") && !line->Takes("disabled")) {
      line->Wrong(line->Word());
    }
  }
}

Pmu* PmuNamed(Line* line, Machine* machine, Name* name) {
  line->NameInto(name);
  for (int i = 0; i < machine->pmu_count; ++i) {
    if (machine->pmus[i].name.Is(name->text)) return &machine->pmus[i];
  }
  line->Wrong(name->text);
  return &machine->pmus[0];
}

void ParsePmu(Line* line, Machine* machine) {
  Pmu* const pmu = line->Next(machine->pmus, &machine->pmu_count);
  line->NameInto(&pmu->name);
  pmu->type = static_cast<uint32_t>(line->Number());
  while (line->ok() && line->More()) {
    if (line->Takes("cpus")) {
      pmu->cpus = line->Cpus();
    } else if (line->Takes("die")) {
      pmu->scope = Pmu::Scope::kDie;
    } else if (line->Takes("core")) {
      pmu->scope = Pmu::Scope::kCore;
    } else {
      line->Wrong(line->Word());
    }
  }
}

void ParseEvent(Line* line, Machine* machine) {
  Event* const event = line->Next(machine->events, &machine->event_count);
  Name pmu;
  Name name;
  event->pmu = PmuNamed(line, machine, &pmu);
  line->NameInto(&name);
  const int size = snprintf(event->name.text, kNameSize, "%s/%s", pmu.text, name.text);
  if (size >= kNameSize) line->Wrong(name.text);
  event->code = static_cast<uint32_t>(line->Number());
  if (line->Is("cpu")) event->cpu = line->Cpu();
  if (line->Is("of")) event->meter = line->MeterNamed();
}

void ParseRegister(Line* line, Machine* machine) {
  Register* const entry = line->Next(machine->registers, &machine->register_count);
  entry->cpus = line->Cpus();
  entry->address = static_cast<uint32_t>(line->Number());
  if (line->Takes("of")) {
    entry->meter = line->MeterNamed();
  } else {
    entry->value = line->Number();
  }
}

void ParseCpus(Line* line, Machine* machine) {
  const CpuSet set = line->Cpus();
  CpuPlace place;
  int core = -1;
  if (line->Is("package")) place.package = line->Cpu();
  if (line->Takes("die")) place.die = line->Cpu();
  if (line->Takes("core")) core = line->Cpu();
  int next = 0;
  for (int cpu = 0; cpu < kMaxCpus; ++cpu) {
    if (machine->online.Has(cpu) && machine->places[cpu].package == place.package) ++next;
  }
  for (int cpu = 0; cpu < kMaxCpus; ++cpu) {
    if (!set.Has(cpu)) continue;
    place.core = core >= 0 ? core : next++;
    machine->places[cpu] = place;
    machine->online.Add(cpu);
  }
}

bool ParseLine(Line* line, Machine* machine) {
  if (!line->More()) return true;
  if (line->Takes("cpus")) {
    ParseCpus(line, machine);
  } else if (line->Takes("offline")) {
    const CpuSet set = line->Cpus();
    for (int cpu = 0; cpu < kMaxCpus; ++cpu) {
      if (set.Has(cpu)) machine->online.Remove(cpu);
    }
  } else if (line->Takes("meter")) {
    ParseMeter(line, machine);
  } else if (line->Takes("power")) {
    ParsePower(line);
  } else if (line->Takes("zone")) {
    ParseZone(line, machine);
  } else if (line->Takes("pmu")) {
    ParsePmu(line, machine);
  } else if (line->Takes("event")) {
    ParseEvent(line, machine);
  } else if (line->Takes("renumber")) {
    Name name;
    Pmu* const pmu = PmuNamed(line, machine, &name);
    pmu->later_type = static_cast<uint32_t>(line->Number());
    if (line->Is("at")) pmu->renumber_ns = line->Time();
  } else if (line->Takes("register")) {
    ParseRegister(line, machine);
  } else if (line->Takes("registers")) {
    machine->has_other_registers = true;
    machine->other_registers = line->Number();
  } else if (line->Takes("loads")) {
    machine->shares_loads = line->Takes("shared");
  } else if (line->Takes("paranoid")) {
    machine->has_paranoid = true;
    machine->paranoid = atoi(line->Word());
  } else if (line->Takes("suspend")) {
    Suspend* const suspend = line->Next(machine->suspends, &machine->suspend_count);
    if (line->Is("at")) suspend->at_ns = line->Time();
    if (line->Is("for")) suspend->for_ns = line->Time();
  } else if (line->Takes("fault")) {
    ParseFault(line, machine);
  } else if (line->Takes("processor") || line->Takes("msr") || line->Takes("msr-safe") ||
             line->Takes("file")) {
    return true;  // matters of the tree
  } else {
    line->Wrong(line->Word());
  }
  if (line->ok() && line->More()) line->Wrong(line->Word());
  return line->ok();
}

}  // namespace

bool Parse(char* text, Machine* machine, char* complaint, size_t size) {
  int number = 0;
  for (char* next = text; next != nullptr;) {
    char* const start = next;
    next = strchr(start, '\n');
    if (next != nullptr) *next++ = '\0';
    ++number;
    Line line(start, machine);
    if (ParseLine(&line, machine)) continue;
    snprintf(complaint, size, "line %d: did not expect %s", number, line.wrong());
    return false;
  }
  for (int i = 0; i < machine->fault_count; ++i) {
    if (PlaceFault(machine, &machine->faults[i])) continue;
    snprintf(complaint, size, "a fault of %s, of which there is none, or too many faults",
             machine->faults[i].name.text);
    return false;
  }
  return true;
}

}  // namespace virtual_machine
