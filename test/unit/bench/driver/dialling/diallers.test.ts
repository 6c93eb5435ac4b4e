/** The common behaviour of the load generator's two kinds of connections. */
import assert from 'node:assert/strict';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import type {
  Connection,
  ConnectionOwner,
  Dialler,
} from '../../../../../bench/driver/dialling/connection.ts';
import { NetDialler } from '../../../../../bench/driver/dialling/net-dialler.ts';
import { SocketDialler } from '../../../../../bench/driver/dialling/socket-dialler.ts';
import { codeOf } from '../../../../../src/core/errors.ts';
import { unsupportedReason } from '../../../../../src/sys/support.ts';
import { eventually } from '../../../../support/deadline.ts';

class Owner implements ConnectionOwner {
  readonly events: string[] = [];
  count = 0;
  last = Buffer.alloc(0);
  connected(): void {
    this.events.push('connected');
  }
  secured(): void {
    this.events.push('secured');
  }
  received(input: Buffer, length: number): void {
    this.count += length;
    this.last = Buffer.from(input.subarray(0, length));
  }
  drained(): void {
    this.events.push('drained');
  }
  closed(error: Error | null): void {
    this.events.push(error === null ? 'closed' : `closed: ${codeOf(error)}`);
  }
}

const KINDS: Readonly<Record<string, (port: number) => Dialler>> = {
  'node:net': (port) =>
    new NetDialler('127.0.0.1', {
      target: { protocol: 'tcp', host: '127.0.0.1', port, path: '/' },
      insecure: false,
      resume: false,
    }),
  'system calls': (port) => new SocketDialler('127.0.0.1', port),
};

for (const [name, create] of Object.entries(KINDS)) {
  const reason = name === 'system calls' ? unsupportedReason() : null;
  describe(`connections on ${name}`, { skip: reason ?? false }, () => {
    let server: Server;
    let port = 0;
    let dialler: Dialler;
    let script: (socket: Socket) => void = () => undefined;
    before(async () => {
      server = createServer({ allowHalfOpen: true }, (socket) => {
        socket.on('error', () => undefined);
        script(socket);
      });
      await new Promise<void>((settle) => server.listen(0, '127.0.0.1', settle));
      ({ port } = server.address() as AddressInfo);
      dialler = create(port);
    });
    after(() => {
      dialler.close();
      server.close();
    });

    const open = async (): Promise<{ owner: Owner; connection: Connection }> => {
      const owner = new Owner();
      const connection = dialler.open(owner);
      assert.deepEqual(owner.events, [], 'no event before open returns');
      await eventually(() => assert.deepEqual(owner.events, ['connected']));
      return { owner, connection };
    };

    it("carry bytes both ways, from the dialler's memory and from other memory", async () => {
      script = (socket) => socket.pipe(socket);
      const { owner, connection } = await open();
      const own = dialler.allocate(100).fill('a');
      assert.ok(connection.write(own.subarray(10, 20)));
      await eventually(() => assert.equal(owner.count, 10));
      assert.ok(connection.write(Buffer.from('hello')));
      await eventually(() => assert.equal(owner.last.toString(), 'hello'));
      connection.end();
      await eventually(() => assert.deepEqual(owner.events, ['connected', 'closed']));
    });

    it('buffer bytes in order until the peer reads, then report the close', async () => {
      const received: Buffer[] = [];
      let peer: Socket | null = null;
      script = (socket) => {
        peer = socket.pause();
        socket.on('data', (bytes: Buffer) => received.push(bytes));
        socket.on('end', () => socket.end());
      };
      const { owner, connection } = await open();
      await eventually(() => assert.ok(peer !== null));
      const parts = Array.from({ length: 24 }, (_, index) => {
        const own = index % 2 === 0;
        const bytes = own ? dialler.allocate(500_000) : Buffer.alloc(index % 3 === 0 ? 40_000 : 500_000);
        return bytes.fill(97 + index);
      });
      const taken = parts.map((bytes) => connection.write(bytes));
      assert.equal(taken.at(-1), false);
      connection.end();
      (peer as Socket | null)!.resume();
      await eventually(() => assert.ok(owner.events.includes('closed')));
      assert.ok(Buffer.concat(received).equals(Buffer.concat(parts)));
    });

    it('report the error code of a refused and of a reset connection', async () => {
      const gone = createServer();
      await new Promise<void>((settle) => gone.listen(0, '127.0.0.1', settle));
      const { port: closedPort } = gone.address() as AddressInfo;
      await new Promise((settle) => gone.close(settle));
      const other = create(closedPort);
      const owner = new Owner();
      other.open(owner);
      await eventually(() => assert.deepEqual(owner.events, ['closed: ECONNREFUSED']));
      other.close();
      script = (socket) => socket.resetAndDestroy();
      const cut = new Owner();
      dialler.open(cut);
      await eventually(() => assert.deepEqual(cut.events.at(-1), 'closed: ECONNRESET'));
    });

    it('can be destroyed at any time, and report it once, asynchronously', async () => {
      script = (socket) => socket.resume();
      const early = new Owner();
      const connection = dialler.open(early);
      connection.destroy();
      connection.destroy();
      assert.deepEqual(early.events, []);
      await eventually(() => assert.deepEqual(early.events, ['closed']));
      const { owner, connection: late } = await open();
      late.destroy();
      late.write(Buffer.from('nothing'));
      assert.deepEqual(owner.events, ['connected']);
      await eventually(() => assert.deepEqual(owner.events, ['connected', 'closed']));
    });

    it('run every callback passed to `soon`, including nested ones', async () => {
      let calls = 0;
      await new Promise<void>((settle) => {
        const again = (): void => {
          if (++calls === 1000) settle();
          else dialler.soon(again);
        };
        dialler.soon(again);
      });
      assert.equal(calls, 1000);
    });
  });
}
