/** Formats of the keys below `log`. */
import { described } from '../syntax/format-description.ts';
import type { Format } from '../syntax/formats.ts';
import { FormatError, byteSize, describe, integer, toggle } from '../syntax/formats.ts';
import { nearest } from '../syntax/hints/nearest.ts';
import { isMapping } from '../syntax/section.ts';

/** Names of the fields of JSON access lines. `level`, `time`, `worker` and `msg` are in every line. */
const FIELDS = [
  'listener',
  'route',
  'cluster',
  'endpoint',
  'client',
  'requestId',
  'traceId',
  'principal',
  'certSubject',
  'certFingerprint',
  'vpcEndpointId',
  'host',
  'path',
  'method',
  'subprotocol',
  'origin',
  'referer',
  'userAgent',
  'status',
  'side',
  'code',
  'reason',
  'cause',
  'detail',
  'cut',
  'received',
  'sent',
  'seconds',
  'messagesUpstream',
  'messagesDownstream',
  'bytesUpstream',
  'bytesDownstream',
  'peer',
  'serverName',
  'tunnelId',
  'count',
  'sample',
];

/** The size at which a log file is rotated. */
export const rotationSize = byteSize({ min: 4096, max: 2 ** 40, zero: 'never' });

/** The number of rotated files. */
export const keptFiles = integer({ min: 1, max: 1000 });

/** `log.access` as a boolean, or as a mapping that is read later. */
export const accessSwitch: Format<boolean | ReadonlyMap<string, unknown>> = (value) => {
  if (isMapping(value)) return value;
  if (typeof value !== 'string') return toggle(value);
  throw new FormatError(`${describe(value)} is neither true nor false: for a file, write { file: ${value} }`);
};

/** Name of a field of access lines. */
export const fieldName = described({ type: 'word', words: FIELDS }, (value): string => {
  if (typeof value === 'string' && FIELDS.includes(value)) return value;
  const near = typeof value === 'string' ? nearest(value, FIELDS) : undefined;
  const remedy = near === undefined ? `write any of ${FIELDS.join(', ')}` : `did you mean "${near}"?`;
  throw new FormatError(`${describe(value)} is not a field of access lines: ${remedy}`);
});
