/** Mutated PROXY headers, read in pieces, and compared with a reader of whole texts. */
import assert from 'node:assert/strict';
import { isIPv4, isIPv6 } from 'node:net';
import fc from 'fast-check';
import { normalizeIp } from '../../../src/wire/ip-address.ts';
import { Malformed } from '../../../src/wire/malformed.ts';
import { hasProxySignature, readProxyHeader } from '../../../src/wire/proxy-protocol/proxy-header-reader.ts';
import { cutPlaces, edited, edits, readEnds } from './mutations.ts';

const SIGNATURE = '0d0a0d0a000d0a515549540a';
const MAX_LINE_BYTES = 107;

const LINES = [
  'PROXY TCP4 192.0.2.1 198.51.100.2 12345 443\r\nGET / HTTP/1.1\r\n',
  'PROXY TCP6 2001:db8::1 ::ffff:192.0.2.9 0 65535\r\n',
  'PROXY UNKNOWN\r\n\x16\x03\x01',
  `PROXY UNKNOWN ${'ffff:'.repeat(7)}ffff ${'ffff:'.repeat(7)}ffff 65535 65535\r\n`,
].map((line) => Buffer.from(line, 'latin1'));

const BLOCKS = [
  '2111000cc0000201c6336402303901bb',
  `2111002cc0000201c6336402303901bb02000b6578616d706c652e636f6d05000269640400010003000412345678ea0000`,
  `21210024${'20010db8000000000000000000000001'.repeat(2)}00500051`,
  `213100de${'2f'.repeat(216)}020003612e62`,
  '20000000160301',
  '2000000501000278ff',
  '21000003040000474554',
].map((block) => Buffer.from(SIGNATURE + block, 'hex'));

const PIECES = [
  ...[
    '\r',
    '\n',
    '\r\n',
    ' ',
    '  ',
    '\t',
    '\0',
    '.',
    ':',
    '::',
    '-',
    '+',
    '0',
    '00',
    '255',
    '256',
    '65536',
    '9',
  ],
  ...[
    'PROXY ',
    'PROXY',
    'TCP4',
    'TCP6',
    'UNKNOWN',
    '::1',
    '1.2.3.4',
    '%eth0',
    'ffff:',
    '\xff',
    '\x02',
    '\x03',
  ],
  ...['\x20', '\x21', '\x11', '\x31', '\0\x04', '\x02\0\x01a', 'x'.repeat(60)],
].map((piece) => Buffer.from(piece, 'latin1'));

/** What proxies send: mostly damaged. */
export const mutatedProxyHeaders: fc.Arbitrary<Buffer> = fc
  .tuple(fc.constantFrom(...LINES, ...BLOCKS), edits(PIECES))
  .map(([base, list]) => edited(base, list));

type Outcome = { readonly header: unknown; readonly length: number } | 'malformed' | 'more';

/** Reads bytes in pieces from memory in which other bytes lie around them. */
function read(bytes: Buffer, ends: readonly number[]): Outcome {
  const memory = Buffer.from(`PROXY ${' '.repeat(bytes.length)}\n 0.0\r\n`.repeat(2));
  for (const end of ends) {
    const start = end % 7;
    memory.fill(end % 2 === 0 ? '\r\n' : '1 ');
    bytes.copy(memory, start, 0, end);
    const result = readProxyHeader(memory, start, start + end);
    if (result instanceof Malformed) return 'malformed';
    if (result !== null) return { header: result.header, length: result.length };
  }
  return 'more';
}

const NOBODY = { source: null, destination: null, serverName: null, vpcEndpointId: null };

/** Reads the whole text of version 1. Returns null for any text that is none. */
function readLine(text: string): Outcome | null {
  const [line = ''] = /^[^\n]*\n/.exec(text) ?? [];
  if (line.length > MAX_LINE_BYTES) return null;
  if (/^PROXY UNKNOWN(?: [^\r\n]*)?\r\n$/.test(line)) return { header: NOBODY, length: line.length };
  const match = /^PROXY TCP([46]) ([^ ]+) ([^ ]+) (0|[1-9]\d{0,4}) (0|[1-9]\d{0,4})\r\n$/.exec(line);
  if (match === null) return null;
  const [, family, source = '', destination = '', ...ports] = match;
  const isAddress = family === '4' ? isIPv4 : isIPv6;
  if (![source, destination].every((end) => isAddress(end) && !end.includes('%'))) return null;
  if (ports.some((port) => Number(port) > 65535)) return null;
  const end = (address: string, port: string | undefined): object => ({
    address: normalizeIp(address),
    port: Number(port),
  });
  const header = { ...NOBODY, source: end(source, ports[0]), destination: end(destination, ports[1]) };
  return { header, length: line.length };
}

