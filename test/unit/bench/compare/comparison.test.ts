import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parseCompareArguments } from '../../../../bench/compare/arguments.ts';
import { CASES } from '../../../../bench/compare/cases.ts';
import { joinComparisons, type Comparison } from '../../../../bench/compare/comparison.ts';
import { renderMarkdown } from '../../../../bench/compare/markdown.ts';
import { renderOverview } from '../../../../bench/compare/overview.ts';
import { CURVE_PERCENTILES, type Sample } from '../../../../bench/compare/sample.ts';
import { summarize } from '../../../../bench/compare/summary.ts';
import { PEERS } from '../../../../bench/peers/all.ts';
import type { Setup } from '../../../../bench/peers/peer.ts';
import { cpuOf, memoryOf, processTree } from '../../../../bench/rig/process-usage.ts';
import { UsageError } from '../../../../src/core/errors.ts';
import { CertificateAuthority } from '../../../support/certificates.ts';
import { eventually } from '../../../support/deadline.ts';

const REPORT = join(import.meta.dirname, '../../../../bench/report/comparison.json');
const CURVE = CURVE_PERCENTILES.map(() => 1);

describe('the command line of the comparison', () => {
  it('has defaults and reads every option', () => {
    const defaults = parseCompareArguments([]);
    assert.deepEqual(
      { ...defaults, cases: defaults.cases.source },
      {
        help: false,
        peers: null,
        cases: '(?:)',
        rounds: 3,
        durationMs: null,
        idle: true,
        json: REPORT,
        append: false,
        overview: false,
      },
    );
    const argv =
      '--peers sluice,HAProxy --cases echo --rounds 5 -d 2 --no-idle --json out.json --append --overview'.split(
        ' ',
      );
    const all = parseCompareArguments(argv);
    assert.deepEqual(
      { ...all, cases: all.cases.source },
      {
        help: false,
        peers: ['sluice', 'haproxy'],
        cases: 'echo',
        rounds: 5,
        durationMs: 2000,
        idle: false,
        json: 'out.json',
        append: true,
        overview: true,
      },
    );
  });

  it('refuses invalid arguments with a one-line error', () => {
    for (const argv of [
      '--rounds 0',
      '--rounds x',
      '-d 0',
      '-d soon',
      '--cases (',
      '--what',
      'word',
      '--json',
    ]) {
      assert.throws(
        () => parseCompareArguments(argv.split(' ')),
        (error) => error instanceof UsageError && !error.message.includes('\n'),
        argv,
      );
    }
  });
});

describe('the comparison', () => {
  it('covers each combination of the matrix exactly once', () => {
    assert.equal(new Set(CASES.map(({ name }) => name)).size, CASES.length);
    const echoes = CASES.filter(({ scenario }) => scenario === 'echo');
    assert.equal(new Set(echoes.map(({ mode, size, inFlight }) => `${mode} ${size} ${inFlight}`)).size, 24);
  });

  it('summarizes rounds by their medians and spread', () => {
    const sample = (rate: number, p50: number, cpu: number | null) => ({
      rate,
      p50,
      p99: 2,
      p999: 3,
      curve: CURVE,
      cpu,
      failures: 1,
    });
    const summary = summarize([sample(90, 5, 10), sample(100, 1, 30), sample(140, 3, 20)]);
    assert.deepEqual(summary, {
      rate: 100,
      p50: 3,
      p99: 2,
      p999: 3,
      curve: CURVE,
      cpu: 20,
      rateSpread: 0.5,
      cpuSpread: 1,
      failures: 3,
      resumed: null,
    });
    assert.equal(summarize([sample(1, 1, null)]).cpu, null);
    const resumed = [0.99, 0.5].map((share) => ({ ...sample(1, 1, 1), resumed: share }));
    assert.equal(summarize(resumed).resumed, 0.5);
  });

  it('renders a table for each case, with ratios to nginx', () => {
    const baseline: Sample = { rate: 1000, p50: 1, p99: 2, p999: 3, curve: CURVE, cpu: 20, failures: 0 };
    const rounds = (one: Sample): Sample[] => [one, one, { ...one, rate: one.rate * 1.051 }];
    const comparison: Comparison = {
      date: '2026-01-01',
      machine: 'a machine',
      versions: { direct: '', sluice: '0.1.0', nginx: '1.22.1' },
      missing: ['Caddy (not installed)'],
      configs: {},
      rounds: 3,
      durationMs: 1500,
      pinned: true,
      cases: [
        {
          name: 'ws echo',
          ways: {
            direct: rounds({ ...baseline, cpu: null, p50: 0.5 }),
            sluice: rounds({ ...baseline, rate: 1500, cpu: 10, failures: 2 }),
            nginx: rounds(baseline),
          },
        },
        { name: 'without nginx', ways: { sluice: rounds(baseline) } },
      ],
      idle: [{ mode: 'ws', bytes: { sluice: [7600, 9000, 1000], nginx: [17_000] } }],
    };
    const text = renderMarkdown(comparison);
    assert.match(
      text,
      /^2026-01-01, a machine\. direct, sluice 0\.1\.0, nginx 1\.22\.1\. Medians of 3 rounds of 1\.5 s/,
    );
    assert.match(text, /Not compared: Caddy \(not installed\)\./);
    assert.ok(
      text.includes(
        '| sluice (6 failures) | 1,500 | 5% | 1.00 ms | 2.00 ms | 3.00 ms | +500 µs | 10.00 µs | 0% | 1.50 | 0.50 |',
      ),
      text,
    );
    assert.ok(text.includes('| direct | 1,000 | 5% | 500 µs | 2.00 ms | 3.00 ms |  |  |  |  |  |'), text);
    assert.ok(
      text.includes('| sluice | 1,000 | 5% | 1.00 ms | 2.00 ms | 3.00 ms |  | 20.00 µs | 0% |  |  |'),
      text,
    );
    assert.ok(text.includes('| ws | 7.60 kB | 17.0 kB |'), text);
    const overview = renderOverview(comparison);
    for (const line of [
      '|  | direct | sluice | nginx |',
      '| ws echo | 1,000 | 1,500 † | 1,000 |',
      '| ws echo | 10.00 † | 20.00 |',
      '| ws echo | 500 µs | 1.00 ms † | 1.00 ms |',
      '| without nginx |  | 2.00 ms |  |',
      '| ws | 7.60 kB | 17.0 kB |',
    ]) {
      assert.ok(overview.includes(`${line}\n`), `${line} in\n${overview}`);
    }
  });

  it('joins the rounds of partial runs', () => {
    const sample = (rate: number): Sample => ({
      rate,
      p50: 1,
      p99: 2,
      p999: 3,
      curve: CURVE,
      cpu: 1,
      failures: 0,
    });
    const piece = (rounds: number, cases: Comparison['cases'], bytes: number): Comparison => ({
      date: '2026-01-01',
      machine: 'a machine',
      versions: { direct: '', nginx: '1' },
      missing: ['Caddy (not installed)'],
      configs: {},
      rounds,
      durationMs: 1000,
      pinned: true,
      cases,
      idle: [{ mode: 'ws', bytes: { nginx: [bytes] } }],
    });
    const joined = joinComparisons(
      piece(1, [{ name: 'a', ways: { direct: [sample(1)] } }], 10),
      piece(
        2,
        [
          { name: 'a', ways: { direct: [sample(2), sample(3)], nginx: [sample(4)] } },
          { name: 'b', ways: { nginx: [sample(5)] } },
        ],
        20,
      ),
    );
    assert.equal(joined.rounds, 3);
    assert.deepEqual(joined.missing, ['Caddy (not installed)']);
    assert.deepEqual(
      joined.cases.map(({ name, ways }) => [name, ways.direct?.map(({ rate }) => rate), ways.nginx?.length]),
      [
        ['a', [1, 2, 3], 1],
        ['b', undefined, 1],
      ],
    );
    assert.deepEqual(joined.idle, [{ mode: 'ws', bytes: { nginx: [10, 20] } }]);
  });
});

