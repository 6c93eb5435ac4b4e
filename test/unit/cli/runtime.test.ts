import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { chooseNode } from '../../../src/cli/runtime.ts';
import { StartError } from '../../../src/core/errors.ts';

const RUNTIME = pathToFileURL(join(import.meta.dirname, '../../../src/cli/runtime.ts')).href;
const DEADLINE_MS = 60_000;

const root = mkdtempSync(join(tmpdir(), 'sluice-runtime-'));
process.once('exit', () => rmSync(root, { recursive: true, force: true }));

function write(name: string, text: string): string {
  const path = join(root, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

/** Runs a script through runOnPinned in a separate process, under this Node. */
function rerun(script: string, ...argv: readonly string[]): ChildProcessByStdio<null, Readable, Readable> {
  const path = write('script.mjs', script);
  const driver = write(
    'driver.mjs',
    `import { runOnPinned } from ${JSON.stringify(RUNTIME)};
     process.exitCode = await runOnPinned(process.execPath, ${JSON.stringify(path)}, process.argv.slice(2));`,
  );
  return spawn(process.execPath, [driver, ...argv], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: DEADLINE_MS,
    killSignal: 'SIGKILL',
  });
}

async function endOf(child: ChildProcessByStdio<null, Readable, Readable>): Promise<{
  code: number | null;
  signal: NodeJS.Signals | null;
  output: string;
}> {
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return { code, signal, output };
}

describe('the runtime', () => {
  const packaged = pathToFileURL(write('package/node_modules/sluice/dist/main.js', '')).href;

  it('is the running Node if that is 22.18 or a later 22, or 24 or later', () => {
    for (const version of ['v22.18.0', 'v22.23.3', '22.100.0', 'v24.0.0', 'v25.9.0', 'v26.1.0']) {
      assert.equal(chooseNode(packaged, version, {}), null, version);
    }
  });

  it('is the pinned Node of a checkout otherwise', { skip: process.platform !== 'linux' }, () => {
    write('checkout/scripts/pinned-node/package.json', '{}');
    const name = `checkout/node_modules/node-linux-${process.arch}`;
    write(`${name}/package.json`, '{}');
    const node = write(`${name}/bin/node`, '');
    for (const main of ['checkout/dist/main.js', 'checkout/src/main.ts']) {
      const file = pathToFileURL(write(main, '')).href;
      for (const version of ['v20.0.0', 'v22.17.1', 'v23.11.1', 'nonsense', '']) {
        assert.equal(chooseNode(file, version, {}), node, version);
      }
      assert.equal(chooseNode(file, 'v24.0.0', {}), null);
      const env = { SLUICE_PINNED_RUNTIME: '1' };
      assert.throws(() => chooseNode(file, 'v20.0.0', env), StartError, 'a pinned Node starts no other');
    }
  });

  it('is never a Node package beside an installed sluice', () => {
    const name = `package/node_modules/node-linux-${process.arch}`;
    write(`${name}/package.json`, '{}');
    write(`${name}/bin/node`, '');
    assert.throws(() => chooseNode(packaged, 'v20.0.0', {}), StartError);
  });

  it('is reported as missing in one line that names the remedy', () => {
    const checkout = pathToFileURL(write('bare/dist/main.js', '')).href;
    write('bare/scripts/pinned-node/package.json', '{}');
    for (const file of [packaged, checkout]) {
      assert.throws(
        () => chooseNode(file, 'v20.1.2', {}),
        new StartError(
          'Node 20.1.2 cannot run sluice: install Node 22.18 or a later 22, or Node 24 or later',
        ),
      );
    }
  });

  it('receives the arguments, and passes on the exit status', async () => {
    const script = 'console.log(JSON.stringify(process.argv.slice(2))); process.exitCode = 7;';
    const { code, output } = await endOf(rerun(script, 'a b', '--set', 'c=d'));
    assert.deepEqual({ code, output }, { code: 7, output: '["a b","--set","c=d"]\n' });
  });

  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const) {
    it(`receives ${signal}, and may take its time to exit`, async () => {
      const child = rerun(`
        process.on('${signal}', () => { console.log('got ${signal}'); clearInterval(timer); });
        const timer = setInterval(() => undefined, 1000);
        console.log('ready');
      `);
      const ended = endOf(child);
      await once(child.stdout, 'data');
      child.kill(signal);
      assert.deepEqual(await ended, { code: 0, signal: null, output: `ready\ngot ${signal}\n` });
    });
  }

  it('passes on the signal that killed it', async () => {
    const { code, signal } = await endOf(
      rerun(`process.kill(process.pid, 'SIGKILL'); setInterval(() => 0, 1000);`),
    );
    assert.deepEqual({ code, signal }, { code: null, signal: 'SIGKILL' });
  });

  it('is reported in one line if it cannot start', async () => {
    const driver = write(
      'missing.mjs',
      `import { runOnPinned } from ${JSON.stringify(RUNTIME)};
       await runOnPinned('/no/such/node', 'x', []).catch((error) => console.log(error.name, error.message));`,
    );
    const child = spawn(process.execPath, [driver], {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: DEADLINE_MS,
    });
    const { output } = await endOf(child);
    assert.match(output, /^StartError cannot run \/no\/such\/node: .*ENOENT\n$/);
  });
});
