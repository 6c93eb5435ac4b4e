import { DER, DerReader, type DerElement } from './der.ts';

const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;

/** Validity period of a revocation list, in milliseconds since 1970. */
interface RevocationDates {
  readonly thisUpdate: number;
  /** Null if the list does not expire. */
  readonly nextUpdate: number | null;
}

/** Reads the dates of a revocation list in DER (RFC 5280 section 5.1). Returns null if it is malformed. */
export function readRevocationDates(der: Buffer): RevocationDates | null {
  const fields = new DerReader(der).enter(DER.sequence)?.enter(DER.sequence);
  if (fields === undefined || fields === null) return null;
  fields.take(DER.integer);
  if (fields.take(DER.sequence) === null || fields.take(DER.sequence) === null) return null;
  const thisUpdate = timeOf(fields);
  if (thisUpdate === null) return null;
  return { thisUpdate, nextUpdate: timeOf(fields) };
}

/** Takes a time (RFC 5280 section 4.1.2.5). Returns null if the next element is not one. */
function timeOf(fields: DerReader): number | null {
  const short = fields.take(UTC_TIME);
  if (short !== null) {
    const text = textOf(fields, short);
    return parseTime(`${Number(text.slice(0, 2)) < 50 ? '20' : '19'}${text}`);
  }
  const long = fields.take(GENERALIZED_TIME);
  return long === null ? null : parseTime(textOf(fields, long));
}

function textOf({ bytes }: DerReader, { content, end }: DerElement): string {
  return bytes.toString('latin1', content, Math.min(end, content + 20));
}

function parseTime(text: string): number | null {
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (parts === null) return null;
  const [, year, month, day, hour, minute, second] = parts.map(Number);
  return Date.UTC(year!, month! - 1, day, hour, minute, second);
}
