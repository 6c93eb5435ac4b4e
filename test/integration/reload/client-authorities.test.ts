/** Reloads that change which client certificates a listener admits. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, describe, it } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { CertificateAuthority, type IssuedCertificate } from '../../support/certificates.ts';
import { within } from '../../support/deadline.ts';
import { ENGINES, type EngineName } from '../../support/engines.ts';
import { ReloadRig } from '../../support/rigs/reload-rig.ts';

describe('the authorities of client certificates', () => {
  for (const engine of ENGINES) {
    describe(`on ${engine}`, () => authoritiesOn(engine));
  }
});

function authoritiesOn(engine: EngineName): void {
  const first = new CertificateAuthority('first');
  const second = new CertificateAuthority('second');
  const edge = first.issue('edge', ['DNS:edge.example']);
  const alice = first.issue('alice', ['DNS:alice.example']);
  const bob = second.issue('bob', ['DNS:bob.example']);
  let rig: ReloadRig;

  after(async () => {
    first.remove();
    second.remove();
    assert.deepEqual(await rig.sluice.stop(), { code: 0, signal: null });
  });

  const configOf = (ca: string | null): object => ({
    workers: { l7: 1, l4: 1 },
    listeners: [
      {
        name: 'web',
        mode: 'l7',
        address: '127.0.0.1:0',
        engine,
        tls: { certificates: [edge], ...(ca !== null && { clientCertificates: { ca } }) },
        routes: [{ match: {}, respond: { body: 'fine' } }],
      },
    ],
  });

  async function open(client: IssuedCertificate | null, session?: Buffer): Promise<Client> {
    const [host, port] = (await rig.address('web')).split(':');
    const own = client === null ? {} : { cert: readFileSync(client.cert), key: readFileSync(client.key) };
    const options = { host, port: Number(port), ca: first.pem, servername: 'edge.example', ...own };
    return new Client(connect(session === undefined ? options : { ...options, session }));
  }

  /** The result of a new connection: the status of its first request, or nothing. */
  async function answerTo(client: IssuedCertificate | null, session?: Buffer): Promise<string> {
    const opened = await open(client, session);
    try {
      return await opened.ask();
    } finally {
      opened.socket.destroy();
    }
  }

  it('apply to new connections from the reload on, and open ones continue', async () => {
    rig = await ReloadRig.start(configOf(first.file));
    const kept = await open(alice);
    assert.equal(await kept.ask(), '200');
    assert.notEqual(await answerTo(bob), '200');

    await rig.reload(configOf(second.file));
    assert.equal(await answerTo(bob), '200');
    assert.notEqual(await answerTo(alice), '200');
    assert.equal(await kept.ask(), '200');
    kept.socket.destroy();
  });

  it('are not passed by with a ticket from before they were wanted, or from under others', async () => {
    await rig.reload(configOf(null));
    const stranger = await open(null);
    assert.equal(await stranger.ask(), '200');
    const again = await open(null, await stranger.ticket());
    assert.deepEqual([await again.ask(), again.socket.isSessionReused()], ['200', true]);
    await rig.reload(configOf(first.file));
    assert.notEqual(await answerTo(null, await stranger.ticket()), '200');
    const former = await open(alice);
    assert.equal(await former.ask(), '200');
    await rig.reload(configOf(second.file));
    assert.notEqual(await answerTo(null, await former.ticket()), '200');
    assert.notEqual(await answerTo(alice, await former.ticket()), '200');
    for (const { socket } of [stranger, again, former]) socket.destroy();
  });
}

/** A connection with TLS. */
class Client {
  readonly socket: TLSSocket;
  readonly #closed: Promise<void>;
  readonly #ticket: Promise<Buffer>;

  constructor(socket: TLSSocket) {
    this.socket = socket;
    socket.on('error', () => undefined);
    this.#closed = new Promise((settle) => socket.once('close', () => settle()));
    this.#ticket = new Promise((settle) => socket.once('session', settle));
  }

  /** Asks, and returns the status of the answer, which must come in one piece; empty if the connection ends. */
  ask(): Promise<string> {
    const answer = new Promise<string>((settle) => {
      this.socket.once('data', (bytes: Buffer) =>
        settle(/^HTTP\/1\.1 (\d+)/.exec(bytes.toString())?.[1] ?? ''),
      );
    });
    this.socket.write('GET / HTTP/1.1\r\nHost: edge.example\r\n\r\n');
    return within('an answer', Promise.race([answer, this.#closed.then(() => '')]));
  }

  ticket(): Promise<Buffer> {
    return within('a ticket', this.#ticket);
  }
}