/** Reads whole bytes of version 2 without their checksum. Returns null for any that are none. */
function readBlock(bytes: Buffer): Outcome | null {
  if (bytes.length < 16 || bytes.toString('hex', 0, 12) !== SIGNATURE) return null;
  const [command, family] = [bytes[12]!, bytes[13]!];
  const length = 16 + bytes.readUInt16BE(14);
  if (length > 4096 || bytes.length < length || (command !== 0x20 && command !== 0x21)) return null;
  if (command === 0x20) return { header: NOBODY, length };
  const sizes: Readonly<Record<number, number>> = { 0: 0, 1: 12, 2: 36, 3: 216 };
  const size = sizes[family >> 4];
  if (size === undefined || (family & 15) > 2 || length < 16 + size) return null;
  if (size === 0) return { header: NOBODY, length };
  const fields: [type: number, value: Buffer][] = [];
  for (let at = 16 + size; at < length;) {
    if (at + 3 > length || at + 3 + bytes.readUInt16BE(at + 1) > length) return null;
    const next = at + 3 + bytes.readUInt16BE(at + 1);
    fields.push([bytes[at]!, bytes.subarray(at + 3, next)]);
    at = next;
  }
  const names = fields.filter(([type]) => type === 2).map(([, value]) => value.toString('latin1'));
  if (names.some((name) => name.length > 255)) return null;
  const serverName = names.map((name) => name.replace(/\.$/, '').toLowerCase());
  const ids = fields.filter(([type, value]) => type === 0xea && value[0] === 1);
  const half = size === 12 ? 4 : 16;
  const end = (which: number): object | null => {
    if (size > 36 || (family & 15) !== 1) return null;
    const address = bytes.subarray(16 + which * half, 16 + which * half + half);
    const text = half === 4 ? address.join('.') : address.toString('hex').replace(/(....)(?!$)/g, '$1:');
    return { address: normalizeIp(text), port: bytes.readUInt16BE(16 + 2 * half + 2 * which) };
  };
  const header = {
    source: end(0),
    destination: end(1),
    serverName: serverName.find((name) => /^[\w-]+(?:\.[\w-]+)*$/.test(name)) ?? null,
    vpcEndpointId:
      ids.map(([, id]) => id.toString('latin1', 1)).find((id) => /^[\w-]{1,64}$/.test(id)) ?? null,
  };
  return { header, length };
}

/** Reads mutated headers. Throws if one is read in two ways. */
export function fuzzProxyHeaders(runs: number, seed: number): void {
  let accepted = 0;
  let refused = 0;
  fc.assert(
    fc.property(mutatedProxyHeaders, cutPlaces, (bytes, places) => {
      const whole = read(bytes, [bytes.length]);
      assert.deepEqual(read(bytes, readEnds(bytes.length, places)), whole);
      assert.deepEqual(read(bytes, readEnds(bytes.length, 'each byte')), whole);
      const text = bytes.toString('latin1');
      const expected = readLine(text) ?? readBlock(bytes);
      const begins = hasProxySignature(bytes, 0, bytes.length);
      if (typeof whole === 'object') {
        accepted++;
        assert.equal(begins, true);
        assert.deepEqual(whole, expected);
      } else if (whole === 'malformed') {
        refused++;
        // A checksum can be wrong, which the other reader does not look at.
        if (expected !== null) assert.ok(bytes.includes(3, 16), text);
      } else {
        assert.notEqual(begins, false);
        assert.equal(expected, null);
      }
    }),
    { numRuns: runs, seed },
  );
  // A mutation that breaks everything, or nothing, would find nothing.
  assert.ok(accepted > runs / 10 && refused > runs / 10, `${accepted} accepted, ${refused} refused`);
}
