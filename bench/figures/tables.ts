interface Fit {
  /** Max characters of a line. */
  readonly width: number;
  /** Titles of columns that may be left out, the least important first. */
  readonly dispensable: readonly string[];
}

/** Formats a table. Leaves out columns until the lines fit. */
export function layOutWithin(
  titles: readonly string[],
  rows: readonly (readonly string[])[],
  { width, dispensable }: Fit,
): string[] {
  for (let count = 0; ; count++) {
    const omitted = dispensable.slice(0, count);
    const keep = (cells: readonly string[]): string[] =>
      cells.filter((_, column) => !omitted.includes(titles[column] ?? ''));
    const lines = layOut(keep(titles), rows.map(keep));
    if (count === dispensable.length || lines.every((line) => line.length <= width)) return lines;
  }
}

/**
 * Formats a table: a line of titles, then the rows. The first column is left-aligned, the others
 * right-aligned.
 *
 * @returns lines without newlines, two spaces between columns
 */
export function layOut(titles: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [titles, ...rows];
  const widths = titles.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  return all.map((row) =>
    widths
      .map((width, column) => {
        const cell = row[column] ?? '';
        return column === 0 ? cell.padEnd(width) : cell.padStart(width);
      })
      .join('  ')
      .trimEnd(),
  );
}

/**
 * Formats a table in Markdown. The first column is left-aligned, the others right-aligned. Returns lines
 * without newlines.
 */
export function markdownTable(titles: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(titles), line(titles.map((_, column) => (column === 0 ? '---' : '---:'))), ...rows.map(line)];
}
