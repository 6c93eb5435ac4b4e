/** DER (X.690), the encoding of certificates. */

/** Tags of the elements of certificates. */
export const DER = {
  boolean: 0x01,
  integer: 0x02,
  octetString: 0x04,
  objectIdentifier: 0x06,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Tags above 30 take several bytes. None occur in the parts of certificates that this reader reads. */
const LONG_TAG = 0x1f;
/** Max bytes of a length. Four bytes suffice for 4 GiB. */
const MAX_LENGTH_BYTES = 4;

/** Position of a DER element and of its content. */
export interface DerElement {
  readonly tag: number;
  /** Index of the tag. */
  readonly start: number;
  /** Index of the first byte of the content. */
  readonly content: number;
  /** Index after the content. */
  readonly end: number;
}

/** Reads elements in turn. Never reads outside its range, and never throws. */
export class DerReader {
  readonly bytes: Buffer;
  readonly #end: number;
  #at: number;

  constructor(bytes: Buffer, start = 0, end: number = bytes.length) {
    this.bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  /** Whether all elements were taken. */
  get isAtEnd(): boolean {
    return this.#at === this.#end;
  }

  /** Takes the next element. Returns null at the end, or if the bytes are not an element of known length. */
  next(): DerElement | null {
    const { bytes } = this;
    const start = this.#at;
    const tag = start < this.#end ? bytes[start]! : LONG_TAG;
    if ((tag & LONG_TAG) === LONG_TAG || start + 2 > this.#end) return null;
    let length = bytes[start + 1]!;
    let content = start + 2;
    if (length >= 0x80) {
      const count = length - 0x80;
      if (count === 0 || count > MAX_LENGTH_BYTES || content + count > this.#end) return null;
      length = bytes.readUIntBE(content, count);
      content += count;
    }
    if (length > this.#end - content) return null;
    this.#at = content + length;
    return { tag, start, content, end: this.#at };
  }

  /** Takes the next element if it has this tag. Otherwise takes nothing and returns null. */
  take(tag: number): DerElement | null {
    return this.#at < this.#end && this.bytes[this.#at] === tag ? this.next() : null;
  }

  /**
   * Takes the next element if it has this tag. Returns a reader of its content, or null like {@link take}.
   */
  enter(tag: number): DerReader | null {
    const element = this.take(tag);
    return element === null ? null : this.within(element);
  }

  /** Returns a reader of an element's content. */
  within(element: DerElement): DerReader {
    return new DerReader(this.bytes, element.content, element.end);
  }
}

/** Max bytes of an object identifier: enough for a 128-bit number (X.667) and more numbers than any has. */
const MAX_IDENTIFIER_BYTES = 64;

/**
 * Formats an object identifier as dotted numbers. Returns '' if the content is empty, truncated inside a
 * number, or longer than {@link MAX_IDENTIFIER_BYTES}.
 */
export function dottedOf(content: Uint8Array): string {
  if (content.length > MAX_IDENTIFIER_BYTES) return '';
  const numbers: bigint[] = [];
  let number = 0n;
  for (const byte of content) {
    number = (number << 7n) | BigInt(byte & 0x7f);
    if (byte >= 0x80) continue;
    numbers.push(number);
    number = 0n;
  }
  const [first] = numbers;
  if (first === undefined || content.at(-1)! >= 0x80) return '';
  // X.690 section 8.19.4: the first number encodes two.
  const root = first < 80n ? first / 40n : 2n;
  return [root, first - root * 40n, ...numbers.slice(1)].join('.');
}
