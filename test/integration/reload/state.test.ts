/** The state of a proxy that outlives a change of its configuration, and changes without a command. */
import assert from 'node:assert/strict';
import { copyFileSync, renameSync, writeFileSync } from 'node:fs';
import { after, afterEach, before, describe, it } from 'node:test';
import { CertificateAuthority } from '../../support/certificates.ts';
import { eventually } from '../../support/deadline.ts';
import { ChangeStage } from '../../support/rigs/change-stage.ts';
import { withAdmin } from '../../support/rigs/reload-rig.ts';
import { TcpPeer } from '../../support/sockets/tcp-peer.ts';
import { WsEndpoint, WsPeer } from '../../support/websocket/ws-peer.ts';

const local = '127.0.0.1:0';

describe('a change', { timeout: 300_000 }, () => {
  const stage = new ChangeStage();
  const { routes, web, tcp, echoCluster, base, start, session, alive } = stage;

  before(stage.open);
  afterEach(stage.clear);
  after(stage.close);

  it('is loaded by --watch if the file is replaced by rename, and a bad file is reported', async () => {
    const rig = await start(base(), ['--watch']);
    const kept = await session(rig);
    const put = (text: string): void => {
      writeFileSync(`${rig.sluice.configFile}.new`, text);
      renameSync(`${rig.sluice.configFile}.new`, rig.sluice.configFile);
    };
    const pong = [{ match: {}, respond: { body: 'pong' } }];
    put(JSON.stringify(withAdmin({ ...base(), listeners: [web({ routes: [...routes, ...pong] }), tcp()] })));
    const url = `http://${await rig.address('web')}/`;
    await eventually(async () => assert.equal(await (await fetch(url)).text(), 'pong'));
    put('listeners: [');
    const { cause, place } = await rig.sluice.waitForLog(({ msg, level }) => level === 'error' && msg !== '');
    assert.equal(cause, 'file change');
    assert.match(String(place), /sluice\.yaml:1:\d+$/);
    put(JSON.stringify(withAdmin(base())));
    await eventually(async () => assert.equal((await fetch(url)).status, 404));
    await alive(kept);
  });

  it('is loaded by --watch when the missing certificate of a refused configuration appears', async () => {
    const rig = await start(base(), ['--watch']);
    const authority = new CertificateAuthority();
    try {
      const { cert, key } = authority.issue('late.example', ['DNS:late.example']);
      const late = `${rig.sluice.configFile}.late.pem`;
      const secure = web({ name: 'secure', tls: { certificates: [{ cert: late, key }] } });
      writeFileSync(
        rig.sluice.configFile,
        JSON.stringify(withAdmin({ ...base(), listeners: [web(), tcp(), secure] })),
      );
      const { msg } = await rig.sluice.waitForLog(
        ({ level, place }) => level === 'error' && place !== undefined,
      );
      assert.match(msg, /late\.pem" cannot be read: file not found/);
      copyFileSync(cert, late);
      await eventually(async () => assert.match(await rig.address('secure'), /^127\.0\.0\.1:/));
    } finally {
      authority.remove();
    }
  });

  it('keeps what is drained from taking new work, also what is new of it', async () => {
    const rig = await start();
    const extra = { name: 'extra', mode: 'l4', address: local, cluster: 'echo' };
    assert.equal((await rig.post('/drain?rate=0')).status, 202);
    await rig.reload({
      ...base(),
      listeners: [web({ websocket: { maxMessageSize: '1KiB' } }), tcp(), extra],
    });
    await assert.rejects(WsPeer.connect(`ws://${await rig.address('web')}/app`), /503/);
    const [tcpAddress, extraAddress] = [await rig.address('tcp'), await rig.address('extra')];
    for (const drained of [extraAddress, tcpAddress]) {
      await eventually(() => assert.rejects(TcpPeer.connect(drained), /ECONNREFUSED/));
    }
    assert.equal((await rig.post('/undrain')).status, 202);
    await eventually(async () => (await TcpPeer.connect(extraAddress)).destroy());
    await alive(await session(rig));
  });

  it('keeps an ejection in force when its cluster changes', async () => {
    const gone = await WsEndpoint.listen();
    const { address } = gone;
    const cluster = (changes: object = {}): object => ({
      ...base(),
      clusters: [
        {
          name: 'app',
          outlier: { consecutiveFailures: 1, ejection: '10m', maxEjection: '10m' },
          endpoints: [{ address }, { address: stage.endpoint.address }],
          ...changes,
        },
        echoCluster(),
      ],
    });
    const rig = await start(cluster());
    gone.close();
    const states = async (): Promise<(string | undefined)[]> => {
      const { clusters } = (await rig.status()) as unknown as {
        clusters: { endpoints: { state?: string }[] }[];
      };
      return clusters[0]!.endpoints.map(({ state }) => state);
    };
    await eventually(async () => {
      (await session(rig)).client.socket.terminate();
      assert.deepEqual(await states(), ['ejected', 'up']);
    });
    await rig.reload(cluster({ connectTimeout: '7s' }));
    assert.deepEqual(await states(), ['ejected', 'up']);
    assert.match(await rig.metrics(), /^sluice_endpoint_ejections_total\{[^}]*\} 1$/m);
  });
});
