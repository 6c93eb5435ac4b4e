/**
 * Writes rows of cells as text: each column as wide as its longest cell, text to the left, numbers to the right.
 *
 * @returns lines, each ending in a newline; an empty string without rows
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
