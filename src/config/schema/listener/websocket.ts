/** Reads the key `websocket` of an l7 listener. */
import { MAX_DURATION_MS } from '../../../core/units/duration.ts';
import { described } from '../../syntax/format-description.ts';
import type { Format } from '../../syntax/formats.ts';
import { FormatError, byteSize, describe, duration, oneOf } from '../../syntax/formats.ts';
import type { Section } from '../../syntax/section.ts';
import type { Compression, L7Listener, WebSocketSettings } from '../../types/listener.ts';
import { keyForUws, refuseUnsupportedKeys } from './l7-engine.ts';

/** Keys for queues, which the stream relay of the other engines does not have. */
const UWS_KEYS = ['downstreamBuffer', 'upstreamBuffer'];
export const WEBSOCKET_KEYS = [
  ...['handshakeTimeout', 'maxMessageSize', 'idleTimeout', 'maxLifetime', 'compression', 'endpointLostCode'],
  ...UWS_KEYS,
];
const WEBSOCKET = { what: '"websocket"', keys: WEBSOCKET_KEYS };
const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
const LIFETIME_MS = { min: 10, max: MAX_DURATION_MS, zero: 'no limit' };
const IDLE_MS = { min: 1000, max: MAX_DURATION_MS, zero: 'never' };
/** uWebSockets.js accepts idle timeouts of 8 to 960 seconds. Any other value would end the process. */
const UWS_IDLE_MS = { ...IDLE_MS, min: 8000, max: 960_000 };
const BUFFER_BYTES = { min: 1024, max: GIB };

interface ReadWebSocket {
  readonly websocket: WebSocketSettings;
  /** Key that selects the engine `uws`. Null for another engine. */
  readonly uwsKey: string | null;
}

/** Reads the optional key. */
export function readWebSocket(listener: Section, engine: L7Listener['engine']): ReadWebSocket {
  const section = listener.settings('websocket', WEBSOCKET);
  const compression = section.optional('compression', compressionFormat, null);
  const uwsKey = keyForUws({ engine, compression });
  refuseUnsupportedCompression(section, compression, uwsKey);
  refuseUnsupportedKeys(section, uwsKey, { own: [], uws: UWS_KEYS });
  const idleMs = uwsKey === null ? IDLE_MS : UWS_IDLE_MS;
  const websocket: WebSocketSettings = {
    handshakeTimeoutMs: section.optional('handshakeTimeout', duration({ min: 1, max: 600_000 }), 10_000),
    maxMessageSize: section.optional('maxMessageSize', byteSize({ min: 1, max: GIB }), 16 * MIB),
    idleTimeoutMs: section.optional('idleTimeout', duration(idleMs), 120_000),
    maxLifetimeMs: section.optional('maxLifetime', duration(LIFETIME_MS), 0),
    downstreamBuffer: section.optional('downstreamBuffer', byteSize(BUFFER_BYTES), MIB),
    upstreamBuffer: section.optional('upstreamBuffer', byteSize(BUFFER_BYTES), 16 * MIB),
    compression: compression ?? (uwsKey === null ? 'passthrough' : 'off'),
    endpointLostCode: section.optional('endpointLostCode', endpointLostCode, 1011),
  };
  return { websocket, uwsKey };
}

/** Adds an error for a compression that the listener's engine does not support. */
function refuseUnsupportedCompression(
  section: Section,
  compression: Compression | null,
  uwsKey: string | null,
): void {
  if (compression === 'shared' && uwsKey === null) {
    section.problemAt(
      'compression',
      'only the engine uws compresses: write engine: uws, or passthrough or off here',
    );
  }
  if (compression === 'passthrough' && uwsKey !== null) {
    section.problemAt(
      'compression',
      `only the engines raw and net pass extensions on, and the listener uses uws because of "${uwsKey}": write off or shared`,
    );
  }
}

const compressionWord = oneOf('passthrough', 'off', 'shared');

const compressionFormat: Format<Compression> = (value) => {
  if (value !== 'dedicated') return compressionWord(value);
  throw new FormatError(
    '"dedicated" is no longer supported: a compressor per session costs 82 KiB outside every limit. ' +
      'Write shared, which costs sessions no memory, or off',
  );
};

const endpointLostCode = described({ type: 'constant', values: [1011, 1014] }, (value) => {
  if (value === 1011 || value === 1014) return value;
  throw new FormatError(`${describe(value)} is not a close code for this: write 1011 or 1014`);
});
