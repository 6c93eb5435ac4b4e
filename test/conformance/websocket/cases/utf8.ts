/** Chapter 6: UTF-8 in text messages. The sequences come from Markus Kuhn's decoder stress test. */
import {
  INVALID_DATA,
  accepted,
  script,
  fragments,
  onClient,
  pieces,
  refused,
  text,
  textMessage,
} from '../building.ts';
import type { Case, Chapter, Deviation, Script, Step } from '../case.ts';

/** "kosme" in Greek, in characters of two bytes and one, U+1F79, of three. */
const GREEK = Buffer.from('\u03ba\u1f79\u03c3\u03bc\u03b5');
const GERMAN = Buffer.from('Hello-µ@ßöäüàá-UTF-8!!');
const EDITED = Buffer.from('edited');
/** A high surrogate. */
const BROKEN = Buffer.concat([GREEK, Buffer.from('eda080', 'hex'), EDITED]);
/** 0x110000 in the scheme of UTF-8, which is past the last code point: wrong from its second byte on. */
const TOO_HIGH = Buffer.concat([GREEK, Buffer.from('f4908080', 'hex'), EDITED]);
const WRONG_AT = GREEK.length + 1;

const LATE: Deviation = {
  instead:
    'The connection ends without a close frame, and only after the whole message. The endpoint gets 1001.',
  why: 'uWebSockets.js checks the UTF-8 of whole messages only, and sends no close frame.',
  outcome: { closeFrame: 'none', failedAt: 'later' },
};

const joined = (parts: readonly (string | Buffer)[]) => (): Script =>
  script(fragments(false, parts), {
    messages: [textMessage(Buffer.concat(parts.map((part) => Buffer.from(part))))],
  });

function invalid(id: string, sends: string, steps: readonly Step[], rest: Partial<Case> = {}): Case {
  return refused(id, sends, () => script(steps), { end: INVALID_DATA, ...rest });
}

/** Three frames with a pause after the second, which holds the fault. */
function lookInFrames(at: readonly [number, number]): Step[] {
  const parts = [TOO_HIGH.subarray(0, at[0]), TOO_HIGH.subarray(at[0], at[1]), TOO_HIGH.subarray(at[1])];
  return fragments(false, parts).flatMap((step, index) => (index === 1 ? [step, { does: 'look' }] : [step]));
}

const WHOLE_RANGE = [GREEK.length, GREEK.length + 4] as const;
const ONE_BYTE = [WRONG_AT, WRONG_AT + 1] as const;
const FAIL_FAST = { chop: 'frame', known: [onClient(LATE)] } as const;

/** One case for each sequence, in hexadecimal; those that are no UTF-8 have a mark in front. */
function sequences(chapter: string, list: string): Case[] {
  return list.split(/\s+/).map((entry, index) => {
    const id = `${chapter}.${index + 1}`;
    const payload = Buffer.from(entry.replace('!', ''), 'hex');
    const name =
      payload.length > 12 ? `${payload.length} bytes from ${hex(payload.subarray(0, 4))}` : hex(payload);
    return entry.startsWith('!') ? invalid(id, name, [text(payload)]) : accepted(id, name, joined([payload]));
  });
}

const hex = (bytes: Buffer): string => bytes.toString('hex').replace(/(?<=..)(?=(..)+$)/g, ' ');

/** Every prefix of a text. Prefixes that end inside a character are not UTF-8. */
function prefixes(bytes: Buffer): string {
  const list = Array.from(bytes, (_, index) => {
    const isCut = index + 1 < bytes.length && (bytes[index + 1]! & 0xc0) === 0x80;
    return `${isCut ? '!' : ''}${bytes.toString('hex', 0, index + 1)}`;
  });
  return list.join(' ');
}

/** Bytes from one to another, less the last, with something behind each. */
function range(from: number, to: number, behind = ''): string {
  return Array.from({ length: to - from }, (_, index) => (from + index).toString(16) + behind).join('');
}

/** The last two code points of each plane, which are no characters but right. */
function nonCharacters(): string {
  const planes = Array.from({ length: 16 }, (_, index) => index + 1);
  const codePoints = [
    0xfffe,
    0xffff,
    ...planes.flatMap((plane) => [plane * 0x10000 + 0xfffe, plane * 0x10000 + 0xffff]),
  ];
  return codePoints.map((point) => Buffer.from(String.fromCodePoint(point)).toString('hex')).join(' ');
}

const LAST_BYTE_MISSING = 'c0 e080 f08080 f8808080 fc80808080 df efbf f7bfbf fbbfbfbf fdbfbfbfbf';
const wrong = (list: string): string => list.replace(/(^|\s)/g, '$1!');

