import { listMembers } from '../../wire/http/request-head.ts';

/** A coding of precompressed files, and the ending of their names. */
export interface ContentCoding {
  readonly name: 'br' | 'gzip';
  readonly ending: '.br' | '.gz';
}

/** The coding with smaller files comes first. */
const CODINGS: readonly ContentCoding[] = [
  { name: 'br', ending: '.br' },
  { name: 'gzip', ending: '.gz' },
];

/**
 * Lists the codings that a client accepts, in its order of preference (RFC 9110 section 12.5.3).
 *
 * @param acceptEncoding undefined if the client sends no Accept-Encoding, and so accepts none
 */
export function acceptedCodings(acceptEncoding: string | undefined): readonly ContentCoding[] {
  if (acceptEncoding === undefined) return [];
  const weights = new Map<string, number>();
  for (const member of listMembers(acceptEncoding)) {
    const [name = '', ...parameters] = member.split(';').map((part) => part.trim().toLowerCase());
    const quality = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
    const weight =
      quality === undefined ? 1 : /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(quality) ? Number(quality) : 0;
    weights.set(name === 'x-gzip' ? 'gzip' : name, weight);
  }
  const weightOf = (name: string): number => weights.get(name) ?? weights.get('*') ?? 0;
  return CODINGS.filter(({ name }) => weightOf(name) > 0).toSorted(
    (a, b) => weightOf(b.name) - weightOf(a.name),
  );
}
