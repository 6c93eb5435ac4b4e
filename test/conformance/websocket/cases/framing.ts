/** Chapters 1 to 5: framing, pings and pongs, reserved bits, opcodes, fragmentation. */
import { CLOSE } from '../../../support/websocket/raw-frames.ts';
import {
  BARE_FIN,
  CONTINUATION,
  accepted,
  binaryMessage,
  echoes,
  script,
  fragments,
  frame,
  last,
  more,
  onClient,
  ping,
  pong,
  pongs,
  refused,
  text,
  textMessage,
  whole,
} from '../building.ts';
import type { Case, Chapter, Deviation, Script, Message } from '../case.ts';

/** Nothing can come back within the read that ends the connection. */
const WITHOUT_ECHO: Deviation = {
  instead: 'The connection ends without a close frame and without the echo, and the endpoint gets 1001.',
  why: BARE_FIN.why,
  outcome: { ...BARE_FIN.outcome, echoed: '' },
};

const GREETING = 'Hello, world!';
const NOT_UTF8 = Buffer.from([0x00, 0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0x00, 0xff]);
const LENGTHS = [0, 125, 126, 127, 128, 65_535, 65_536];
const CHOP = 997;

function sizes(chapter: string, kind: string, make: (length: number) => Message): Case[] {
  const one = (length: number) => (): Script => {
    const message = make(length);
    return script([whole(message)], { messages: [message] });
  };
  return [
    ...LENGTHS.map((length, index) =>
      accepted(`${chapter}.${index + 1}`, `a ${kind} message of ${length} bytes`, one(length)),
    ),
    accepted(`${chapter}.8`, `a ${kind} message of 65536 bytes in writes of ${CHOP}`, one(65_536), {
      chop: CHOP,
    }),
  ];
}

function tenPings(): Script {
  const payloads = Array.from({ length: 10 }, (_, index) => Buffer.from(`payload-${index}`));
  return script(
    payloads.map((payload) => ping(payload)),
    { pongs: payloads },
  );
}

const pinged = (payload: string | Buffer): Script =>
  script([ping(payload)], { pongs: [Buffer.from(payload)] });

const PINGS: Case[] = [
  accepted('2.1', 'a ping without payload', () => pinged('')),
  accepted('2.2', 'a ping with a text', () => pinged(GREETING)),
  accepted('2.3', 'a ping with bytes that are no UTF-8', () => pinged(NOT_UTF8)),
  accepted('2.4', 'a ping of 125 bytes', () => pinged(Buffer.alloc(125, 0xfe))),
  refused('2.5', 'a ping of 126 bytes', () => script([ping(Buffer.alloc(126, 0xfe))])),
  accepted('2.6', 'a ping of 125 bytes, byte by byte', () => pinged(Buffer.alloc(125, 0xfe)), { chop: 1 }),
  accepted('2.7', 'a pong that nobody asked for', () => script([pong()])),
  accepted('2.8', 'the same with a payload', () => script([pong('unsolicited pong payload')])),
  accepted('2.9', 'a pong that nobody asked for, then a ping', () =>
    script([pong('unsolicited pong payload'), ping('ping payload')], {
      pongs: [Buffer.from('ping payload')],
    }),
  ),
  accepted('2.10', 'ten pings', tenPings),
  accepted('2.11', 'ten pings, byte by byte', tenPings, { chop: 1 }),
];

/** A good message, something bad, and a ping that must find nobody. */
const thenBad = (bad: Script['steps'][number]): Script =>
  script([text(GREETING), echoes(1), bad, ping()], { messages: [textMessage(GREETING)] });

const RESERVED_BITS: Case[] = [
  refused('3.1', 'a text with RSV 1', () => script([text(GREETING, { reserved: 1 })])),
  refused('3.2', 'a good text, then one with RSV 2, then a ping', () =>
    thenBad(text(GREETING, { reserved: 2 })),
  ),
  refused(
    '3.3',
    'a good text, then one with RSV 3, then a ping, a frame in each write',
    () => thenBad(text(GREETING, { reserved: 3 })),
    { chop: 'frame' },
  ),
  refused(
    '3.4',
    'a good text, then one with RSV 4, then a ping, byte by byte',
    () => thenBad(text(GREETING, { reserved: 4 })),
    { chop: 1 },
  ),
  refused('3.5', 'a binary message with RSV 5', () => script([frame(2, NOT_UTF8, { reserved: 5 })])),
  refused('3.6', 'a ping with RSV 6', () => script([ping(GREETING, { reserved: 6 })])),
  refused('3.7', 'a close frame with RSV 7', () => script([frame(CLOSE, '', { reserved: 7 })])),
];