export const UTF8: readonly Chapter[] = [
  {
    title: '6.1 Text with empty fragments',
    cases: [
      accepted('6.1.1', 'an empty text', joined([''])),
      accepted('6.1.2', 'a text in three empty fragments', joined(['', '', ''])),
      accepted(
        '6.1.3',
        'a text in three fragments, the first and last empty',
        joined(['', 'middle frame payload', '']),
      ),
    ],
  },
  {
    title: '6.2 Right UTF-8, fragmented on and within characters',
    cases: [
      accepted('6.2.1', 'a text in one frame', joined([GERMAN])),
      accepted(
        '6.2.2',
        'a text in two fragments, cut between characters',
        joined(['Hello-µ@ßöä', 'üàá-UTF-8!!']),
      ),
      accepted('6.2.3', 'a text in fragments of a byte', joined(pieces(GERMAN, 1))),
      accepted('6.2.4', 'another in fragments of a byte', joined(pieces(GREEK, 1))),
    ],
  },
  {
    title: '6.3 Wrong UTF-8, fragmented',
    cases: [
      invalid('6.3.1', 'a text with a surrogate in one frame', [text(BROKEN)]),
      invalid('6.3.2', 'the same in fragments of a byte', fragments(false, pieces(BROKEN, 1))),
    ],
  },
  {
    title: '6.4 Wrong UTF-8, failed at once',
    cases: [
      invalid(
        '6.4.1',
        'a text in three fragments, wrong in the second',
        lookInFrames(WHOLE_RANGE),
        FAIL_FAST,
      ),
      invalid('6.4.2', 'the same, the second only the byte that is wrong', lookInFrames(ONE_BYTE), FAIL_FAST),
      invalid(
        '6.4.3',
        'a text in one frame and three writes, wrong in the second',
        [{ does: 'cut', payload: TOO_HIGH, at: WHOLE_RANGE }],
        FAIL_FAST,
      ),
      invalid(
        '6.4.4',
        'the same, the second only the byte that is wrong',
        [{ does: 'cut', payload: TOO_HIGH, at: ONE_BYTE }],
        FAIL_FAST,
      ),
    ],
  },
  {
    title: '6.5 Some right sequences',
    cases: [
      ...[
        'hello\u0024world',
        'hello\u00a2world',
        'hello\u20acworld',
        'hello\u{24b62}world',
        GREEK.toString(),
      ].map((words, index) => accepted(`6.5.${index + 1}`, `the text ${words}`, joined([words]))),
    ],
  },
  { title: '6.6 All prefixes of a text', cases: sequences('6.6', prefixes(GREEK)) },
  { title: '6.7 First sequence of each length', cases: sequences('6.7', '00 c280 e0a080 f0908080') },
  { title: '6.8 First sequence of 5 and 6 bytes', cases: sequences('6.8', '!f888808080 !fc8480808080') },
  { title: '6.9 Last sequence of each length', cases: sequences('6.9', '7f dfbf efbfbf f48fbfbf') },
  {
    title: '6.10 Last sequence of 4, 5 and 6 bytes',
    cases: sequences('6.10', '!f7bfbfbf !fbbfbfbfbf !fdbfbfbfbfbf'),
  },
  { title: '6.11 Other borders', cases: sequences('6.11', 'ed9fbf ee8080 efbfbd f48fbfbf !f4908080') },
  {
    title: '6.12 Continuation bytes of nothing',
    cases: sequences(
      '6.12',
      wrong(`80 bf 80bf 80bf80 80bf80bf 80bf80bf80 80bf80bf80bf ${range(0x80, 0xbf)}`),
    ),
  },
  {
    title: '6.13 Lonely first bytes',
    cases: sequences(
      '6.13',
      wrong(
        [
          range(0xc0, 0xdf, '20'),
          range(0xe0, 0xef, '20'),
          range(0xf0, 0xf7, '20'),
          range(0xf8, 0xfb, '20'),
          range(0xfc, 0xfd, '20'),
        ].join(' '),
      ),
    ),
  },
  { title: '6.14 The last byte missing', cases: sequences('6.14', wrong(LAST_BYTE_MISSING)) },
  { title: '6.15 Those in a row', cases: sequences('6.15', wrong(LAST_BYTE_MISSING.replaceAll(' ', ''))) },
  { title: '6.16 Impossible bytes', cases: sequences('6.16', wrong('fe ff fefeffff')) },
  {
    title: '6.17 A slash, too long',
    cases: sequences('6.17', wrong('c0af e080af f08080af f8808080af fc80808080af')),
  },
  {
    title: '6.18 The greatest that are too long',
    cases: sequences('6.18', wrong('c1bf e09fbf f08fbfbf f887bfbfbf fc83bfbfbfbf')),
  },
  {
    title: '6.19 NUL, too long',
    cases: sequences('6.19', wrong('c080 e08080 f0808080 f880808080 fc8080808080')),
  },
  {
    title: '6.20 Single surrogates',
    cases: sequences('6.20', wrong('eda080 edadbf edae80 edafbf edb080 edbe80 edbfbf')),
  },
  {
    title: '6.21 Paired surrogates',
    cases: sequences(
      '6.21',
      wrong(
        'eda080edb080 eda080edbfbf edadbfedb080 edadbfedbfbf edae80edb080 edae80edbfbf edafbfedb080 edafbfedbfbf',
      ),
    ),
  },
  { title: '6.22 Code points that are no characters', cases: sequences('6.22', nonCharacters()) },
  { title: '6.23 Specials', cases: sequences('6.23', 'efbfb9 efbfba efbfbb efbfbc efbfbd efbfbe efbfbf') },
];
