/** Chapters 12 and 13: permessage-deflate between the client and the proxy. */
import { accepted, binaryMessage, echoes, script, textMessage } from '../building.ts';
import type { Case, Chapter, Script, Known, Message, Step } from '../case.ts';
import { TEST_DATA, type TestData } from '../test-data.ts';

const MESSAGES = 3;

/** Size of each message, and of its fragments; 0 for none. */
const SHAPES: readonly (readonly [number, number])[] = [
  [16, 0],
  [64, 0],
  [256, 0],
  [1024, 0],
  [4096, 0],
  [8192, 0],
  [16_384, 0],
  [32_768, 0],
  [65_536, 0],
  [131_072, 0],
  [8192, 256],
  [16_384, 256],
  [32_768, 256],
  [65_536, 256],
  [131_072, 256],
  [131_072, 1024],
  [131_072, 4096],
  [131_072, 32_768],
];

/** Every message begins at the end of the previous one. The data is used in a circle. */
function messagesOf({ binary, content }: TestData, length: number): Message[] {
  const twice = Buffer.concat([content, content]);
  return Array.from({ length: MESSAGES }, (_, index) => {
    const start = (index * length) % content.length;
    const payload = twice.subarray(start, start + length);
    return binary ? binaryMessage(payload) : textMessage(payload);
  });
}

function compressed(chapter: string, data: TestData, offer: string, rest: Partial<Case> = {}): Case[] {
  return SHAPES.map(([length, fragmentSize], index) => {
    const fragments = fragmentSize === 0 ? '' : ` in fragments of ${fragmentSize}`;
    const make = (): Script => {
      const messages = messagesOf(data, length);
      const steps = messages.flatMap((message, sent): Step[] => [
        { does: 'message', message, fragmentSize },
        echoes(sent + 1),
      ]);
      return script(steps, { messages });
    };
    return accepted(`${chapter}.${index + 1}`, `${MESSAGES} messages of ${length} bytes${fragments}`, make, {
      listeners: ['shared'],
      offer,
      ...rest,
    });
  });
}

/** As browsers and libraries offer it: all that a server may ask for. */
const DEFAULT_OFFER = 'permessage-deflate; client_no_context_takeover; client_max_window_bits';

function offerOf(serverNoContext: boolean, serverBits: number): string {
  return [
    DEFAULT_OFFER,
    ...(serverNoContext ? ['server_no_context_takeover'] : []),
    ...(serverBits > 0 ? [`server_max_window_bits=${serverBits}`] : []),
  ].join('; ');
}

const DEVIATION = {
  listener: 'shared',
  instead: 'The offer is declined, as RFC 7692 allows, and messages are not compressed.',
  why: 'The shared compressor of uWebSockets.js has a window of 15 bits, and its response never names another.',
  outcome: { negotiation: 'declined' },
} as const;
/** The offer asks for what the compressor cannot do. */
const DECLINED: readonly Known[] = [
  { side: 'client', ...DEVIATION },
  { side: 'endpoint', ...DEVIATION },
];

interface Parameters {
  readonly title: string;
  readonly offer: string;
  readonly known?: readonly Known[];
  readonly only?: 'client';
}

const PARAMETERS: readonly Parameters[] = [
  { title: 'the default offer', offer: DEFAULT_OFFER },
  {
    title: 'no context on the server',
    offer: offerOf(true, 0),
  },
  {
    title: 'a server window of 9 bits',
    offer: offerOf(false, 9),
    known: DECLINED,
  },
  {
    title: 'a server window of 15 bits',
    offer: offerOf(false, 15),
    known: DECLINED,
  },
  {
    title: 'no context on the server and a window of 9 bits',
    offer: offerOf(true, 9),
    known: DECLINED,
  },
  {
    title: 'no context on the server and a window of 15 bits',
    offer: offerOf(true, 15),
    known: DECLINED,
  },
  {
    title: 'three offers: no context and 9 bits, no context, default',
    offer: [offerOf(true, 9), offerOf(true, 0), DEFAULT_OFFER].join(', '),
    // The plain client makes one offer at most.
    only: 'client',
  },
];

export const COMPRESSION: readonly Chapter[] = [
  ...TEST_DATA.map((data, index) => ({
    title: `12.${index + 1} Compressed: ${data.name} (${data.binary ? 'binary' : 'text'})`,
    cases: compressed(`12.${index + 1}`, data, DEFAULT_OFFER),
  })),
  ...PARAMETERS.map(({ title, offer, ...rest }, index) => ({
    title: `13.${index + 1} Compressed JSON with ${title}`,
    cases: compressed(`13.${index + 1}`, TEST_DATA[0]!, offer, rest),
  })),
];
