/** The command `npm run bench:compare`: measures every case with every target, in several rounds. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { StartError, UsageError } from '../../src/core/errors.ts';
import { runCommand, say } from '../options/command-line.ts';
import { PEERS } from '../peers/all.ts';
import { MODES, type Mode, type Peer } from '../peers/peer.ts';
import { readTemplate } from '../peers/template.ts';
import { machineText } from '../report/machine.ts';
import { writePage } from '../report/page.ts';
import { coresToPin, pinSelf } from '../rig/pinning.ts';
import { Stage } from '../rig/stage.ts';
import { USAGE, parseCompareArguments, type CompareOptions } from './arguments.ts';
import { CASES, type Case } from './cases.ts';
import { joinComparisons, type CaseResult, type Comparison, type IdleResult } from './comparison.ts';
import { renderMarkdown } from './markdown.ts';
import { measure, measureIdle } from './measure.ts';
import { renderOverview } from './overview.ts';
import { startDirect, startPeer, type RunningTarget } from './rig.ts';
import type { Sample } from './sample.ts';

/** Time budget of all runs. A run also spends time to connect, to warm up and to end. */
const BUDGET_MS = 18 * 60_000;
const OVERHEAD_MS = 700;
const MAX_RUN_MS = 3000;
const MIN_RUN_MS = 500;

process.exitCode = await runCommand('bench:compare', () => main(process.argv.slice(2)));

async function main(argv: readonly string[]): Promise<string> {
  const options = parseCompareArguments(argv);
  if (options.help) return USAGE;
  const earlier = options.append ? readEarlier(options.json) : null;
  const found = await compare(options);
  const comparison = earlier === null ? found : joinComparisons(earlier, found);
  writeFileSync(options.json, `${JSON.stringify(comparison)}\n`);
  writePage();
  return options.overview ? renderOverview(comparison) : renderMarkdown(comparison);
}

async function compare(options: CompareOptions): Promise<Comparison> {
  const cases = CASES.filter(({ name }) => options.cases.test(name));
  if (cases.length === 0) throw new UsageError('--cases: no case has this name');
  const { peers, versions, missing } = choosePeers(options.peers);
  if (missing.length > 0) say(`not installed: ${missing.join(', ')}`);
  const cores = coresToPin();
  if (cores === null) say('cores cannot be pinned here: figures will vary more');
  else pinSelf(cores.driver);
  const durationMs = options.durationMs ?? durationFor(cases, peers, options.rounds);
  const stage = new Stage(cores);
  const failed = new Set<string>();
  try {
    const direct = await startDirect(stage);
    const start: Start = (peer) => tryStart(stage, peer, direct, failed);
    const modes = MODES.filter((mode) => cases.some((one) => one.mode === mode));
    const idle = options.idle ? await compareIdle(stage, modes, peers, start) : [];
    const targets = [direct];
    for (const peer of peers) {
      const target = await start(peer);
      if (target !== null) targets.push(target);
    }
    const results = await compareCases(cases, targets, options.rounds, durationMs);
    return {
      date: new Date().toISOString().slice(0, 10),
      machine: machineText(),
      versions: { direct: '', ...versions },
      missing: [
        ...missing.map((name) => `${name} (not installed)`),
        ...Array.from(failed, (name) => `${name} (does not start)`),
      ],
      configs: Object.fromEntries(
        peers.map(({ name, config, values }) => [name, readTemplate(config, values)]),
      ),
      rounds: options.rounds,
      durationMs,
      pinned: cores !== null,
      cases: results,
      idle,
    };
  } finally {
    await stage.stopAll();
  }
}

/** Reads the result of an earlier comparison; null without one. */
function readEarlier(file: string): Comparison | null {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Comparison) : null;
}

interface Choice {
  readonly peers: readonly Peer[];
  readonly versions: Readonly<Record<string, string>>;
  readonly missing: readonly string[];
}

function choosePeers(names: readonly string[] | null): Choice {
  const unknown = names?.find((name) => !PEERS.some((peer) => peer.name.toLowerCase() === name));
  if (unknown !== undefined) {
    throw new UsageError(`--peers ${unknown}: there are ${PEERS.map(({ name }) => name).join(', ')}`);
  }
  const wanted = PEERS.filter(({ name }) => names?.includes(name.toLowerCase()) ?? true);
  const found = wanted.map((peer) => ({ peer, version: peer.version() }));
  return {
    peers: found.filter(({ version }) => version !== null).map(({ peer }) => peer),
    versions: Object.fromEntries(
      found.flatMap(({ peer, version }) => (version === null ? [] : [[peer.name, version]])),
    ),
    missing: found.filter(({ version }) => version === null).map(({ peer }) => peer.name),
  };
}

function durationFor(cases: readonly Case[], peers: readonly Peer[], rounds: number): number {
  const runs =
    rounds *
    cases.reduce((sum, { mode }) => sum + 1 + peers.filter(({ modes }) => modes.includes(mode)).length, 0);
  return Math.round(Math.min(MAX_RUN_MS, Math.max(MIN_RUN_MS, BUDGET_MS / runs - OVERHEAD_MS)));
}

/** Starts a peer. Returns null if it does not start. */
type Start = (peer: Peer) => Promise<RunningTarget | null>;

/** Starts a peer. If it does not start, returns null and adds its name to the failed peers. */
async function tryStart(
  stage: Stage,
  peer: Peer,
  direct: RunningTarget,
  failed: Set<string>,
): Promise<RunningTarget | null> {
  try {
    return await startPeer(stage, peer, direct);
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    say(error.message);
    failed.add(peer.name);
    return null;
  }
}

/** Measures idle connections with fresh processes. */
async function compareIdle(
  stage: Stage,
  modes: readonly Mode[],
  peers: readonly Peer[],
  start: Start,
): Promise<IdleResult[]> {
  const results: IdleResult[] = [];
  for (const mode of modes) {
    const bytes: Record<string, number[]> = {};
    for (const peer of peers.filter(({ modes }) => modes.includes(mode))) {
      say(`idle connections, ${mode}, ${peer.name}`);
      const target = await start(peer);
      if (target === null) continue;
      const each = await measureIdle(target, mode);
      if (each !== null) bytes[peer.name] = [each];
      if (target.process !== null) await stage.stop(target.process);
    }
    results.push({ mode, bytes });
  }
  return results;
}

/** Runs each case with all targets in turn, so that a machine that changes its speed affects all of them. */
async function compareCases(
  cases: readonly Case[],
  targets: readonly RunningTarget[],
  rounds: number,
  durationMs: number,
): Promise<CaseResult[]> {
  const samples = new Map<Case, Map<string, Sample[]>>(cases.map((one) => [one, new Map()]));
  for (let round = 1; round <= rounds; round++) {
    for (const one of cases) {
      say(`round ${round} of ${rounds}: ${one.name}`);
      for (const target of targets.filter(({ modes }) => modes.includes(one.mode))) {
        const sample = await measure(target, one, durationMs);
        const known = samples.get(one)!;
        known.set(target.name, [...(known.get(target.name) ?? []), sample]);
      }
    }
  }
  return Array.from(samples, ([{ name }, byTarget]) => ({
    name,
    ways: Object.fromEntries(byTarget),
  }));
}
