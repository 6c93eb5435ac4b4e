/** Many short sessions that end in every way there is, each played on both sides of a proxy. */
import assert from 'node:assert/strict';
import { within } from '../deadline.ts';
import { RawConnection, switchingProtocols, upgradeRequest } from '../sockets/raw-connection.ts';
import { RawEndpoint } from '../sockets/raw-endpoint.ts';
import { CLOSE, TEXT, closeBody, encodeFrame } from '../websocket/raw-frames.ts';

const AT_ONCE = 40;
const MASK = Buffer.from([1, 2, 3, 4]);
const HELLO = encodeFrame(TEXT, 'hello').toString('latin1');
const OVER = encodeFrame(CLOSE, closeBody(1000), { mask: MASK });

/** Fates of a connection, each with its own path through the proxy: the status of the answer, and the close code. */
const KINDS = {
  'client closes': { status: 101, code: 1000 },
  'client vanishes': { status: 101, code: null },
  'client resets': { status: 101, code: null },
  'client vanishes in a frame': { status: 101, code: null },
  'client gives up': { status: null, code: null },
  'client gives up at once': { status: null, code: null },
  'client resets its request': { status: null, code: null },
  'endpoint closes': { status: 101, code: 1000 },
  'endpoint vanishes': { status: 101, code: 1011 },
  'endpoint resets': { status: 101, code: 1011 },
  'endpoint vanishes in a frame': { status: 101, code: 1011 },
  'endpoint breaks the protocol': { status: 101, code: 1011 },
  'endpoint refuses': { status: 403, code: null },
  'endpoint answers wrongly': { status: 502, code: null },
  'endpoint hangs up': { status: 502, code: null },
  'endpoint resets the request': { status: 502, code: null },
} as const;
export type Kind = keyof typeof KINDS;
const NAMES = Object.keys(KINDS) as Kind[];

export class SessionChurn {
  readonly endpoint: RawEndpoint;
  /** Called when a request has reached the endpoint, by its number. */
  readonly #asked: Map<string, () => void>;

  private constructor(endpoint: RawEndpoint, asked: Map<string, () => void>) {
    this.endpoint = endpoint;
    this.#asked = asked;
  }

  static async listen(): Promise<SessionChurn> {
    const asked = new Map<string, () => void>();
    const endpoint = await RawEndpoint.listen((connection) => playEndpoint(connection, asked));
    return new SessionChurn(endpoint, asked);
  }

  /** Counts the sessions of some kinds in a number of cycles. */
  static count(cycles: number, kinds: (kind: Kind) => boolean): number {
    return Array.from({ length: cycles }, (_, id) => NAMES[id % NAMES.length]!).filter(kinds).length;
  }

  /** Counts the sessions that a proxy opens in a number of cycles. */
  static opened(cycles: number): number {
    return SessionChurn.count(cycles, (kind) => KINDS[kind].status === 101);
  }

  /** Plays cycles, every kind in turn, some at once. @param address of the proxy; `host:port` */
  async play(address: string, cycles: number): Promise<void> {
    let next = 0;
    const players = Array.from({ length: AT_ONCE }, async () => {
      while (next < cycles) {
        const id = next++;
        await this.#playClient(address, NAMES[id % NAMES.length]!, String(id));
        this.#asked.delete(String(id));
      }
    });
    await Promise.all(players);
  }

  async #playClient(address: string, kind: Kind, id: string): Promise<void> {
    const requestArrived = new Promise<void>((settle) => this.#asked.set(id, settle));
    const client = await RawConnection.connect(address);
    client.write(upgradeRequest('app.example', [], `/${encodeURIComponent(kind)}/${id}`));
    const { status, code } = KINDS[kind];
    if (status === null) {
      if (kind !== 'client gives up at once') await within('the request at the endpoint', requestArrived);
      if (kind === 'client resets its request') client.socket.resetAndDestroy();
      else client.destroy();
      return;
    }
    const { startLine } = await client.head();
    assert.equal(Number(startLine.split(' ')[1]), status, `${kind}: ${startLine}`);
    if (status !== 101) {
      client.destroy();
      return;
    }
    assert.equal((await client.frame()).payload.toString(), 'hello', kind);
    if (code === null) {
      if (kind === 'client vanishes in a frame') client.write(OVER.subarray(0, 5));
      if (kind === 'client resets') client.socket.resetAndDestroy();
      else client.socket.end();
      await within('the end of the connection', client.closed);
      return;
    }
    if (kind === 'client closes') client.write(OVER);
    const close = await client.frame().catch((error: unknown) => {
      // An engine that passes bytes on has passed a part of the frame, and sends nothing within a frame.
      if (kind === 'endpoint vanishes in a frame') return null;
      throw error;
    });
    if (close === null) {
      client.socket.end();
      return;
    }
    assert.equal(close.opcode, CLOSE, kind);
    assert.equal(close.payload.readUInt16BE(0), code, kind);
    if (kind !== 'client closes') client.write(OVER);
    client.socket.end();
    await within('the end of the connection to the client', client.closed);
  }
}

/** Plays the endpoint of a connection, by what the path of its request says. */
async function playEndpoint(
  connection: RawConnection,
  asked: ReadonlyMap<string, () => void>,
): Promise<void> {
  const head = await connection.head().catch(() => null);
  // The client had given up before the request was on its way.
  if (head === null) return;
  const [, kind = '', id = ''] = /^GET \/([^/]+)\/(\d+) /.exec(head.startLine) ?? [];
  asked.get(id)?.();
  const session = `${switchingProtocols(head)}${HELLO}`;
  switch (decodeURIComponent(kind) as Kind) {
    case 'client gives up':
    case 'client gives up at once':
    case 'client resets its request':
      break;
    case 'endpoint refuses':
      connection.write('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n');
      break;
    case 'endpoint answers wrongly':
      connection.write('HTTP/1.1 101 Switching Protocols\r\n\r\n');
      break;
    case 'endpoint hangs up':
      connection.socket.end();
      break;
    case 'endpoint resets the request':
      connection.socket.resetAndDestroy();
      break;
    case 'endpoint closes':
      connection.write(session);
      connection.write(encodeFrame(CLOSE, closeBody(1000)));
      break;
    case 'endpoint vanishes':
      connection.write(session);
      connection.socket.end();
      break;
    case 'endpoint vanishes in a frame':
      connection.write(session);
      connection.socket.end(encodeFrame(TEXT, 'hello').subarray(0, 4));
      break;
    case 'endpoint resets':
      // After the kernel has sent the bytes: a reset overtakes bytes that wait.
      connection.socket.write(session, 'latin1', () => {
        setImmediate(() => connection.socket.resetAndDestroy());
      });
      break;
    case 'endpoint breaks the protocol':
      connection.write(session);
      connection.write(encodeFrame(3, 'no such opcode'));
      break;
    case 'client closes':
    case 'client vanishes':
    case 'client resets':
    case 'client vanishes in a frame':
      connection.write(session);
      assert.equal((await connection.frame()).opcode, CLOSE);
      connection.socket.end();
  }
  await within('the end of the connection to the endpoint', connection.closed);
  connection.socket.end();
}
