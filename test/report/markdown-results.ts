// SPDX-License-Identifier: MIT

/** The results table of a rendered report as name to value, read the way a person reads it. */
export function resultValues(markdown: string): Map<string, string> {
  const section = markdown.split('\n## ').find((part) => part.startsWith('Results\n')) ?? '';
  const values = new Map<string, string>();
  let names: string[] = [];
  for (const line of section.split('\n')) {
    if (!line.startsWith('| ')) {
      // The rule under the first row of names, or the end of the first table.
      if (values.size > 0) break;
      continue;
    }
    const cells = splitRow(line);
    if (cells.every((cell) => cell.startsWith('**'))) names = cells.map((cell) => cell.replaceAll('**', ''));
    else for (const [index, cell] of cells.entries()) values.set(names[index] ?? '', cell);
  }
  return values;
}

/** The cells of one table row, unescaped. */
export function splitRow(line: string): string[] {
  // A backslash takes the character after it along, as GitHub's table scanner has it.
  const cells = line.slice(1, -1).match(/(?:\\.|[^\\|])+/g) ?? [];
  return cells.map((cell) => cell.trim().replace(/\\([\\|])/g, '$1'));
}

/** `markdown` without the spaces that align its tables. */
export function withoutPadding(markdown: string): string {
  return markdown.replace(/ {2,}\|/g, ' |');
}