function reservedOpcodes(chapter: string, first: number): Case[] {
  const [a, b, c, d, e] = [0, 1, 2, 3, 4].map((offset) => first + offset) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const after = (opcode: number, payload = ''): Script => thenBad(frame(opcode, payload));
  return [
    refused(`${chapter}.1`, `opcode ${a}`, () => script([frame(a)])),
    refused(`${chapter}.2`, `opcode ${b} with a payload`, () =>
      script([frame(b, 'reserved opcode payload')]),
    ),
    refused(`${chapter}.3`, `a text, then opcode ${c}, then a ping`, () => after(c)),
    refused(`${chapter}.4`, `a text, then opcode ${d} with a payload, then a ping`, () => after(d, GREETING)),
    refused(`${chapter}.5`, `a text, then opcode ${e} with a payload, then a ping`, () => after(e, GREETING)),
  ];
}

const HALVES = ['fragment1', 'fragment2'];
const JOINED = [textMessage(HALVES.join(''))];

const inHalves = (): Script => script(fragments(false, HALVES), { messages: JOINED });
const aroundPing = (): Script => {
  const [first, second] = fragments(false, HALVES);
  return script([first!, ping('ping payload'), second!], {
    messages: JOINED,
    pongs: [Buffer.from('ping payload')],
  });
};
const orphan = (fin: boolean) => (): Script =>
  script([frame(CONTINUATION, 'non-continuation payload', { fin }), text(GREETING)]);
const orphanTwice = (fin: boolean) => (): Script => {
  const round = [frame(CONTINUATION, 'fragment1', { fin }), ...fragments(false, ['fragment2', 'fragment3'])];
  return script([...round, ...round]);
};
const fiveFragments = (): Script =>
  script(
    [
      text('fragment1', { fin: false }),
      more('fragment2'),
      ping('pongme 1!'),
      pongs(1),
      more('fragment3'),
      more('fragment4'),
      ping('pongme 2!'),
      pongs(2),
      last('fragment5'),
    ],
    {
      messages: [textMessage('fragment1fragment2fragment3fragment4fragment5')],
      pongs: [Buffer.from('pongme 1!'), Buffer.from('pongme 2!')],
    },
  );

const PER_FRAME = { chop: 'frame' } as const;
const PER_BYTE = { chop: 1 } as const;

const FRAGMENTATION: Case[] = [
  refused('5.1', 'a ping in two fragments', () => script([ping(HALVES[0], { fin: false }), last(HALVES[1])])),
  refused('5.2', 'a pong in two fragments', () => script([pong(HALVES[0], { fin: false }), last(HALVES[1])])),
  accepted('5.3', 'a text in two fragments', inHalves),
  accepted('5.4', 'the same, a frame in each write', inHalves, PER_FRAME),
  accepted('5.5', 'the same, byte by byte', inHalves, PER_BYTE),
  accepted('5.6', 'a text in two fragments, a ping between', aroundPing),
  accepted('5.7', 'the same, a frame in each write', aroundPing, PER_FRAME),
  accepted('5.8', 'the same, byte by byte', aroundPing, PER_BYTE),
  refused('5.9', 'a last continuation of nothing, then a text', orphan(true)),
  refused('5.10', 'the same, a frame in each write', orphan(true), PER_FRAME),
  refused('5.11', 'the same, byte by byte', orphan(true), PER_BYTE),
  refused('5.12', 'a continuation of nothing that is not the last, then a text', orphan(false)),
  refused('5.13', 'the same, a frame in each write', orphan(false), PER_FRAME),
  refused('5.14', 'the same, byte by byte', orphan(false), PER_BYTE),
  refused(
    '5.15',
    'a text in two fragments, then a continuation of nothing, then a text, in one write',
    () => script([...fragments(false, HALVES), more('fragment3'), text('fragment4')], { messages: JOINED }),
    { known: [onClient(WITHOUT_ECHO)] },
  ),
  refused(
    '5.16',
    'twice: a continuation of nothing that is not the last, then a text in two fragments',
    orphanTwice(false),
  ),
  refused('5.17', 'twice: a last continuation of nothing, then a text in two fragments', orphanTwice(true)),
  refused('5.18', 'a text in two fragments, both with the opcode for text', () =>
    script([text(HALVES[0]!, { fin: false }), text(HALVES[1]!)]),
  ),
  accepted(
    '5.19',
    'a text in five fragments, two pings between that are answered before the rest',
    fiveFragments,
  ),
  accepted('5.20', 'the same, a frame in each write', fiveFragments, PER_FRAME),
];

export const FRAMING: readonly Chapter[] = [
  { title: '1.1 Text messages', cases: sizes('1.1', 'text', (length) => textMessage('*'.repeat(length))) },
  {
    title: '1.2 Binary messages',
    cases: sizes('1.2', 'binary', (length) => binaryMessage(Buffer.alloc(length, 0xfe))),
  },
  { title: '2 Pings and pongs', cases: PINGS },
  { title: '3 Reserved bits', cases: RESERVED_BITS },
  { title: '4.1 Reserved opcodes for data', cases: reservedOpcodes('4.1', 3) },
  { title: '4.2 Reserved opcodes for control', cases: reservedOpcodes('4.2', 11) },
  { title: '5 Fragmentation', cases: FRAGMENTATION },
];
