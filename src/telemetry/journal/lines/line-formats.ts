import { CombinedLines } from './combined-lines.ts';
import { JsonLines } from './json-lines.ts';
import type { LineFormat } from './line-format.ts';
import { TextLines } from './text-lines.ts';

/** Creates the writer of access lines in a format. The terms apply only to JSON. */
export function lineFormatOf(
  format: 'json' | 'combined' | 'text',
  terms: ConstructorParameters<typeof JsonLines>[0],
): LineFormat {
  switch (format) {
    case 'json':
      return new JsonLines(terms);
    case 'combined':
      return new CombinedLines();
    case 'text':
      return new TextLines();
  }
}
