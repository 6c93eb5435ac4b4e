/** Mutated ClientHellos, read in pieces, and compared with a reader of whole bytes. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Malformed } from '../../../src/wire/malformed.ts';
import { ClientHelloReader, MAX_HELLO_BYTES } from '../../../src/wire/tls/client-hello-reader.ts';
import type { ClientHello } from '../../../src/wire/tls/client-hello.ts';
import * as captured from '../tls/captured-hellos.ts';
import {
  clientHello,
  extension,
  helloBody,
  message,
  protocolList,
  records,
  serverName,
} from '../tls/hello-building.ts';
import { cutPlaces, edited, edits, readEnds } from './mutations.ts';

const HELLOS = [
  captured.NODE,
  captured.OPENSSL_TLS_1_2,
  captured.PYTHON,
  captured.CHROMIUM,
  clientHello([serverName('a.example'), protocolList('h2', 'http/1.1')]),
  records(message(helloBody([serverName('a.b.example.'), extension(0x0a0a, Buffer.alloc(1))])), 7),
  records(message(helloBody(null)), 1),
];

const PIECES: readonly Buffer[] = [
  ...[
    ...[
      '16',
      '1603',
      '160301',
      '1603010001',
      '15030300020228',
      '01',
      '00',
      '0000',
      '0001',
      '0003',
      '00000000',
    ],
    ...[
      'ff',
      'ffff',
      '40',
      '4000',
      '4001',
      '0010',
      '000568656c6c6f',
      '0a0a0000',
      'fe0d',
      '2e',
      '2e2e',
      '00000e',
    ],
  ].map((piece) => Buffer.from(piece, 'hex')),
  serverName('x.example'),
  protocolList('http/1.1'),
  serverName('a..b'),
  Buffer.alloc(300, 0x61),
];

/** What clients send: mostly damaged. */
export const mutatedHellos: fc.Arbitrary<Buffer> = fc
  .tuple(fc.constantFrom(...HELLOS), edits(PIECES))
  .map(([base, list]) => edited(base, list));

/** One memory for all reads, which is overwritten after each. */
const shared = Buffer.alloc(64 * 1024);

/** Reads bytes in pieces. Returns why they are refused, or null if more must come. */
function read(bytes: Buffer, ends: readonly number[]): ClientHello | string | null {
  const reader = new ClientHelloReader();
  for (const end of ends) {
    const start = end % 7;
    bytes.copy(shared, start, 0, end);
    const result = reader.read(shared, start, start + end);
    shared.fill(end % 2 === 0 ? 0x16 : 0x00, 0, start + end + 8);
    if (result !== null) return result instanceof Malformed ? result.problem : result;
  }
  return null;
}

/** The bytes of a message in whole records; null if the records break off or are wrong. */
function joinRecords(bytes: Buffer): Buffer | null {
  let content = Buffer.alloc(0);
  for (let at = 0; ;) {
    if (content.length >= 4) {
      const size = 4 + content.readUIntBE(1, 3);
      if (content[0] !== 1 || size + 5 > MAX_HELLO_BYTES) return null;
      if (content.length >= size) return content.subarray(4, size);
    }
    if (bytes.length < at + 5 || bytes[at] !== 22 || bytes[at + 1] !== 3) return null;
    const length = bytes.readUInt16BE(at + 3);
    if (length === 0 || length > MAX_HELLO_BYTES) return null;
    content = Buffer.concat([content, bytes.subarray(at + 5, at + 5 + length)]);
    at += 5 + length;
  }
}

/** Takes a vector from the front of bytes; returns its content and the rest, or null if it runs past the end. */
function take(bytes: Buffer, lengthBytes: number): readonly [content: Buffer, rest: Buffer] | null {
  if (bytes.length < lengthBytes) return null;
  const end = lengthBytes + bytes.readUIntBE(0, lengthBytes);
  return bytes.length < end ? null : [bytes.subarray(lengthBytes, end), bytes.subarray(end)];
}

/** Reads a message whole. Returns null for one that is malformed. */
function readWhole(bytes: Buffer): ClientHello | null {
  const body = joinRecords(bytes.subarray(0, MAX_HELLO_BYTES));
  if (body === null || body.length < 35 || body[0] !== 3) return null;
  const session = take(body.subarray(34), 1);
  const ciphers = session && session[0].length <= 32 ? take(session[1], 2) : null;
  const isEven = ciphers !== null && ciphers[0].length > 0 && ciphers[0].length % 2 === 0;
  const compression = isEven ? take(ciphers[1], 1) : null;
  if (compression === null || compression[0].length === 0) return null;
  if (compression[1].length === 0) return { serverName: null, protocols: [] };
  const extensions = take(compression[1], 2);
  if (extensions === null || extensions[1].length > 0) return null;
  const found = new Map<number, Buffer>();
  for (let rest = extensions[0]; rest.length > 0;) {
    const next = rest.length < 4 ? null : take(rest.subarray(2), 2);
    if (next === null) return null;
    const type = rest.readUInt16BE(0);
    if ((type === 0 || type === 16) && found.has(type)) return null;
    found.set(type, next[0]);
    rest = next[1];
  }
  const name = wholeName(found.get(0));
  const protocols = wholeProtocols(found.get(16));
  return name === undefined || protocols === null ? null : { serverName: name, protocols };
}

/** Returns undefined for an extension that is malformed. */
function wholeName(data: Buffer | undefined): string | null | undefined {
  if (data === undefined) return null;
  const list = take(data, 2);
  if (list === null || list[1].length > 0 || list[0].length === 0 || list[0][0] !== 0) return undefined;
  const name = take(list[0].subarray(1), 2);
  if (name === null || name[1].length > 0 || name[0].length > 255 || name[0].includes(0)) return undefined;
  const text = name[0].toString('latin1').toLowerCase();
  return /^[a-z\d_-]+(?:\.[a-z\d_-]+)*\.?$/.test(text) ? text.replace(/\.$/, '') : null;
}

function wholeProtocols(data: Buffer | undefined): readonly string[] | null {
  if (data === undefined) return [];
  const list = take(data, 2);
  if (list === null || list[1].length > 0 || list[0].length === 0) return null;
  const protocols: string[] = [];
  for (let rest = list[0]; rest.length > 0;) {
    const next = take(rest, 1);
    if (next === null || next[0].length === 0) return null;
    protocols.push(next[0].toString('latin1'));
    rest = next[1];
  }
  return protocols.slice(0, 32);
}

/** Reads mutated hellos. Throws if one is read in two ways. */
export function fuzzClientHellos(runs: number, seed: number): void {
  let accepted = 0;
  let refused = 0;
  fc.assert(
    fc.property(mutatedHellos, cutPlaces, (bytes, places) => {
      const whole = read(bytes, [bytes.length]);
      assert.deepEqual(read(bytes, readEnds(bytes.length, places)), whole);
      assert.deepEqual(read(bytes, readEnds(bytes.length, 'each byte')), whole);
      const expected = readWhole(bytes);
      if (whole !== null && typeof whole === 'object') {
        accepted++;
        assert.deepEqual(whole, expected);
      } else {
        if (whole !== null) refused++;
        assert.equal(expected, null);
      }
    }),
    { numRuns: runs, seed },
  );
  // A mutation that breaks everything, or nothing, would find nothing.
  assert.ok(accepted > runs / 10 && refused > runs / 10, `${accepted} accepted, ${refused} refused`);
}
