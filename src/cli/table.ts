/**
 * Formats rows as a text table. Each column is as wide as its longest cell. Text is aligned left, numbers
 * right.
 *
 * @returns lines, each ending in a newline; an empty string if there are no rows
 */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  if (rows.length === 0) return '';
  const numeric = head.map((_, column) => rows.every((row) => typeof row[column] === 'number'));
  const texts = [head, ...rows].map((row) => row.map(String));
  const widths = head.map((_, column) => Math.max(...texts.map((row) => row[column]?.length ?? 0)));
  return texts
    .map((row) => {
      const cells = row.map((cell, column) =>
        numeric[column] ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      );
      return `${cells.join('  ').trimEnd()}\n`;
    })
    .join('');
}

/** Min width of a column that {@link narrowed} cuts. */
const MIN_WIDTH = 8;

/**
 * Cuts long cells until a table fits the terminal. Shrinks the widest column first, down to 8 characters.
 *
 * @param cuttable indexes of the columns whose cells may be cut
 * @param width characters per line; Infinity cuts nothing
 * @returns the rows for {@link table}
 */
export function narrowed(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  cuttable: readonly number[],
  width: number,
): readonly (readonly string[])[] {
  const widths = head.map((name, column) =>
    Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const gaps = 2 * (head.length - 1);
  let excess = widths.reduce((sum, each) => sum + each, gaps) - width;
  while (excess > 0) {
    const widest = cuttable.reduce((a, b) => ((widths[b] ?? 0) > (widths[a] ?? 0) ? b : a));
    const current = widths[widest] ?? 0;
    if (current <= MIN_WIDTH) break;
    widths[widest] = current - 1;
    excess--;
  }
  return rows.map((row) => row.map((cell, column) => cut(cell, widths[column] ?? 0)));
}

function cut(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, max - 1)}…`;
}