describe('the peers', () => {
  const authority = new CertificateAuthority();
  const directory = mkdtempSync(join(tmpdir(), 'sluice-peers-'));
  let setup: Setup;
  before(() => {
    chmodSync(directory, 0o755);
    const { cert, key } = authority.issue('localhost', ['DNS:localhost']);
    const both = join(directory, 'both.pem');
    spawnSync('sh', ['-c', `cat ${cert} ${key} > ${both}`]);
    setup = {
      directory,
      ports: { ws: 18_101, wss: 18_102, tcp: 18_103 },
      endpoint: 18_104,
      certificate: { cert, key, both },
    };
  });
  after(() => {
    rmSync(directory, { recursive: true, force: true });
    authority.remove();
  });

  it('have configurations with their ports and without unfilled placeholders', () => {
    for (const peer of PEERS) {
      const { args, program } = peer.command(setup);
      const file = args.map(String).find((arg) => arg.startsWith(directory) && !arg.endsWith('.err'));
      const text = file === undefined ? [program, ...args].join(' ') : readFileSync(file, 'utf8');
      assert.ok(!text.includes('{{'), peer.name);
      for (const mode of peer.modes)
        assert.ok(text.includes(String(setup.ports[mode])), `${peer.name}: ${mode}`);
      assert.ok(text.includes(String(setup.endpoint)), peer.name);
    }
  });

  const checks: Readonly<Record<string, (args: readonly string[]) => readonly string[]>> = {
    sluice: (args) => [...args.map((arg) => (arg === 'run' ? 'check' : arg))],
    nginx: (args) => ['-t', '-q', ...args],
    HAProxy: (args) => ['-c', ...args.filter((arg) => arg !== '-db')],
  };
  for (const [name, checkArgs] of Object.entries(checks)) {
    const peer = PEERS.find((candidate) => candidate.name === name)!;
    it(
      `have configurations that pass their own check: ${name}`,
      { skip: peer.version() === null && 'not installed' },
      () => {
        const { program, args } = peer.command(setup);
        const { status, stdout, stderr } = spawnSync(program, checkArgs(args), {
          encoding: 'utf8',
          timeout: 30_000,
        });
        assert.equal(status, 0, stdout + stderr);
      },
    );
  }
});

describe('the resource usage of processes', { skip: process.platform !== 'linux' && 'reads /proc' }, () => {
  it('includes the descendants of a process', async () => {
    const script =
      // CPU time, not elapsed time: on a busy machine, the script might stop before it has used 100 ms of
      // CPU.
      'const b = Buffer.alloc(5e7, 1); while (process.cpuUsage().user < 100_000); b[0]++;';
    const child = spawn('sh', [
      '-c',
      `"${process.execPath}" -e "${script} setTimeout(() => 0, 60000)" & wait`,
    ]);
    try {
      await eventually(() => {
        const tree = processTree(child.pid!);
        assert.equal(tree.length, 2);
        assert.ok(cpuOf(tree) >= 90, `${cpuOf(tree)} ms`);
        assert.ok(memoryOf(tree) > 5e7);
      });
    } finally {
      for (const pid of processTree(child.pid!).reverse()) process.kill(pid);
    }
  });

  it('is zero for a process that has ended', () => {
    assert.equal(cpuOf([2 ** 22 + 1]), 0);
    assert.equal(memoryOf([2 ** 22 + 1]), 0);
  });
});
