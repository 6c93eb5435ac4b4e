/** Gzip does not pay off for shorter pages. */
const MIN_GZIP_BYTES = 1024;

/**
 * Selects the encoding of a page.
 *
 * @param header the request's Accept-Encoding
 * @param length bytes of the plain page; null for a long page
 */
export function encodingFor(header: string, length: number | null): 'gzip' | null {
  return (length ?? Infinity) >= MIN_GZIP_BYTES && acceptsGzip(header) ? 'gzip' : null;
}

/**
 * Whether an Accept-Encoding header accepts gzip and does not prefer the plain body (RFC 9110 section
 * 12.5.3).
 */
function acceptsGzip(header: string): boolean {
  const weights = new Map<string, number>();
  for (const part of header.split(',')) {
    const [coding = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
    const weight = parameters.find((parameter) => /^q *=/.test(parameter));
    const q = weight === undefined ? 1 : Number(weight.slice(weight.indexOf('=') + 1));
    if (coding !== '') weights.set(coding, q >= 0 && q <= 1 ? q : 0);
  }
  const any = weights.get('*') ?? 0;
  const wanted = weights.get('gzip') ?? weights.get('x-gzip') ?? any;
  return wanted > 0 && wanted >= (weights.get('identity') ?? 0);
}
