/** Certificates in DER with any names, which no authority would sign. Nothing but their form is real. */

/** Encodes one element of DER. */
export function der(tag: number, ...content: readonly (Buffer | string)[]): Buffer {
  const body = Buffer.concat(
    content.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)),
  );
  const { length } = body;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), body]);
  const bytes = length < 0x100 ? [0x81, length] : [0x83, length >> 16, (length >> 8) & 0xff, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...bytes]), body]);
}

/** Encodes an object identifier of numbers below 2^28. */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second, ...rest].flatMap((number) => {
    const septets = [number & 0x7f];
    for (let left = number >> 7; left > 0; left >>= 7) septets.unshift((left & 0x7f) | 0x80);
    return septets;
  });
  return der(0x06, Buffer.from(bytes));
}

/** An attribute of a name: its type, the tag of its value, and the value's content. */
export type Attribute = readonly [type: string, tag: number, content: Buffer | string];

/** Encodes a name. Each level has one attribute or several. */
export function nameDer(levels: readonly (readonly Attribute[])[]): Buffer {
  const sets = levels.map((attributes) =>
    der(0x31, ...attributes.map(([type, tag, content]) => der(0x30, oid(type), der(tag, content)))),
  );
  return der(0x30, ...sets);
}

const SIGNATURE = der(0x30, oid('1.2.840.10045.4.3.2'));
const KEY = der(0x30, der(0x30, oid('1.2.840.10045.2.1'), oid('1.2.840.10045.3.1.7')), der(0x03, '\0\x04'));

/** Returns an extension with subject alternative names. */
export function namesExtension(...names: readonly Buffer[]): Buffer {
  return der(0x30, oid('2.5.29.17'), der(0x04, der(0x30, ...names)));
}

/** Encodes a certificate. @param subject as {@link nameDer} encodes it */
export function certificateDer(subject: Buffer, ...extensions: readonly Buffer[]): Buffer {
  const dates = der(0x30, der(0x17, '260101000000Z'), der(0x17, '360101000000Z'));
  const issuer = nameDer([[['2.5.4.3', 12, 'sluice test authority']]]);
  const more = extensions.length === 0 ? [] : [der(0xa3, der(0x30, ...extensions))];
  const version = der(0xa0, der(0x02, '\x02'));
  const body = der(0x30, version, der(0x02, '\x01'), SIGNATURE, issuer, dates, subject, KEY, ...more);
  return der(0x30, body, SIGNATURE, der(0x03, '\0'));
}
