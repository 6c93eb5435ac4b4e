import { DER, DerReader } from './der.ts';
import { formatName } from './distinguished-name.ts';

/** A subject alternative name (RFC 5280 section 4.2.1.6) of a kind that tells who somebody is. */
export interface AlternativeName {
  readonly kind: 'dns' | 'uri' | 'email' | 'ip';
  /** The bytes of the name: those of an address, else one for each character. */
  readonly bytes: Buffer;
}

/** What a certificate says of its holder. */
interface CertificateFields {
  /** As {@link formatName} writes it. Empty if it is empty, malformed, or longer than {@link MAX_SUBJECT_CHARACTERS}. */
  readonly subject: string;
  /** Empty if one is malformed, or if all of them are longer than {@link MAX_NAME_BYTES}. */
  readonly names: readonly AlternativeName[];
}

/** Max characters of a subject. RFC 5280 allows 64 for a name, and no real subject comes near this. */
const MAX_SUBJECT_CHARACTERS = 4 * 1024;
/** Max bytes of all alternative names together, so that a header with them stays within the limits of servers. */
const MAX_NAME_BYTES = 8 * 1024;

/** Tags of the optional elements of a certificate: its version, the two unique identifiers, and the extensions. */
const VERSION = 0xa0;
const UNIQUE_IDS = [0x81, 0xa1, 0x82, 0xa2] as const;
const EXTENSIONS = 0xa3;
/** The object identifier of subjectAltName, 2.5.29.17. */
const ALTERNATIVE_NAMES = Buffer.from([0x55, 0x1d, 0x11]);
/** Kinds of names by tag. The others are skipped. */
const KINDS: ReadonlyMap<number, AlternativeName['kind']> = new Map([
  [0x81, 'email'],
  [0x82, 'dns'],
  [0x86, 'uri'],
  [0x87, 'ip'],
]);
const NOTHING: CertificateFields = Object.freeze({ subject: '', names: [] });

/**
 * Reads the holder's names in a certificate (RFC 5280 section 4.1). It does not verify anything, and never throws: what is
 * malformed reads as empty.
 *
 * @param der the certificate, and nothing behind it
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

/** Returns the names of the only extension that has names; null if it is missing, malformed, or not the only one. */
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
