/** The answer of `POST /tap` over real connections. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AdminCommand } from '../../../../../src/primary/admin/commands/admin-command.ts';
import { tapStream } from '../../../../../src/primary/admin/tap/tap-stream.ts';
import type { TapReader, TapSource } from '../../../../../src/primary/tap/tap-reader.ts';
import { eventually } from '../../../../support/deadline.ts';
import { withRig, type AdminRig } from '../admin-rig.ts';

const TAP = 'POST /tap HTTP/1.1\r\nHost: localhost\r\n\r\n';
/** More than the buffers of a connection take. */
const LARGE = Buffer.alloc(16 * 1024 * 1024, 'x');

/** A tap whose clock the test plays. */
class Source implements TapSource {
  reader: TapReader | null = null;
  readonly reasons: string[] = [];
  now = 0;
  look = (): void => undefined;
  hasStopped = false;

  begin(reader: TapReader): void {
    this.reader = reader;
    reader.write(Buffer.from('{"type":"tap"}\n'), () => undefined);
  }

  leave(reason: string): void {
    this.reasons.push(reason);
  }

  get commands(): readonly AdminCommand[] {
    const timing = {
      now: () => this.now,
      every: (_ms: number, run: () => void) => {
        this.look = run;
        return () => void (this.hasStopped = true);
      },
    };
    return [
      {
        path: '/tap',
        withoutToken: true,
        run: () => {
          const stream = { type: 'application/x-ndjson', body: tapStream(this, timing) };
          return { status: 200, message: 'tap started', stream };
        },
      },
    ];
  }
}

async function withTap(
  use: (source: Source, client: Awaited<ReturnType<AdminRig['dial']>>, rig: AdminRig) => Promise<void>,
): Promise<void> {
  const source = new Source();
  await withRig({ commands: source.commands }, {}, async (rig) => {
    const client = await rig.dial();
    client.socket.write(TAP);
    await eventually(() => assert.match(client.received, /\{"type":"tap"\}\n/));
    await use(source, client, rig);
  });
}

describe('the answer of POST /tap', { timeout: 300_000 }, () => {
  it('is a stream of lines, sent at once', async () => {
    await withTap(async (source, client) => {
      assert.match(client.received, /^HTTP\/1\.1 200 OK\r\nContent-Type: application\/x-ndjson\r\n/);
      assert.match(client.received, /X-Accel-Buffering: no\r\n/);
      let taken = 0;
      source.reader!.write(Buffer.from('{"type":"frame"}\n'), () => taken++);
      await eventually(() => assert.match(client.received, /\{"type":"frame"\}\n/));
      await eventually(() => assert.equal(taken, 1));
    });
  });

  it('ends its tap when its client disconnects, and calls nobody afterwards', async () => {
    await withTap(async (source, client) => {
      client.socket.destroy();
      await eventually(() => assert.deepEqual(source.reasons, ['the reader disconnected']));
      assert.equal(source.hasStopped, true);
      source.reader!.write(Buffer.from('late\n'), () => assert.fail('nobody took it'));
      await source.reader!.end();
    });
  });

  it('ends cleanly with its tap, and the connection accepts another request', async () => {
    await withTap(async (source, client) => {
      source.reader!.write(Buffer.from('{"type":"done"}\n'), () => undefined);
      await source.reader!.end();
      await eventually(() => assert.match(client.received, /\{"type":"done"\}\n\r\n0\r\n\r\n$/));
      client.socket.write('GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await eventually(() => assert.match(client.received, /\r\n\r\nok\n$/));
    });
  });

  it('has periodic empty lines, so that a dead connection fails', async () => {
    await withTap(async (source, client) => {
      const before = client.received.length;
      source.look();
      await eventually(() => assert.equal(client.received.slice(before), '1\r\n\n\r\n'));
      assert.deepEqual(source.reasons, []);
    });
  });

  it('ends for a client that receives nothing for 30 s, unless it starts to read again', async () => {
    await withTap(async (source, client) => {
      client.socket.pause();
      let taken = 0;
      const write = (): void => source.reader!.write(LARGE, () => taken++);
      write();
      source.look();
      for (source.now = 0; source.now < 25_000; source.now += 5000) source.look();
      assert.deepEqual(source.reasons, []);
      client.socket.resume();
      await eventually(() => assert.equal(taken, 1));
      client.socket.pause();
      write();
      source.look();
      source.now += 29_999;
      source.look();
      assert.deepEqual(source.reasons, []);
      // The kernel may have taken bytes until now.
      await eventually(() => {
        source.now += 30_000;
        source.look();
        assert.equal(source.reasons[0], 'the reader acknowledged nothing for 30 s');
      });
      client.socket.resume();
      await client.closes();
    });
  });

  it('ends at once if the client disconnected before the start', async () => {
    const source = new Source();
    tapStream(source).begin(
      { destroyed: true, socket: null } as unknown as Parameters<ReturnType<typeof tapStream>['begin']>[0],
      { answered: () => undefined, taken: () => undefined },
    );
    assert.deepEqual(source.reasons, ['the reader disconnected']);
    await Promise.resolve();
  });

  it('is cut when its client sends another request on the connection', async () => {
    await withTap(async (source, client, rig) => {
      client.socket.write(TAP);
      await client.closes();
      assert.equal(rig.closed('pipelining'), 1);
      assert.deepEqual(source.reasons, ['the reader disconnected']);
    });
  });
});
