/** The link to a real Redis server, through its failures, and by TLS. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { RedisLink } from '../../../src/primary/access/redis/redis-link.ts';
import { createLogger } from '../../../src/telemetry/primary-logger.ts';
import { CertificateAuthority } from '../../support/certificates.ts';
import { Arrivals, eventually } from '../../support/deadline.ts';
import { RedisServer, redisServerMissing } from '../../support/processes/redis-server.ts';
import { startSluice } from '../../support/processes/sluice-process.ts';
import { requestStatus, sharedConfig, untilCounting } from '../../support/rigs/shared-process-rig.ts';

const log = createLogger({ level: 'silent' }, { write: () => undefined });

const cleanups: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function startServer(...extra: readonly string[]): Promise<RedisServer> {
  const server = await RedisServer.start(...extra);
  cleanups.push(() => server.kill());
  return server;
}

function connect(url: string): {
  link: RedisLink;
  events: Arrivals<'up' | 'down'>;
  errors: Readonly<Record<string, number>>;
} {
  const events = new Arrivals<'up' | 'down'>('an event of the link');
  const errors = { connect: 0, lost: 0, timeout: 0, reply: 0 };
  const link = new RedisLink({
    url,
    owner: { up: () => events.push('up'), down: () => events.push('down') },
    log,
    counts: { errors },
  });
  link.start();
  cleanups.push(() => link.stop());
  return { link, events, errors };
}

describe('the link to a real Redis', { skip: redisServerMissing() ?? false }, () => {
  it('reconnects after the server was killed', async () => {
    const server = await startServer();
    const { link, events, errors } = connect(server.url);
    assert.equal(await events.next(), 'up');
    assert.equal(await link.send(['INCRBY', 'n', '7']), 7);
    await server.kill();
    assert.equal(await events.next(), 'down');
    assert.equal(errors.lost, 1);
    await server.restart();
    assert.equal(await events.next(), 'up');
    assert.equal(await link.send(['GET', 'n']), null);
  });

  it('recovers after the server was paused', async () => {
    const server = await startServer();
    const { link, events, errors } = connect(server.url);
    assert.equal(await events.next(), 'up');
    server.pause();
    await assert.rejects(link.send(['PING']), /no answer/);
    assert.equal(await events.next(), 'down');
    // The kernel accepts connections for the paused server.
    await eventually(() => assert.ok((errors.connect ?? 0) >= 1));
    server.resume();
    assert.equal(await events.next(), 'up');
    assert.equal(await link.send(['PING']), 'PONG');
  });

  it('logs in, and finds its database', async () => {
    const server = await startServer('--requirepass', 'swordfish');
    const wrong = connect(server.url.replace('//', '//:wrong@'));
    await eventually(() => assert.ok((wrong.errors.connect ?? 0) >= 1));
    const right = connect(`${server.url.replace('//', '//:swordfish@')}/3`);
    assert.equal(await right.events.next(), 'up');
    assert.match(String(await right.link.send(['CLIENT', 'INFO'])), / db=3 /);
    assert.equal(wrong.link.isUp, false);
  });

  it('hears a channel', async () => {
    const server = await startServer();
    const { link, events } = connect(server.url);
    assert.equal(await events.next(), 'up');
    const messages = new Arrivals<string>('a message');
    await link.subscribe('news', (message) => messages.push(message));
    assert.equal(await link.send(['PUBLISH', 'news', 'hello']), 1);
    assert.equal(await messages.next(), 'hello');
  });
});

describe('Redis by TLS', { skip: redisServerMissing() ?? false }, () => {
  let authority: CertificateAuthority;
  let redis: RedisServer;

  before(async () => {
    authority = new CertificateAuthority();
    const certificate = authority.issue('redis', ['DNS:localhost', 'IP:127.0.0.1']);
    redis = await RedisServer.startTls(certificate, authority.file);
  });
  after(async () => {
    await redis.kill();
    authority.remove();
  });

  it('counts shared limits, if the authority is trusted', async () => {
    const env = { NODE_EXTRA_CA_CERTS: authority.file };
    const sluice = await startSluice({ config: sharedConfig(redis.url), env });
    try {
      await untilCounting(sluice, true);
      assert.equal(await requestStatus(sluice, 'acme'), 200);
    } finally {
      await sluice.stop('SIGKILL');
    }
  });

  it('is away if the authority is not trusted, and the log says why', async () => {
    const sluice = await startSluice({ config: sharedConfig(redis.url) });
    try {
      // On a busy machine an attempt may be too late before.
      await sluice.waitForLog(
        ({ msg, reason }) => msg === 'Redis is unreachable' && String(reason).includes('certificate'),
      );
      assert.equal(await requestStatus(sluice, 'acme'), 200);
      await untilCounting(sluice, false);
    } finally {
      await sluice.stop('SIGKILL');
    }
  });
});
