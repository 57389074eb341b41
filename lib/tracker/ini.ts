// SPDX-License-Identifier: MIT
//
// INI files as Python's configparser reads them: `key = value` or `key: value`, keys without case, comments on lines of
// their own, lines indented deeper than a key go on with its value, [DEFAULT] is under every section.

type Section = Map<string, string>;

/** A section that has the defaults of all others. */
const DEFAULTS = 'DEFAULT';
/** configparser's bound on references to references. */
const MOST_REFERENCES = 10;

/** One section's keys and values; undefined where the text has something and not this section. */
export function parseIni(text: string, section: string): Record<string, string> | undefined {
  const sections = readSections(text);
  const [own, defaults] = [sections.get(section), sections.get(DEFAULTS)];
  if (own === undefined) return sections.size === 0 ? {} : undefined;
  const all = new Map([...(defaults ?? []), ...own]);
  return Object.fromEntries([...all].map(([key, value]) => [key, resolved(value, all)]));
}

/** Lines before the first header are a section without a name. */
function readSections(text: string): Map<string, Section> {
  const sections = new Map<string, Section>();
  let name = '';
  let key: string | undefined;
  let indent = 0;
  for (const line of text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/)) {
    const content = line.trim();
    if (content === '' || /^[#;]/.test(content)) continue;
    const depth = line.search(/\S/);
    const section = sections.get(name) ?? new Map<string, string>();
    if (key !== undefined && depth > indent) {
      section.set(key, `${section.get(key) ?? ''}\n${content}`);
      continue;
    }
    indent = depth;
    const header = /^\[([^\]]+)\]/.exec(content)?.[1];
    if (header !== undefined) {
      name = header;
      key = undefined;
      sections.set(name, sections.get(name) ?? new Map());
      continue;
    }
    const [, left = '', right = ''] = /^([^=:]*?)\s*(?:[=:]\s*(.*))?$/.exec(content) ?? [];
    key = left.toLowerCase();
    section.set(key, right);
    sections.set(name, section);
  }
  return sections;
}

/** `%%` is a per cent sign, `%(key)s` the value of another key. What is neither stays as it is. */
function resolved(value: string, all: Section, depth = 0): string {
  return value.replace(/%%|%\(([^)]+)\)s/g, (found, key: string | undefined) => {
    if (key === undefined) return '%';
    const other = all.get(key.toLowerCase());
    return other === undefined || depth === MOST_REFERENCES ? found : resolved(other, all, depth + 1);
  });
}
