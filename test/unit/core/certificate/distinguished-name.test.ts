import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { DER, DerReader } from '../../../../src/core/certificate/der.ts';
import { formatName } from '../../../../src/core/certificate/distinguished-name.ts';
import { type Attribute, certificateDer, der, nameDer, oid } from '../../../support/certificate-der.ts';

type Levels = readonly (readonly Attribute[])[];

const UTF8 = 12;
const [C, O, OU, CN, DC] = ['2.5.4.6', '2.5.4.10', '2.5.4.11', '2.5.4.3', '0.9.2342.19200300.100.1.25'];
const utf8 = (text: string): Buffer => Buffer.from(text, 'utf8');
const common = (tag: number, content: Buffer | string): Levels => [[[CN, tag, content]]];

function format(name: Buffer): string | null {
  return formatName(new DerReader(name).enter(DER.sequence)!);
}

const CASES: readonly (readonly [what: string, levels: Levels, text: string])[] = [
  [
    'the last attribute first',
    [[[C, 19, 'DE']], [[O, UTF8, 'example']], [[CN, UTF8, 'alice']]],
    'CN=alice,O=example,C=DE',
  ],
  [
    'attributes of one level with a plus sign',
    [
      [[O, UTF8, 'a']],
      [
        [CN, UTF8, 'b'],
        [OU, UTF8, 'c'],
      ],
    ],
    'OU=c+CN=b,O=a',
  ],
  ['domain components', [[[DC, 22, 'example']], [[DC, 22, 'www']]], 'DC=www,DC=example'],
  [
    'special characters with a backslash',
    common(UTF8, 'a,b+c"d\\e<f>g;h=i'),
    'CN=a\\,b\\+c\\"d\\\\e\\<f\\>g\\;h=i',
  ],
  ['spaces at the edges with a backslash', common(UTF8, '  a b  '), 'CN=\\  a b \\ '],
  ['one space with a backslash', common(UTF8, ' '), 'CN=\\ '],
  ['a hash sign at the front with a backslash', common(UTF8, '#a#'), 'CN=\\#a#'],
  ['line ends, NUL and DEL in hex', common(UTF8, 'a\r\n\0\x7fb'), 'CN=a\\0D\\0A\\00\\7Fb'],
  ['UTF-8 in hex', common(UTF8, utf8('é€')), 'CN=\\C3\\A9\\E2\\82\\AC'],
  ['T61 strings as Latin-1', common(20, 'é'), 'CN=\\C3\\A9'],
  ['strings of two bytes for a character', common(30, '\0a\x20\xac'), 'CN=a\\E2\\82\\AC'],
  ['strings of four bytes for a character', common(28, '\0\x01\xf6\x00'), 'CN=\\F0\\9F\\98\\80'],
  ['an empty value', common(UTF8, ''), 'CN='],
  ['values that are no strings in DER', common(0x30, der(2, '\x01')), 'CN=#3003020101'],
  [
    'attributes that nobody knows in DER',
    [[['1.3.6.1.4.1.99999.1', UTF8, 'a']]],
    '1.3.6.1.4.1.99999.1=#0C0161',
  ],
  ['no attributes', [], ''],
];

describe('formatName', () => {
  for (const [what, levels, text] of CASES) {
    it(`writes ${what}`, () => {
      assert.equal(format(nameDer(levels)), text);
    });
  }

  it('writes names as openssl does', () => {
    for (const [what, levels, text] of CASES) {
      const args = ['x509', '-inform', 'DER', '-noout', '-subject', '-nameopt', 'RFC2253'];
      const input = certificateDer(nameDer(levels));
      const told = execFileSync('openssl', args, { input, timeout: 30_000 }).toString('latin1');
      assert.equal(told, `subject=${text}\n`, what);
    }
  });

  it('knows the same short names as openssl', () => {
    const types = [
      ...[3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15, 16, 17, 18, 20, 41, 42, 43, 44, 45, 46, 65, 72, 97].map(
        (number) => `2.5.4.${number}`,
      ),
      ...[1, 3, 25].map((number) => `0.9.2342.19200300.100.1.${number}`),
      ...[1, 2, 8].map((number) => `1.2.840.113549.1.9.${number}`),
      ...[1, 2, 3].map((number) => `1.3.6.1.4.1.311.60.2.1.${number}`),
    ];
    const name = nameDer(types.map((type) => [[type, UTF8, 'x']]));
    const args = ['x509', '-inform', 'DER', '-noout', '-subject', '-nameopt', 'RFC2253'];
    const told = execFileSync('openssl', args, { input: certificateDer(name), timeout: 30_000 });
    assert.equal(`subject=${format(name)}\n`, told.toString('latin1'));
  });

  for (const [what, name] of [
    ['a level that is no set', der(0x30, der(0x30))],
    ['a level without attributes', der(0x30, der(0x31))],
    ['an attribute without a value', der(0x30, der(0x31, der(0x30, oid(CN))))],
    ['an attribute with two values', der(0x30, der(0x31, der(0x30, oid(CN), der(12, 'a'), der(12, 'b'))))],
    ['an attribute without a type', der(0x30, der(0x31, der(0x30, der(12, 'a'))))],
    ['a type that is cut', der(0x30, der(0x31, der(0x30, der(6, '\x55\x84'), der(12, 'a'))))],
    ['bytes that are no element', der(0x30, '\x31\x05')],
  ] as const) {
    it(`refuses ${what}`, () => {
      assert.equal(format(name), null);
    });
  }

  // OpenSSL refuses certificates with it.
  it('writes broken UTF-8 in hex', () => {
    assert.equal(format(nameDer(common(UTF8, '\xff\xc3'))), 'CN=\\FF\\C3');
  });

  it('formats half of a surrogate pair in DER', () => {
    assert.equal(format(nameDer(common(30, '\xd8\x3d'))), 'CN=#1E02D83D');
  });
});
