/** The container image: its size, its files, and a container of it that proxies. */
import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readFileSync, readSync, readdirSync } from 'node:fs';
import { copyFileSync, rmSync, writeFileSync } from 'node:fs';
import { endianness, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { CertificateAuthority } from '../support/certificates.ts';
import { ContainerImage } from '../support/deploy/container-image.ts';
import { Scripted, echoTo } from '../support/processes/load-generator.ts';
import { runCommand, type CommandResult } from '../support/processes/run-command.ts';
import { startSluice } from '../support/processes/sluice-process.ts';
import { freePorts } from '../support/sockets/free-port.ts';
import { WsClient } from '../support/websocket/ws-client.ts';

const MAX_SIZE_MB = 150;
const LISTENERS = {
  raw: { engine: 'raw' },
  'raw-tls': { engine: 'raw', tls: { cert: '/etc/sluice/own.pem', key: '/etc/sluice/own.key' } },
  net: { engine: 'net' },
  uws: { engine: 'uws' },
};

const prepared = ContainerImage.prepare();

describe('the container image', { skip: typeof prepared === 'string' && prepared }, () => {
  const image = prepared as ContainerImage;
  let folder: string;
  let authority: CertificateAuthority;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-image-config-'));
    authority = new CertificateAuthority();
    const { cert, key } = authority.issue('localhost', ['DNS:localhost', 'IP:127.0.0.1']);
    copyFileSync(cert, join(folder, 'own.pem'));
    copyFileSync(key, join(folder, 'own.key'));
    image.build();
  });
  after(() => {
    image.remove();
    authority.remove();
    rmSync(folder, { recursive: true });
  });

  it(`is smaller than ${MAX_SIZE_MB} MB`, (t) => {
    const { size } = image;
    t.diagnostic(size);
    const [, megabytes] = /^(\d+(?:\.\d+)?) MB$/.exec(size) ?? [];
    assert.ok(Number(megabytes) < MAX_SIZE_MB, size);
  });

  it('has one Node, one binary of each addon, and none of another machine', () => {
    const binaries = binariesIn(image.root);
    const own = machineOf(process.execPath);
    assert.deepEqual(
      binaries.filter((file) => machineOf(join(image.root, file)) !== own),
      [],
    );
    const names = binaries.map((file) => file.replace(/^.*\//, ''));
    assert.equal(names.filter((name) => name === 'node').length, 1);
    const addons = names.filter((name) => name.endsWith('.node')).map((name) => name.replace(/[._].*/, ''));
    assert.deepEqual(addons.toSorted(), ['koffi', 'nice', 'uws']);
  });

  it('names an unprivileged user, the signal that drains, and no shell', () => {
    const { User, StopSignal, Healthcheck, Entrypoint, Cmd, Labels } = image.config;
    assert.deepEqual([User, StopSignal], ['1000:1000', 'SIGTERM']);
    assert.deepEqual([Healthcheck.Test, Entrypoint, Cmd], [['CMD', 'sluice', 'status'], ['sluice'], ['run']]);
    assert.equal(Labels['org.opencontainers.image.title'], 'sluice');
  });

  it('proxies on a read-only root with every engine, and is healthy until it ends', async () => {
    const { Entrypoint, Cmd, Healthcheck } = image.config;
    const endpoint = await Scripted.listen(echoTo);
    after(() => endpoint.close());
    const [admin] = await freePorts(1);
    const config = {
      admin: { address: `127.0.0.1:${admin}` },
      log: { format: 'json' },
      workers: { l7: 1 },
      listeners: Object.entries(LISTENERS).map(([name, settings]) => ({
        ...{ name, address: '127.0.0.1:0', cluster: 'app' },
        ...settings,
      })),
      clusters: [{ name: 'app', endpoints: [new URL(endpoint.url).host] }],
    };
    writeFileSync(join(folder, 'sluice.yaml'), JSON.stringify(config));
    const sluice = await startSluice({
      config,
      command: withoutArguments(image.command(folder, [...Entrypoint, ...Cmd])),
    });
    const health = (): Promise<CommandResult> => {
      const [file, ...args] = image.command(folder, Healthcheck.Test.slice(1));
      return runCommand(file!, args);
    };
    try {
      assert.match(readFileSync(`/proc/${sluice.pid}/status`, 'utf8'), /^Uid:\t1000\t[^]*^CapEff:\t0+$/m);
      for (const [name, settings] of Object.entries(LISTENERS)) {
        const url = `${'tls' in settings ? 'wss' : 'ws'}://${sluice.address(name)}/`;
        const client = await WsClient.connect(url, [], { ca: authority.pem });
        client.send(`through ${name}`);
        assert.equal((await client.next()).data.toString(), `through ${name}`);
        client.socket.terminate();
      }
      const { status, stdout, stderr } = await health();
      assert.deepEqual([status, stderr], [0, ''], stdout);
      assert.deepEqual(await sluice.stop(), { code: 0, signal: null });
      assert.equal((await health()).status, 1);
      assert.equal(sluice.stderr, '');
    } finally {
      sluice.kill('SIGKILL');
    }
  });
});

/** Drops the arguments that a test's sluice gets: a container starts as its image says. */
function withoutArguments(command: readonly string[]): readonly string[] {
  const quoted = command.map((word) => `'${word.replaceAll("'", `'\\''`)}'`);
  return ['sh', '-c', `exec ${quoted.join(' ')}`];
}

/** Returns the ELF files below a folder. */
function binariesIn(root: string): readonly string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((file) => headOf(join(root, file)).toString('latin1', 1, 4) === 'ELF');
}

/** Returns the machine of an ELF file: e_machine, at offset 18. */
function machineOf(file: string): number {
  const head = headOf(file);
  return endianness() === 'LE' ? head.readUInt16LE(18) : head.readUInt16BE(18);
}

function headOf(file: string): Buffer {
  const head = Buffer.alloc(20);
  const descriptor = openSync(file, 'r');
  try {
    readSync(descriptor, head);
  } finally {
    closeSync(descriptor);
  }
  return head;
}
