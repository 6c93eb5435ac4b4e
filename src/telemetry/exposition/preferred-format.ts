import type { ExpositionFormat } from './family-text.ts';

/**
 * Returns the format that an `Accept` header prefers: OpenMetrics if its quality is at least that of plain
 * text (RFC 9110, 12.5.1).
 */
export function preferredFormat(accept: string): ExpositionFormat {
  let openMetrics = 0;
  let plain = 0;
  for (const range of accept.split(',')) {
    const [type, ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    const quality = parameters.find((parameter) => parameter.startsWith('q='));
    const q = quality === undefined ? 1 : Number(quality.slice(2)) || 0;
    if (type === 'application/openmetrics-text') openMetrics = Math.max(openMetrics, q);
    else if (type === 'text/plain') plain = Math.max(plain, q);
  }
  return openMetrics > 0 && openMetrics >= plain ? 'openMetrics' : 'text';
}
