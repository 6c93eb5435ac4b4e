/** Chapters 9 and 10: large messages, small writes, round trips, automatic fragmentation. */
import { BINARY } from '../../../support/websocket/raw-frames.ts';
import {
  TOO_BIG,
  accepted,
  binaryMessage,
  echoes,
  script,
  fragments,
  pieces,
  refused,
  textMessage,
  whole,
} from '../building.ts';
import type { Case, Chapter, Script, Message } from '../case.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
/** Default max message of a listener. */
const MAX_MESSAGE = 16 * MIB;
const ROUND_TRIPS = 100;

const TEXT_PATTERN = Buffer.from('BAsd7&jh23');
const BINARY_PATTERN = Buffer.from([0x00, 0xfe, 0x23, 0xfa, 0xf0]);

function large(binary: boolean, length: number): Message {
  const payload = Buffer.alloc(length, binary ? BINARY_PATTERN : TEXT_PATTERN);
  return binary ? binaryMessage(payload) : textMessage(payload);
}

const kind = (binary: boolean): string => (binary ? 'binary message' : 'text');
const size = (bytes: number): string =>
  bytes >= MIB ? `${bytes / MIB} MiB` : bytes >= KIB ? `${bytes / KIB} KiB` : `${bytes} bytes`;

const inFrames = (message: Message, fragmentSize: number): Script =>
  script(fragments(message.binary, pieces(message.payload, fragmentSize)), { messages: [message] });

function growing(chapter: string, binary: boolean): Case[] {
  return [64 * KIB, 256 * KIB, MIB, 4 * MIB, 8 * MIB, 16 * MIB].map((length, index) =>
    accepted(`${chapter}.${index + 1}`, `a ${kind(binary)} of ${size(length)}`, () =>
      inFrames(large(binary, length), length),
    ),
  );
}

function fragmented(chapter: string, binary: boolean): Case[] {
  const sizes = [64, 256, KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, MIB, 4 * MIB];
  return sizes.map((fragment, index) =>
    accepted(`${chapter}.${index + 1}`, `a ${kind(binary)} of 4 MiB in fragments of ${size(fragment)}`, () =>
      inFrames(large(binary, 4 * MIB), fragment),
    ),
  );
}

function chopped(chapter: string, binary: boolean): Case[] {
  return [64, 128, 256, 512, KIB, 2 * KIB].map((chop, index) =>
    accepted(
      `${chapter}.${index + 1}`,
      `a ${kind(binary)} of 1 MiB in writes of ${size(chop)}`,
      () => inFrames(large(binary, MIB), MIB),
      { chop },
    ),
  );
}

function roundTrips(chapter: string, binary: boolean): Case[] {
  return [0, 16, 64, 256, KIB, 4 * KIB].map((length, index) =>
    accepted(
      `${chapter}.${index + 1}`,
      `${ROUND_TRIPS} ${kind(binary)}s of ${size(length)}, each after the previous echo`,
      () => {
        const message = large(binary, length);
        const messages = Array.from({ length: ROUND_TRIPS }, () => message);
        const steps = messages.flatMap((_, sent) => [whole(message), echoes(sent + 1)]);
        return script(steps, { messages });
      },
    ),
  );
}

function automatic(): Script {
  const message = textMessage('*'.repeat(64 * KIB));
  return script([{ does: 'message', message, fragmentSize: 1300 }], { messages: [message] });
}

export const LIMITS: readonly Chapter[] = [
  { title: '9.1 Text, growing', cases: growing('9.1', false) },
  { title: '9.2 Binary, growing', cases: growing('9.2', true) },
  { title: '9.3 Text of 4 MiB, in growing fragments', cases: fragmented('9.3', false) },
  { title: '9.4 Binary of 4 MiB, in growing fragments', cases: fragmented('9.4', true) },
  { title: '9.5 Text of 1 MiB, in growing writes', cases: chopped('9.5', false) },
  { title: '9.6 Binary of 1 MiB, in growing writes', cases: chopped('9.6', true) },
  { title: '9.7 Text, round trips', cases: roundTrips('9.7', false) },
  { title: '9.8 Binary, round trips', cases: roundTrips('9.8', true) },
  {
    title: '10.1 Automatic fragmentation',
    cases: [accepted('10.1.1', 'a text of 64 KiB in fragments of 1300 bytes', automatic)],
  },
  {
    title: 'S9 More than maxMessageSize',
    cases: [
      refused(
        'S9.1',
        'a binary message of 16 MiB and a byte',
        // Its head says enough: the rest would only cross with the end of the connection.
        () => script([{ does: 'bytes', bytes: headOf(BINARY, MAX_MESSAGE + 1) }]),
        { end: TOO_BIG, only: 'client' },
      ),
      refused(
        'S9.2',
        'a text of 17 MiB in fragments of 1 MiB',
        () => script(inFrames(large(false, 17 * MIB), MIB).steps),
        { end: TOO_BIG, only: 'client' },
      ),
      accepted(
        'S9.3',
        'a binary message of 16 MiB and a byte',
        () => inFrames(large(true, MAX_MESSAGE + 1), MAX_MESSAGE + 1),
        { only: 'endpoint' },
      ),
    ],
  },
];

/** The head of a masked frame, as far as its mask. */
function headOf(opcode: number, length: number): Buffer {
  const head = Buffer.alloc(14);
  head[0] = 0x80 | opcode;
  head[1] = 0x80 | 127;
  head.writeBigUInt64BE(BigInt(length), 2);
  return head;
}
