/** Mutated chunked bodies, read in pieces, and compared with a reader of whole texts and with llhttp. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ChunkDecoder } from '../../../src/wire/http/chunked-body/chunk-decoder.ts';
import { readByLlhttp } from './llhttp.ts';
import { cutPlaces, edited, edits, readEnds } from './mutations.ts';

const HEAD = Buffer.from('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');

const BODIES = [
  '0\r\n\r\n',
  '5\r\nhello\r\n0\r\n\r\nGET / HTTP/1.1\r\n',
  'A;ext=1;q="a \\"b"\r\n0123456789\r\n0f ; a = b\r\n0123456789abcde\r\n0\r\nX-Sum: \t1 \r\nX-B:\xe9\r\n\r\n',
  '2 ;e\r\n\r\n\r\n00\r\n\r\n',
].map((body) => Buffer.from(body, 'latin1'));

const PIECES = [
  '\r',
  '\n',
  '\r\n',
  '\r\n\r\n',
  ' ',
  '\t',
  ';',
  '=',
  '"',
  ':',
  '\0',
  '\x7f',
  '\xff',
  '0',
  '1',
  'f',
  'G',
  '-1',
  '0x',
  '000000000',
  '123456789',
  '0\r\n\r\n',
  'X: y\r\n',
].map((piece) => Buffer.from(piece, 'latin1'));

/** The result of a decoder. */
interface Outcome {
  readonly content: string;
  readonly trailers: readonly (readonly string[])[];
  readonly problem: string | null;
  /** Bytes of a complete body; null without one. */
  readonly length: number | null;
}

function decode(bytes: Buffer, ends: readonly number[]): Outcome {
  const decoder = new ChunkDecoder(false);
  let content = '';
  let at = 0;
  let length: number | null = null;
  const sink = {
    bodyData: (data: Buffer): void => {
      content += data.toString('latin1');
    },
  };
  for (const end of ends) {
    const input = Buffer.from(bytes.subarray(at, end));
    const used = decoder.push(input, 0, input.length, sink);
    input.fill(0x0a);
    if (decoder.complete) length = at + used;
    if (decoder.complete || decoder.problem !== null) break;
    assert.equal(used, end - at);
    at = end;
  }
  return { content, trailers: decoder.trailers, problem: decoder.problem, length };
}

const TOKEN = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+";
const QUOTED = '"(?:[\\t !#-\\[\\]-~\\x80-\\xff]|\\\\[\\t -~\\x80-\\xff])*"';
const LINE = new RegExp(
  `^([0-9A-Fa-f]+)(?:[\\t ]*;[\\t ]*${TOKEN}(?:[\\t ]*=[\\t ]*(?:${TOKEN}|${QUOTED}))?)*\\r\\n`,
);
const TRAILERS = /^((?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t -~\x80-\xff]*\r\n)*)\r\n/;

/** Decodes a whole text by expressions. Returns null for one that is malformed or incomplete. */
function decodeWhole(bytes: Buffer): Omit<Outcome, 'problem'> | null {
  const text = bytes.toString('latin1');
  let content = '';
  for (let at = 0; ;) {
    const line = LINE.exec(text.slice(at));
    if (line === null || line[1]!.replace(/^0+/, '').length > 8) return null;
    at += line[0].length;
    const size = Number.parseInt(line[1]!, 16);
    if (size === 0) {
      const trailers = TRAILERS.exec(text.slice(at));
      if (trailers === null) return null;
      const fields = trailers[1]!.split('\r\n').slice(0, -1);
      const pairs = fields.map((field) => {
        const colon = field.indexOf(':');
        return [field.slice(0, colon), field.slice(colon + 1).replace(/^[\t ]+|[\t ]+$/g, '')];
      });
      return { content, trailers: pairs, length: at + trailers[0].length };
    }
    if (text.slice(at + size, at + size + 2) !== '\r\n') return null;
    content += text.slice(at, at + size);
    at += size + 2;
  }
}

/** Reads mutated bodies. Throws if one is read in two ways. */
export function fuzzChunkedBodies(runs: number, seed: number): void {
  let complete = 0;
  fc.assert(
    fc.property(fc.constantFrom(...BODIES), edits(PIECES), cutPlaces, (base, list, places) => {
      const bytes = edited(base, list);
      const whole = decode(bytes, [bytes.length]);
      assert.deepEqual(decode(bytes, readEnds(bytes.length, places)), whole);
      assert.deepEqual(decode(bytes, readEnds(bytes.length, 'each byte')), whole);
      const expected = decodeWhole(bytes);
      if (whole.length === null) {
        assert.equal(expected, null);
        return;
      }
      complete++;
      const { content, trailers, length } = whole;
      assert.deepEqual({ content, trailers, length }, expected);
      // llhttp refuses more in extensions than their bytes.
      if (base.includes(';') || bytes.includes(';')) return;
      const found = readByLlhttp(Buffer.concat([HEAD, bytes.subarray(0, length)]));
      assert.ok(found !== null && typeof found !== 'string', `llhttp: ${JSON.stringify(found)}`);
      assert.ok(found.complete);
      assert.equal(found.body.toString('latin1'), content);
      assert.deepEqual(found.trailers, trailers.flat());
    }),
    { numRuns: runs, seed },
  );
  assert.ok(complete > runs / 10, `${complete} complete`);
}
