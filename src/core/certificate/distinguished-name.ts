import { DER, type DerElement, type DerReader, dottedOf } from './der.ts';

/** OpenSSL's short names of subject attributes, by object identifier. */
const SHORT_NAMES: ReadonlyMap<string, string> = new Map([
  ['0.9.2342.19200300.100.1.1', 'UID'],
  ['0.9.2342.19200300.100.1.3', 'mail'],
  ['0.9.2342.19200300.100.1.25', 'DC'],
  ['1.2.840.113549.1.9.1', 'emailAddress'],
  ['1.2.840.113549.1.9.2', 'unstructuredName'],
  ['1.2.840.113549.1.9.8', 'unstructuredAddress'],
  ['1.3.6.1.4.1.311.60.2.1.1', 'jurisdictionL'],
  ['1.3.6.1.4.1.311.60.2.1.2', 'jurisdictionST'],
  ['1.3.6.1.4.1.311.60.2.1.3', 'jurisdictionC'],
  ['2.5.4.3', 'CN'],
  ['2.5.4.4', 'SN'],
  ['2.5.4.5', 'serialNumber'],
  ['2.5.4.6', 'C'],
  ['2.5.4.7', 'L'],
  ['2.5.4.8', 'ST'],
  ['2.5.4.9', 'street'],
  ['2.5.4.10', 'O'],
  ['2.5.4.11', 'OU'],
  ['2.5.4.12', 'title'],
  ['2.5.4.13', 'description'],
  ['2.5.4.15', 'businessCategory'],
  ['2.5.4.16', 'postalAddress'],
  ['2.5.4.17', 'postalCode'],
  ['2.5.4.18', 'postOfficeBox'],
  ['2.5.4.20', 'telephoneNumber'],
  ['2.5.4.41', 'name'],
  ['2.5.4.42', 'GN'],
  ['2.5.4.43', 'initials'],
  ['2.5.4.44', 'generationQualifier'],
  ['2.5.4.45', 'x500UniqueIdentifier'],
  ['2.5.4.46', 'dnQualifier'],
  ['2.5.4.65', 'pseudonym'],
  ['2.5.4.72', 'role'],
  ['2.5.4.97', 'organizationIdentifier'],
]);

/** Tag of strings that are already UTF-8. */
const UTF8_STRING = 12;
/**
 * Tags of strings with one byte per character: Numeric-, Printable-, T61-, IA5- and VisibleString, and dates.
 */
const BYTE_STRINGS: ReadonlySet<number> = new Set([18, 19, 20, 22, 23, 24, 26]);
const UNIVERSAL_STRING = 28;
const BMP_STRING = 30;

/** Bytes that need a backslash (RFC 2253 section 2.4). */
const SPECIAL: ReadonlySet<number> = new Set(Buffer.from(',+"\\<>;', 'latin1'));
const SPACE = 0x20;
const HASH = 0x23;
const DELETE = 0x7f;

/**
 * Formats a distinguished name as in RFC 2253, and as in OpenSSL's XN_FLAG_RFC2253, nginx and Envoy: the last
 * attribute first, `CN=alice,O=example`. Control characters and non-ASCII bytes are escaped (`\0A`,
 * `\C3\A9`), so the text is visible ASCII and spaces. Unknown attributes appear as their number and their
 * value in DER: `1.2.3=#0C0161`.
 *
 * @param name a reader of the content of a Name (RFC 5280 section 4.1.2.4)
 * @returns null if the name is malformed
 */
export function formatName(name: DerReader): string | null {
  let text = '';
  while (!name.isAtEnd) {
    const attributes = name.enter(DER.set);
    const part = attributes === null ? null : formatAttributes(attributes);
    if (part === null) return null;
    text = text === '' ? part : `${part},${text}`;
  }
  return text;
}

/** Formats the attributes of one level, usually one. Returns null if they are malformed. */
function formatAttributes(attributes: DerReader): string | null {
  let text = '';
  do {
    const attribute = attributes.enter(DER.sequence);
    const type = attribute?.take(DER.objectIdentifier) ?? null;
    const value = type === null ? null : attribute!.next();
    if (value === null || !attribute!.isAtEnd) return null;
    const { bytes } = attributes;
    const dotted = dottedOf(bytes.subarray(type!.content, type!.end));
    if (dotted === '') return null;
    const part = formatAttribute(dotted, bytes, value);
    text = text === '' ? part : `${part}+${text}`;
  } while (!attributes.isAtEnd);
  return text;
}

function formatAttribute(type: string, bytes: Buffer, value: DerElement): string {
  const name = SHORT_NAMES.get(type);
  const utf8 = name === undefined ? null : utf8Of(value.tag, bytes.subarray(value.content, value.end));
  const text =
    utf8 === null ? `#${bytes.toString('hex', value.start, value.end).toUpperCase()}` : escapeValue(utf8);
  return `${name ?? type}=${text}`;
}

/** Converts a string to UTF-8. Returns null if the type is not a string or the string is malformed. */
function utf8Of(tag: number, content: Buffer): Buffer | null {
  if (tag === UTF8_STRING) return content;
  if (BYTE_STRINGS.has(tag)) return Buffer.from(content.toString('latin1'), 'utf8');
  const width = tag === BMP_STRING ? 2 : tag === UNIVERSAL_STRING ? 4 : 0;
  if (width === 0 || content.length % width !== 0) return null;
  let text = '';
  for (let at = 0; at < content.length; at += width) {
    const code = content.readUIntBE(at, width);
    // Half of a surrogate pair is not a character, nor is a code above Unicode.
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return null;
    text += String.fromCodePoint(code);
  }
  return Buffer.from(text, 'utf8');
}

function escapeValue(utf8: Buffer): string {
  let text = '';
  for (const [index, byte] of utf8.entries()) {
    const isEdge =
      (byte === SPACE && (index === 0 || index === utf8.length - 1)) || (byte === HASH && index === 0);
    if (byte < SPACE || byte >= DELETE) text += `\\${hexOf(byte)}`;
    else text += isEdge || SPECIAL.has(byte) ? `\\${String.fromCharCode(byte)}` : String.fromCharCode(byte);
  }
  return text;
}

function hexOf(byte: number): string {
  return byte.toString(16).toUpperCase().padStart(2, '0');
}
