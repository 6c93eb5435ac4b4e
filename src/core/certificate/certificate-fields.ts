import { DER, DerReader } from './der.ts';
import { formatName } from './distinguished-name.ts';

/** A subject alternative name (RFC 5280 section 4.2.1.6) of a kind that identifies its holder. */
export interface AlternativeName {
  readonly kind: 'dns' | 'uri' | 'email' | 'ip';
  /** Bytes of the name: those of an IP address, otherwise one per character. */
  readonly bytes: Buffer;
}

/** A certificate's facts about its holder. */
interface CertificateFields {
  /** Formatted by {@link formatName}. Empty if missing, malformed, or over {@link MAX_SUBJECT_CHARACTERS}. */
  readonly subject: string;
  /** Empty if any name is malformed, or if their total exceeds {@link MAX_NAME_BYTES}. */
  readonly names: readonly AlternativeName[];
}

/** Max characters of a subject. RFC 5280 allows 64 for a name, and real subjects stay far below this. */
const MAX_SUBJECT_CHARACTERS = 4 * 1024;
/** Max total bytes of alternative names, so that a header with them stays within servers' limits. */
const MAX_NAME_BYTES = 8 * 1024;

/** Tags of a certificate's optional elements: version, the two unique identifiers, and extensions. */
const VERSION = 0xa0;
const UNIQUE_IDS = [0x81, 0xa1, 0x82, 0xa2] as const;
const EXTENSIONS = 0xa3;
/** Object identifier of subjectAltName, 2.5.29.17. */
const ALTERNATIVE_NAMES = Buffer.from([0x55, 0x1d, 0x11]);
/** Kinds of names by tag. Others are skipped. */
const KINDS: ReadonlyMap<number, AlternativeName['kind']> = new Map([
  [0x81, 'email'],
  [0x82, 'dns'],
  [0x86, 'uri'],
  [0x87, 'ip'],
]);
const NOTHING: CertificateFields = Object.freeze({ subject: '', names: [] });

/**
 * Reads the holder's names in a certificate (RFC 5280 section 4.1). Verifies nothing and never throws:
 * malformed parts read as empty.
 *
 * @param der the certificate, without trailing bytes
 */
export function readCertificateFields(der: Buffer): CertificateFields {
  const body = new DerReader(der).enter(DER.sequence)?.enter(DER.sequence) ?? null;
  if (body === null) return NOTHING;
  body.take(VERSION);
  const hasFields =
    body.take(DER.integer) !== null &&
    body.take(DER.sequence) !== null && // signature
    body.take(DER.sequence) !== null && // issuer
    body.take(DER.sequence) !== null; // validity
  const name = hasFields ? body.enter(DER.sequence) : null;
  if (name === null || body.take(DER.sequence) === null) return NOTHING;
  for (const tag of UNIQUE_IDS) body.take(tag);
  const extensions = body.enter(EXTENSIONS)?.enter(DER.sequence) ?? null;
  const subject = formatName(name) ?? '';
  return {
    subject: subject.length > MAX_SUBJECT_CHARACTERS ? '' : subject,
    names: (extensions === null ? null : findNames(extensions)) ?? [],
  };
}

/** Returns the names from the only extension with names; null if missing, malformed, or repeated. */
function findNames(extensions: DerReader): AlternativeName[] | null {
  const { bytes } = extensions;
  let names: AlternativeName[] | null = null;
  while (!extensions.isAtEnd) {
    const extension = extensions.enter(DER.sequence);
    const type = extension?.take(DER.objectIdentifier) ?? null;
    if (type === null) return null;
    extension!.take(DER.boolean);
    const value = extension!.enter(DER.octetString);
    if (value === null) return null;
    if (!bytes.subarray(type.content, type.end).equals(ALTERNATIVE_NAMES)) continue;
    if (names !== null) return null;
    names = readNames(value);
    if (names === null) return null;
  }
  return names;
}

function readNames(value: DerReader): AlternativeName[] | null {
  const list = value.enter(DER.sequence);
  if (list === null || !value.isAtEnd) return null;
  const names: AlternativeName[] = [];
  let bytes = 0;
  while (!list.isAtEnd) {
    const element = list.next();
    if (element === null) return null;
    const kind = KINDS.get(element.tag);
    if (kind === undefined) continue;
    bytes += element.end - element.content;
    if (bytes > MAX_NAME_BYTES) return null;
    names.push({ kind, bytes: list.bytes.subarray(element.content, element.end) });
  }
  return names;
}
